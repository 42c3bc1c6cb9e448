#pragma once
// The settings of one topic, resolved: the topic's own value, else the broker's dynamic one (of
// this broker, then of all), else server.properties, else the default (KIP-226).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/config/settings.h"

namespace odradek::config {

// The maps below the topic's own; any may be missing. Keys of them are broker settings.
struct BrokerConfigs {
  const ConfigMap* dynamic_broker = nullptr;   // /config/brokers/ID
  const ConfigMap* dynamic_default = nullptr;  // /config/brokers/<default>
  const Settings* settings = nullptr;          // server.properties

  // The value that is in effect for a broker setting, one name only; nothing for null.
  std::optional<std::string> value(std::string_view key) const;
};

enum class TimestampType : int8_t { create_time = 0, log_append_time = 1 };

// Every value in the unit of its name, checked.
struct TopicConfig {
  bool cleanup_delete = true;
  bool cleanup_compact = false;
  std::string compression_type = "producer";  // or uncompressed, gzip, snappy, lz4, zstd
  int32_t compression_gzip_level = -1;
  int32_t compression_lz4_level = 9;
  int32_t compression_zstd_level = 3;
  int64_t delete_retention_ms = 86'400'000;
  int64_t file_delete_delay_ms = 60'000;
  int64_t flush_messages = INT64_MAX;
  int64_t flush_ms = INT64_MAX;
  int32_t index_interval_bytes = 4096;
  int64_t max_compaction_lag_ms = INT64_MAX;
  int32_t max_message_bytes = 1'048'588;
  bool message_downconversion_enable = true;
  TimestampType message_timestamp_type = TimestampType::create_time;
  int64_t message_timestamp_before_max_ms = INT64_MAX;
  int64_t message_timestamp_after_max_ms = INT64_MAX;
  double min_cleanable_dirty_ratio = 0.5;
  int64_t min_compaction_lag_ms = 0;
  int32_t min_insync_replicas = 1;
  bool preallocate = false;
  int64_t retention_bytes = -1;  // -1: no bound
  int64_t retention_ms = 604'800'000;
  int32_t segment_bytes = 1'073'741'824;
  int32_t segment_index_bytes = 10'485'760;
  int64_t segment_jitter_ms = 0;
  int64_t segment_ms = 604'800'000;
  bool unclean_leader_election_enable = false;
  bool operator==(const TopicConfig&) const = default;
};

// Overrides that are unknown or wrong are passed over: they were refused when they were set, or a
// person wrote the znode by hand; `problem`, when given, then gets the first sentence about it.
TopicConfig resolve_topic_config(const ConfigMap& topic, const BrokerConfigs& broker,
                                 std::string* problem = nullptr);

// The text that is in effect for one topic setting; nothing for null.
std::optional<std::string> resolve_topic_value(const Setting& setting, const ConfigMap& topic,
                                               const BrokerConfigs& broker);

// Kafka's words for what is wrong with the settings of a topic, as "Unknown topic config name: x"
// or "Invalid value abc for configuration retention.ms: Not a number of type LONG"; nothing where
// all is well.
std::optional<std::string> refuse_topic_config(const ConfigMap& topic, const BrokerConfigs& broker);

}  // namespace odradek::config
