#include "common/config/describe.h"

#include <algorithm>

#include "common/config/values.h"

namespace odradek::config {
namespace {

// The broker settings that can give a value to this one, the strongest first.
std::vector<std::string_view> synonym_chain(std::string_view name) {
  if (name == "log.roll.ms" || name == "log.roll.hours") return {"log.roll.ms", "log.roll.hours"};
  if (name == "log.roll.jitter.ms" || name == "log.roll.jitter.hours")
    return {"log.roll.jitter.ms", "log.roll.jitter.hours"};
  if (name == "log.flush.interval.ms")
    return {"log.flush.interval.ms", "log.flush.scheduler.interval.ms"};
  if (name == "log.retention.ms" || name == "log.retention.minutes" ||
      name == "log.retention.hours") {
    return {"log.retention.ms", "log.retention.minutes", "log.retention.hours"};
  }
  return {name};
}

// As Kafka lists them: by layer, within a layer by the chain, and nothing before the first entry of
// the setting itself. So log.retention.hours of server.properties is no synonym of retention.ms
// unless log.retention.ms is set, too.
std::vector<ConfigSynonym> broker_synonyms(std::string_view name, const BrokerConfigs& broker,
                                           bool sensitive) {
  std::vector<ConfigSynonym> out;
  auto chain = synonym_chain(name);
  auto add = [&](const ConfigMap* map, ConfigSource source) {
    if (map == nullptr) return;
    for (std::string_view key : chain) {
      auto at = map->find(key);
      if (at == map->end()) continue;
      out.push_back({std::string(key),
                     sensitive ? std::nullopt : std::optional(std::string(trim(at->second))),
                     source});
    }
  };
  add(broker.dynamic_broker, ConfigSource::dynamic_broker);
  add(broker.dynamic_default, ConfigSource::dynamic_default_broker);
  if (broker.settings != nullptr) add(&broker.settings->given(), ConfigSource::static_broker);
  for (std::string_view key : chain) {
    const Setting* setting = broker_settings().find(key);
    if (setting == nullptr || !setting->has_default) continue;
    auto value = sensitive ? std::nullopt : std::optional(std::string(setting->default_value));
    out.push_back({std::string(key), std::move(value), ConfigSource::built_in});
  }
  out.erase(out.begin(), std::find_if(out.begin(), out.end(),
                                      [&](const ConfigSynonym& s) { return s.name == name; }));
  return out;
}

void finish(DescribedConfig& config) {
  config.source = config.synonyms.empty() ? ConfigSource::built_in : config.synonyms.front().source;
  if (config.sensitive) config.value.reset();
}

}  // namespace

std::vector<DescribedConfig> describe_topic_configs(const ConfigMap& topic,
                                                    const BrokerConfigs& broker) {
  std::vector<DescribedConfig> out;
  for (const Setting& setting : topic_settings().settings) {
    if (setting.internal) continue;
    DescribedConfig config;
    config.setting = &setting;
    config.name = setting.name;
    config.sensitive = setting.sensitive();
    config.value = resolve_topic_value(setting, topic, broker);
    if (!setting.synonym.empty())
      config.synonyms = broker_synonyms(setting.synonym, broker, config.sensitive);
    if (topic.contains(setting.name)) {
      config.synonyms.insert(config.synonyms.begin(),
                             {config.name, config.value, ConfigSource::topic});
    }
    finish(config);
    out.push_back(std::move(config));
  }
  return out;
}

std::vector<DescribedConfig> describe_broker_configs(const BrokerConfigs& broker) {
  std::vector<DescribedConfig> out;
  for (const Setting& setting : broker_settings().settings) {
    if (setting.internal) continue;
    DescribedConfig config;
    config.setting = &setting;
    config.name = setting.name;
    config.sensitive = setting.sensitive();
    config.read_only = setting.update == Update::read_only;
    config.value = broker.value(setting.name);
    config.synonyms = broker_synonyms(setting.name, broker, config.sensitive);
    finish(config);
    out.push_back(std::move(config));
  }
  return out;
}

std::vector<DescribedConfig> describe_default_broker_configs(const ConfigMap& dynamic_default) {
  std::vector<DescribedConfig> out;
  for (const auto& [name, value] : dynamic_default) {
    DescribedConfig config;
    config.setting = broker_settings().find(name);
    config.name = name;
    // A key that nobody knows may hold a secret.
    config.sensitive = config.setting == nullptr || config.setting->sensitive();
    config.read_only = config.setting != nullptr && config.setting->update == Update::read_only;
    if (!config.sensitive) config.value = normal_form(*config.setting, value);
    config.synonyms.push_back({name, config.value, ConfigSource::dynamic_default_broker});
    finish(config);
    out.push_back(std::move(config));
  }
  return out;
}

}  // namespace odradek::config
