#include "broker/api/metadata.h"

#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/api/broker_settings.h"
#include "broker/api/topics.h"
#include "proto/kafka/metadata.h"

namespace odradek::broker::api {

namespace {

using kafka::MetadataResponse;

// Clients before this version know no LISTENER_NOT_FOUND, and would not ask again.
constexpr int16_t kFirstListenerErrorVersion = 6;

std::vector<int32_t> numbers(const std::vector<BrokerId>& ids) {
  std::vector<int32_t> out;
  out.reserve(ids.size());
  for (BrokerId id : ids) out.push_back(id.value());
  return out;
}

MetadataResponse::Partition partition_row(const metadata::Image& image,
                                          const metadata::Partition& partition, int32_t index,
                                          const RequestContext& context) {
  MetadataResponse::Partition row;
  row.partition_index = index;
  row.leader_id = partition.leader.value();
  row.leader_epoch = partition.leader_epoch.value();
  row.replica_nodes = numbers(partition.replicas);
  row.isr_nodes = numbers(partition.isr);
  row.offline_replicas = numbers(image.offline_replicas(partition));
  const metadata::Broker* leader = image.broker(partition.leader);
  if (leader == nullptr) {
    row.error_code = wire(ErrorCode::leader_not_available);
    row.leader_id = -1;
  } else if (leader->endpoint(context.listener) == nullptr) {
    row.error_code = wire(context.version < kFirstListenerErrorVersion
                              ? ErrorCode::leader_not_available
                              : ErrorCode::listener_not_found);
    row.leader_id = -1;
  }
  return row;
}

// Version 0 names only the replicas that its client can reach; where some are left out, that is an
// error.
void leave_out_unreachable(const metadata::Image& image, const RequestContext& context,
                           MetadataResponse::Partition& row) {
  auto unreachable = [&](int32_t id) {
    const metadata::Broker* broker = image.broker(BrokerId(id));
    return broker == nullptr || broker->endpoint(context.listener) == nullptr;
  };
  size_t left_out = std::erase_if(row.replica_nodes, unreachable);
  left_out += std::erase_if(row.isr_nodes, unreachable);
  if (left_out > 0 && row.error_code == 0) row.error_code = wire(ErrorCode::replica_not_available);
}

MetadataResponse::Topic topic_row(const metadata::Image& image, const metadata::Topic& topic,
                                  const RequestContext& context, bool operations) {
  MetadataResponse::Topic row;
  row.name = topic.name;
  row.topic_id = topic.id;
  row.is_internal = is_internal_topic(topic.name);
  row.partitions.reserve(topic.partitions.size());
  for (size_t i = 0; i < topic.partitions.size(); ++i) {
    // its state is not made yet: as if the topic were not there for a moment
    row.partitions.push_back(
        partition_row(image, topic.partitions[i], static_cast<int32_t>(i), context));
    if (context.version == 0) leave_out_unreachable(image, context, row.partitions.back());
  }
  if (operations) row.topic_authorized_operations = kAllTopicOperations;
  return row;
}

MetadataResponse::Topic failed_row(std::optional<std::string> name, const Uuid& id,
                                   ErrorCode error) {
  MetadataResponse::Topic row;
  row.is_internal = name && is_internal_topic(*name);
  row.name = std::move(name);
  row.topic_id = id;
  row.error_code = wire(error);
  return row;
}

// Names that are asked for, are not there, and may be made.
std::vector<std::string> missing_topics(const kafka::MetadataRequest& request,
                                        const metadata::Image& image) {
  std::vector<std::string> missing;
  std::set<std::string_view> named;
  for (const auto& topic : *request.topics) {
    if (!topic.topic_id.is_zero() || !topic.name || !is_valid_topic_name(*topic.name)) continue;
    if (image.topic(*topic.name) != nullptr) continue;
    if (named.insert(*topic.name).second) missing.push_back(*topic.name);
  }
  return missing;
}

void add_brokers(const metadata::Image& image, const RequestContext& context,
                 MetadataResponse& response) {
  for (const metadata::Broker* broker : image.brokers_with(context.listener)) {
    const metadata::Endpoint* endpoint = broker->endpoint(context.listener);
    response.brokers.push_back({broker->id.value(), endpoint->host, endpoint->port, broker->rack});
  }
  response.controller_id = image.controller.value();
  response.cluster_id = image.cluster_id;
}

}  // namespace

boost::asio::awaitable<Answer> handle_metadata(Services& services, RequestContext context,
                                               ByteView body) {
  auto decoded = decode_request<kafka::MetadataRequest>(context, body);
  if (!decoded) co_return bad_request(context, decoded.error());
  kafka::MetadataRequest& request = *decoded;
  const bool all = !request.topics || (context.version == 0 && request.topics->empty());
  const bool operations = request.include_topic_authorized_operations;
  metadata::ImagePtr image = context.image;

  std::map<std::string, ErrorCode> made;
  if (!all && request.allow_auto_topic_creation && services.settings->auto_create_topics) {
    auto missing = missing_topics(request, *image);
    if (!missing.empty()) {
      made = co_await create_automatically(services, std::move(missing));
      image = services.coordinator->image();
    }
  }

  MetadataResponse response;
  add_brokers(*image, context, response);
  if (context.version >= 8 && context.version <= 10 &&
      request.include_cluster_authorized_operations) {
    response.cluster_authorized_operations = kAllClusterOperations;
  }
  if (all) {
    response.topics.reserve(image->topics.size());
    for (const auto& [name, topic] : image->topics) {
      response.topics.push_back(topic_row(*image, *topic, context, operations));
    }
    co_return respond(context, response);
  }
  response.topics.reserve(request.topics->size());
  std::set<std::pair<std::string, Uuid>> answered;  // each has one row, however often it is named
  for (auto& asked : *request.topics) {
    if (!answered.emplace(asked.name.value_or(""), asked.topic_id).second) continue;
    if (!asked.topic_id.is_zero()) {
      const metadata::Topic* topic = image->topic(asked.topic_id);
      response.topics.push_back(
          topic ? topic_row(*image, *topic, context, operations)
                : failed_row(std::nullopt, asked.topic_id, ErrorCode::unknown_topic_id));
      continue;
    }
    if (!asked.name || !is_valid_topic_name(*asked.name)) {
      response.topics.push_back(failed_row(asked.name ? asked.name : std::string(), Uuid{},
                                           ErrorCode::invalid_topic_exception));
      continue;
    }
    if (const metadata::Topic* topic = image->topic(*asked.name)) {
      response.topics.push_back(topic_row(*image, *topic, context, operations));
      continue;
    }
    ErrorCode error = ErrorCode::unknown_topic_or_partition;
    if (auto tried = made.find(*asked.name); tried != made.end()) {
      error = tried->second == ErrorCode::none ? ErrorCode::leader_not_available : tried->second;
    }
    response.topics.push_back(failed_row(std::move(asked.name), Uuid{}, error));
  }
  co_return respond(context, response);
}

}  // namespace odradek::broker::api
