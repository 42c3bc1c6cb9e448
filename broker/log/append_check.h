#pragma once
// What a leader checks in a set of batches before they may enter its log, and what it changes in
// them. Nothing here knows the log's state, so it may run on any thread: the owner looks with
// must_be_opened whether the check is more than a walk over bytes (decompression, recompression)
// and then runs prepare_append on the background pool.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "broker/log/log_config.h"
#include "broker/log/record_batch.h"
#include "common/bytes/byte_writer.h"
#include "common/result.h"

namespace odradek::broker::log {

enum class AppendOrigin {
  client,       // every check; exactly one batch
  coordinator,  // this broker's group and transaction records: several batches and control batches
                // are allowed
};

// Why one record was refused: Produce v8 and later, record_errors.
struct RecordError {
  int32_t batch_index = 0;  // of the record in its batch
  std::string message;
};

// A checked set, ready for Log::append_prepared.
class PreparedAppend {
 public:
  PreparedAppend() = default;
  PreparedAppend(std::span<char> in_place) : view_(in_place) {}  // NOLINT: implicit by intent
  PreparedAppend(Bytes replaced) : owned_(std::move(replaced)), replaced_(true) {}  // NOLINT
  // The whole batches; the caller's own bytes, unless they were recompressed.
  std::span<char> bytes() { return replaced_ ? std::span<char>(owned_) : view_; }

  TimestampType timestamp_type = TimestampType::create_time;
  int32_t batch_count = 0;
  int32_t record_count = 0;
  int64_t max_timestamp = kNoTimestamp;
  // Offset of the record with max_timestamp, counted from the first offset of the set.
  int32_t max_timestamp_delta = 0;
  int32_t offset_count = 0;  // offsets that the set takes

 private:
  std::span<char> view_;
  Bytes owned_;
  bool replaced_ = false;
};

// True where prepare_append would have to decompress or compress.
bool must_be_opened(ByteView batches, const LogConfig& config);

// Checks sizes, CRC, counts, offsets, timestamps and keys; sets the timestamp type, the max
// timestamp and the CRC where the topic asks for it, and recompresses where compression.type
// differs. The records of a compressed batch are looked at only where must_be_opened says so.
// `now_ms` is the append time of LogAppendTime. Errors: corrupt_record, invalid_record,
// invalid_timestamp, record_too_large, record_list_too_large, unsupported_for_message_format,
// unsupported_compression_type. `record_errors` may be null.
Result<PreparedAppend> prepare_append(std::span<char> batches, const LogConfig& config,
                                      AppendOrigin origin, int64_t now_ms,
                                      std::vector<RecordError>* record_errors = nullptr);

}  // namespace odradek::broker::log
