#pragma once
// The options of a JVM that the official scripts take from the environment, read as settings.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/config/properties.h"
#include "common/config/setting.h"

namespace odradek::config {

struct JavaProperty {
  std::string key;
  std::string value;
  std::string variable;  // where it stands: KAFKA_OPTS
};

// The -Dkey=value of a variable's text, which blanks divide; other options are passed over.
std::vector<JavaProperty> java_properties(const std::string& variable, std::string_view options);

// The value of the last property of that key.
std::optional<std::string> find_java_property(const std::vector<JavaProperty>& properties,
                                              std::string_view key);

// Adds those that are settings of ZooKeeper's table and stand not in the file, which counts more,
// as in ZooKeeper: -Dzookeeper.KEY=value for the setting KEY, -DKEY=value where that is a setting's
// own name (jute.maxbuffer, znode.container.checkIntervalMs). What begins with zookeeper. and is no
// setting is named in `unknown`.
void add_java_settings(const SettingTable& table, const std::vector<JavaProperty>& java,
                       Properties& properties, std::vector<std::string>& unknown);

}  // namespace odradek::config
