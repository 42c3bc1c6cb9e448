#include "broker/replica/topic_settings.h"

#include <algorithm>

namespace odradek::broker::replica {

namespace {

struct Compression {
  std::optional<compress::Codec> codec;  // nothing: as the producer sent it
  std::optional<int> level;
};

Compression compression_of(const config::TopicConfig& topic) {
  using compress::Codec;
  if (topic.compression_type == "uncompressed") return {Codec::none, std::nullopt};
  if (topic.compression_type == "gzip") {
    // -1 is the library's own choice
    return {Codec::gzip, topic.compression_gzip_level > 0
                             ? std::optional(topic.compression_gzip_level)
                             : std::nullopt};
  }
  if (topic.compression_type == "snappy") return {Codec::snappy, std::nullopt};
  if (topic.compression_type == "lz4") return {Codec::lz4, topic.compression_lz4_level};
  if (topic.compression_type == "zstd") return {Codec::zstd, topic.compression_zstd_level};
  return {};
}

}  // namespace

TopicSettings topic_settings(const config::TopicConfig& topic, int64_t producer_id_expiration_ms) {
  auto log = std::make_shared<log::LogConfig>();
  log->segment_bytes = topic.segment_bytes;
  log->segment_ms = topic.segment_ms;
  log->segment_jitter_ms = topic.segment_jitter_ms;
  log->segment_index_bytes = topic.segment_index_bytes;
  log->index_interval_bytes = topic.index_interval_bytes;
  log->max_message_bytes = topic.max_message_bytes;
  log->retention_ms = topic.retention_ms;
  log->retention_bytes = topic.retention_bytes;
  log->cleanup_delete = topic.cleanup_delete;
  log->cleanup_compact = topic.cleanup_compact;
  log->min_cleanable_dirty_ratio = topic.min_cleanable_dirty_ratio;
  log->min_compaction_lag_ms = topic.min_compaction_lag_ms;
  log->max_compaction_lag_ms = topic.max_compaction_lag_ms;
  log->delete_retention_ms = topic.delete_retention_ms;
  // what is in the segment that is written to cannot be compacted: it must be closed in time
  if (topic.cleanup_compact) log->segment_ms = std::min(log->segment_ms, log->max_compaction_lag_ms);
  log->file_delete_delay_ms = topic.file_delete_delay_ms;
  log->flush_messages = topic.flush_messages;
  log->flush_ms = topic.flush_ms;
  Compression compression = compression_of(topic);
  log->compression = compression.codec;
  log->compression_level = compression.level;
  log->timestamp_type = topic.message_timestamp_type == config::TimestampType::log_append_time
                            ? log::TimestampType::log_append_time
                            : log::TimestampType::create_time;
  log->timestamp_before_max_ms = topic.message_timestamp_before_max_ms;
  log->timestamp_after_max_ms = topic.message_timestamp_after_max_ms;
  log->down_conversion = topic.message_downconversion_enable;
  log->producer_id_expiration_ms = producer_id_expiration_ms;
  TopicSettings settings;
  settings.min_insync_replicas = topic.min_insync_replicas;
  settings.log = std::move(log);
  return settings;
}

}  // namespace odradek::broker::replica
