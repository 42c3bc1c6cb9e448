// AdminClient: topics, configs and offsets of partitions.

#include <algorithm>

#include "broker/cli/admin_calls.h"
#include "proto/kafka/create_partitions.h"
#include "proto/kafka/create_topics.h"
#include "proto/kafka/delete_topics.h"
#include "proto/kafka/incremental_alter_configs.h"
#include "proto/kafka/list_offsets.h"

namespace odradek::broker::cli {
namespace {

constexpr int8_t kSet = 0;
constexpr int8_t kDelete = 1;

void refuse_empty_name(const std::string& name) {
  if (name.empty()) {
    throw KafkaError(kInvalidTopic,
                     "The given topic name '" + name + "' cannot be represented in a request.");
  }
}

}  // namespace

std::vector<std::string> AdminClient::list_topics(bool internal_too) {
  Cluster cluster = metadata(std::nullopt, "listTopics", deadline());
  std::vector<std::string> names;
  for (const auto& topic : cluster.topics) {
    if (topic.name && (internal_too || !topic.is_internal)) names.push_back(*topic.name);
  }
  return names;
}

std::vector<kafka::MetadataResponse::Topic> AdminClient::describe_topics(
    const std::vector<std::string>& names) {
  if (names.empty()) return {};
  int64_t until = deadline();
  return with_retries(until, [&] {
    Cluster cluster = metadata(names, "describeTopics", until);
    for (const auto& topic : cluster.topics) {
      // A topic that is just being made has no leader for a moment: that is no error of the topic.
      if (topic.error_code == kUnknownTopicOrPartition) {
        throw KafkaError("org.apache.kafka.common.errors.UnknownTopicOrPartitionException",
                         "This server does not host this topic-partition.");
      }
      throw_if(topic.error_code);
    }
    return std::move(cluster.topics);
  });
}

std::vector<kafka::MetadataResponse::Topic> AdminClient::describe_all_topics() {
  return metadata(std::nullopt, "describeTopics", deadline()).topics;
}

void AdminClient::create_topic(const NewTopic& topic) {
  refuse_empty_name(topic.name);
  kafka::CreateTopicsRequest request;
  request.timeout_ms = static_cast<int32_t>(request_timeout_ms_);
  auto& wanted = request.topics.emplace_back();
  wanted.name = topic.name;
  wanted.num_partitions = topic.partitions.value_or(-1);
  wanted.replication_factor = topic.replication_factor.value_or(-1);
  for (size_t i = 0; i < topic.assignment.size(); ++i) {
    wanted.num_partitions = -1;
    wanted.replication_factor = -1;
    auto& assignment = wanted.assignments.emplace_back();
    assignment.partition_index = static_cast<int32_t>(i);
    assignment.broker_ids = topic.assignment[i];
  }
  for (const auto& [name, value] : topic.configs) {
    auto& config = wanted.configs.emplace_back();
    config.name = name;
    config.value = value;
  }
  int64_t until = deadline();
  with_retries(until, [&] {
    // Below version 4 the broker has no defaults for the numbers (KIP-464).
    int16_t least =
        topic.assignment.empty() && (!topic.partitions || !topic.replication_factor) ? 4 : 0;
    auto answer = send<kafka::CreateTopicsResponse>({Target::Kind::controller, {}, {}}, request,
                                                    "createTopics", until,
                                                    kafka::CreateTopicsRequest::kMaxVersion, least);
    for (const auto& result : answer.topics)
      throw_if(result.error_code, result.error_message.value_or(""));
  });
}

void AdminClient::delete_topics(const std::vector<std::string>& names) {
  kafka::DeleteTopicsRequest request;
  request.timeout_ms = static_cast<int32_t>(request_timeout_ms_);
  for (const auto& name : names) {
    request.topics.emplace_back().name = name;
    request.topic_names.push_back(name);
  }
  int64_t until = deadline();
  with_retries(until, [&] {
    auto answer = send<kafka::DeleteTopicsResponse>({Target::Kind::controller, {}, {}}, request,
                                                    "deleteTopics", until);
    for (const auto& result : answer.responses) {
      // A second try may find that the first one did the work.
      if (result.error_code == kUnknownTopicOrPartition) {
        throw KafkaError(
            "org.apache.kafka.common.errors.UnknownTopicOrPartitionException",
            result.error_message.value_or("This server does not host this topic-partition."));
      }
      throw_if(result.error_code, result.error_message.value_or(""));
    }
  });
}

void AdminClient::create_partitions(const std::map<std::string, Increase>& increases) {
  kafka::CreatePartitionsRequest request;
  request.timeout_ms = static_cast<int32_t>(request_timeout_ms_);
  for (const auto& [name, increase] : increases) {
    auto& topic = request.topics.emplace_back();
    topic.name = name;
    topic.count = increase.total;
    topic.assignments.reset();
    if (increase.assignment.empty()) continue;
    topic.assignments.emplace();
    for (const auto& brokers : increase.assignment)
      topic.assignments->emplace_back().broker_ids = brokers;
  }
  int64_t until = deadline();
  with_retries(until, [&] {
    auto answer = send<kafka::CreatePartitionsResponse>({Target::Kind::controller, {}, {}}, request,
                                                        "createPartitions", until);
    for (const auto& result : answer.results)
      throw_if(result.error_code, result.error_message.value_or(""));
  });
}

std::map<std::string, std::vector<AdminClient::ConfigEntry>> AdminClient::describe_configs(
    Resource type, const std::vector<std::string>& names, bool synonyms) {
  std::map<std::string, std::vector<ConfigEntry>> found;
  if (names.empty()) return found;
  kafka::DescribeConfigsRequest request;
  request.include_synonyms = synonyms;
  for (const auto& name : names) {
    auto& resource = request.resources.emplace_back();
    resource.resource_type = static_cast<int8_t>(type);
    resource.resource_name = name;
    resource.configuration_keys.reset();
  }
  int64_t until = deadline();
  Target target;
  if (type != Resource::topic && !names[0].empty()) {
    target.kind = Target::Kind::node;  // only the broker itself knows its settings
    for (const auto& node : describe_cluster().nodes) {
      if (std::to_string(node.id) == names[0]) target.node = node;
    }
    if (target.node.id < 0)
      throw timeout("Timed out waiting for a node assignment. Call: describeConfigs");
  }
  return with_retries(until, [&] {
    auto answer = send<kafka::DescribeConfigsResponse>(target, request, "describeConfigs", until);
    std::map<std::string, std::vector<ConfigEntry>> configs;
    for (auto& result : answer.results) {
      if (result.error_code == kUnknownTopicOrPartition) {
        throw KafkaError("org.apache.kafka.common.errors.UnknownTopicOrPartitionException",
                         result.error_message.value_or(""));
      }
      throw_if(result.error_code, result.error_message.value_or(""));
      configs[result.resource_name] = std::move(result.configs);
    }
    return configs;
  });
}

void AdminClient::alter_configs(Resource type, const std::string& name,
                                const std::vector<ConfigChange>& changes) {
  kafka::IncrementalAlterConfigsRequest request;
  auto& resource = request.resources.emplace_back();
  resource.resource_type = static_cast<int8_t>(type);
  resource.resource_name = name;
  for (const auto& change : changes) {
    auto& config = resource.configs.emplace_back();
    config.name = change.name;
    config.config_operation = change.value ? kSet : kDelete;
    config.value = change.value.value_or("");
  }
  int64_t until = deadline();
  Target target;
  if (type != Resource::topic && !name.empty()) {
    target.kind = Target::Kind::node;
    for (const auto& node : describe_cluster().nodes) {
      if (std::to_string(node.id) == name) target.node = node;
    }
    if (target.node.id < 0)
      throw timeout("Timed out waiting for a node assignment. Call: incrementalAlterConfigs");
  }
  with_retries(until, [&] {
    auto answer = send<kafka::IncrementalAlterConfigsResponse>(target, request,
                                                               "incrementalAlterConfigs", until);
    for (const auto& result : answer.responses)
      throw_if(result.error_code, result.error_message.value_or(""));
  });
}

std::map<TopicPartition, int32_t> AdminClient::leaders_of(
    const std::map<TopicPartition, int64_t>& partitions, std::string_view call,
    int64_t deadline_ms, std::vector<Node>& nodes) {
  std::set<std::string> names;
  for (const auto& [partition, value] : partitions) names.insert(partition.topic);
  Cluster cluster =
      metadata(std::vector<std::string>(names.begin(), names.end()), call, deadline_ms);
  std::map<TopicPartition, int32_t> leaders;
  for (const auto& topic : cluster.topics) {
    for (const auto& partition : topic.partitions) {
      leaders[{topic.name.value_or(""), PartitionId(partition.partition_index)}] =
          partition.leader_id;
    }
  }
  nodes = std::move(cluster.nodes);
  return leaders;
}

std::map<TopicPartition, OffsetAnswer> AdminClient::list_offsets(
    const std::map<TopicPartition, int64_t>& timestamps) {
  int16_t least = 1;
  auto fill = [&least](auto& request, auto& row, int64_t time) {
    if (time == kMaxTimestamp) least = 7;  // KIP-734
    request.replica_id = -1;
    row.timestamp = time;
  };
  auto read = [](const auto& row) {
    return OffsetAnswer{row.offset, row.timestamp, row.error_code};
  };
  return ask_leaders<kafka::ListOffsetsRequest, kafka::ListOffsetsResponse, OffsetAnswer>(
      timestamps, "listOffsets", fill, read, 8, least);
}

}  // namespace odradek::broker::cli
