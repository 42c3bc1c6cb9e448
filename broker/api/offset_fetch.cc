#include "broker/api/offset_fetch.h"

#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "broker/api/group_support.h"
#include "proto/kafka/offset_fetch.h"

namespace odradek::broker::api {

namespace {

using Request = kafka::OffsetFetchRequest;
using Response = kafka::OffsetFetchResponse;

constexpr int16_t kFirstVersionByIds = 10;  // topics are named by their ids

template <typename Row>
Row row_of(const group::FetchedOffset& offset) {
  Row row;
  row.partition_index = offset.partition.partition.value();
  row.committed_offset = offset.offset;
  row.committed_leader_epoch = offset.leader_epoch;
  row.metadata = offset.metadata;
  row.error_code = error_number(offset.error);
  return row;
}

template <typename Row>
Row error_row(int32_t partition, int16_t error) {
  Row row;
  row.partition_index = partition;
  row.committed_offset = -1;
  row.error_code = error;
  return row;
}

// As Kafka's: a topic has one row however often it is named, a partition likewise, and a topic
// without a partition has none.
template <typename Topic>
void merge_repeated(std::vector<Topic>& topics) {
  std::unordered_map<std::string, size_t> rows;
  std::vector<Topic> merged;
  for (Topic& topic : topics) {
    if (topic.partition_indexes.empty()) continue;
    auto [row, is_new] = rows.emplace(topic.name, merged.size());
    if (is_new) {
      merged.push_back(std::move(topic));
    } else {
      auto& indexes = merged[row->second].partition_indexes;
      indexes.insert(indexes.end(), topic.partition_indexes.begin(), topic.partition_indexes.end());
    }
  }
  for (Topic& topic : merged) {
    std::unordered_set<int32_t> seen;
    std::erase_if(topic.partition_indexes,
                  [&seen](int32_t index) { return !seen.insert(index).second; });
  }
  topics = std::move(merged);
}

// Versions 0 to 7: one group; what is asked for comes back in the same order.
boost::asio::awaitable<Answer> fetch_one(Services& services, RequestContext context,
                                         Request request) {
  if (request.topics) merge_repeated(*request.topics);
  std::optional<std::vector<TopicPartition>> wanted;
  if (request.topics) {
    wanted.emplace();
    for (const auto& topic : *request.topics) {
      for (int32_t index : topic.partition_indexes)
        wanted->push_back({topic.name, PartitionId(index)});
    }
  }
  auto offsets = co_await groups_for(services, context)
                     .fetch(std::move(request.group_id), std::move(wanted), request.require_stable);
  Response response;
  if (!offsets) {
    int16_t error = error_number(std::optional(offsets.error().code()));
    if (context.version >= 2) {
      response.error_code = error;
    } else if (request.topics) {
      // there was no place for an error of the whole request yet
      for (const auto& topic : *request.topics) {
        Response::Topic rows;
        rows.name = topic.name;
        for (int32_t index : topic.partition_indexes)
          rows.partitions.push_back(error_row<Response::Partition>(index, error));
        response.topics.push_back(std::move(rows));
      }
    }
    co_return respond(context, response);
  }
  if (request.topics) {
    size_t next = 0;
    for (const auto& topic : *request.topics) {
      Response::Topic rows;
      rows.name = topic.name;
      for (size_t i = 0; i < topic.partition_indexes.size(); ++i) {
        rows.partitions.push_back(row_of<Response::Partition>((*offsets)[next++]));
      }
      response.topics.push_back(std::move(rows));
    }
  } else {
    for (const auto& offset : *offsets) {
      if (response.topics.empty() || response.topics.back().name != offset.partition.topic) {
        response.topics.emplace_back();
        response.topics.back().name = offset.partition.topic;
      }
      response.topics.back().partitions.push_back(row_of<Response::Partition>(offset));
    }
  }
  co_return respond(context, response);
}

// The topics that one group of a request names, and what is known of them.
struct Named {
  std::string name;  // empty: its id is unknown
  Uuid id;
  std::vector<int32_t> partitions;
};

std::vector<Named> names_of(const RequestContext& context, const Request::Group& group) {
  std::vector<Named> named;
  for (const auto& topic : *group.topics) {
    Named row;
    row.id = topic.topic_id;
    row.name = topic.name;
    row.partitions = topic.partition_indexes;
    if (context.version >= kFirstVersionByIds) {
      const metadata::Topic* known = context.image->topic(topic.topic_id);
      row.name = known != nullptr ? known->name : std::string();
    }
    named.push_back(std::move(row));
  }
  return named;
}

void add_named(const std::vector<Named>& named, const std::vector<group::FetchedOffset>& offsets,
               Response::Group& rows) {
  size_t next = 0;
  for (const Named& topic : named) {
    Response::Topics out;
    out.name = topic.name;
    out.topic_id = topic.id;
    for (int32_t index : topic.partitions) {
      if (topic.name.empty()) {
        out.partitions.push_back(
            error_row<Response::Partitions>(index, wire(ErrorCode::unknown_topic_id)));
      } else {
        out.partitions.push_back(row_of<Response::Partitions>(offsets[next++]));
      }
    }
    rows.topics.push_back(std::move(out));
  }
}

void add_all(const RequestContext& context, const std::vector<group::FetchedOffset>& offsets,
             Response::Group& rows) {
  const metadata::Topic* known = nullptr;
  for (const auto& offset : offsets) {
    const std::string& name = offset.partition.topic;
    if (rows.topics.empty() || rows.topics.back().name != name) {
      known = context.image->topic(name);
      // by id nothing can be said of a topic that is gone
      if (context.version >= kFirstVersionByIds && known == nullptr) continue;
      rows.topics.emplace_back();
      rows.topics.back().name = name;
      if (known != nullptr) rows.topics.back().topic_id = known->id;
    }
    rows.topics.back().partitions.push_back(row_of<Response::Partitions>(offset));
  }
}

boost::asio::awaitable<Response::Group> fetch_group(Services& services,
                                                    const RequestContext& context,
                                                    const Request::Group& group,
                                                    bool require_stable) {
  Response::Group rows;
  rows.group_id = group.group_id;
  std::vector<Named> named;
  std::optional<std::vector<TopicPartition>> wanted;
  if (group.topics) {
    named = names_of(context, group);
    wanted.emplace();
    for (const Named& topic : named) {
      if (topic.name.empty()) continue;
      for (int32_t index : topic.partitions) wanted->push_back({topic.name, PartitionId(index)});
    }
  }
  std::string group_id = group.group_id;
  auto offsets = co_await groups_for(services, context)
                     .fetch(std::move(group_id), std::move(wanted), require_stable);
  if (!offsets) {
    rows.error_code = error_number(std::optional(offsets.error().code()));
  } else if (group.topics) {
    add_named(named, *offsets, rows);
  } else {
    add_all(context, *offsets, rows);
  }
  co_return rows;
}

}  // namespace

boost::asio::awaitable<Answer> handle_offset_fetch(Services& services, RequestContext context,
                                                   ByteView body) {
  auto request = decode_request<Request>(context, body);
  if (!request) co_return bad_request(context, request.error());
  if (context.version < 8)
    co_return co_await fetch_one(services, std::move(context), std::move(*request));
  Response response;
  for (auto& group : request->groups) {  // a group that is named twice is answered twice
    if (group.topics && context.version < kFirstVersionByIds) merge_repeated(*group.topics);
    auto rows = co_await fetch_group(services, context, group, request->require_stable);
    response.groups.push_back(std::move(rows));
  }
  co_return respond(context, response);
}

}  // namespace odradek::broker::api
