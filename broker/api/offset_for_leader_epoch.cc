#include "broker/api/offset_for_leader_epoch.h"

#include "broker/api/error_map.h"
#include "broker/api/partition_access.h"
#include "proto/kafka/offset_for_leader_epoch.h"

namespace odradek::broker::api {

namespace {

struct Item {
  TopicPartition id;
  int32_t current_leader_epoch = -1;
  LeaderEpoch epoch;
  std::optional<Error> error;
  replica::EpochEndOffset end;
};

void look_up(Services& services, Item& item) {
  auto found = services.partitions->find(item.id);
  if (!found) {
    item.error = found.error();
    return;
  }
  std::optional<LeaderEpoch> current;
  if (item.current_leader_epoch >= 0) current = LeaderEpoch(item.current_leader_epoch);
  auto leads = (*found)->check_leader(current);
  if (!leads) {
    item.error = leads.error();
    return;
  }
  item.end = (*found)->end_offset_for_epoch(item.epoch);
}

}  // namespace

boost::asio::awaitable<Answer> handle_offset_for_leader_epoch(Services& services,
                                                              RequestContext context,
                                                              ByteView body) {
  auto request = decode_request<kafka::OffsetForLeaderEpochRequest>(context, body);
  if (!request) co_return bad_request(context, request.error());
  std::vector<Item> items;
  for (const auto& topic : request->topics) {
    for (const auto& partition : topic.partitions) {
      Item item;
      item.id = {topic.topic, PartitionId(partition.partition)};
      item.current_leader_epoch = partition.current_leader_epoch;
      item.epoch = LeaderEpoch(partition.leader_epoch);
      items.push_back(std::move(item));
    }
  }
  auto id_of = [&items](size_t i) -> const TopicPartition& { return items[i].id; };
  auto work = [&](size_t i) { look_up(services, items[i]); };
  if (!items.empty()) co_await on_owners(services, items.size(), 0, id_of, work);

  kafka::OffsetForLeaderEpochResponse response;
  size_t at = 0;
  for (const auto& topic : request->topics) {
    kafka::OffsetForLeaderEpochResponse::OffsetForLeaderTopicResult row;
    row.topic = topic.topic;
    for (size_t i = 0; i < topic.partitions.size(); ++i, ++at) {
      const Item& item = items[at];
      kafka::OffsetForLeaderEpochResponse::EpochEndOffset partition;
      partition.partition = item.id.partition.value();
      if (item.error) partition.error_code = error_number(*item.error, "OffsetForLeaderEpoch");
      partition.leader_epoch = item.end.leader_epoch.value();
      partition.end_offset = item.end.end_offset.value();
      row.partitions.push_back(std::move(partition));
    }
    response.topics.push_back(std::move(row));
  }
  co_return respond(context, response);
}

}  // namespace odradek::broker::api
