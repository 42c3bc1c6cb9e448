#pragma once
// What DescribeConfigs shows: each setting with its value, where the value comes from, and its
// synonyms (KIP-226).

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/config/topic_config.h"

namespace odradek::config {

// The numbers of DescribeConfigs.
enum class ConfigSource : int8_t {
  unknown = 0,
  topic = 1,
  dynamic_broker = 2,
  dynamic_default_broker = 3,
  static_broker = 4,
  built_in = 5,
};

struct ConfigSynonym {
  std::string name;
  std::optional<std::string> value;  // nothing for a secret
  ConfigSource source = ConfigSource::unknown;
};

struct DescribedConfig {
  const Setting* setting = nullptr;  // nullptr for a key that is in no table
  std::string name;
  std::optional<std::string> value;  // nothing for null and for a secret
  ConfigSource source = ConfigSource::built_in;
  bool read_only = false;
  bool sensitive = false;
  std::vector<ConfigSynonym> synonyms;  // the strongest first
  Type type() const { return setting ? setting->type : Type::string; }
};

// Every setting of a topic that is not internal, sorted by name.
std::vector<DescribedConfig> describe_topic_configs(const ConfigMap& topic,
                                                    const BrokerConfigs& broker);
// Every setting of a broker.
std::vector<DescribedConfig> describe_broker_configs(const BrokerConfigs& broker);
// The dynamic settings of all brokers: those that are set.
std::vector<DescribedConfig> describe_default_broker_configs(const ConfigMap& dynamic_default);

}  // namespace odradek::config
