#pragma once
// What kafka-configs does with the entities of one call, through brokers or (2.5) on the znodes.
// Throws KafkaError; an IllegalArgumentException or InvalidConfigurationException prints its
// sentence alone.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "broker/cli/client_properties.h"

namespace odradek::broker::cli {

struct ConfigEntity {
  std::string type;                 // topics, brokers, broker-loggers, users, clients, ips
  std::optional<std::string> name;  // empty: the default entity; nothing: all of the type
};

struct ConfigRequest {
  std::vector<ConfigEntity> entities;  // one, or users and clients
  bool alter = false;
  bool describe_all = false;
  std::map<std::string, std::string> add;
  std::vector<std::string> remove;
};

// "a=1,b=[x,y],c=" with square brackets around values that hold commas.
std::map<std::string, std::string> parse_added_configs(const std::string& text);

void configs_through_brokers(const std::string& bootstrap, const Properties& properties,
                             const ConfigRequest& request);
void configs_on_znodes(const std::string& connect, const ConfigRequest& request);

}  // namespace odradek::broker::cli
