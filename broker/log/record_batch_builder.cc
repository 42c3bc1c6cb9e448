#include "broker/log/record_batch_builder.h"

#include <algorithm>
#include <cstring>

#include "common/check.h"

namespace odradek::broker::log {
namespace {

size_t varint_size(int32_t value) {
  uint32_t raw = static_cast<uint32_t>(value) << 1 ^ static_cast<uint32_t>(value >> 31);
  size_t size = 1;
  while (raw >= 0x80) {
    raw >>= 7;
    ++size;
  }
  return size;
}

size_t varlong_size(int64_t value) {
  uint64_t raw = static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63);
  size_t size = 1;
  while (raw >= 0x80) {
    raw >>= 7;
    ++size;
  }
  return size;
}

size_t nullable_size(const std::optional<ByteView>& bytes) {
  return bytes ? varint_size(static_cast<int32_t>(bytes->size())) + bytes->size() : 1;
}

void write_nullable(ByteWriter& out, const std::optional<ByteView>& bytes) {
  if (!bytes) {
    out.varint(-1);
    return;
  }
  out.varint(static_cast<int32_t>(bytes->size()));
  out.bytes(*bytes);
}

}  // namespace

void RecordBatchBuilder::add(int64_t timestamp_ms, std::optional<ByteView> key,
                             std::optional<ByteView> value, std::span<const HeaderView> headers) {
  add_at(last_offset_delta_ + 1, timestamp_ms, key, value, headers);
}

void RecordBatchBuilder::add_at(int32_t offset_delta, int64_t timestamp_ms,
                                std::optional<ByteView> key, std::optional<ByteView> value,
                                std::span<const HeaderView> headers) {
  CHECK(offset_delta > last_offset_delta_);
  if (count_ == 0) base_timestamp_ = timestamp_ms;
  max_timestamp_ = std::max(max_timestamp_, timestamp_ms);
  last_offset_delta_ = offset_delta;
  ++count_;

  const int64_t timestamp_delta = static_cast<int64_t>(static_cast<uint64_t>(timestamp_ms) -
                                                       static_cast<uint64_t>(base_timestamp_));
  size_t size = 1 + varlong_size(timestamp_delta) + varint_size(offset_delta) + nullable_size(key) +
                nullable_size(value) + varint_size(static_cast<int32_t>(headers.size()));
  for (const HeaderView& header : headers) {
    size += nullable_size(header.key) + nullable_size(header.value);
  }
  records_.varint(static_cast<int32_t>(size));
  records_.i8(0);
  records_.varlong(timestamp_delta);
  records_.varint(offset_delta);
  write_nullable(records_, key);
  write_nullable(records_, value);
  records_.varint(static_cast<int32_t>(headers.size()));
  for (const HeaderView& header : headers) {
    write_nullable(records_, header.key);
    write_nullable(records_, header.value);
  }
}

Result<Bytes> RecordBatchBuilder::build() {
  BatchHeader header;
  header.base_offset = options_.base_offset;
  header.partition_leader_epoch = options_.leader_epoch;
  header.attributes =
      static_cast<int16_t>(static_cast<int>(options_.codec) |
                           (options_.timestamp_type == TimestampType::log_append_time ? 0x08 : 0) |
                           (options_.transactional ? 0x10 : 0) | (options_.control ? 0x20 : 0));
  header.last_offset_delta = std::max(last_offset_delta_, 0);
  header.base_timestamp = base_timestamp_;
  header.max_timestamp = options_.timestamp_type == TimestampType::log_append_time
                             ? options_.log_append_time_ms
                             : max_timestamp_;
  header.producer_id = options_.producer_id;
  header.producer_epoch = options_.producer_epoch;
  header.base_sequence = options_.base_sequence;
  header.record_count = count_;

  Bytes batch(kBatchHeaderSize, '\0');
  if (options_.codec == compress::Codec::none) {
    batch.append(records_.buffer());
  } else {
    Result<Bytes> packed =
        compress::compress(options_.codec, records_.buffer(), options_.compression_level);
    if (!packed) return packed.error();
    batch.append(*packed);
  }
  header.batch_length = static_cast<int32_t>(batch.size() - kBatchPrefixSize);
  write_batch_header(header, batch);
  *this = RecordBatchBuilder(options_);
  return batch;
}

void write_batch_header(const BatchHeader& header, std::span<char> batch) {
  CHECK(batch.size() >= kBatchHeaderSize && header.magic == 2);
  ByteWriter out;
  out.reserve(kBatchHeaderSize);
  out.i64(header.base_offset.value());
  out.i32(header.batch_length);
  out.i32(header.partition_leader_epoch.value());
  out.i8(header.magic);
  out.u32(0);
  out.i16(header.attributes);
  out.i32(header.last_offset_delta);
  out.i64(header.base_timestamp);
  out.i64(header.max_timestamp);
  out.i64(header.producer_id.value());
  out.i16(header.producer_epoch.value());
  out.i32(header.base_sequence);
  out.i32(header.record_count);
  std::memcpy(batch.data(), out.buffer().data(), kBatchHeaderSize);
  set_crc(batch);
}

Result<Bytes> build_transaction_marker(ControlType type, ProducerId producer_id,
                                       ProducerEpoch producer_epoch, int32_t coordinator_epoch,
                                       int64_t timestamp_ms) {
  ByteWriter key;
  key.i16(0);
  key.i16(static_cast<int16_t>(type));
  ByteWriter value;
  value.i16(0);
  value.i32(coordinator_epoch);
  BatchOptions options;
  options.producer_id = producer_id;
  options.producer_epoch = producer_epoch;
  options.transactional = true;
  options.control = true;
  RecordBatchBuilder builder(options);
  builder.add(timestamp_ms, key.buffer(), value.buffer());
  return builder.build();
}

}  // namespace odradek::broker::log
