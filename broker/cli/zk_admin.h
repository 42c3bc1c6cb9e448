#pragma once
// ZkAdmin: Kafka's znodes as the tools of 2.5 read and write them with --zookeeper: topics with
// their assignments, partition states, entity configs and their change notifications. Throws
// KafkaError. Lives on the tool's only thread.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/cli/kafka_error.h"
#include "coordinator/cli/zk_client.h"

namespace odradek::broker::cli {

using Configs = std::map<std::string, std::string>;
using Assignment =
    std::map<int32_t, std::vector<int32_t>>;  // partition -> brokers, the preferred leader first

struct ZkBroker {
  int32_t id = -1;
  std::optional<std::string> rack;
};

struct ZkPartitionState {
  int32_t leader = -1;
  std::vector<int32_t> isr;
};

class ZkAdmin {
 public:
  explicit ZkAdmin(const std::string& connect);

  std::vector<ZkBroker> brokers();  // by id
  bool broker_is_up(int32_t id);

  std::vector<std::string> topics();  // sorted
  bool marked_for_deletion(const std::string& topic);
  std::optional<Assignment> assignment(const std::string& topic);
  std::optional<ZkPartitionState> state(const std::string& topic, int32_t partition);
  // Refuses, in Kafka's words, names and assignments that are not allowed; then writes config and
  // topic.
  void create_topic(const std::string& topic, const Assignment& assignment, const Configs& configs);
  // The znode keeps what else stands in it (topic id, version).
  void set_assignment(const std::string& topic, const Assignment& assignment);
  // False when it was marked before.
  bool mark_for_deletion(const std::string& topic);

  // `entity` below /config: "topics/t1", "brokers/<default>", "users/alice/clients/a".
  Configs configs(const std::string& entity);
  std::vector<std::string> config_entities(
      const std::string& folder);  // names in /config/FOLDER, sorted
  void set_configs(const std::string& entity, const Configs& configs, bool notify);

 private:
  void write(const std::string& path, const std::string& data);
  std::optional<std::string> read(const std::string& path);

  coordinator::cli::ZkClient client_;
};

// Where replicas go when nobody says: leaders round robin from a random broker on, followers
// shifted, racks mixed.
Assignment assign_replicas(std::vector<ZkBroker> brokers, int32_t partitions,
                           int32_t replication_factor, int32_t first_partition, int32_t first_index,
                           int32_t shift, bool rack_aware);

}  // namespace odradek::broker::cli
