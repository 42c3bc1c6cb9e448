#include "broker/api/produce.h"

#include <memory>
#include <span>

#include "broker/api/broker_settings.h"
#include "broker/api/error_map.h"
#include "broker/api/partition_access.h"
#include "broker/api/topics.h"
#include "broker/log/message_set.h"
#include "broker/log/record_batch.h"
#include "common/runtime/background.h"
#include "proto/kafka/produce.h"

namespace odradek::broker::api {

namespace asio = boost::asio;

namespace {

constexpr int16_t kFirstVersionOfBatches = 3;  // below it, message sets
constexpr int16_t kLastVersionWithoutStorageError = 3;
constexpr int16_t kFirstZstdVersion = 7;
constexpr int64_t kOpeningWaitMs = 5000;
// Kafka lets this client alone write to internal topics.
constexpr std::string_view kAdminClientId = "__admin_client";

// One partition of the request, from the batch to what became of it.
struct Item {
  TopicPartition id;
  Uuid topic_id;  // from version 13; zero: by name
  std::span<char> batch;
  ByteView message_set;  // of an old client: to be made a batch first
  Bytes converted;
  bool opened_in_background = false;
  std::optional<Error> error;
  bool says_why = false;  // the answer carries the error's text, whatever its code
  bool unknown_id = false;
  log::AppendInfo info;
  std::vector<log::RecordError> record_errors;
  std::shared_ptr<replica::Partition> waits_for;  // in-sync replicas, or the disk
};

std::span<char> writable(const kafka::Records& records) {
  // the frame belongs to this request: offsets and epochs are written into it
  return {const_cast<char*>(records.bytes().data()), records.bytes().size()};
}

Error invalid(int16_t version, const char* what) {
  return Error(Errc::invalid_record,
               "Produce requests with version " + std::to_string(version) + " " + what);
}

// What Kafka refuses in the records of one partition before it looks for the partition; else the
// one batch in them. Bytes behind it that are not a whole batch are no part of it: Kafka cuts them
// off. What the batch's header says of itself is looked at by the append.
Result<std::span<char>> only_batch(int16_t version, const kafka::Records& records) {
  const ByteView bytes = records.bytes();
  auto first = log::front_batch_size(bytes);
  if (!first) return first.error();
  if (!*first) return invalid(version, "must have at least one record batch per partition");
  auto header = log::parse_batch_header(bytes);
  if (bytes[16] != 2) {
    return invalid(version, "are only allowed to contain record batches with magic version 2");
  }
  if (version < kFirstZstdVersion && header &&
      header->codec_bits() == static_cast<int>(compress::Codec::zstd)) {
    return Error(Errc::unsupported_compression_type,
                 "Produce requests with version " + std::to_string(version) +
                     " are not allowed to use ZStandard compression");
  }
  auto second = log::front_batch_size(bytes.substr(**first));
  if (!second) return second.error();
  if (*second) {
    return invalid(version, "are only allowed to contain exactly one record batch per partition");
  }
  if (header && header->is_transactional()) {
    // nothing would ever end the transaction, and readers of committed records would stand before
    // it
    return Error(Errc::transactional_id_refused, "transactions are not served");
  }
  return writable(records).first(**first);
}

bool is_message_set(int16_t version, const kafka::Records& records) {
  const ByteView bytes = records.bytes();
  return version < kFirstVersionOfBatches && (bytes.size() <= 16 || bytes[16] < 2);
}

// Kafka looks for transactions in every partition's records first, and fails the whole request
// where it meets what cannot be a batch.
std::optional<Error> unreadable(const kafka::ProduceRequest& request) {
  for (const auto& topic : request.topic_data) {
    for (const auto& partition : topic.partition_data) {
      auto first = log::front_batch_size(partition.records.bytes());
      if (!first) return first.error();
    }
  }
  return std::nullopt;
}

std::vector<Item> items_of(const kafka::ProduceRequest& request, const RequestContext& context) {
  std::vector<Item> items;
  for (const auto& topic : request.topic_data) {
    for (const auto& partition : topic.partition_data) {
      Item item;
      item.topic_id = topic.topic_id;
      item.id.partition = PartitionId(partition.index);
      item.id.topic = topic.name;
      if (context.version >= 13) {
        const metadata::Topic* known = context.image->topic(topic.topic_id);
        item.unknown_id = known == nullptr;
        if (known != nullptr) item.id.topic = known->name;
      }
      const bool is_old = is_message_set(context.version, partition.records);
      auto batch = is_old ? Result<std::span<char>>(std::span<char>())
                          : only_batch(context.version, partition.records);
      if (item.unknown_id) {
        item.error = Error(Errc::unknown_topic_id, "there is no topic of this id");
      } else if (!batch && context.image->partition(item.id.topic, item.id.partition) == nullptr) {
        item.error = Error(Errc::unknown_topic_or_partition,
                           "there is no partition " + item.id.to_string());
      } else if (!batch) {
        item.error = batch.error();
      } else if (is_internal_topic(item.id.topic) && context.client_id != kAdminClientId) {
        item.error =
            Error(Errc::invalid_topic_name, "Cannot append to internal topic " + item.id.topic);
      } else if (is_old) {
        item.message_set = partition.records.bytes();
      } else {
        item.batch = *batch;
      }
      items.push_back(std::move(item));
    }
  }
  return items;
}

// Old clients' message sets become batches, on the background pool: they may be compressed.
asio::awaitable<void> convert_message_sets(Services& services, std::vector<Item>& items) {
  for (Item& item : items) {
    if (item.error || item.message_set.empty()) continue;
    auto convert = [set = item.message_set] {
      return log::to_record_batch(set, static_cast<size_t>(log::LogConfig().max_decompressed_bytes));
    };
    auto converted = co_await services.background->run(std::move(convert));
    if (converted) {
      item.converted = std::move(*converted);
      item.batch = item.converted;
    } else {
      item.error = converted.error();
    }
  }
}

void note(Item& item, Result<log::AppendInfo> appended) {
  if (appended) {
    item.info = *appended;
  } else {
    item.error = appended.error();
  }
}

// On the owner: appends at once where that does not keep the shard busy.
void append_here(Services& services, Item& item, int16_t acks) {
  item.opened_in_background = false;  // it may be the second attempt
  auto partition = services.partitions->find(item.id);
  if (!partition) {
    item.error = partition.error();
    return;
  }
  replica::Partition& found = **partition;
  if (!item.topic_id.is_zero() && !found.topic_id().is_zero() &&
      found.topic_id() != item.topic_id) {
    item.error = Error(Errc::unknown_topic_id, "the topic has another id");
    return;
  }
  if (found.append_must_wait(ByteView(item.batch.data(), item.batch.size()))) {
    item.opened_in_background = true;
    return;
  }
  note(item,
       found.append_as_leader(item.batch, acks, log::AppendOrigin::client, &item.record_errors));
  if (!item.error && !found.is_acknowledged(item.info.last_offset + 1, acks)) {
    item.waits_for = found.shared_from_this();
  }
}

asio::awaitable<Result<log::AppendInfo>> append_slowly(Services& services, Item& item,
                                                       int16_t acks) {
  auto partition = services.partitions->find(item.id);
  if (!partition) co_return partition.error();
  auto held = (*partition)->shared_from_this();
  auto appended = co_await held->append(item.batch, acks, &item.record_errors);
  if (appended && !held->is_acknowledged(appended->last_offset + 1, acks)) item.waits_for = held;
  co_return appended;
}

asio::awaitable<void> append_all(Services& services, std::vector<Item>& items,
                                 std::vector<size_t> which, int16_t acks) {
  auto id_of = [&](size_t i) -> const TopicPartition& { return items[which[i]].id; };
  auto append = [&](size_t i) { append_here(services, items[which[i]], acks); };
  co_await on_owners(services, which.size(), 0, id_of, append);
  for (size_t i : which) {
    Item& item = items[i];
    if (!item.opened_in_background) continue;
    auto run = [&services, &item, acks] { return append_slowly(services, item, acks); };
    note(item, co_await runtime::await_on(services.partitions->owner(item.id), std::move(run)));
  }
}

// A client that was told of a new topic may be faster than the opening of its log.
asio::awaitable<void> retry_opening(Services& services, const RequestContext& context,
                                    std::vector<Item>& items, int16_t acks) {
  std::vector<size_t> again;
  for (size_t i = 0; i < items.size(); ++i) {
    if (!items[i].error || !may_be_opening(items[i].error->code())) continue;
    if (is_opening(*context.image, items[i].id, services.settings->broker_id)) again.push_back(i);
  }
  if (again.empty()) co_return;
  for (size_t i : again) {
    co_await services.partitions->wait_open(items[i].id.topic, context.image->zxid, kOpeningWaitMs);
    items[i].error.reset();
  }
  co_await append_all(services, items, std::move(again), acks);
}

bool tells_why(Errc code) {
  return code == Errc::invalid_record || code == Errc::invalid_timestamp ||
         code == Errc::record_too_large || code == Errc::record_list_too_large ||
         code == Errc::not_enough_replicas;
}

kafka::ProduceResponse::PartitionProduceResponse row_of(int16_t version, const Item& item) {
  kafka::ProduceResponse::PartitionProduceResponse row;
  row.index = item.id.partition.value();
  if (!item.error) {
    row.base_offset = item.info.first_offset.value();
    row.log_append_time_ms = item.info.log_append_time_ms;
    row.log_start_offset = item.info.log_start_offset.value();
    return row;
  }
  row.error_code = error_number(*item.error, "Produce");
  if (version <= kLastVersionWithoutStorageError) {
    row.error_code = wire(without_storage_error(static_cast<ErrorCode>(row.error_code)));
  }
  row.base_offset = -1;
  for (const log::RecordError& wrong : item.record_errors) {
    row.record_errors.push_back({wrong.batch_index, wrong.message});
  }
  if (item.says_why || tells_why(item.error->code()) || !row.record_errors.empty())
    row.error_message = item.error->what();
  return row;
}

// The rows stand in the order of the request, as the items do.
Answer answer_of(const RequestContext& context, const kafka::ProduceRequest& request,
                 const std::vector<Item>& items) {
  kafka::ProduceResponse response;
  size_t at = 0;
  response.responses.reserve(request.topic_data.size());
  for (const auto& topic : request.topic_data) {
    kafka::ProduceResponse::TopicProduceResponse row;
    row.name = topic.name;
    row.topic_id = topic.topic_id;
    row.partition_responses.reserve(topic.partition_data.size());
    for (size_t i = 0; i < topic.partition_data.size(); ++i, ++at) {
      row.partition_responses.push_back(row_of(context.version, items[at]));
      auto& partition = row.partition_responses.back();
      if (context.version >= 10 && wants_hint(partition.error_code)) {
        LeaderHint hint = leader_hint(*context.image, items[at].id);
        partition.current_leader = {hint.leader_id, hint.leader_epoch};
        add_endpoint(context, hint.leader_id, response.node_endpoints);
      }
    }
    response.responses.push_back(std::move(row));
  }
  return respond(context, response);
}

// The request's records are not looked at any more here: only its names.
asio::awaitable<Answer> answer_when_acknowledged(Services& services, RequestContext context,
                                                 kafka::ProduceRequest request,
                                                 std::vector<Item> items) {
  const int64_t deadline = context.received_ms + request.timeout_ms;
  for (Item& item : items) {
    if (!item.waits_for) continue;
    int64_t left = deadline - services.clock->monotonic_ms();
    auto wait = [&item, left, acks = request.acks] {
      return item.waits_for->wait_acknowledged(item.info.last_offset + 1, acks,
                                               std::max<int64_t>(left, 0));
    };
    auto waited = co_await runtime::await_on(services.partitions->owner(item.id), std::move(wait));
    if (!waited) item.error = waited.error();
  }
  co_return answer_of(context, request, items);
}

}  // namespace

asio::awaitable<Answer> handle_produce(Services& services, RequestContext context, ByteView body) {
  auto decoded = decode_request<kafka::ProduceRequest>(context, body);
  if (!decoded) co_return bad_request(context, decoded.error());
  kafka::ProduceRequest& request = *decoded;
  const int16_t acks = request.acks;

  std::vector<Item> items = items_of(request, context);
  std::optional<Error> for_all;
  if (request.transactional_id) {
    for_all = Error(Errc::transactional_id_refused, "transactions are not served");
  } else {
    for_all = unreadable(request);
    for (Item& item : items) item.says_why = for_all.has_value();
  }
  if (for_all) {
    for (Item& item : items) item.error = for_all;
  } else if (acks < -1 || acks > 1) {
    for (Item& item : items) {
      if (!item.error) item.error = Error(Errc::invalid_required_acks, "acks must be -1, 0 or 1");
    }
  } else {
    if (context.version < kFirstVersionOfBatches) co_await convert_message_sets(services, items);
    std::vector<size_t> which;
    which.reserve(items.size());
    for (size_t i = 0; i < items.size(); ++i) {
      // a set without a whole message appends nothing and is no error
      if (!items[i].error && !items[i].batch.empty()) which.push_back(i);
    }
    if (!which.empty()) {
      co_await append_all(services, items, std::move(which), acks);
      co_await retry_opening(services, context, items, acks);
    }
  }

  if (acks == 0) {
    for (const Item& item : items) {
      // without an answer the closed connection is how a producer learns to look for the leader
      if (item.error) {
        co_return Answer::close("a Produce with acks=0 to " + item.id.to_string() +
                                " failed: " + item.error->what());
      }
    }
    co_return Answer::nothing();
  }
  for (const Item& item : items) {
    if (!item.waits_for) continue;
    co_return Answer::later(answer_when_acknowledged(services, std::move(context),
                                                     std::move(request), std::move(items)));
  }
  co_return answer_of(context, request, items);
}

}  // namespace odradek::broker::api
