#include "broker/api/topics.h"

#include <algorithm>
#include <atomic>

#include "broker/api/broker_settings.h"
#include "broker/api/error_map.h"
#include "broker/group/group_manager.h"
#include "broker/replica/partition_manager.h"
#include "common/log/log.h"

namespace odradek::broker::api {

namespace {
constexpr int64_t kCreateTimeoutMs = 15000;
constexpr size_t kMaxNameLength = 249;
constexpr int64_t kWarnEveryMs = 60000;

// Clients ask again and again while the coordinator is away: one line is enough.
void warn_now_and_then(const Services& services, const Error& error) {
  static std::atomic<int64_t> next_ms = INT64_MIN;
  int64_t now = services.clock->monotonic_ms();
  int64_t due = next_ms.load();
  if (now < due || !next_ms.compare_exchange_strong(due, now + kWarnEveryMs)) return;
  LOG_WARN("server", "Topics cannot be made automatically: {}", error.what());
}
}  // namespace

bool is_internal_topic(std::string_view name) {
  return name == kOffsetsTopicName || name == kTransactionsTopicName;
}

bool is_valid_topic_name(std::string_view name) {
  if (name.empty() || name == "." || name == ".." || name.size() > kMaxNameLength) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
}

ErrorCode admin_error(const Error& error) {
  // the coordinator is away: the client's own retries are for NOT_CONTROLLER and would hide why
  if (error.code() == Errc::unavailable || error.code() == Errc::timed_out)
    return ErrorCode::request_timed_out;
  return to_kafka(error.code());
}

boost::asio::awaitable<void> wait_for_logs(Services& services, std::vector<std::string> names,
                                           int64_t deadline_ms) {
  Zxid zxid = services.coordinator->image()->zxid;
  for (const std::string& name : names) {
    int64_t left = deadline_ms - services.clock->monotonic_ms();
    if (left <= 0) co_return;
    co_await services.partitions->wait_open(name, zxid, left);
  }
}

boost::asio::awaitable<std::map<std::string, ErrorCode>> create_automatically(
    Services& services, std::vector<std::string> names) {
  std::map<std::string, ErrorCode> errors;
  auto image = services.coordinator->image();
  std::vector<metadata::NewTopic> topics;
  for (const std::string& name : names) {
    int32_t partitions = services.settings->num_partitions;
    int16_t factor = services.settings->default_replication_factor;
    metadata::NewTopic topic(name, partitions, factor);
    if (name == kOffsetsTopicName) {  // made by FindCoordinator otherwise; with the same settings
      const auto& settings = services.groups->settings();
      topic.partitions = settings.offsets_topic_partitions;
      topic.replication_factor = static_cast<int16_t>(
          std::clamp<size_t>(image->brokers.size(), 1,
                             static_cast<size_t>(settings.offsets_topic_replication_factor)));
      topic.configs["cleanup.policy"] = "compact";
      topic.configs["compression.type"] = "producer";
      topic.configs["segment.bytes"] = std::to_string(settings.offsets_topic_segment_bytes);
    }
    topics.push_back(std::move(topic));
    errors[name] = ErrorCode::leader_not_available;
  }
  auto made = co_await services.coordinator->create_topics(
      std::move(topics), false, std::chrono::milliseconds(kCreateTimeoutMs));
  if (!made) {
    warn_now_and_then(services, made.error());
    co_return errors;
  }
  std::vector<std::string> now_there;
  for (const auto& result : *made) {
    if (!result.error || result.error->code() == Errc::topic_exists) {
      errors[result.name] = ErrorCode::none;
      now_there.push_back(result.name);
      if (!result.error)
        LOG_INFO("server", "Topic {} is made with {} partitions", result.name, result.partitions);
    } else {
      errors[result.name] = to_kafka(result.error->code());
      LOG_WARN("server", "Topic {} cannot be made: {}", result.name, result.error->what());
    }
  }
  co_await wait_for_logs(services, std::move(now_there),
                         services.clock->monotonic_ms() + kCreateTimeoutMs);
  co_return errors;
}

}  // namespace odradek::broker::api
