#include "broker/api/delete_records.h"

#include <vector>

#include "broker/api/error_map.h"
#include "broker/api/partition_access.h"
#include "broker/api/topics.h"
#include "proto/kafka/delete_records.h"

namespace odradek::broker::api {

namespace {

struct Item {
  TopicPartition id;
  int64_t offset = 0;
  int16_t error = 0;
  int64_t low_watermark = -1;
};

// On the owner. With one replica its log start is the low watermark, so nobody is waited for.
void delete_before(Services& services, Item& item) {
  auto found = services.partitions->find(item.id);
  if (!found) {
    item.error = error_number(found.error(), "DeleteRecords");
    return;
  }
  replica::Partition& partition = **found;
  if (auto leads = partition.check_leader(std::nullopt); !leads) {
    item.error = error_number(leads.error(), "DeleteRecords");
    return;
  }
  if (!partition.log().config().cleanup_delete) {
    item.error = wire(ErrorCode::policy_violation);
    return;
  }
  auto start = partition.delete_records(item.offset);
  if (start) {
    item.low_watermark = start->value();
  } else {
    item.error = error_number(start.error(), "DeleteRecords");
  }
}

}  // namespace

boost::asio::awaitable<Answer> handle_delete_records(Services& services, RequestContext context,
                                                     ByteView body) {
  auto request = decode_request<kafka::DeleteRecordsRequest>(context, body);
  if (!request) co_return bad_request(context, request.error());
  std::vector<Item> items;
  for (const auto& topic : request->topics) {
    for (const auto& partition : topic.partitions) {
      Item item;
      item.id = {topic.name, PartitionId(partition.partition_index)};
      item.offset = partition.offset;
      if (context.image->partition(item.id.topic, item.id.partition) == nullptr) {
        item.error = wire(ErrorCode::unknown_topic_or_partition);
      } else if (is_internal_topic(topic.name)) {
        item.error = wire(ErrorCode::invalid_topic_exception);
      }
      items.push_back(std::move(item));
    }
  }
  if (!items.empty()) {
    auto id_of = [&items](size_t i) -> const TopicPartition& { return items[i].id; };
    auto work = [&](size_t i) {
      if (items[i].error == 0) delete_before(services, items[i]);
    };
    co_await on_owners(services, items.size(), 0, id_of, work);
  }
  kafka::DeleteRecordsResponse response;
  size_t at = 0;
  for (const auto& topic : request->topics) {
    auto& row = response.topics.emplace_back();
    row.name = topic.name;
    for (size_t i = 0; i < topic.partitions.size(); ++i, ++at) {
      auto& partition = row.partitions.emplace_back();
      partition.partition_index = items[at].id.partition.value();
      partition.low_watermark = items[at].low_watermark;
      partition.error_code = items[at].error;
    }
  }
  co_return respond(context, response);
}

}  // namespace odradek::broker::api
