#include "broker/api/find_coordinator.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <utility>

#include "broker/api/group_support.h"
#include "broker/metadata/coordinator_client.h"
#include "broker/replica/partition_manager.h"
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
void warn_of_smaller_factor(int16_t wanted, int16_t possible) {
  static std::atomic<bool> said = false;
  if (said.exchange(true)) return;
  LOG_WARN("server",
           "{} is made with replication factor {}: offsets.topic.replication.factor is {}, and so many brokers are not "
           "alive",
           group::kOffsetsTopic, possible, wanted);
}

metadata::NewTopic offsets_topic(const group::GroupSettings& settings, size_t live_brokers) {
  int16_t wanted = settings.offsets_topic_replication_factor;
  auto possible = static_cast<int16_t>(std::clamp<size_t>(live_brokers, 1, static_cast<size_t>(wanted)));
  if (possible < wanted) warn_of_smaller_factor(wanted, possible);
  metadata::NewTopic topic(std::string(group::kOffsetsTopic), settings.offsets_topic_partitions, possible);
  topic.configs["cleanup.policy"] = "compact";
  topic.configs["compression.type"] = "producer";
  topic.configs["segment.bytes"] = std::to_string(settings.offsets_topic_segment_bytes);
  return topic;
}

// The image with the offsets topic in it, made now if need be; without it where that failed.
boost::asio::awaitable<metadata::ImagePtr> image_with_offsets_topic(Services& services, metadata::ImagePtr image) {
  if (image->topic(group::kOffsetsTopic) != nullptr) co_return image;
  std::vector<metadata::NewTopic> topics;
  topics.push_back(offsets_topic(services.groups->settings(), image->brokers.size()));
  auto made = co_await services.coordinator->create_topics(std::move(topics), false, kCreateTimeout);
  if (!made) {
    LOG_WARN("server", "{} cannot be made: {}", group::kOffsetsTopic, made.error().what());
    co_return image;
  }
  for (const auto& result : *made) {
    if (result.error && result.error->code() != Errc::topic_exists) {
      LOG_WARN("server", "{} cannot be made: {}", group::kOffsetsTopic, result.error->what());
    }
  }
  image = services.coordinator->image();
  // its logs are being opened here: the client's next request comes to a group that can answer
  co_await services.partitions->wait_open(std::string(group::kOffsetsTopic), image->zxid, kOpenTimeoutMs);
  co_return image;
}

Found coordinator_of(const metadata::Image& image, const std::string& listener, const std::string& group_id) {
  const metadata::Topic* topic = image.topic(group::kOffsetsTopic);
  if (topic == nullptr || topic->partitions.empty()) {
    return refused(ErrorCode::coordinator_not_available, "The coordinator is not available.");
  }
  PartitionId id = group::offsets_partition_of(group_id, static_cast<int32_t>(topic->partitions.size()));
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

boost::asio::awaitable<Answer> handle_find_coordinator(Services& services, RequestContext context, ByteView body) {
  auto request = decode_request<kafka::FindCoordinatorRequest>(context, body);
  if (!request) co_return bad_request(context, request.error());
  metadata::ImagePtr image = context.image;
  std::optional<Found> for_all;
  if (request->key_type == kTransactionKey) {
    // an error that clients do not repeat: nobody waits for what does not come
    for_all = refused(ErrorCode::transactional_id_authorization_failed, "Transactions are not served by this broker.");
  } else if (request->key_type != kGroupKey) {
    for_all = refused(ErrorCode::invalid_request, "Only coordinators of groups are served by this broker.");
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
