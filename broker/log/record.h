#pragma once
// The records inside one batch, or the messages inside one entry of formats 0 and 1.

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "broker/log/record_batch.h"
#include "common/bytes/byte_writer.h"
#include "common/result.h"

namespace odradek::broker::log {

struct HeaderView {
  ByteView key;
  std::optional<ByteView> value;
};

struct RecordView {
  Offset offset{0};
  int64_t timestamp_ms = kNoTimestamp;
  int32_t offset_delta = 0;
  std::optional<ByteView> key;
  std::optional<ByteView> value;
  int32_t header_count = 0;
  ByteView raw_headers;  // checked already

  std::vector<HeaderView> headers() const;
};

// Reads one record's content (without its length prefix). invalid_record where it is not exactly
// one record.
Result<RecordView> parse_record(ByteView body, const BatchHeader& header);

// Iterates over the records of one batch, opening it where it is compressed.
//   auto records = RecordIterator::open(batch, max_bytes);
//   while (auto* record = records->next()) ...;  if (!records->ok()) ... records->error()
// The views live as long as the iterator and the batch's bytes. Does not check the CRC.
class RecordIterator {
 public:
  // `max_decompressed` bounds the opened size. Errors: corrupt_record, bad_compression,
  // limit_exceeded.
  static Result<RecordIterator> open(ByteView batch, size_t max_decompressed);

  // The next record, or null at the end and after an error.
  const RecordView* next();
  bool ok() const { return !error_; }
  const Error& error() const { return *error_; }
  const BatchHeader& header() const { return header_; }

 private:
  RecordIterator() = default;
  Result<void> open_message(ByteView entry, size_t max_decompressed);
  const RecordView* next_message();

  BatchHeader header_;
  std::unique_ptr<Bytes>
      opened_;  // where compressed; behind a pointer so that views survive a move
  ByteView rest_;
  int64_t inner_shift_ = 0;  // format 1: from an inner message's offset to the log's
  int32_t seen_ = 0;
  RecordView record_;
  std::optional<Error> error_;
};

}  // namespace odradek::broker::log
