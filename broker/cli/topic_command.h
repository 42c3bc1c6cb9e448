#pragma once
// What kafka-topics does: one action each way, through brokers (TopicCommand) or on the znodes
// (ZkTopicCommand, 2.5's
// --zookeeper). Both print to standard output and throw KafkaError.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/ids.h"

namespace odradek::broker::cli {

struct TopicRequest {
  std::optional<std::string> topic;  // a name for create, else an expression
  std::optional<Uuid> topic_id;
  std::optional<int64_t> partitions;
  std::optional<int64_t> replication_factor;
  std::vector<std::vector<int32_t>> assignment;
  std::map<std::string, std::string> configs;
  std::vector<std::string> delete_configs;
  bool if_exists = false;
  bool if_not_exists = false;
  bool exclude_internal = false;
  bool with_overrides = false;
  bool under_replicated = false;
  bool unavailable = false;
  bool under_min_isr = false;
  bool at_min_isr = false;
  bool why_kept = false;
  bool rack_aware = true;

  // Which half of a description is wanted.
  bool describe_topics() const {
    return !unavailable && !under_replicated && !under_min_isr && !at_min_isr;
  }
  bool describe_partitions() const { return !with_overrides; }
};

class TopicActions {
 public:
  virtual ~TopicActions() = default;
  virtual void create(const TopicRequest& request) = 0;
  virtual void list(const TopicRequest& request) = 0;
  virtual void describe(const TopicRequest& request) = 0;
  virtual void alter(const TopicRequest& request) = 0;
  virtual void remove(const TopicRequest& request) = 0;
};

class AdminClient;
std::unique_ptr<TopicActions> topics_through_brokers(std::unique_ptr<AdminClient> client);

// One line of a description, shared by both ways.
struct PartitionLine {
  std::string topic;
  int32_t partition = 0;
  std::optional<int32_t> leader;
  std::vector<int32_t> replicas;
  std::vector<int32_t> isr;
  bool marked_for_deletion = false;
};
void print_partition(const PartitionLine& line);
void print_topic(const std::string& name, const Uuid& id, size_t partitions,
                 size_t replication_factor, const std::string& configs, bool marked_for_deletion);
void warn_about_collisions(const std::string& topic);
// An expression that matches nothing is an error, unless the user allowed it.
void ensure_found(const std::vector<std::string>& found, const std::optional<std::string>& wanted,
                  bool required);
std::string numbers(const std::vector<int32_t>& list);

}  // namespace odradek::broker::cli
