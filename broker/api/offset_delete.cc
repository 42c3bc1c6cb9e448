#include "broker/api/offset_delete.h"

#include <utility>

#include "broker/api/group_support.h"
#include "proto/kafka/offset_delete.h"

namespace odradek::broker::api {

boost::asio::awaitable<Answer> handle_offset_delete(Services& services, RequestContext context,
                                                    ByteView body) {
  auto request = decode_request<kafka::OffsetDeleteRequest>(context, body);
  if (!request) co_return bad_request(context, request.error());
  kafka::OffsetDeleteResponse response;
  group::DeleteOffsetsRequest wanted;
  wanted.group_id = std::move(request->group_id);
  std::vector<std::pair<size_t, size_t>> asked;  // places in the response
  for (const auto& topic : request->topics) {
    const metadata::Topic* known = context.image->topic(topic.name);
    kafka::OffsetDeleteResponse::Topic rows;
    rows.name = topic.name;
    for (const auto& partition : topic.partitions) {
      kafka::OffsetDeleteResponse::Partition row;
      row.partition_index = partition.partition_index;
      if (has_partition(known, partition.partition_index)) {
        asked.emplace_back(response.topics.size(), rows.partitions.size());
        wanted.partitions.push_back({topic.name, PartitionId(partition.partition_index)});
      } else {
        row.error_code = wire(ErrorCode::unknown_topic_or_partition);
      }
      rows.partitions.push_back(std::move(row));
    }
    response.topics.push_back(std::move(rows));
  }
  auto deleted = co_await groups_for(services, context).delete_offsets(std::move(wanted));
  if (deleted.error) {
    response.error_code = error_number(deleted.error);
    response.topics.clear();
    co_return respond(context, response);
  }
  for (size_t i = 0; i < asked.size() && i < deleted.partitions.size(); ++i) {
    response.topics[asked[i].first].partitions[asked[i].second].error_code =
        error_number(deleted.partitions[i]);
  }
  co_return respond(context, response);
}

}  // namespace odradek::broker::api
