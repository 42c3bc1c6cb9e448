#include "broker/cli/config_command.h"

#include <algorithm>
#include <cstdio>

#include "broker/cli/admin_client.h"
#include "broker/cli/topic_names.h"
#include "common/cli/text.h"

namespace odradek::broker::cli {
namespace {

using odradek::cli::join;
using odradek::cli::parse_int;
using odradek::cli::trim;
using Resource = AdminClient::Resource;
using Entry = AdminClient::ConfigEntry;

constexpr const char* kSources[] = {"UNKNOWN",
                                    "DYNAMIC_TOPIC_CONFIG",
                                    "DYNAMIC_BROKER_CONFIG",
                                    "DYNAMIC_DEFAULT_BROKER_CONFIG",
                                    "STATIC_BROKER_CONFIG",
                                    "DEFAULT_CONFIG",
                                    "DYNAMIC_BROKER_LOGGER_CONFIG"};

std::string source_name(int8_t source) {
  return source >= 0 && source < static_cast<int8_t>(std::size(kSources)) ? kSources[source]
                                                                          : "UNKNOWN";
}

KafkaError invalid_configs(const std::string& what, const std::vector<std::string>& names) {
  return KafkaError("org.apache.kafka.common.errors.InvalidConfigurationException",
                    what + join(names, ","));
}

struct Kind {
  Resource resource;
  std::optional<int8_t> dynamic_source;  // what counts as set for the entity itself
};

Kind kind_of(const ConfigEntity& entity, const std::string& name) {
  if (entity.type == "topics") {
    if (std::string problem = name_problem(name); !name.empty() && !problem.empty()) {
      throw KafkaError("org.apache.kafka.common.errors.InvalidTopicException", problem);
    }
    return {Resource::topic, 1};
  }
  if (!name.empty() && !parse_int(name)) {
    throw illegal_argument("The entity name for " + entity.type +
                           " must be a valid integer broker id, but it is: " + name);
  }
  if (entity.type == "brokers")
    return {Resource::broker, static_cast<int8_t>(name.empty() ? 3 : 2)};
  return {Resource::broker_logger, std::nullopt};
}

std::vector<Entry> entries_of(AdminClient& client, const ConfigEntity& entity,
                              const std::string& name, bool all) {
  Kind kind = kind_of(entity, name);
  auto found = client.describe_configs(kind.resource, {name}, true);
  auto entries = std::move(found[name]);
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.name < b.name; });
  if (!all && kind.dynamic_source) {
    std::erase_if(entries,
                  [&](const Entry& entry) { return entry.config_source != *kind.dynamic_source; });
  }
  return entries;
}

void print_entry(const Entry& entry) {
  std::vector<std::string> synonyms;
  for (const auto& synonym : entry.synonyms) {
    synonyms.push_back(source_name(synonym.source) + ":" + synonym.name + "=" +
                       synonym.value.value_or("null"));
  }
  std::printf("  %s=%s sensitive=%s synonyms={%s}\n", entry.name.c_str(),
              entry.value.value_or("null").c_str(), entry.is_sensitive ? "true" : "false",
              join(synonyms, ", ").c_str());
}

std::string singular(const std::string& type) { return type.substr(0, type.size() - 1); }

void describe(AdminClient& client, const ConfigEntity& entity, bool all) {
  std::vector<std::string> names;
  if (entity.name) {
    names.push_back(*entity.name);
  } else if (entity.type == "topics") {
    names = client.list_topics(true);
  } else {
    for (const auto& node : client.describe_cluster().nodes)
      names.push_back(std::to_string(node.id));
    names.emplace_back();
  }
  for (const auto& name : names) {
    if (name.empty())
      std::printf("Default configs for %s in the cluster are:\n", entity.type.c_str());
    else
      std::printf("%s configs for %s %s are:\n", all ? "All" : "Dynamic",
                  singular(entity.type).c_str(), name.c_str());
    std::fflush(stdout);
    for (const auto& entry : entries_of(client, entity, name, all)) print_entry(entry);
  }
}

void alter(AdminClient& client, const ConfigEntity& entity, const ConfigRequest& request) {
  std::string name = entity.name.value_or("");
  Kind kind = kind_of(entity, name);
  bool loggers = kind.resource == Resource::broker_logger;
  auto old = entries_of(client, entity, name, false);
  auto known = [&](const std::string& key) {
    return std::any_of(old.begin(), old.end(),
                       [&](const Entry& entry) { return entry.name == key; });
  };
  std::vector<std::string> invalid;
  for (const auto& key : request.remove) {
    if (!known(key)) invalid.push_back(key);
  }
  if (loggers) {
    for (const auto& [key, value] : request.add) {
      if (!known(key)) invalid.push_back(key);
    }
  }
  if (!invalid.empty())
    throw invalid_configs(loggers ? "Invalid broker logger(s): " : "Invalid config(s): ", invalid);
  std::vector<AdminClient::ConfigChange> changes;
  for (const auto& [key, value] : request.add) changes.push_back({key, value});
  for (const auto& key : request.remove) changes.push_back({key, std::nullopt});
  client.alter_configs(kind.resource, name, changes);
  if (name.empty())
    std::printf("Completed updating default config for %s in the cluster.\n", entity.type.c_str());
  else
    std::printf("Completed updating config for %s %s.\n", singular(entity.type).c_str(),
                name.c_str());
}

}  // namespace

std::map<std::string, std::string> parse_added_configs(const std::string& text) {
  std::map<std::string, std::string> added;
  size_t from = 0;
  int depth = 0;
  auto take = [&](std::string_view pair) {
    size_t equals = pair.find('=');
    bool in_brackets = pair.find('[') < equals;
    size_t second = equals == std::string_view::npos ? equals : pair.find('=', equals + 1);
    bool second_outside = second != std::string_view::npos && pair.find('[') > second;
    if (equals == std::string_view::npos || in_brackets || second_outside) {
      throw illegal_argument(
          "requirement failed: Invalid entity config: all configs to be added must be in the "
          "format \"key=val\".");
    }
    std::string value(pair.substr(equals + 1));
    std::erase(value, '[');
    std::erase(value, ']');
    added[std::string(trim(pair.substr(0, equals)))] = trim(value);
  };
  for (size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && text[i] == '[') ++depth;
    if (i < text.size() && text[i] == ']') --depth;
    if (i < text.size() && (text[i] != ',' || depth > 0)) continue;
    if (i > from || i < text.size()) take(std::string_view(text).substr(from, i - from));
    from = i + 1;
  }
  for (const auto& [key, value] : added) {
    bool good = std::all_of(key.begin(), key.end(), [](unsigned char c) {
      return std::isalnum(c) || c == '.' || c == '_' || c == '-';
    });
    if (!good) throw illegal_argument("Invalid character found for config key: " + key);
  }
  return added;
}

void configs_through_brokers(const std::string& bootstrap, const Properties& properties,
                             const ConfigRequest& request) {
  AdminClient client(bootstrap, properties);
  const ConfigEntity& entity = request.entities[0];
  if (request.alter)
    alter(client, entity, request);
  else
    describe(client, entity, request.describe_all);
}

}  // namespace odradek::broker::cli
