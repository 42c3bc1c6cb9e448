#include "broker/cli/admin_client.h"

#include <algorithm>

#include "broker/cli/admin_calls.h"
#include "common/cli/text.h"
#include "proto/kafka/api_keys.h"
#include "proto/kafka/find_coordinator.h"

namespace odradek::broker::cli {
namespace {

constexpr int64_t kFirstPauseMs = 50;
constexpr int64_t kLastPauseMs = 1000;
constexpr int8_t kGroupKey = 0;

// HOST:PORT, [V6]:PORT, with or without a protocol in front, as Java clients take it.
std::optional<Node> parse_address(std::string_view text) {
  if (size_t at = text.find("://"); at != std::string_view::npos) text.remove_prefix(at + 3);
  size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  auto port = odradek::cli::parse_int(text.substr(colon + 1));
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (!port || *port < 0 || *port > 65535 || host.empty()) return std::nullopt;
  Node node;
  node.host = std::string(host);
  node.port = static_cast<int32_t>(*port);
  return node;
}

std::string key_of(const Node& node) { return node.host + ":" + std::to_string(node.port); }

void warn(const std::string& client_id, const std::string& text) {
  odradek::cli::log_line("WARN", "[AdminClient clientId=" + client_id + "] " + text,
                         "org.apache.kafka.clients.NetworkClient");
}

}  // namespace

AdminClient::AdminClient(const std::string& bootstrap, const Properties& properties)
    : client_id_(get_or(properties, "client.id", "adminclient-1")) {
  for (const auto& part : odradek::cli::split(bootstrap, ',')) {
    auto text = odradek::cli::trim(part);
    if (text.empty()) continue;
    auto node = parse_address(text);
    if (!node) {
      throw KafkaError("org.apache.kafka.common.config.ConfigException",
                       "Invalid url in bootstrap.servers: " + std::string(text));
    }
    node->id = -static_cast<int32_t>(bootstrap_.size()) - 1;
    bootstrap_.push_back(*node);
  }
  if (bootstrap_.empty()) {
    throw KafkaError("org.apache.kafka.common.config.ConfigException",
                     "No resolvable bootstrap urls given in bootstrap.servers");
  }
  if (auto secure = check_security(properties); !secure) {
    throw KafkaError("org.apache.kafka.common.KafkaException", secure.error().what());
  }
  auto number = [&](std::string_view key, int64_t fallback) {
    return odradek::cli::parse_int(get_or(properties, key, "")).value_or(fallback);
  };
  request_timeout_ms_ = number("request.timeout.ms", request_timeout_ms_);
  api_timeout_ms_ = number("default.api.timeout.ms", api_timeout_ms_);
}

void AdminClient::pause(int64_t deadline_ms) {
  odradek::cli::sleep_ms(std::min<int64_t>(100, deadline_ms - odradek::cli::now_ms()));
}

KafkaConnection* AdminClient::open(const std::string& key, const Node& node, int64_t deadline_ms) {
  if (auto at = connections_.find(key); at != connections_.end()) return &at->second;
  int64_t until = std::min(deadline_ms, odradek::cli::now_ms() + request_timeout_ms_);
  auto opened = KafkaConnection::open(node.host, node.port, client_id_, until);
  if (!opened) {
    warn(client_id_, "Connection to node " + std::to_string(node.id) + " (" + key +
                         ") could not be established. Broker may not be available. (" +
                         opened.error().what() + ")");
    return nullptr;
  }
  if (auto done = opened->negotiate(until); !done) {
    warn(client_id_, "Connection to node " + std::to_string(node.id) + " (" + key +
                         ") is of no use: " + done.error().what());
    return nullptr;
  }
  return &connections_.insert_or_assign(key, std::move(*opened)).first->second;
}

// The connection in use, else the first bootstrap broker that answers.
KafkaConnection* AdminClient::open_any(int64_t deadline_ms) {
  if (auto at = connections_.find(any_); at != connections_.end()) return &at->second;
  for (int64_t wait_ms = kFirstPauseMs;; wait_ms = std::min(2 * wait_ms, kLastPauseMs)) {
    for (const auto& node : bootstrap_) {
      if (auto* found = open(key_of(node), node, deadline_ms)) {
        any_ = key_of(node);
        return found;
      }
    }
    if (odradek::cli::now_ms() + wait_ms >= deadline_ms) {
      odradek::cli::sleep_ms(deadline_ms - odradek::cli::now_ms());
      return nullptr;
    }
    odradek::cli::sleep_ms(wait_ms);
  }
}

KafkaConnection* AdminClient::connection(const Target& target, std::string_view call,
                                         int64_t deadline_ms) {
  switch (target.kind) {
    case Target::Kind::any:
      return open_any(deadline_ms);
    case Target::Kind::node:
      return open(key_of(target.node), target.node, deadline_ms);
    case Target::Kind::group: {
      Node node = find_coordinator(target.group, deadline_ms);
      return open(key_of(node), node, deadline_ms);
    }
    case Target::Kind::controller:
      break;
  }
  if (!controller_) {
    Cluster cluster = metadata(std::vector<std::string>(), call, deadline_ms);
    for (const auto& node : cluster.nodes) {
      if (node.id == cluster.controller_id) controller_ = node;
    }
  }
  return controller_ ? open(key_of(*controller_), *controller_, deadline_ms) : nullptr;
}

AdminClient::Answer AdminClient::exchange(const Target& target, int16_t api_key, Versions versions,
                                          const Encoder& encode, std::string_view call,
                                          int64_t deadline_ms) {
  while (true) {
    if (KafkaConnection* link = connection(target, call, deadline_ms)) {
      auto served = link->versions().find(api_key);
      int16_t version =
          served == link->versions().end() ? -1 : std::min(versions.max, served->second.max);
      if (version < versions.min || version < served->second.min) {
        throw KafkaError(kUnsupportedVersion,
                         "The broker does not support " +
                             std::string(kafka::name_of(static_cast<kafka::ApiKey>(api_key))) +
                             " in a version that this tool needs.");
      }
      ByteWriter body;
      encode(body, version);
      int64_t until = std::min(deadline_ms, odradek::cli::now_ms() + request_timeout_ms_);
      auto answer = link->exchange(api_key, version, body.buffer(), until);
      if (answer) return {std::move(*answer), version};
      std::erase_if(connections_, [link](const auto& entry) { return &entry.second == link; });
      if (target.kind == Target::Kind::controller) controller_.reset();
      if (target.kind == Target::Kind::group) coordinators_.erase(target.group);
      warn(client_id_,
           "The connection broke during " + std::string(call) + ": " + answer.error().what());
    } else if (target.kind == Target::Kind::controller) {
      controller_.reset();
    } else if (target.kind == Target::Kind::group) {
      coordinators_.erase(target.group);
    }
    if (odradek::cli::now_ms() >= deadline_ms) {
      throw timeout("Timed out waiting for a node assignment. Call: " + std::string(call));
    }
    pause(deadline_ms);
  }
}

Cluster AdminClient::metadata(const std::optional<std::vector<std::string>>& topics,
                              std::string_view call, int64_t deadline_ms) {
  kafka::MetadataRequest request;
  request.allow_auto_topic_creation = false;
  if (topics) {
    request.topics.emplace();
    for (const auto& name : *topics) request.topics->emplace_back().name = name;
  } else {
    request.topics.reset();
  }
  // From version 1 on an empty list means no topics and null means all.
  auto answer = send<kafka::MetadataResponse>(Target{}, request, call, deadline_ms, 12, 1);
  Cluster cluster;
  for (auto& broker : answer.brokers) {
    cluster.nodes.push_back({broker.node_id, broker.host, broker.port, broker.rack});
  }
  std::sort(cluster.nodes.begin(), cluster.nodes.end(),
            [](const auto& a, const auto& b) { return a.id < b.id; });
  cluster.controller_id = answer.controller_id;
  cluster.topics = std::move(answer.topics);
  std::sort(cluster.topics.begin(), cluster.topics.end(),
            [](const auto& a, const auto& b) { return a.name.value_or("") < b.name.value_or(""); });
  for (auto& topic : cluster.topics) {
    std::sort(topic.partitions.begin(), topic.partitions.end(),
              [](const auto& a, const auto& b) { return a.partition_index < b.partition_index; });
  }
  return cluster;
}

Node AdminClient::find_coordinator(const std::string& group, int64_t deadline_ms) {
  if (auto at = coordinators_.find(group); at != coordinators_.end()) return at->second;
  return with_retries(deadline_ms, [&] {
    kafka::FindCoordinatorRequest request;
    request.key = group;
    request.key_type = kGroupKey;
    request.coordinator_keys = {group};
    auto answer =
        send<kafka::FindCoordinatorResponse>(Target{}, request, "findCoordinator", deadline_ms, 4);
    Node node;
    if (answer.coordinators.empty()) {
      throw_if(answer.error_code, answer.error_message.value_or(""));
      node = {answer.node_id, answer.host, answer.port, std::nullopt};
    } else {
      const auto& found = answer.coordinators[0];
      throw_if(found.error_code, found.error_message.value_or(""));
      node = {found.node_id, found.host, found.port, std::nullopt};
    }
    return coordinators_.insert_or_assign(group, node).first->second;
  });
}

Cluster AdminClient::describe_cluster() {
  return metadata(std::vector<std::string>(), "describeCluster", deadline());
}

std::map<int16_t, VersionRange> AdminClient::api_versions(const Node& node) {
  int64_t until = deadline();
  KafkaConnection* link = open(key_of(node), node, until);
  if (!link) throw timeout("Timed out waiting for a node assignment. Call: getApiVersions");
  return link->versions();
}

}  // namespace odradek::broker::cli
