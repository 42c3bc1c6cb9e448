#pragma once
// Makes one batch of format v2: for internal topics, control batches, recompression and tests.
//   RecordBatchBuilder builder({.codec = Codec::zstd});
//   builder.add(now_ms, key, value);
//   Result<Bytes> batch = builder.build();

#include <optional>
#include <span>

#include "broker/log/record.h"
#include "broker/log/record_batch.h"
#include "common/bytes/byte_writer.h"

namespace odradek::broker::log {

struct BatchOptions {
  compress::Codec codec = compress::Codec::none;
  std::optional<int> compression_level;
  TimestampType timestamp_type = TimestampType::create_time;
  int64_t log_append_time_ms = kNoTimestamp;  // max timestamp of a log_append_time batch
  Offset base_offset{0};
  LeaderEpoch leader_epoch{-1};
  ProducerId producer_id{-1};
  ProducerEpoch producer_epoch{-1};
  int32_t base_sequence = kNoSequence;
  bool transactional = false;
  bool control = false;
};

class RecordBatchBuilder {
 public:
  explicit RecordBatchBuilder(BatchOptions options = {}) : options_(options) {}

  // Offsets go up by one from the base offset.
  void add(int64_t timestamp_ms, std::optional<ByteView> key, std::optional<ByteView> value,
           std::span<const HeaderView> headers = {});
  // With a gap: `offset_delta` from the base offset, above every earlier one.
  void add_at(int32_t offset_delta, int64_t timestamp_ms, std::optional<ByteView> key,
              std::optional<ByteView> value, std::span<const HeaderView> headers = {});

  int32_t record_count() const { return count_; }
  // Of the batch if it were built now, before compression.
  size_t uncompressed_size() const { return kBatchHeaderSize + records_.buffer_size(); }
  // Keeps the offsets of removed records at the end (compaction).
  void set_last_offset_delta(int32_t delta) { last_offset_delta_ = delta; }

  // Ends the batch; the builder is empty afterwards.
  Result<Bytes> build();

 private:
  BatchOptions options_;
  ByteWriter records_;
  int32_t count_ = 0;
  int32_t last_offset_delta_ = -1;
  int64_t base_timestamp_ = kNoTimestamp;
  int64_t max_timestamp_ = kNoTimestamp;
};

// What the first 61 bytes of a batch are. `batch` must be at least that long; the CRC is computed.
void write_batch_header(const BatchHeader& header, std::span<char> batch);

// Transaction markers (control batch of one record): key version 0 and type, value version 0 and
// coordinator epoch.
enum class ControlType : int16_t { abort = 0, commit = 1 };
Result<Bytes> build_transaction_marker(ControlType type, ProducerId producer_id,
                                       ProducerEpoch producer_epoch, int32_t coordinator_epoch,
                                       int64_t timestamp_ms);

}  // namespace odradek::broker::log
