// kafka-configs --zookeeper of Kafka 2.5.

#include <algorithm>
#include <cstdio>

#include "broker/cli/config_command.h"
#include "broker/cli/topic_names.h"
#include "broker/cli/zk_admin.h"
#include "common/cli/text.h"
#include "common/config/topic_config.h"

namespace odradek::broker::cli {
namespace {

using odradek::cli::join;

constexpr std::string_view kDefault = "<default>";

// Names of users and clients may hold anything: they are URL-encoded in paths.
std::string encode(const std::string& name) {
  std::string out;
  for (unsigned char c : name) {
    if (std::isalnum(c) || c == '-' || c == '_' || c == '.' || c == '~') {
      out += static_cast<char>(c);
    } else {
      char hex[4];
      std::snprintf(hex, sizeof hex, "%%%02X", c);
      out += hex;
    }
  }
  return out;
}

std::string decode(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      out += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

bool is_encoded(const std::string& type) { return type == "users" || type == "clients"; }

// An entity as a path below /config.
struct Path {
  std::vector<std::pair<std::string, std::string>>
      parts;  // type, name as in the path; users then clients

  std::string text() const {
    std::vector<std::string> words;
    for (const auto& [type, name] : parts) {
      words.push_back(type);
      words.push_back(name);
    }
    return join(words, "/");
  }
  std::string shown() const {
    std::vector<std::string> words;
    for (const auto& [type, name] : parts) {
      std::string kind = type == "users"     ? "user-principal"
                         : type == "clients" ? "client-id"
                                             : type.substr(0, type.size() - 1);
      if (name == kDefault)
        words.push_back("default " + kind);
      else
        words.push_back(kind + " '" + (is_encoded(type) ? decode(name) : name) + "'");
    }
    return join(words, ", ");
  }
};

std::string path_name(const ConfigEntity& entity) {
  if (entity.name->empty()) return std::string(kDefault);
  return is_encoded(entity.type) ? encode(*entity.name) : *entity.name;
}

// Every entity that the request means: those with names as they are, the rest from the tree.
std::vector<Path> entities_of(ZkAdmin& admin, const ConfigRequest& request) {
  std::vector<Path> found = {Path{}};
  for (const auto& entity : request.entities) {
    std::vector<Path> next;
    for (const auto& base : found) {
      std::string folder = (base.parts.empty() ? "" : base.text() + "/") + entity.type;
      std::vector<std::string> names;
      if (entity.name)
        names.push_back(path_name(entity));
      else
        names = admin.config_entities(folder);
      for (const auto& name : names) {
        Path path = base;
        path.parts.emplace_back(entity.type, name);
        next.push_back(path);
      }
    }
    found = std::move(next);
  }
  return found;
}

void describe(ZkAdmin& admin, const ConfigRequest& request) {
  bool all_users = request.entities.size() == 1 && request.entities[0].type == "users" &&
                   !request.entities[0].name;
  for (const auto& path : entities_of(admin, request)) {
    auto configs = admin.configs(path.text());
    if (configs.empty() && all_users) continue;
    std::vector<std::string> texts;
    for (const auto& [key, value] : configs) texts.push_back(key + "=" + value);
    std::printf("Configs for %s are %s\n", path.shown().c_str(), join(texts, ",").c_str());
  }
}

void check_added(ZkAdmin& admin, const ConfigRequest& request) {
  const ConfigEntity& entity = request.entities[0];
  if (entity.type == "topics") {
    auto topics = admin.topics();
    if (std::find(topics.begin(), topics.end(), *entity.name) == topics.end()) {
      throw illegal_argument("Topic \"" + *entity.name + "\" does not exist.");
    }
    return;
  }
  if (entity.type == "brokers") {
    if (!entity.name->empty()) {
      auto id = odradek::cli::parse_int(*entity.name);
      if (!id) throw illegal_argument("Invalid broker id: " + *entity.name);
      if (admin.broker_is_up(static_cast<int32_t>(*id))) {
        throw illegal_argument(
            "--bootstrap-server option must be specified to update the configs of a running "
            "broker");
      }
    }
    return;
  }
  static constexpr std::string_view kQuotas[] = {"producer_byte_rate", "consumer_byte_rate",
                                                 "request_percentage", "controller_mutation_rate"};
  for (const auto& [key, value] : request.add) {
    if (key.starts_with("SCRAM-")) {
      throw illegal_argument(
          "SCRAM credentials come with a later version of this tool, together with SASL.");
    }
    if (std::find(std::begin(kQuotas), std::end(kQuotas), key) == std::end(kQuotas)) {
      throw illegal_argument("Unknown Dynamic Configuration: Set(" + key + ").");
    }
  }
}

void alter(ZkAdmin& admin, const ConfigRequest& request) {
  check_added(admin, request);
  Path path = entities_of(admin, request)[0];
  auto configs = admin.configs(path.text());
  std::vector<std::string> invalid;
  for (const auto& key : request.remove) {
    if (!configs.contains(key)) invalid.push_back(key);
  }
  if (!invalid.empty()) {
    throw KafkaError("org.apache.kafka.common.errors.InvalidConfigurationException",
                     "Invalid config(s): " + join(invalid, ","));
  }
  for (const auto& [key, value] : request.add) configs[key] = value;
  for (const auto& key : request.remove) configs.erase(key);
  if (request.entities[0].type == "topics") {
    config::ConfigMap map(configs.begin(), configs.end());
    if (auto problem = config::refuse_topic_config(map, config::BrokerConfigs{})) {
      throw KafkaError("org.apache.kafka.common.errors.InvalidConfigurationException", *problem);
    }
  }
  admin.set_configs(path.text(), configs, true);
  std::printf("Completed updating config for entity: %s.\n", path.shown().c_str());
}

}  // namespace

void configs_on_znodes(const std::string& connect, const ConfigRequest& request) {
  ZkAdmin admin(connect);
  if (request.alter)
    alter(admin, request);
  else
    describe(admin, request);
}

}  // namespace odradek::broker::cli
