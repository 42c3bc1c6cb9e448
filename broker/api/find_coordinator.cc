#include "broker/api/find_coordinator.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <utility>

#include "broker/api/group_support.h"
#include "broker/metadata/coordinator_client.h"
#include "broker/replica/partition_manager.h"
#include "common/clock.h"
#include "common/log/log.h"
#include "proto/kafka/find_coordinator.h"

namespace odradek::broker::api {

namespace {

constexpr auto kCreateTimeout = std::chrono::milliseconds(15'000);
constexpr int64_t kOpenTimeoutMs = 5'000;
constexpr int8_t kGroupKey = 0;
constexpr int8_t kTransactionKey = 1;

struct Found {
  ErrorCode error = ErrorCode::none;
  std::string message;
  int32_t node_id = -1;
  std::string host;
  int32_t port = -1;
};

Found refused(ErrorCode error, std::string message) {
  Found found;
  found.error = error;
  found.message = std::move(message);
  return found;
}

// Once a process: on a cluster smaller than the setting this is how it stays.
void warn_of_smaller_factor(int16_t wanted, int16_t made) {
  static std::atomic<bool> said = false;
  if (made >= wanted || said.exchange(true)) return;
  LOG_WARN("server",
           "{} is made with replication factor {}: offsets.topic.replication.factor is {}, which "
           "this cluster cannot "
           "give now",
           group::kOffsetsTopic, made, wanted);
}

// Clients ask again ten times a second.
void warn_not_made(const Clock& clock, const std::string& why) {
  constexpr int64_t kQuietMs = 30'000;
  static std::atomic<int64_t> quiet_until_ms = 0;
  int64_t now_ms = clock.monotonic_ms();
  int64_t until_ms = quiet_until_ms.load();
  if (now_ms < until_ms || !quiet_until_ms.compare_exchange_strong(until_ms, now_ms + kQuietMs))
    return;
  LOG_WARN("server", "{} cannot be made: {}", group::kOffsetsTopic, why);
}

metadata::NewTopic offsets_topic(const group::GroupSettings& settings, int16_t replication_factor) {
  metadata::NewTopic topic(std::string(group::kOffsetsTopic), settings.offsets_topic_partitions,
                           replication_factor);
  topic.configs["cleanup.policy"] = "compact";
  topic.configs["compression.type"] = "producer";
  topic.configs["segment.bytes"] = std::to_string(settings.offsets_topic_segment_bytes);
  return topic;
}

// What became of an attempt; nothing where the topic is there now.
boost::asio::awaitable<std::optional<Error>> make_offsets_topic(Services& services,
                                                                int16_t replication_factor) {
  std::vector<metadata::NewTopic> topics;
  topics.push_back(offsets_topic(services.groups->settings(), replication_factor));
  auto made =
      co_await services.coordinator->create_topics(std::move(topics), false, kCreateTimeout);
  if (!made) co_return made.error();
  std::optional<Error> error;
  for (const auto& result : *made) {
    if (result.error && result.error->code() != Errc::topic_exists) error = result.error;
  }
  co_return error;
}

// The image with the offsets topic in it, made now if need be; without it where that failed.
boost::asio::awaitable<metadata::ImagePtr> image_with_offsets_topic(Services& services,
                                                                    metadata::ImagePtr image) {
  if (image->topic(group::kOffsetsTopic) != nullptr) co_return image;
  int16_t wanted = services.groups->settings().offsets_topic_replication_factor;
  auto factor = static_cast<int16_t>(
      std::clamp<size_t>(image->brokers.size(), 1, static_cast<size_t>(wanted)));
  auto error = co_await make_offsets_topic(services, factor);
  // fewer brokers live by now than the image said, or the controller keeps one replica only
  if (error && error->code() == Errc::invalid_replication_factor && factor > 1) {
    factor = 1;
    error = co_await make_offsets_topic(services, factor);
  }
  if (error) {
    warn_not_made(*services.clock, error->what());
    co_return services.coordinator->image();
  }
  warn_of_smaller_factor(wanted, factor);
  image = services.coordinator->image();
  // its logs are being opened here: the client's next request comes to a group that can answer
  co_await services.partitions->wait_open(std::string(group::kOffsetsTopic), image->zxid,
                                          kOpenTimeoutMs);
  co_return image;
}

Found coordinator_of(const metadata::Image& image, const std::string& listener,
                     const std::string& group_id) {
  const metadata::Topic* topic = image.topic(group::kOffsetsTopic);
  if (topic == nullptr || topic->partitions.empty()) {
    return refused(ErrorCode::coordinator_not_available, "The coordinator is not available.");
  }
  PartitionId id =
      group::offsets_partition_of(group_id, static_cast<int32_t>(topic->partitions.size()));
  const metadata::Broker* leader = image.broker(topic->partition(id)->leader);
  const metadata::Endpoint* endpoint = leader != nullptr ? leader->endpoint(listener) : nullptr;
  if (endpoint == nullptr) {
    return refused(ErrorCode::coordinator_not_available, "The coordinator is not available.");
  }
  Found found;
  found.node_id = leader->id.value();
  found.host = endpoint->host;
  found.port = endpoint->port;
  return found;
}

}  // namespace

boost::asio::awaitable<Answer> handle_find_coordinator(Services& services, RequestContext context,
                                                       ByteView body) {
  auto request = decode_request<kafka::FindCoordinatorRequest>(context, body);
  if (!request) co_return bad_request(context, request.error());
  metadata::ImagePtr image = context.image;
  std::optional<Found> for_all;
  if (request->key_type == kTransactionKey) {
    // an error that clients do not repeat: nobody waits for what does not come
    for_all = refused(ErrorCode::transactional_id_authorization_failed,
                      "Transactions are not served by this broker.");
  } else if (request->key_type != kGroupKey) {
    for_all = refused(ErrorCode::invalid_request,
                      "Only coordinators of groups are served by this broker.");
  } else {
    image = co_await image_with_offsets_topic(services, std::move(image));
  }
  auto find = [&](const std::string& key) {
    return for_all ? *for_all : coordinator_of(*image, context.listener, key);
  };

  kafka::FindCoordinatorResponse response;
  if (context.version < 4) {
    Found found = find(request->key);
    response.error_code = wire(found.error);
    response.error_message.reset();
    if (found.error != ErrorCode::none) response.error_message = std::move(found.message);
    response.node_id = found.node_id;
    response.host = std::move(found.host);
    response.port = found.port;
    co_return respond(context, response);
  }
  for (const std::string& key : request->coordinator_keys) {
    Found found = find(key);
    kafka::FindCoordinatorResponse::Coordinator row;
    row.key = key;
    row.error_code = wire(found.error);
    row.error_message.reset();
    if (found.error != ErrorCode::none) row.error_message = std::move(found.message);
    row.node_id = found.node_id;
    row.host = std::move(found.host);
    row.port = found.port;
    response.coordinators.push_back(std::move(row));
  }
  co_return respond(context, response);
}

}  // namespace odradek::broker::api
