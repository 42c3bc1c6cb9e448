#pragma once
// The settings of one topic that its logs obey. Immutable once shared: a change is a new object
// given to Log::set_config. Names and defaults are Kafka's topic settings.

#include <cstdint>
#include <limits>
#include <optional>

#include "common/compress/compress.h"

namespace odradek::broker::log {

enum class TimestampType : uint8_t { create_time = 0, log_append_time = 1 };

struct LogConfig {
  int64_t segment_bytes = 1073741824;
  int64_t segment_ms = 604800000;
  int64_t segment_jitter_ms = 0;
  int64_t segment_index_bytes = 10485760;
  int64_t index_interval_bytes = 4096;
  int64_t max_message_bytes = 1048588;
  int64_t retention_ms = 604800000;  // -1: no limit
  int64_t retention_bytes = -1;      // -1: no limit
  bool cleanup_delete = true;        // cleanup.policy names "delete"
  bool cleanup_compact = false;      // cleanup.policy names "compact"
  double min_cleanable_dirty_ratio = 0.5;  // compaction waits until so much of a log is dirty
  int64_t min_compaction_lag_ms = 0;
  int64_t max_compaction_lag_ms = std::numeric_limits<int64_t>::max();
  int64_t delete_retention_ms = 86400000;  // how long a tombstone stays after its first compaction
  int64_t file_delete_delay_ms = 60000;
  int64_t flush_messages = std::numeric_limits<int64_t>::max();
  int64_t flush_ms = std::numeric_limits<int64_t>::max();
  // compression.type: nothing is "producer" (kept as it comes); Codec::none is "uncompressed".
  std::optional<compress::Codec> compression;
  std::optional<int> compression_level;  // compression.gzip.level and so on, of that codec
  TimestampType timestamp_type = TimestampType::create_time;
  // message.timestamp.before.max.ms and .after.max.ms; message.timestamp.difference.max.ms sets
  // both.
  int64_t timestamp_before_max_ms = std::numeric_limits<int64_t>::max();
  int64_t timestamp_after_max_ms = std::numeric_limits<int64_t>::max();
  // message.downconversion.enable: clients before Kafka 0.11 get the records in a format of theirs.
  bool down_conversion = true;
  // Of the broker: producer.id.expiration.ms (2.5: transactional.id.expiration.ms).
  int64_t producer_id_expiration_ms = 86400000;
  // Bound for a decompressed batch that has to be opened (max.decompressed.message.bytes).
  int64_t max_decompressed_bytes = 256 << 20;
};

}  // namespace odradek::broker::log
