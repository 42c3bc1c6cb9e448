#include "broker/api/offset_commit.h"

#include <utility>

#include "broker/api/group_support.h"
#include "proto/kafka/offset_commit.h"

namespace odradek::broker::api {

namespace {

// A place in the response whose error comes from the group.
struct Asked {
  size_t topic;
  size_t partition;
};

const metadata::Topic* find_topic(const RequestContext& context,
                                  const kafka::OffsetCommitRequest::Topic& topic) {
  return context.version >= 10 ? context.image->topic(topic.topic_id)
                               : context.image->topic(topic.name);
}

}  // namespace

boost::asio::awaitable<Answer> handle_offset_commit(Services& services, RequestContext context,
                                                    ByteView body) {
  auto request = decode_request<kafka::OffsetCommitRequest>(context, body);
  if (!request) co_return bad_request(context, request.error());
  bool by_id = context.version >= 10;
  kafka::OffsetCommitResponse response;
  group::CommitRequest commit;
  std::vector<Asked> asked;
  for (auto& topic : request->topics) {
    const metadata::Topic* known = find_topic(context, topic);
    kafka::OffsetCommitResponse::Topic rows;
    rows.topic_id = topic.topic_id;
    rows.name = topic.name;
    for (auto& partition : topic.partitions) {
      kafka::OffsetCommitResponse::Partition row;
      row.partition_index = partition.partition_index;
      if (known == nullptr && by_id) {
        row.error_code = wire(ErrorCode::unknown_topic_id);
      } else if (!has_partition(known, partition.partition_index)) {
        row.error_code = wire(ErrorCode::unknown_topic_or_partition);
      } else {
        group::OffsetToCommit offset;
        offset.partition = {known->name, PartitionId(partition.partition_index)};
        offset.topic_id = known->id;
        offset.offset = partition.committed_offset;
        offset.leader_epoch = partition.committed_leader_epoch;
        offset.metadata = std::move(partition.committed_metadata).value_or("");
        offset.commit_ms = partition.commit_timestamp;
        commit.offsets.push_back(std::move(offset));
        asked.push_back({response.topics.size(), rows.partitions.size()});
      }
      rows.partitions.push_back(std::move(row));
    }
    response.topics.push_back(std::move(rows));
  }
  if (!asked.empty()) {
    commit.group_id = std::move(request->group_id);
    commit.member_id = std::move(request->member_id);
    commit.instance_id = std::move(request->group_instance_id);
    commit.generation = request->generation_id_or_member_epoch;
    commit.retention_ms = request->retention_time_ms;
    auto committed = co_await groups_for(services, context).commit(std::move(commit));
    for (size_t i = 0; i < asked.size() && i < committed.offsets.size(); ++i) {
      response.topics[asked[i].topic].partitions[asked[i].partition].error_code =
          error_number(committed.offsets[i]);
    }
  }
  co_return respond(context, response);
}

}  // namespace odradek::broker::api
