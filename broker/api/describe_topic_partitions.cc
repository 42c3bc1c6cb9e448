#include "broker/api/describe_topic_partitions.h"

#include <algorithm>
#include <set>

#include "broker/api/topics.h"
#include "proto/kafka/describe_topic_partitions.h"

namespace odradek::broker::api {

namespace {

using kafka::DescribeTopicPartitionsResponse;
constexpr int32_t kMaxPartitions = 2000;  // max.request.partition.size.limit

std::vector<int32_t> numbers(const std::vector<BrokerId>& ids) {
  std::vector<int32_t> out;
  for (BrokerId id : ids) out.push_back(id.value());
  return out;
}

DescribeTopicPartitionsResponse::Partition partition_row(const metadata::Image& image,
                                                         const metadata::Partition& partition,
                                                         int32_t index,
                                                         const std::string& listener) {
  DescribeTopicPartitionsResponse::Partition row;
  row.partition_index = index;
  row.leader_id = partition.leader.value();
  row.leader_epoch = partition.leader_epoch.value();
  row.replica_nodes = numbers(partition.replicas);
  row.isr_nodes = numbers(partition.isr);
  row.eligible_leader_replicas.emplace();
  row.last_known_elr.emplace();
  row.offline_replicas = numbers(image.offline_replicas(partition));
  const metadata::Broker* leader = image.broker(partition.leader);
  if (leader == nullptr || leader->endpoint(listener) == nullptr) {
    row.error_code = wire(leader ? ErrorCode::listener_not_found : ErrorCode::leader_not_available);
    row.leader_id = -1;
  }
  return row;
}

}  // namespace

boost::asio::awaitable<Answer> handle_describe_topic_partitions(Services& services,
                                                                RequestContext context,
                                                                ByteView body) {
  auto request = decode_request<kafka::DescribeTopicPartitionsRequest>(context, body);
  if (!request) co_return bad_request(context, request.error());
  const metadata::Image& image = *context.image;
  const bool all = request->topics.empty();

  std::set<std::string> names;  // in order, from the cursor on
  for (auto& topic : request->topics) names.insert(topic.name);
  if (all) {
    for (const auto& [name, topic] : image.topics) names.insert(name);
  }
  int32_t first_partition = 0;
  if (request->cursor) {
    names.erase(names.begin(), names.lower_bound(request->cursor->topic_name));
    if (names.contains(request->cursor->topic_name))
      first_partition = std::max(0, request->cursor->partition_index);
  }

  DescribeTopicPartitionsResponse response;
  int32_t left = std::clamp(request->response_partition_limit, 1, kMaxPartitions);
  for (const std::string& name : names) {
    DescribeTopicPartitionsResponse::Topic row;
    row.name = name;
    row.is_internal = is_internal_topic(name);
    const metadata::Topic* topic = image.topic(name);
    if (topic == nullptr) {
      row.error_code = wire(is_valid_topic_name(name) ? ErrorCode::unknown_topic_or_partition
                                                      : ErrorCode::invalid_topic_exception);
      response.topics.push_back(std::move(row));
      continue;
    }
    if (left == 0) {
      response.next_cursor.emplace();
      response.next_cursor->topic_name = name;
      break;
    }
    row.topic_id = topic->id;
    row.topic_authorized_operations = kAllTopicOperations;
    int32_t count = static_cast<int32_t>(topic->partitions.size());
    int32_t index = std::min(first_partition, count);
    for (; index < count && left > 0; ++index, --left) {
      row.partitions.push_back(partition_row(image, topic->partitions[static_cast<size_t>(index)],
                                             index, context.listener));
    }
    first_partition = 0;
    response.topics.push_back(std::move(row));
    if (index < count) {
      response.next_cursor.emplace();
      response.next_cursor->topic_name = name;
      response.next_cursor->partition_index = index;
      break;
    }
  }
  co_return respond(context, response);
}

}  // namespace odradek::broker::api
