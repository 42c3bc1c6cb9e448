#include "broker/cli/zk_admin.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "broker/cli/topic_names.h"
#include "common/cli/text.h"
#include "common/config/topic_config.h"

namespace odradek::broker::cli {
namespace {

using coordinator::cli::open_acl;
using coordinator::cli::ZkClient;
using Json = nlohmann::ordered_json;
using zookeeper::CreateMode;

constexpr int64_t kConnectMs = 30'000;

[[noreturn]] void fail(const Error& error) {
  if (error.code() == Errc::unavailable) {
    throw KafkaError("kafka.zookeeper.ZooKeeperClientTimeoutException",
                     "Timed out waiting for connection while in state: CONNECTING");
  }
  throw KafkaError("org.apache.zookeeper.KeeperException", error.what());
}

template <typename T>
T must(Result<T> result) {
  if (!result) fail(result.error());
  return std::move(*result);
}

Json parse(const std::string& path, const std::string& text) {
  Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded() || !json.is_object()) {
    throw KafkaError("org.apache.kafka.common.KafkaException",
                     "The znode " + path + " does not hold what Kafka writes there");
  }
  return json;
}

std::vector<int32_t> id_list(const Json& json) {
  std::vector<int32_t> ids;
  if (!json.is_array()) return ids;
  for (const auto& id : json) {
    if (id.is_number_integer()) ids.push_back(id.get<int32_t>());
  }
  return ids;
}

Json partitions_json(const Assignment& assignment) {
  Json partitions = Json::object();
  for (const auto& [partition, brokers] : assignment)
    partitions[std::to_string(partition)] = brokers;
  return partitions;
}

// Brokers of one rack apart from each other.
void mix_racks(std::vector<ZkBroker>& brokers) {
  std::map<std::string, std::vector<ZkBroker>> racks;
  for (auto& broker : brokers) racks[broker.rack.value_or("")].push_back(broker);
  brokers.clear();
  for (size_t i = 0; !racks.empty(); ++i) {
    for (auto at = racks.begin(); at != racks.end();) {
      brokers.push_back(at->second[i]);
      at = at->second.size() == i + 1 ? racks.erase(at) : std::next(at);
    }
  }
}

}  // namespace

Assignment assign_replicas(std::vector<ZkBroker> brokers, int32_t partitions,
                           int32_t replication_factor, int32_t first_partition, int32_t first_index,
                           int32_t shift, bool rack_aware) {
  auto n = static_cast<int32_t>(brokers.size());
  if (partitions <= 0) {
    throw KafkaError("org.apache.kafka.common.errors.InvalidPartitionsException",
                     "Number of partitions must be larger than 0.");
  }
  if (replication_factor <= 0) {
    throw KafkaError("org.apache.kafka.common.errors.InvalidReplicationFactorException",
                     "Replication factor must be larger than 0.");
  }
  if (replication_factor > n) {
    throw KafkaError("org.apache.kafka.common.errors.InvalidReplicationFactorException",
                     "Replication factor: " + std::to_string(replication_factor) +
                         " larger than available brokers: " + std::to_string(n) + ".");
  }
  if (rack_aware) mix_racks(brokers);
  Assignment assignment;
  for (int32_t i = 0; i < partitions; ++i) {
    int32_t partition = first_partition + i;
    if (partition > 0 && partition % n == 0) ++shift;
    int32_t leader = (partition + first_index) % n;
    auto& replicas = assignment[partition];
    replicas.push_back(brokers[static_cast<size_t>(leader)].id);
    for (int32_t k = 0; k + 1 < replication_factor; ++k) {
      int32_t step = 1 + (shift + k) % (n - 1);
      replicas.push_back(brokers[static_cast<size_t>((leader + step) % n)].id);
    }
  }
  return assignment;
}

ZkAdmin::ZkAdmin(const std::string& connect)
    : client_(ZkClient::Settings{connect, 30'000, false}, nullptr) {
  if (auto done = client_.connect(kConnectMs); !done) fail(done.error());
}

std::optional<std::string> ZkAdmin::read(const std::string& path) {
  auto data = client_.get(path, false, nullptr);
  if (!data && data.error().code() == Errc::no_node) return std::nullopt;
  return must(std::move(data)).value_or("");
}

void ZkAdmin::write(const std::string& path, const std::string& data) {
  auto done = client_.set(path, data, -1);
  if (done) return;
  if (done.error().code() != Errc::no_node) fail(done.error());
  if (auto made = client_.create_path(path.substr(0, path.rfind('/'))); !made) fail(made.error());
  must(client_.create(path, data, open_acl(), CreateMode::kPersistent));
}

std::vector<ZkBroker> ZkAdmin::brokers() {
  std::vector<ZkBroker> found;
  auto names = client_.children("/brokers/ids", false, nullptr);
  if (!names && names.error().code() == Errc::no_node) return found;
  for (const auto& name : must(std::move(names))) {
    auto id = odradek::cli::parse_int(name);
    auto data = read("/brokers/ids/" + name);
    if (!id || !data) continue;
    Json json = parse("/brokers/ids/" + name, *data);
    ZkBroker broker{static_cast<int32_t>(*id), std::nullopt};
    if (json.contains("rack") && json["rack"].is_string())
      broker.rack = json["rack"].get<std::string>();
    found.push_back(broker);
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return found;
}

bool ZkAdmin::broker_is_up(int32_t id) {
  return must(client_.exists("/brokers/ids/" + std::to_string(id), false)).has_value();
}

std::vector<std::string> ZkAdmin::topics() {
  auto names = client_.children("/brokers/topics", false, nullptr);
  if (!names && names.error().code() == Errc::no_node) return {};
  auto list = must(std::move(names));
  std::sort(list.begin(), list.end());
  return list;
}

bool ZkAdmin::marked_for_deletion(const std::string& topic) {
  return must(client_.exists("/admin/delete_topics/" + topic, false)).has_value();
}

std::optional<Assignment> ZkAdmin::assignment(const std::string& topic) {
  auto data = read("/brokers/topics/" + topic);
  if (!data) return std::nullopt;
  Json json = parse("/brokers/topics/" + topic, *data);
  Assignment found;
  if (!json.contains("partitions") || !json["partitions"].is_object()) return found;
  for (const auto& [key, brokers] : json["partitions"].items()) {
    if (auto number = odradek::cli::parse_int(key))
      found[static_cast<int32_t>(*number)] = id_list(brokers);
  }
  return found;
}

std::optional<ZkPartitionState> ZkAdmin::state(const std::string& topic, int32_t partition) {
  std::string path =
      "/brokers/topics/" + topic + "/partitions/" + std::to_string(partition) + "/state";
  auto data = read(path);
  if (!data) return std::nullopt;
  Json json = parse(path, *data);
  ZkPartitionState found;
  if (json.contains("leader") && json["leader"].is_number_integer())
    found.leader = json["leader"].get<int32_t>();
  if (json.contains("isr")) found.isr = id_list(json["isr"]);
  return found;
}

void ZkAdmin::create_topic(const std::string& topic, const Assignment& assignment,
                           const Configs& configs) {
  if (std::string problem = name_problem_2_5(topic); !problem.empty()) {
    throw KafkaError("org.apache.kafka.common.errors.InvalidTopicException", problem);
  }
  auto existing = topics();
  if (std::find(existing.begin(), existing.end(), topic) != existing.end()) {
    throw KafkaError(kTopicAlreadyExists, "Topic '" + topic + "' already exists.");
  }
  if (has_collision_characters(topic)) {
    auto colliding = colliding_topics(topic, existing);
    if (!colliding.empty()) {
      throw KafkaError("org.apache.kafka.common.errors.InvalidTopicException",
                       "Topic '" + topic + "' collides with existing topics: " +
                           odradek::cli::join(colliding, ", "));
    }
  }
  for (const auto& [partition, brokers] : assignment) {
    if (std::set<int32_t>(brokers.begin(), brokers.end()).size() != brokers.size()) {
      throw KafkaError("org.apache.kafka.common.errors.InvalidReplicaAssignmentException",
                       "Duplicate replica assignment found: " + partitions_json(assignment).dump());
    }
  }
  config::ConfigMap map(configs.begin(), configs.end());
  if (auto problem = config::refuse_topic_config(map, config::BrokerConfigs{})) {
    throw KafkaError("org.apache.kafka.common.errors.InvalidConfigurationException", *problem);
  }
  set_configs("topics/" + topic, configs, false);
  Json json;
  json["version"] = 2;
  json["partitions"] = partitions_json(assignment);
  json["adding_replicas"] = Json::object();
  json["removing_replicas"] = Json::object();
  auto made =
      client_.create("/brokers/topics/" + topic, json.dump(), open_acl(), CreateMode::kPersistent);
  if (!made && made.error().code() == Errc::node_exists) {
    throw KafkaError(kTopicAlreadyExists, "Topic '" + topic + "' already exists.");
  }
  must(std::move(made));
}

void ZkAdmin::set_assignment(const std::string& topic, const Assignment& assignment) {
  std::string path = "/brokers/topics/" + topic;
  auto data = read(path);
  if (!data)
    throw KafkaError("org.apache.kafka.common.errors.InvalidTopicException",
                     "The topic " + topic + " does not exist");
  Json json = parse(path, *data);
  json["partitions"] = partitions_json(assignment);
  must(client_.set(path, json.dump(), -1));
}

bool ZkAdmin::mark_for_deletion(const std::string& topic) {
  auto made = client_.create("/admin/delete_topics/" + topic, std::nullopt, open_acl(),
                             CreateMode::kPersistent);
  if (!made && made.error().code() == Errc::node_exists) return false;
  must(std::move(made));
  return true;
}

Configs ZkAdmin::configs(const std::string& entity) {
  Configs found;
  auto data = read("/config/" + entity);
  if (!data || data->empty()) return found;
  Json json = parse("/config/" + entity, *data);
  if (!json.contains("config") || !json["config"].is_object()) return found;
  for (const auto& [key, value] : json["config"].items()) {
    found[key] = value.is_string() ? value.get<std::string>() : value.dump();
  }
  return found;
}

std::vector<std::string> ZkAdmin::config_entities(const std::string& folder) {
  auto names = client_.children("/config/" + folder, false, nullptr);
  if (!names && names.error().code() == Errc::no_node) return {};
  auto list = must(std::move(names));
  std::sort(list.begin(), list.end());
  return list;
}

void ZkAdmin::set_configs(const std::string& entity, const Configs& configs, bool notify) {
  Json json;
  json["version"] = 1;
  json["config"] = Json::object();
  for (const auto& [key, value] : configs) json["config"][key] = value;
  write("/config/" + entity, json.dump());
  if (!notify) return;
  Json change;
  change["version"] = 2;
  change["entity_path"] = entity;
  if (auto made = client_.create_path("/config/changes"); !made) fail(made.error());
  must(client_.create("/config/changes/config_change_", change.dump(), open_acl(),
                      CreateMode::kPersistentSequential));
}

}  // namespace odradek::broker::cli
