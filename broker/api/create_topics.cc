#include "broker/api/create_topics.h"

#include <map>
#include <set>

#include "broker/api/broker_settings.h"
#include "broker/api/error_map.h"
#include "broker/api/topics.h"
#include "common/config/describe.h"
#include "common/config/topic_config.h"
#include "common/log/log.h"
#include "proto/kafka/create_topics.h"

namespace odradek::broker::api {

namespace {

using kafka::CreateTopicsResponse;
using Asked = kafka::CreateTopicsRequest::CreatableTopic;
constexpr int64_t kShortestTimeoutMs = 1000;

struct Refusal {
  ErrorCode code;
  std::string message;
};

// What can be said without the coordinator.
std::optional<Refusal> refuse(const Asked& asked, const config::BrokerConfigs& layers) {
  if (!asked.assignments.empty() &&
      (asked.num_partitions != -1 || asked.replication_factor != -1)) {
    return Refusal{ErrorCode::invalid_request,
                   "Both numPartitions or replicationFactor and replicasAssignments were set. Both "
                   "cannot be used at "
                   "the same time."};
  }
  config::ConfigMap configs;
  for (const auto& entry : asked.configs) {
    if (!entry.value) {
      return Refusal{ErrorCode::invalid_config,
                     "Null value not supported for topic configs: " + entry.name};
    }
    configs[entry.name] = *entry.value;
  }
  if (auto wrong = config::refuse_topic_config(configs, layers))
    return Refusal{ErrorCode::invalid_config, *wrong};
  return std::nullopt;
}

Result<metadata::NewTopic> new_topic(const Services& services, const Asked& asked) {
  metadata::NewTopic topic(asked.name, asked.num_partitions, asked.replication_factor);
  for (const auto& entry : asked.configs) topic.configs[entry.name] = entry.value.value_or("");
  if (asked.assignments.empty()) {
    if (topic.partitions == -1) topic.partitions = services.settings->num_partitions;
    if (topic.replication_factor == -1)
      topic.replication_factor = services.settings->default_replication_factor;
    return topic;
  }
  for (const auto& assignment : asked.assignments) {
    std::vector<BrokerId> replicas;
    for (int32_t id : assignment.broker_ids) replicas.push_back(BrokerId(id));
    if (!topic.assignments.emplace(PartitionId(assignment.partition_index), std::move(replicas))
             .second) {
      return Error(
          Errc::invalid_replica_assignment,
          "Multiple assignments of partition " + std::to_string(assignment.partition_index));
    }
  }
  return topic;
}

void set_made(const Services& services, const metadata::Image& image,
              const metadata::TopicResult& made, const config::ConfigMap& overrides,
              CreateTopicsResponse::CreatableTopicResult& row) {
  row.error_code = 0;
  row.error_message.reset();
  row.topic_id = made.id;
  row.num_partitions = made.partitions;
  row.replication_factor = made.replication_factor;
  row.configs.emplace();
  for (const auto& described :
       config::describe_topic_configs(overrides, services.settings->layers(image))) {
    CreateTopicsResponse::CreatableTopicConfigs config;
    config.name = described.name;
    config.value = described.value;
    config.read_only = described.read_only;
    config.config_source = static_cast<int8_t>(described.source);
    config.is_sensitive = described.sensitive;
    row.configs->push_back(std::move(config));
  }
}

void set_refused(ErrorCode code, std::string message,
                 CreateTopicsResponse::CreatableTopicResult& row) {
  row.error_code = wire(code);
  row.error_message = std::move(message);
}

}  // namespace

boost::asio::awaitable<Answer> handle_create_topics(Services& services, RequestContext context,
                                                    ByteView body) {
  auto request = decode_request<kafka::CreateTopicsRequest>(context, body);
  if (!request) co_return bad_request(context, request.error());
  const auto layers = services.settings->layers(*context.image);
  const int64_t timeout_ms = std::max<int64_t>(request->timeout_ms, kShortestTimeoutMs);

  std::map<std::string, int> times;
  for (const Asked& asked : request->topics) ++times[asked.name];
  CreateTopicsResponse response;
  std::map<std::string, size_t> rows;
  std::map<std::string, config::ConfigMap> overrides;
  std::vector<metadata::NewTopic> topics;
  for (const Asked& asked : request->topics) {
    if (rows.contains(asked.name)) continue;  // one row for a name that stands there twice
    rows[asked.name] = response.topics.size();
    auto& row = response.topics.emplace_back();
    row.name = asked.name;
    row.error_message.reset();
    row.configs.reset();
    if (times[asked.name] > 1) {
      set_refused(ErrorCode::invalid_request, "Duplicate topic name.", row);
      continue;
    }
    if (auto refused = refuse(asked, layers)) {
      set_refused(refused->code, std::move(refused->message), row);
      continue;
    }
    auto topic = new_topic(services, asked);
    if (!topic) {
      set_refused(to_kafka(topic.error().code()), topic.error().what(), row);
      continue;
    }
    overrides[asked.name] = topic->configs;
    topics.push_back(std::move(*topic));
  }
  if (topics.empty()) co_return respond(context, response);

  auto made = co_await services.coordinator->create_topics(
      std::move(topics), request->validate_only, std::chrono::milliseconds(timeout_ms));
  if (!made) {
    for (const auto& [name, configs] : overrides) {
      set_refused(admin_error(made.error()), made.error().what(), response.topics[rows[name]]);
    }
    co_return respond(context, response);
  }
  auto image = services.coordinator->image();
  std::vector<std::string> now_there;
  for (const metadata::TopicResult& result : *made) {
    auto found = rows.find(result.name);
    if (found == rows.end()) continue;
    auto& row = response.topics[found->second];
    if (result.error) {
      set_refused(to_kafka(result.error->code()), result.error->what(), row);
      continue;
    }
    set_made(services, *image, result, overrides[result.name], row);
    if (!request->validate_only) {
      now_there.push_back(result.name);
      LOG_INFO("server", "Topic {} is made with {} partitions", result.name, result.partitions);
    }
  }
  co_await wait_for_logs(services, std::move(now_there), context.received_ms + timeout_ms);
  co_return respond(context, response);
}

}  // namespace odradek::broker::api
