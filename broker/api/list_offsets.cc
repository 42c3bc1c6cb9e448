#include "broker/api/list_offsets.h"

#include <algorithm>
#include <map>

#include "broker/api/broker_settings.h"
#include "broker/api/error_map.h"
#include "broker/api/partition_access.h"
#include "proto/kafka/list_offsets.h"

namespace odradek::broker::api {

namespace asio = boost::asio;

namespace {

constexpr int64_t kLatestTieredTimestamp = -5;
constexpr int64_t kEarliestPendingUploadTimestamp = -6;
constexpr int64_t kOpeningWaitMs = 5000;

struct Item {
  TopicPartition id;
  int32_t current_leader_epoch = -1;
  int64_t timestamp = 0;
  int32_t count = 1;  // version 0: how many offsets are wanted
  std::optional<Error> error;
  replica::ListedOffset found;
  std::vector<int64_t> offsets;  // version 0: the newest first
};

// Version 0 knows segments alone. What a consumer may not see yet is left out.
Result<std::vector<int64_t>> old_offsets(replica::Partition& partition, const Item& item,
                                         replica::ReadLimit limit) {
  const auto count = static_cast<size_t>(std::max(item.count, 0));
  auto found = partition.log().segment_offsets_before(item.timestamp, count);
  if (!found) return found.error();
  std::vector<int64_t> offsets;
  const Offset end = limit == replica::ReadLimit::log_end ? partition.log_end_offset()
                                                          : partition.high_watermark();
  for (Offset offset : *found) {
    if (offset <= end) {
      offsets.push_back(offset.value());
    } else if (offsets.empty()) {
      offsets.push_back(end.value());
    }
  }
  return offsets;
}

// The special times came one after another.
bool is_known_timestamp(int64_t timestamp, int16_t version) {
  if (timestamp >= log::kEarliestTimestamp) return true;
  if (timestamp == log::kMaxTimestamp) return version >= 7;                // KIP-734
  if (timestamp == log::kEarliestLocalTimestamp) return version >= 8;      // KIP-405
  if (timestamp == kLatestTieredTimestamp) return version >= 9;            // KIP-1005
  if (timestamp == kEarliestPendingUploadTimestamp) return version >= 11;  // KIP-1023
  return false;
}

replica::ReadLimit limit_of(const kafka::ListOffsetsRequest& request) {
  if (request.replica_id >= 0 || request.replica_id == -2) return replica::ReadLimit::log_end;
  return request.isolation_level == 1 ? replica::ReadLimit::last_stable_offset
                                      : replica::ReadLimit::high_watermark;
}

// On the owner.
void look_up(Services& services, Item& item, int16_t version, replica::ReadLimit limit,
             bool debug) {
  auto found = services.partitions->find(item.id);
  if (!found) {
    item.error = found.error();
    return;
  }
  std::optional<LeaderEpoch> epoch;
  if (item.current_leader_epoch >= 0) epoch = LeaderEpoch(item.current_leader_epoch);
  auto leads = (*found)->check_leader(epoch);
  if (!leads && !(debug && leads.error().code() == Errc::not_leader_or_follower)) {
    item.error = leads.error();
    return;
  }
  if (version == 0) {
    auto offsets = old_offsets(**found, item, limit);
    if (offsets) {
      item.offsets = std::move(*offsets);
    } else {
      item.error = offsets.error();
    }
    return;
  }
  // nothing of a log is elsewhere: no tiered part, nothing that waits for an upload
  if (item.timestamp <= kLatestTieredTimestamp) return;
  auto listed = (*found)->list_offset(item.timestamp, limit);
  if (listed) {
    item.found = *listed;
  } else {
    item.error = listed.error();
  }
}

asio::awaitable<void> look_up_all(Services& services, const RequestContext& context,
                                  std::vector<Item>& items, replica::ReadLimit limit, bool debug) {
  auto id_of = [&items](size_t i) -> const TopicPartition& { return items[i].id; };
  auto work = [&](size_t i) {
    if (!items[i].error) look_up(services, items[i], context.version, limit, debug);
  };
  co_await on_owners(services, items.size(), 0, id_of, work);
  bool again = false;
  for (Item& item : items) {
    if (!item.error || !may_be_opening(item.error->code())) continue;
    if (!is_opening(*context.image, item.id, services.settings->broker_id)) continue;
    co_await services.partitions->wait_open(item.id.topic, context.image->zxid, kOpeningWaitMs);
    item.error.reset();
    again = true;
  }
  if (again) co_await on_owners(services, items.size(), 0, id_of, work);
}

}  // namespace

asio::awaitable<Answer> handle_list_offsets(Services& services, RequestContext context,
                                            ByteView body) {
  auto decoded = decode_request<kafka::ListOffsetsRequest>(context, body);
  if (!decoded) co_return bad_request(context, decoded.error());
  const kafka::ListOffsetsRequest& request = *decoded;

  std::vector<Item> items;
  std::map<TopicPartition, int> times;
  for (const auto& topic : request.topics) {
    for (const auto& partition : topic.partitions) {
      Item item;
      item.id = {topic.name, PartitionId(partition.partition_index)};
      item.current_leader_epoch = partition.current_leader_epoch;
      item.timestamp = partition.timestamp;
      item.count = partition.max_num_offsets;
      if (!is_known_timestamp(item.timestamp, context.version)) {
        item.error =
            Error(Errc::unsupported_version, "a special timestamp that this version does not have");
      }
      ++times[item.id];
      items.push_back(std::move(item));
    }
  }
  for (Item& item : items) {
    if (times[item.id] > 1) item.error = Error(Errc::invalid_request, "a partition is named twice");
  }
  if (!items.empty()) {
    bool debug = request.replica_id == -2;
    co_await look_up_all(services, context, items, limit_of(request), debug);
  }

  kafka::ListOffsetsResponse response;
  size_t at = 0;
  for (const auto& topic : request.topics) {
    kafka::ListOffsetsResponse::ListOffsetsTopicResponse row;
    row.name = topic.name;
    for (size_t i = 0; i < topic.partitions.size(); ++i, ++at) {
      const Item& item = items[at];
      kafka::ListOffsetsResponse::ListOffsetsPartitionResponse partition;
      partition.partition_index = item.id.partition.value();
      if (item.error) {
        partition.error_code = error_number(*item.error, "ListOffsets");
      } else {
        partition.old_style_offsets = item.offsets;
        partition.timestamp = item.found.timestamp_ms;
        partition.offset = item.found.offset.value();
        partition.leader_epoch = item.found.leader_epoch.value();
      }
      row.partitions.push_back(std::move(partition));
    }
    response.topics.push_back(std::move(row));
  }
  co_return respond(context, response);
}

}  // namespace odradek::broker::api
