#include "broker/cli/topic_command.h"

#include <algorithm>
#include <cstdio>
#include <set>

#include "broker/cli/admin_client.h"
#include "broker/cli/topic_names.h"
#include "common/cli/text.h"

namespace odradek::broker::cli {
namespace {

using Topic = kafka::MetadataResponse::Topic;
using Partition = kafka::MetadataResponse::Partition;
using ConfigEntry = AdminClient::ConfigEntry;

constexpr int8_t kDefaultConfig = 5;  // the source of a value that nobody set

int32_t config_number(const std::vector<ConfigEntry>& configs, std::string_view name,
                      int32_t fallback) {
  for (const auto& entry : configs) {
    if (entry.name == name && entry.value) {
      return static_cast<int32_t>(odradek::cli::parse_int(*entry.value).value_or(fallback));
    }
  }
  return fallback;
}

class ThroughBrokers : public TopicActions {
 public:
  explicit ThroughBrokers(std::unique_ptr<AdminClient> client) : client_(std::move(client)) {}

  void create(const TopicRequest& request) override {
    warn_about_collisions(*request.topic);
    if (request.replication_factor &&
        (*request.replication_factor < 1 || *request.replication_factor > INT16_MAX)) {
      throw illegal_argument("The replication factor must be between 1 and 32767 inclusive");
    }
    if (request.partitions && *request.partitions < 1)
      throw illegal_argument("The partitions must be greater than 0");
    NewTopic topic;
    topic.name = *request.topic;
    if (request.partitions) topic.partitions = static_cast<int32_t>(*request.partitions);
    if (request.replication_factor)
      topic.replication_factor = static_cast<int16_t>(*request.replication_factor);
    topic.assignment = request.assignment;
    topic.configs = request.configs;
    try {
      client_->create_topic(topic);
      std::printf("Created topic %s.\n", topic.name.c_str());
    } catch (const KafkaError& error) {
      if (error.code() != kTopicAlreadyExists || !request.if_not_exists) throw;
    }
  }

  void list(const TopicRequest& request) override {
    std::printf("%s\n", odradek::cli::join(matching(request), "\n").c_str());
  }

  void describe(const TopicRequest& request) override {
    std::vector<Topic> topics = request.topic_id ? by_id(request) : by_name(request);
    if (topics.empty()) return;
    std::vector<std::string> names;
    for (const auto& topic : topics) names.push_back(topic.name.value_or(""));
    auto configs = client_->describe_configs(AdminClient::Resource::topic, names, true);
    std::set<int32_t> live;
    const auto nodes = client_->describe_cluster().nodes;
    for (const auto& node : nodes) live.insert(node.id);
    KeptData kept;
    if (request.why_kept) kept = kept_data(nodes, names);
    for (const auto& topic : topics)
      describe_one(request, topic, configs[topic.name.value_or("")], live, kept);
  }

  void alter(const TopicRequest& request) override {
    auto names = matching(request);
    ensure_found(names, request.topic, !request.if_exists);
    if (names.empty()) return;
    std::map<std::string, AdminClient::Increase> increases;
    for (const auto& topic : client_->describe_topics(names)) {
      auto& increase = increases[topic.name.value_or("")];
      increase.total = static_cast<int32_t>(*request.partitions);
      for (size_t i = topic.partitions.size(); i < request.assignment.size(); ++i) {
        increase.assignment.push_back(request.assignment[i]);
      }
    }
    client_->create_partitions(increases);
  }

  void remove(const TopicRequest& request) override {
    auto names = matching(request);
    ensure_found(names, request.topic, !request.if_exists);
    if (!names.empty()) client_->delete_topics(names);
  }

 private:
  std::vector<std::string> matching(const TopicRequest& request) {
    auto names = client_->list_topics(!request.exclude_internal);
    return request.topic ? TopicFilter(*request.topic, request.exclude_internal).select(names)
                         : names;
  }

  std::vector<Topic> by_name(const TopicRequest& request) {
    auto topics = client_->describe_all_topics();
    std::vector<std::string> names;
    for (const auto& topic : topics) names.push_back(topic.name.value_or(""));
    if (request.topic) names = TopicFilter(*request.topic, request.exclude_internal).select(names);
    ensure_found(names, request.topic, !request.if_exists);
    std::set<std::string> wanted(names.begin(), names.end());
    std::erase_if(topics, [&](const Topic& topic) {
      return !wanted.contains(topic.name.value_or("")) ||
             (request.exclude_internal && topic.is_internal);
    });
    return topics;
  }

  std::vector<Topic> by_id(const TopicRequest& request) {
    auto topics = client_->describe_all_topics();
    std::erase_if(topics, [&](const Topic& topic) {
      return topic.topic_id != *request.topic_id || (request.exclude_internal && topic.is_internal);
    });
    if (topics.empty() && !request.if_exists) {
      throw illegal_argument("TopicId '" + request.topic_id->to_string() +
                             "' does not exist as expected");
    }
    return topics;
  }

  // By topic and partition, a line for each replica.
  using KeptData = std::map<std::pair<std::string, int32_t>, std::vector<std::string>>;

  KeptData kept_data(const std::vector<Node>& nodes, const std::vector<std::string>& topics) {
    KeptData kept;
    for (const Node& node : nodes) {
      for (const auto& directory : client_->describe_log_dirs(node, topics, true)) {
        for (const auto& topic : directory.topics) {
          for (const auto& partition : topic.partitions) {
            const std::string why = partition.is_future_key ? "a copy that is to take its place here"
                                    : partition.why_kept.empty() ? "the broker does not say"
                                                                 : partition.why_kept;
            kept[{topic.name, partition.partition_index}].push_back(
                "Broker: " + std::to_string(node.id) + "\tDirectory: " + directory.log_dir +
                "\tKept: " + why);
          }
        }
      }
    }
    return kept;
  }

  static void describe_one(const TopicRequest& request, const Topic& topic,
                           const std::vector<ConfigEntry>& configs, const std::set<int32_t>& live,
                           const KeptData& kept) {
    if (topic.partitions.empty()) return;
    std::vector<std::string> set_by_someone;
    for (const auto& entry : configs) {
      if (entry.config_source != kDefaultConfig)
        set_by_someone.push_back(entry.name + "=" + entry.value.value_or("null"));
    }
    std::string name = topic.name.value_or("");
    if (request.describe_topics() && (!request.with_overrides || !set_by_someone.empty())) {
      print_topic(name, topic.topic_id, topic.partitions.size(),
                  topic.partitions[0].replica_nodes.size(), odradek::cli::join(set_by_someone, ","),
                  false);
    }
    if (!request.describe_partitions()) return;
    int32_t min_isr = config_number(configs, "min.insync.replicas", 1);
    for (const auto& partition : topic.partitions) {
      if (!wanted(request, partition, min_isr, live)) continue;
      PartitionLine line{name, partition.partition_index, std::nullopt, partition.replica_nodes,
                         partition.isr_nodes};
      if (partition.leader_id >= 0) line.leader = partition.leader_id;
      print_partition(line);
      auto lines = kept.find({name, partition.partition_index});
      if (lines == kept.end()) continue;
      for (const std::string& why : lines->second) std::printf("\t\t%s\n", why.c_str());
    }
  }

  static bool wanted(const TopicRequest& request, const Partition& partition, int32_t min_isr,
                     const std::set<int32_t>& live) {
    if (request.describe_topics()) return true;
    auto in_sync = static_cast<int32_t>(partition.isr_nodes.size());
    bool has_leader = partition.leader_id >= 0;
    return (request.under_replicated &&
            partition.isr_nodes.size() < partition.replica_nodes.size()) ||
           (request.unavailable && (!has_leader || !live.contains(partition.leader_id))) ||
           (request.under_min_isr && (!has_leader || in_sync < min_isr)) ||
           (request.at_min_isr && in_sync == min_isr);
  }

  std::unique_ptr<AdminClient> client_;
};

}  // namespace

std::unique_ptr<TopicActions> topics_through_brokers(std::unique_ptr<AdminClient> client) {
  return std::make_unique<ThroughBrokers>(std::move(client));
}

std::string numbers(const std::vector<int32_t>& list) {
  std::vector<std::string> texts;
  for (int32_t number : list) texts.push_back(std::to_string(number));
  return odradek::cli::join(texts, ",");
}

void print_partition(const PartitionLine& line) {
  std::printf("\tTopic: %s\tPartition: %d\tLeader: %s\tReplicas: %s\tIsr: %s%s\n",
              line.topic.c_str(), line.partition,
              line.leader ? std::to_string(*line.leader).c_str() : "none",
              numbers(line.replicas).c_str(), numbers(line.isr).c_str(),
              line.marked_for_deletion ? "\tMarkedForDeletion: true" : "");
}

void print_topic(const std::string& name, const Uuid& id, size_t partitions,
                 size_t replication_factor, const std::string& configs, bool marked_for_deletion) {
  std::string shown_id = id.is_zero() ? "" : "\tTopicId: " + id.to_string();
  std::printf("Topic: %s%s\tPartitionCount: %zu\tReplicationFactor: %zu\tConfigs: %s%s\n",
              name.c_str(), shown_id.c_str(), partitions, replication_factor, configs.c_str(),
              marked_for_deletion ? "\tMarkedForDeletion: true" : "");
}

void warn_about_collisions(const std::string& topic) {
  if (!has_collision_characters(topic)) return;
  std::puts(
      "WARNING: Due to limitations in metric names, topics with a period ('.') or underscore ('_') "
      "could collide. To "
      "avoid issues it is best to use either, but not both.");
}

void ensure_found(const std::vector<std::string>& found, const std::optional<std::string>& wanted,
                  bool required) {
  if (required && wanted && !wanted->empty() && found.empty()) {
    throw illegal_argument("Topic '" + *wanted + "' does not exist as expected");
  }
}

}  // namespace odradek::broker::cli
