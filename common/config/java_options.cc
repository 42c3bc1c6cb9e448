#include "common/config/java_options.h"

namespace odradek::config {

namespace {

constexpr std::string_view kPrefix = "zookeeper.";
constexpr std::string_view kBlanks = " \t\r\n";

// Settings that ZooKeeper takes from the file alone, under a key of their own.
bool is_file_only(std::string_view key) {
  for (std::string_view name : {"dataDir", "dataLogDir", "clientPort", "clientPortAddress",
                                "tickTime", "maxClientCnxns", "minSessionTimeout",
                                "maxSessionTimeout", "clientPortListenBacklog"}) {
    if (key == name) return true;
  }
  return false;
}

}  // namespace

std::vector<JavaProperty> java_properties(const std::string& variable, std::string_view options) {
  std::vector<JavaProperty> found;
  while (!options.empty()) {
    size_t end = std::min(options.find_first_of(kBlanks), options.size());
    std::string_view option = options.substr(0, end);
    options.remove_prefix(std::min(end + 1, options.size()));
    if (!option.starts_with("-D") || option.size() == 2) continue;
    option.remove_prefix(2);
    size_t sign = std::min(option.find('='), option.size());
    std::string_view value = option.substr(std::min(sign + 1, option.size()));
    found.push_back({std::string(option.substr(0, sign)), std::string(value), variable});
  }
  return found;
}

std::optional<std::string> find_java_property(const std::vector<JavaProperty>& properties,
                                              std::string_view key) {
  std::optional<std::string> value;
  for (const JavaProperty& property : properties) {
    if (property.key == key) value = property.value;
  }
  return value;
}

void add_java_settings(const SettingTable& table, const std::vector<JavaProperty>& java,
                       Properties& properties, std::vector<std::string>& unknown) {
  for (const JavaProperty& property : java) {
    bool prefixed = property.key.starts_with(kPrefix);
    std::string key = prefixed ? property.key.substr(kPrefix.size()) : property.key;
    if (prefixed && !table.find(key) && table.find(property.key)) key = property.key;
    // -DtickTime=... is nothing to a JVM that runs ZooKeeper
    bool means_something = table.find(key) && !is_file_only(key) &&
                           (prefixed || key.find('.') != std::string::npos);
    if (!means_something) {
      if (prefixed) unknown.push_back("-D" + property.key);
      continue;
    }
    const Property* known = properties.find(key);
    if (known && known->line > 0) continue;
    properties.set(key, property.value, 0, property.variable);
  }
}

}  // namespace odradek::config
