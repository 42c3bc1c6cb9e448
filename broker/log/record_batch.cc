#include "broker/log/record_batch.h"

#include <cstring>
#include <limits>

#include "common/bytes/crc32.h"
#include "common/bytes/crc32c.h"
#include "common/check.h"
#include "common/format.h"

namespace odradek::broker::log {
namespace {

constexpr size_t kMagicAt = 16, kCrcAt = 17, kAttributesAt = 21, kMaxTimestampAt = 35;
constexpr int16_t kTimestampTypeBit = 0x08;

template <typename T>
void put(std::span<char> bytes, size_t position, T swapped) {
  CHECK(position + sizeof swapped <= bytes.size());
  std::memcpy(bytes.data() + position, &swapped, sizeof swapped);
}
void put_i16(std::span<char> bytes, size_t position, int16_t value) {
  put(bytes, position, __builtin_bswap16(static_cast<uint16_t>(value)));
}
void put_i32(std::span<char> bytes, size_t position, int32_t value) {
  put(bytes, position, __builtin_bswap32(static_cast<uint32_t>(value)));
}
void put_i64(std::span<char> bytes, size_t position, int64_t value) {
  put(bytes, position, __builtin_bswap64(static_cast<uint64_t>(value)));
}

Error corrupt(std::string what) { return Error(Errc::corrupt_record, std::move(what)); }

}  // namespace

int32_t advance_sequence(int32_t sequence, int64_t delta) {
  // sequences live on a circle of 2^31
  return static_cast<int32_t>((sequence + delta) & 0x7fffffff);
}

int32_t BatchHeader::last_sequence() const {
  return base_sequence == kNoSequence ? kNoSequence
                                      : advance_sequence(base_sequence, last_offset_delta);
}

void read_batch_fields(ByteReader& reader, BatchHeader& header) {
  if (header.magic < 2) {
    header.crc = reader.u32();
    reader.skip(1);
    header.attributes = static_cast<int16_t>(reader.i8() & 0x0f);
    if (header.magic == 1) header.max_timestamp = header.base_timestamp = reader.i64();
    header.record_count = 1;
    return;
  }
  header.partition_leader_epoch = LeaderEpoch(reader.i32());
  reader.skip(1);
  header.crc = reader.u32();
  header.attributes = reader.i16();
  header.last_offset_delta = reader.i32();
  header.base_timestamp = reader.i64();
  header.max_timestamp = reader.i64();
  header.producer_id = ProducerId(reader.i64());
  header.producer_epoch = ProducerEpoch(reader.i16());
  header.base_sequence = reader.i32();
  header.record_count = reader.i32();
}

Result<BatchHeader> parse_batch_header(ByteView bytes) {
  if (bytes.size() < kMagicAt + 2)
    return corrupt(format("a record batch of {} bytes", bytes.size()));
  BatchHeader header;
  ByteReader reader(bytes);
  header.base_offset = Offset(reader.i64());
  header.batch_length = reader.i32();
  header.magic = bytes[kMagicAt];
  if (header.magic < 0 || header.magic > 2)
    return corrupt(format("unknown magic {} of a record batch", header.magic));
  if (header.base_offset.value() < 0 || header.base_offset > kMaxOffset) {
    return corrupt(format("impossible offset {}", header.base_offset.value()));
  }
  if (header.magic < 2) {
    const int32_t overhead = header.magic == 0 ? 14 : 22;
    if (header.batch_length < overhead) {
      return corrupt(format("Record size {} is less than the minimum record overhead ({})",
                            header.batch_length, overhead));
    }
    if (header.magic == 1 && bytes.size() < 26)
      return corrupt(format("a message of {} bytes", bytes.size()));
    read_batch_fields(reader, header);
    return header;
  }
  if (header.size() < kBatchHeaderSize || header.batch_length < 0) {
    return corrupt(format(
        "Record batch is corrupted (the size {} is smaller than the minimum allowed overhead {})",
        static_cast<int64_t>(header.batch_length) + 12, kBatchHeaderSize));
  }
  if (bytes.size() < kBatchHeaderSize)
    return corrupt(format("a record batch of {} bytes", bytes.size()));
  read_batch_fields(reader, header);
  return header;
}

Result<std::optional<size_t>> front_batch_size(ByteView bytes) {
  constexpr int32_t kLeastLength = 14;  // a message of format 0 with neither key nor value
  if (bytes.size() < kBatchPrefixSize) return std::optional<size_t>();
  ByteReader reader(bytes);
  reader.skip(8);
  const int32_t length = reader.i32();
  if (length < kLeastLength) {
    return corrupt(format("Record size {} is less than the minimum record overhead ({})", length,
                          kLeastLength));
  }
  if (bytes.size() <= kMagicAt) return std::optional<size_t>();
  const int magic = static_cast<signed char>(bytes[kMagicAt]);
  if (magic < 0 || magic > 2) return corrupt(format("Invalid magic found in record: {}", magic));
  const size_t size = kBatchPrefixSize + static_cast<size_t>(length);
  if (bytes.size() < size) return std::optional<size_t>();
  return std::optional(size);
}

Result<void> check_crc(const BatchHeader& header, ByteView batch) {
  if (batch.size() < header.size()) return corrupt("a record batch is cut");
  batch = batch.substr(0, header.size());
  uint32_t computed;
  if (header.magic < 2) {
    computed = crc32(batch.substr(kMagicAt));
  } else {
    computed = crc32c(batch.substr(kAttributesAt));
  }
  if (computed != header.crc) {
    return corrupt(
        format("Record is corrupt (stored crc = {}, computed crc = {})", header.crc, computed));
  }
  return {};
}

bool BatchWalker::next() {
  position_ = next_position_;
  ByteView left = bytes_.substr(position_);
  if (!ok_ || left.size() < kMagicAt + 2) return false;
  ByteReader reader(left);
  reader.skip(8);
  int32_t length = reader.i32();
  // a cut batch may be too short for its header, and is no error
  if (length >= 0 && left.size() < kBatchPrefixSize + static_cast<size_t>(length)) return false;
  Result<BatchHeader> header = parse_batch_header(left);
  if (!header) {
    ok_ = false;
    return false;
  }
  header_ = *header;
  next_position_ += header_.size();
  return true;
}

void set_base_offset(std::span<char> batch, Offset base_offset) {
  put_i64(batch, 0, base_offset.value());
}

void set_leader_epoch(std::span<char> batch, LeaderEpoch leader_epoch) {
  CHECK(batch[kMagicAt] == 2);
  put_i32(batch, 12, leader_epoch.value());
}

void set_timestamp(std::span<char> batch, TimestampType type, int64_t max_timestamp) {
  CHECK(batch[kMagicAt] == 2 && batch.size() >= kBatchHeaderSize);
  ByteReader reader(ByteView(batch.data() + kAttributesAt, kBatchHeaderSize - kAttributesAt));
  int16_t attributes = reader.i16();
  reader.skip(kMaxTimestampAt - kAttributesAt - 2);
  int64_t old_timestamp = reader.i64();
  int16_t wanted = static_cast<int16_t>(type == TimestampType::log_append_time
                                            ? attributes | kTimestampTypeBit
                                            : attributes & ~kTimestampTypeBit);
  if (wanted == attributes && old_timestamp == max_timestamp) return;
  put_i16(batch, kAttributesAt, wanted);
  put_i64(batch, kMaxTimestampAt, max_timestamp);
  set_crc(batch);
}

void set_crc(std::span<char> batch) {
  CHECK(batch.size() >= kBatchHeaderSize);
  put_i32(batch, kCrcAt,
          static_cast<int32_t>(
              crc32c(ByteView(batch.data() + kAttributesAt, batch.size() - kAttributesAt))));
}

}  // namespace odradek::broker::log
