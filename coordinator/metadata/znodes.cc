#include "coordinator/metadata/znodes.h"

#include "coordinator/metadata/json_fields.h"

namespace odradek::coordinator::metadata {

namespace {

std::string url_of(const Endpoint& endpoint) {
  bool ipv6 = endpoint.host.find(':') != std::string::npos;
  return endpoint.listener + "://" + (ipv6 ? "[" + endpoint.host + "]" : endpoint.host) + ":" +
         std::to_string(endpoint.port);
}

std::optional<Endpoint> endpoint_of(const std::string& url) {
  size_t scheme = url.find("://");
  size_t colon = url.rfind(':');
  if (scheme == std::string::npos || colon == std::string::npos || colon < scheme + 3)
    return std::nullopt;
  auto port = number_in<int32_t>(std::string_view(url).substr(colon + 1));
  if (!port) return std::nullopt;
  Endpoint endpoint;
  endpoint.listener = url.substr(0, scheme);
  endpoint.host = url.substr(scheme + 3, colon - scheme - 3);
  if (endpoint.host.size() > 1 && endpoint.host.front() == '[' && endpoint.host.back() == ']') {
    endpoint.host = endpoint.host.substr(1, endpoint.host.size() - 2);
  }
  endpoint.port = *port;
  return endpoint;
}

// Fills `adding` or `removing` of each partition named in an object of lists.
bool decode_replica_changes(const Json* json, TopicZnode& topic,
                            std::vector<BrokerId> TopicZnode::Assignment::*member) {
  if (json == nullptr) return true;
  if (!json->is_object()) return false;
  for (const auto& [key, list] : json->items()) {
    auto index = number_in<int32_t>(key);
    auto ids = decode_id_list(&list);
    if (!index || !ids) return false;
    auto found = topic.partitions.find(*index);
    if (found != topic.partitions.end()) found->second.*member = std::move(*ids);
  }
  return true;
}

}  // namespace

std::string ClusterPaths::name_of_chroot(std::string_view chroot) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string name = chroot.empty() ? "%2F" : "";
  for (char c : chroot) {
    if (c == '/' || c == '%') {
      name += '%';
      name += kDigits[static_cast<uint8_t>(c) >> 4];
      name += kDigits[static_cast<uint8_t>(c) & 15];
    } else {
      name += c;
    }
  }
  return name;
}

const std::vector<std::pair<std::string, std::optional<std::string>>>& persistent_znodes() {
  static const std::vector<std::pair<std::string, std::optional<std::string>>> kZnodes = {
      {"/consumers", std::nullopt},
      {"/brokers", std::nullopt},
      {"/brokers/ids", std::nullopt},
      {"/brokers/topics", std::nullopt},
      {"/brokers/seqid", std::nullopt},
      {"/config", std::nullopt},
      {"/config/changes", std::nullopt},
      {"/config/topics", std::nullopt},
      {"/config/clients", std::nullopt},
      {"/config/users", std::nullopt},
      {"/config/brokers", std::nullopt},
      {"/config/ips", std::nullopt},
      {"/admin", std::nullopt},
      {"/admin/delete_topics", std::nullopt},
      {"/isr_change_notification", std::nullopt},
      {"/latest_producer_id_block", std::nullopt},
      {"/log_dir_event_notification", std::nullopt},
      {"/delegation_token", std::nullopt},
      {"/delegation_token/tokens", std::nullopt},
      {"/delegation_token/token_changes", std::nullopt},
      {"/cluster", std::nullopt},
      {"/controller_epoch", "0"},
      {"/feature", R"({"features":{},"version":2,"status":1})"},
  };
  return kZnodes;
}

std::string encode_topic(const TopicZnode& topic) {
  Json partitions = Json::object(), adding = Json::object(), removing = Json::object();
  for (const auto& [index, assignment] : topic.partitions) {
    std::string key = std::to_string(index);
    partitions[key] = id_list(assignment.replicas);
    if (!assignment.adding.empty()) adding[key] = id_list(assignment.adding);
    if (!assignment.removing.empty()) removing[key] = id_list(assignment.removing);
  }
  Json json;
  json["partitions"] = std::move(partitions);
  if (topic.id) json["topic_id"] = topic.id->to_string();
  json["adding_replicas"] = std::move(adding);
  json["removing_replicas"] = std::move(removing);
  json["version"] = topic.id ? 3 : 2;
  return text_of(json);
}

std::optional<TopicZnode> decode_topic(ByteView data) {
  Json json = parse_object(data);
  if (json.is_discarded()) return std::nullopt;
  const Json* partitions = find(json, "partitions");
  if (partitions == nullptr || !partitions->is_object()) return std::nullopt;
  TopicZnode topic;
  for (const auto& [key, list] : partitions->items()) {
    auto index = number_in<int32_t>(key);
    auto replicas = decode_id_list(&list);
    if (!index || *index < 0 || *index >= kMaxPartitions || !replicas) return std::nullopt;
    topic.partitions[*index].replicas = std::move(*replicas);
  }
  if (!decode_replica_changes(find(json, "adding_replicas"), topic,
                              &TopicZnode::Assignment::adding) ||
      !decode_replica_changes(find(json, "removing_replicas"), topic,
                              &TopicZnode::Assignment::removing)) {
    return std::nullopt;
  }
  topic.id = uuid(find(json, "topic_id"));
  if (topic.id && topic.id->is_zero()) topic.id.reset();
  return topic;
}

std::string encode_state(const StateZnode& state) {
  Json json;
  json["controller_epoch"] = state.controller_epoch;
  json["leader"] = state.leader.value();
  json["version"] = 1;
  json["leader_epoch"] = state.leader_epoch.value();
  json["isr"] = id_list(state.isr);
  return text_of(json);
}

std::optional<StateZnode> decode_state(ByteView data) {
  Json json = parse_object(data);
  if (json.is_discarded()) return std::nullopt;
  auto leader = integer<int32_t>(find(json, "leader"));
  auto leader_epoch = integer<int32_t>(find(json, "leader_epoch"));
  auto isr = decode_id_list(find(json, "isr"));
  if (!leader || !leader_epoch || !isr) return std::nullopt;
  StateZnode state;
  state.controller_epoch = integer<int32_t>(find(json, "controller_epoch")).value_or(0);
  state.leader = BrokerId(*leader);
  state.leader_epoch = LeaderEpoch(*leader_epoch);
  state.isr = std::move(*isr);
  return state;
}

std::string encode_broker(const Broker& broker, int32_t jmx_port, int64_t time_ms) {
  Json protocols = Json::object(), endpoints = Json::array();
  const Endpoint* plain = nullptr;
  for (const Endpoint& endpoint : broker.endpoints) {
    protocols[endpoint.listener] = endpoint.security_protocol;
    endpoints.push_back(url_of(endpoint));
    if (plain == nullptr && endpoint.security_protocol == "PLAINTEXT") plain = &endpoint;
  }
  Json json;
  json["features"] = Json::object();
  json["listener_security_protocol_map"] = std::move(protocols);
  json["endpoints"] = std::move(endpoints);
  if (broker.rack) json["rack"] = *broker.rack;
  json["jmx_port"] = jmx_port;
  json["port"] = plain ? plain->port : -1;
  json["host"] = plain ? Json(plain->host) : Json(nullptr);
  json["version"] = 5;
  json["timestamp"] = std::to_string(time_ms);
  return text_of(json);
}

std::optional<Broker> decode_broker(ByteView data) {
  Json json = parse_object(data);
  if (json.is_discarded()) return std::nullopt;
  Broker broker;
  broker.rack = string(find(json, "rack"));
  const Json* endpoints = find(json, "endpoints");
  const Json* protocols = find(json, "listener_security_protocol_map");
  if (endpoints == nullptr || !endpoints->is_array()) return std::nullopt;
  for (const Json& item : *endpoints) {
    auto url = string(&item);
    auto endpoint = url ? endpoint_of(*url) : std::nullopt;
    if (!endpoint) return std::nullopt;
    std::optional<std::string> protocol;
    if (protocols != nullptr && protocols->is_object()) {
      protocol = string(find(*protocols, endpoint->listener.c_str()));
    }
    endpoint->security_protocol = protocol.value_or(endpoint->listener);
    broker.endpoints.push_back(std::move(*endpoint));
  }
  return broker;
}

std::string encode_controller(BrokerId broker, int64_t time_ms) {
  Json json;
  json["version"] = 2;
  json["brokerid"] = broker.value();
  json["timestamp"] = std::to_string(time_ms);
  json["kraftControllerEpoch"] = -1;
  return text_of(json);
}

std::optional<ControllerZnode> decode_controller(ByteView data) {
  Json json = parse_object(data);
  if (json.is_discarded()) return std::nullopt;
  auto broker = integer<int32_t>(find(json, "brokerid"));
  if (!broker) return std::nullopt;
  return ControllerZnode{BrokerId(*broker)};
}

std::string encode_cluster_id(const std::string& id) {
  Json json;
  json["version"] = "1";
  json["id"] = id;
  return text_of(json);
}

std::optional<std::string> decode_cluster_id(ByteView data) {
  Json json = parse_object(data);
  return json.is_discarded() ? std::nullopt : string(find(json, "id"));
}

std::string encode_configs(const ConfigMap& configs) {
  Json entries = Json::object();
  for (const auto& [key, value] : configs) entries[key] = value;
  Json json;
  json["version"] = 1;
  json["config"] = std::move(entries);
  return text_of(json);
}

std::optional<ConfigMap> decode_configs(ByteView data) {
  ConfigMap configs;
  if (data.empty()) return configs;
  Json json = parse_object(data);
  if (json.is_discarded()) return std::nullopt;
  const Json* entries = find(json, "config");
  if (entries == nullptr || !entries->is_object()) return std::nullopt;
  for (const auto& [key, value] : entries->items()) {
    // People write numbers and booleans without quotes.
    if (value.is_string()) {
      configs[key] = value.get<std::string>();
    } else if (value.is_number() || value.is_boolean()) {
      configs[key] = value.dump();
    } else {
      return std::nullopt;
    }
  }
  return configs;
}

std::string encode_config_change(const std::string& entity_path) {
  Json json;
  json["version"] = 2;
  json["entity_path"] = entity_path;
  return text_of(json);
}

std::string encode_producer_ids(const ProducerIdsZnode& block) {
  Json json;
  json["version"] = 1;
  json["broker"] = block.broker.value();
  json["block_start"] = std::to_string(block.first);
  json["block_end"] = std::to_string(block.last);
  return text_of(json);
}

std::optional<ProducerIdsZnode> decode_producer_ids(ByteView data) {
  Json json = parse_object(data);
  if (json.is_discarded()) return std::nullopt;
  auto first = long_text(find(json, "block_start"));
  auto last = long_text(find(json, "block_end"));
  if (!first || !last || *first < 0 || *last < *first) return std::nullopt;
  return ProducerIdsZnode{BrokerId(integer<int32_t>(find(json, "broker")).value_or(-1)), *first,
                          *last};
}

std::optional<std::vector<TopicPartition>> decode_partition_list(ByteView data) {
  Json json = parse_object(data);
  const Json* list = json.is_discarded() ? nullptr : find(json, "partitions");
  if (list == nullptr || !list->is_array()) return std::nullopt;
  std::vector<TopicPartition> partitions;
  for (const Json& item : *list) {
    if (!item.is_object()) return std::nullopt;
    auto topic = string(find(item, "topic"));
    auto partition = integer<int32_t>(find(item, "partition"));
    if (!topic || !partition) return std::nullopt;
    partitions.push_back({*topic, PartitionId(*partition)});
  }
  return partitions;
}

std::string encode_reassignment(const Reassignment& reassignment) {
  Json list = Json::array();
  for (const auto& [partition, replicas] : reassignment) {
    Json item;
    item["topic"] = partition.topic;
    item["partition"] = partition.partition.value();
    item["replicas"] = id_list(replicas);
    list.push_back(std::move(item));
  }
  Json json;
  json["version"] = 1;
  json["partitions"] = std::move(list);
  return text_of(json);
}

std::optional<Reassignment> decode_reassignment(ByteView data) {
  auto partitions = decode_partition_list(data);
  if (!partitions) return std::nullopt;
  Json json = parse_object(data);
  Reassignment reassignment;
  size_t index = 0;
  for (const Json& item : json["partitions"]) {
    auto replicas = decode_id_list(find(item, "replicas"));
    if (!replicas) return std::nullopt;
    reassignment.emplace_back(std::move((*partitions)[index++]), std::move(*replicas));
  }
  return reassignment;
}

}  // namespace odradek::coordinator::metadata
