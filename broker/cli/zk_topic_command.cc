#include "broker/cli/zk_topic_command.h"

#include <algorithm>
#include <cstdio>
#include <random>
#include <set>

#include "broker/cli/topic_names.h"
#include "broker/cli/zk_admin.h"
#include "common/cli/text.h"
#include "common/config/topic_config.h"

namespace odradek::broker::cli {
namespace {

int32_t random_below(size_t n) {
  static std::random_device device;
  return n == 0 ? 0 : static_cast<int32_t>(device() % n);
}

Assignment as_map(const std::vector<std::vector<int32_t>>& list) {
  Assignment assignment;
  for (size_t i = 0; i < list.size(); ++i) assignment[static_cast<int32_t>(i)] = list[i];
  return assignment;
}

class OnZnodes : public TopicActions {
 public:
  explicit OnZnodes(const std::string& connect) : admin_(connect) {}

  void create(const TopicRequest& request) override {
    warn_about_collisions(*request.topic);
    auto brokers = admin_.brokers();
    try {
      Assignment assignment = as_map(request.assignment);
      if (assignment.empty()) {
        assignment = assign_replicas(brokers, static_cast<int32_t>(request.partitions.value_or(1)),
                                     static_cast<int32_t>(request.replication_factor.value_or(1)),
                                     0, random_below(brokers.size()), random_below(brokers.size()),
                                     request.rack_aware);
      }
      admin_.create_topic(*request.topic, assignment, request.configs);
      std::printf("Created topic %s.\n", request.topic->c_str());
    } catch (const KafkaError& error) {
      if (error.code() != kTopicAlreadyExists || !request.if_not_exists) throw;
    }
  }

  void list(const TopicRequest& request) override {
    for (const auto& topic : matching(request)) {
      std::printf("%s%s\n", topic.c_str(),
                  admin_.marked_for_deletion(topic) ? " - marked for deletion" : "");
    }
  }

  void describe(const TopicRequest& request) override {
    auto topics = matching(request);
    ensure_found(topics, request.topic, !request.if_exists);
    std::set<int32_t> live;
    for (const auto& broker : admin_.brokers()) live.insert(broker.id);
    for (const auto& topic : topics) {
      auto assignment = admin_.assignment(topic);
      if (assignment)
        describe_one(request, topic, *assignment, live);
      else
        std::printf("Topic %s doesn't exist!\n", topic.c_str());
    }
  }

  void alter(const TopicRequest& request) override {
    auto topics = matching(request);
    ensure_found(topics, request.topic, !request.if_exists);
    for (const auto& topic : topics) {
      if (!request.configs.empty() || !request.delete_configs.empty())
        change_configs(request, topic);
      if (request.partitions) add_partitions(request, topic);
    }
  }

  void remove(const TopicRequest& request) override {
    auto topics = matching(request);
    ensure_found(topics, request.topic, !request.if_exists);
    for (const auto& topic : topics) {
      if (is_internal_topic(topic)) {
        throw KafkaError(
            "kafka.admin.AdminOperationException",
            "Topic " + topic +
                " is a kafka internal topic and is not allowed to be marked for deletion.");
      }
      if (!admin_.mark_for_deletion(topic)) {
        std::printf("Topic %s is already marked for deletion.\n", topic.c_str());
        continue;
      }
      std::printf("Topic %s is marked for deletion.\n", topic.c_str());
      std::puts("Note: This will have no impact if delete.topic.enable is not set to true.");
    }
  }

 private:
  std::vector<std::string> matching(const TopicRequest& request) {
    auto topics = admin_.topics();
    if (request.topic) return TopicFilter(*request.topic, request.exclude_internal).select(topics);
    if (request.exclude_internal)
      std::erase_if(topics, [](const auto& topic) { return is_internal_topic(topic); });
    return topics;
  }

  void describe_one(const TopicRequest& request, const std::string& topic,
                    const Assignment& assignment, const std::set<int32_t>& live) {
    bool deleted = admin_.marked_for_deletion(topic);
    Configs configs = admin_.configs("topics/" + topic);
    if (request.describe_topics() && (!request.with_overrides || !configs.empty()) &&
        !assignment.empty()) {
      std::vector<std::string> texts;
      for (const auto& [key, value] : configs) texts.push_back(key + "=" + value);
      print_topic(topic, Uuid{}, assignment.size(), assignment.begin()->second.size(),
                  odradek::cli::join(texts, ","), deleted);
    }
    if (!request.describe_partitions()) return;
    auto min_isr = configs.contains("min.insync.replicas")
                       ? odradek::cli::parse_int(configs["min.insync.replicas"]).value_or(1)
                       : 1;
    for (const auto& [partition, replicas] : assignment) {
      auto state = admin_.state(topic, partition);
      PartitionLine line{
          topic,  partition, std::nullopt, replicas, state ? state->isr : std::vector<int32_t>(),
          deleted};
      if (state && state->leader >= 0) line.leader = state->leader;
      auto in_sync = static_cast<int64_t>(line.isr.size());
      bool has_leader = line.leader && live.contains(*line.leader);
      bool wanted = request.describe_topics() ||
                    (request.under_replicated && line.isr.size() < replicas.size()) ||
                    (request.unavailable && !has_leader) ||
                    (request.under_min_isr && (!line.leader || in_sync < min_isr)) ||
                    (request.at_min_isr && in_sync == min_isr);
      if (wanted) print_partition(line);
    }
  }

  void change_configs(const TopicRequest& request, const std::string& topic) {
    std::puts(
        "WARNING: Altering topic configuration from this script has been deprecated and may be "
        "removed in future releases.");
    std::puts("         Going forward, please use kafka-configs.sh for this functionality");
    Configs configs = admin_.configs("topics/" + topic);
    for (const auto& [key, value] : request.configs) configs[key] = value;
    for (const auto& key : request.delete_configs) configs.erase(key);
    config::ConfigMap map(configs.begin(), configs.end());
    if (auto problem = config::refuse_topic_config(map, config::BrokerConfigs{})) {
      throw KafkaError("org.apache.kafka.common.errors.InvalidConfigurationException", *problem);
    }
    admin_.set_configs("topics/" + topic, configs, true);
    std::printf("Updated config for topic %s.\n", topic.c_str());
  }

  void add_partitions(const TopicRequest& request, const std::string& topic) {
    if (is_internal_topic(topic)) {
      throw illegal_argument("The number of partitions for the topic " + topic +
                             " cannot be changed.");
    }
    std::puts(
        "WARNING: If partitions are increased for a topic that has a key, the partition logic or "
        "ordering of the messages will be affected");
    auto assignment = admin_.assignment(topic);
    if (!assignment || assignment->empty()) {
      throw KafkaError("org.apache.kafka.common.errors.InvalidTopicException",
                       "The topic " + topic + " does not exist");
    }
    auto now = static_cast<int64_t>(assignment->size());
    int64_t more = *request.partitions - now;
    if (more <= 0) {
      throw KafkaError("org.apache.kafka.common.errors.InvalidPartitionsException",
                       "The number of partitions for a topic can only be increased. Topic " +
                           topic + " currently has " + std::to_string(now) + " partitions, " +
                           std::to_string(*request.partitions) + " would not be an increase.");
    }
    auto brokers = admin_.brokers();
    const auto& first = assignment->begin()->second;
    auto start = std::find_if(brokers.begin(), brokers.end(), [&](const auto& broker) {
      return !first.empty() && broker.id >= first[0];
    });
    int32_t index = start == brokers.end() ? 0 : static_cast<int32_t>(start - brokers.begin());
    auto added =
        assign_replicas(brokers, static_cast<int32_t>(more), static_cast<int32_t>(first.size()),
                        static_cast<int32_t>(now), index, index, request.rack_aware);
    for (size_t i = assignment->size(); i < request.assignment.size(); ++i) {
      added[static_cast<int32_t>(i)] = request.assignment[i];
    }
    assignment->insert(added.begin(), added.end());
    admin_.set_assignment(topic, *assignment);
    std::puts("Adding partitions succeeded!");
  }

  ZkAdmin admin_;
};

}  // namespace

std::unique_ptr<TopicActions> topics_on_znodes(const std::string& connect) {
  return std::make_unique<OnZnodes>(connect);
}

}  // namespace odradek::broker::cli
