#pragma once
// A record batch as it lies on the wire and in a segment: the header's fields, walking over batches
// in bytes, and the changes that a leader makes in place. Format v2 (magic 2); the entries of
// formats 0 and 1 are seen as batches of one offset, so that old segments can be walked, indexed
// and served as bytes. Pure functions over the caller's bytes.
//
//   0 base offset i64 | 8 batch length i32 | 12 leader epoch i32 | 16 magic i8 | 17 crc u32 | 21
//   attributes i16 23 last offset delta i32 | 27 base timestamp i64 | 35 max timestamp i64 | 43
//   producer id i64 51 producer epoch i16 | 53 base sequence i32 | 57 record count i32 | 61 records
// The CRC-32C covers 21 to the end. Formats 0 and 1: 0 offset | 8 size | 12 CRC-32 of 16.. | 16
// magic | 17 attributes i8 | 18 timestamp (format 1 only).

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>

#include "broker/log/log_config.h"
#include "common/bytes/byte_reader.h"
#include "common/compress/compress.h"
#include "common/ids.h"
#include "common/result.h"

namespace odradek::broker::log {

inline constexpr size_t kBatchPrefixSize = 12;  // base offset and batch length
inline constexpr size_t kBatchHeaderSize = 61;  // all in front of the records, magic 2
inline constexpr int64_t kNoTimestamp = -1;
// Of a batch's base offset, and of a segment's: no sum of one and a delta overflows.
inline constexpr Offset kMaxOffset{std::numeric_limits<int64_t>::max() -
                                   std::numeric_limits<int32_t>::max() - 1};
inline constexpr int32_t kNoSequence = -1;

struct BatchHeader {
  Offset base_offset{0};
  int32_t batch_length = 0;  // bytes behind this field
  LeaderEpoch partition_leader_epoch{-1};
  int8_t magic = 2;
  uint32_t crc = 0;
  int16_t attributes = 0;
  int32_t last_offset_delta = 0;
  int64_t base_timestamp = kNoTimestamp;
  int64_t max_timestamp = kNoTimestamp;
  ProducerId producer_id{-1};
  ProducerEpoch producer_epoch{-1};
  int32_t base_sequence = kNoSequence;
  int32_t record_count = 0;

  size_t size() const { return kBatchPrefixSize + static_cast<size_t>(batch_length); }
  Offset last_offset() const { return base_offset + last_offset_delta; }
  Offset next_offset() const { return base_offset + last_offset_delta + 1; }
  // 0..7: what the attributes say; codec() is only right below 5.
  int codec_bits() const { return attributes & 7; }
  compress::Codec codec() const { return static_cast<compress::Codec>(codec_bits()); }
  TimestampType timestamp_type() const { return static_cast<TimestampType>(attributes >> 3 & 1); }
  bool is_transactional() const { return magic >= 2 && attributes & 0x10; }
  bool is_control() const { return magic >= 2 && attributes & 0x20; }
  bool has_delete_horizon() const { return magic >= 2 && attributes & 0x40; }
  bool has_producer_id() const { return producer_id.value() >= 0; }
  // Sequences go 0..2147483647 and around. kNoSequence where the batch has none.
  int32_t last_sequence() const;
};

// The sequence `delta` records later.
int32_t advance_sequence(int32_t sequence, int64_t delta);

// Reads the header at the front of `bytes`, which may end behind the header (magic 2) or behind the
// fixed fields (formats 0 and 1, 18 or 26 bytes). corrupt_record: too short, an impossible length,
// an unknown magic.
Result<BatchHeader> parse_batch_header(ByteView bytes);

// The fields behind base offset, length and magic, which `header` has; `reader` stands behind the
// length and has the fixed fields of that format before it.
void read_batch_fields(ByteReader& reader, BatchHeader& header);

// The size of the batch at the front of `bytes`, of any format, as a reader of a request sees it:
// by its length and its magic alone. Nothing where the bytes end before the batch does.
// corrupt_record, in Kafka's words: a length that no format has, an unknown magic.
Result<std::optional<size_t>> front_batch_size(ByteView bytes);

// Compares the checksum of one whole batch, of any format. corrupt_record where it differs.
Result<void> check_crc(const BatchHeader& header, ByteView batch);

// Walks the batches of a byte range without looking at checksums.
//   BatchWalker walker(bytes); while (walker.next()) use(walker.header(), walker.batch());
// After the last: rest() is what is not a whole batch (a fetch's cut tail); error() where a header
// is impossible.
class BatchWalker {
 public:
  explicit BatchWalker(ByteView bytes) : bytes_(bytes) {}
  bool next();
  const BatchHeader& header() const { return header_; }
  ByteView batch() const { return bytes_.substr(position_, header_.size()); }
  size_t position() const { return position_; }
  ByteView rest() const { return bytes_.substr(next_position_); }
  bool ok() const { return ok_; }

 private:
  ByteView bytes_;
  size_t position_ = 0;
  size_t next_position_ = 0;
  BatchHeader header_;
  bool ok_ = true;
};

// The leader's changes, magic 2 only, on one whole batch. These two are not covered by the CRC.
void set_base_offset(std::span<char> batch, Offset base_offset);
void set_leader_epoch(std::span<char> batch, LeaderEpoch leader_epoch);
// Sets attribute bit 3 and max timestamp, and the CRC where one of them changed.
void set_timestamp(std::span<char> batch, TimestampType type, int64_t max_timestamp);
// Computes the CRC anew.
void set_crc(std::span<char> batch);

}  // namespace odradek::broker::log
