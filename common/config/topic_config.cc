#include "common/config/topic_config.h"

#include <algorithm>

#include "common/config/broker_rules.h"
#include "common/config/values.h"

namespace odradek::config {
namespace {

// What a topic gets from the broker where it has no value of its own.
std::optional<std::string> broker_value(const Setting& setting, const BrokerConfigs& broker) {
  if (setting.name == "retention.ms") return std::to_string(log_retention_ms(broker));
  if (setting.name == "segment.ms") return std::to_string(log_roll_ms(broker));
  if (setting.name == "segment.jitter.ms") return std::to_string(log_roll_jitter_ms(broker));
  if (setting.name == "flush.ms") return std::to_string(log_flush_interval_ms(broker));
  if (!setting.synonym.empty()) return broker.value(setting.synonym);
  if (!setting.has_default) return std::nullopt;
  return std::string(setting.default_value);
}

const std::string* find(const ConfigMap& map, std::string_view key) {
  auto at = map.find(key);
  return at == map.end() ? nullptr : &at->second;
}

// Reads the resolved values of one topic by key.
class Reader {
 public:
  Reader(const ConfigMap& topic, const BrokerConfigs& broker) : topic_(topic), broker_(broker) {}

  std::string text(std::string_view key) const {
    const Setting* setting = topic_settings().find(key);
    CHECK(setting != nullptr);
    return resolve_topic_value(*setting, topic_, broker_).value_or("");
  }
  int64_t integer(std::string_view key) const { return parse_integer(text(key)).value_or(0); }
  int32_t small(std::string_view key) const {
    return static_cast<int32_t>(std::clamp<int64_t>(integer(key), INT32_MIN, INT32_MAX));
  }
  double number(std::string_view key) const { return parse_double(text(key)).value_or(0); }
  bool boolean(std::string_view key) const { return parse_boolean(text(key)).value_or(false); }

 private:
  const ConfigMap& topic_;
  const BrokerConfigs& broker_;
};

// message.timestamp.before/after.max.ms of KIP-937; where only the older
// message.timestamp.difference.max.ms is set it holds for both sides.
int64_t timestamp_bound(const Reader& reader, std::string_view key) {
  int64_t bound = reader.integer(key);
  return bound != INT64_MAX ? bound : reader.integer("message.timestamp.difference.max.ms");
}

}  // namespace

std::optional<std::string> BrokerConfigs::value(std::string_view key) const {
  const Setting* setting = broker_settings().find(key);
  CHECK(setting != nullptr);
  for (const ConfigMap* map : {dynamic_broker, dynamic_default}) {
    const std::string* value = map == nullptr ? nullptr : find(*map, key);
    if (value != nullptr && !refuse_value(*setting, key, *value))
      return normal_form(*setting, *value);
  }
  if (settings != nullptr) {
    auto text = settings->find_string(key);
    if (!text) return std::nullopt;
    return normal_form(*setting, *text);
  }
  if (!setting->has_default) return std::nullopt;
  return std::string(setting->default_value);
}

std::optional<std::string> resolve_topic_value(const Setting& setting, const ConfigMap& topic,
                                               const BrokerConfigs& broker) {
  const std::string* own = find(topic, setting.name);
  if (own != nullptr && !refuse_value(setting, setting.name, *own))
    return normal_form(setting, *own);
  return broker_value(setting, broker);
}

TopicConfig resolve_topic_config(const ConfigMap& topic, const BrokerConfigs& broker,
                                 std::string* problem) {
  if (problem != nullptr) {
    if (auto refused = refuse_topic_config(topic, broker)) *problem = std::move(*refused);
  }
  Reader reader(topic, broker);
  TopicConfig config;
  auto policies = parse_list(reader.text("cleanup.policy"));
  config.cleanup_compact = std::find(policies.begin(), policies.end(), "compact") != policies.end();
  config.cleanup_delete = std::find(policies.begin(), policies.end(), "delete") != policies.end();
  config.compression_type = reader.text("compression.type");
  config.compression_gzip_level = reader.small("compression.gzip.level");
  config.compression_lz4_level = reader.small("compression.lz4.level");
  config.compression_zstd_level = reader.small("compression.zstd.level");
  config.delete_retention_ms = reader.integer("delete.retention.ms");
  config.file_delete_delay_ms = reader.integer("file.delete.delay.ms");
  config.flush_messages = reader.integer("flush.messages");
  config.flush_ms = reader.integer("flush.ms");
  config.index_interval_bytes = reader.small("index.interval.bytes");
  config.max_compaction_lag_ms = reader.integer("max.compaction.lag.ms");
  config.max_message_bytes = reader.small("max.message.bytes");
  config.message_downconversion_enable = reader.boolean("message.downconversion.enable");
  config.message_timestamp_type = reader.text("message.timestamp.type") == "LogAppendTime"
                                      ? TimestampType::log_append_time
                                      : TimestampType::create_time;
  config.message_timestamp_before_max_ms =
      timestamp_bound(reader, "message.timestamp.before.max.ms");
  config.message_timestamp_after_max_ms = timestamp_bound(reader, "message.timestamp.after.max.ms");
  config.min_cleanable_dirty_ratio = reader.number("min.cleanable.dirty.ratio");
  config.min_compaction_lag_ms = reader.integer("min.compaction.lag.ms");
  config.min_insync_replicas = reader.small("min.insync.replicas");
  config.preallocate = reader.boolean("preallocate");
  config.retention_bytes = reader.integer("retention.bytes");
  config.retention_ms = reader.integer("retention.ms");
  config.segment_bytes = reader.small("segment.bytes");
  config.segment_index_bytes = reader.small("segment.index.bytes");
  config.segment_jitter_ms = reader.integer("segment.jitter.ms");
  config.segment_ms = reader.integer("segment.ms");
  config.unclean_leader_election_enable = reader.boolean("unclean.leader.election.enable");
  return config;
}

std::optional<std::string> refuse_topic_config(const ConfigMap& topic,
                                               const BrokerConfigs& broker) {
  for (const auto& [name, value] : topic) {
    const Setting* setting = topic_settings().find(name);
    if (setting == nullptr) return "Unknown topic config name: " + name;
    if (auto refused = refuse_value(*setting, name, value)) return refused;
  }
  Reader reader(topic, broker);
  int64_t min_lag = reader.integer("min.compaction.lag.ms");
  int64_t max_lag = reader.integer("max.compaction.lag.ms");
  if (min_lag > max_lag) {
    return "conflict topic config setting min.compaction.lag.ms (" + std::to_string(min_lag) +
           ") > max.compaction.lag.ms (" + std::to_string(max_lag) + ")";
  }
  return std::nullopt;
}

}  // namespace odradek::config
