#include "broker/log/message_set.h"

#include <algorithm>

#include "broker/log/record.h"
#include "broker/log/record_batch_builder.h"
#include "common/bytes/byte_reader.h"
#include "common/bytes/crc32.h"
#include "common/compress/compress.h"
#include "common/format.h"

namespace odradek::broker::log {

namespace {

using compress::Codec;

constexpr int16_t kAppendTimeBit = 0x08;

Error corrupt(std::string what) { return Error(Errc::corrupt_record, std::move(what)); }
Error invalid(std::string what) { return Error(Errc::invalid_record, std::move(what)); }

// int32 length and as many bytes, -1 for null.
std::optional<ByteView> read_field(ByteReader& in, bool& ok) {
  const int32_t size = in.i32();
  ok = ok && in.ok() && size >= -1 && (size < 0 || static_cast<size_t>(size) <= in.remaining());
  if (!ok || size < 0) return std::nullopt;
  return in.bytes(static_cast<size_t>(size));
}
void write_field(ByteWriter& out, const std::optional<ByteView>& field) {
  out.i32(field ? static_cast<int32_t>(field->size()) : -1);
  if (field) out.bytes(*field);
}

// Of one entry of a client's set: what Kafka looks at before the messages inside.
Result<void> check_entry(const BatchHeader& header, ByteView entry) {
  if (Result<void> right = check_crc(header, entry); !right) return right;
  if (header.codec_bits() > static_cast<int>(Codec::lz4)) {
    return corrupt(format("Unknown compression type id: {}", header.codec_bits()));
  }
  if (header.timestamp_type() == TimestampType::log_append_time) {
    return Error(Errc::invalid_timestamp,
                 "Invalid timestamp type in message. Producer should not set timestamp type to "
                 "LogAppendTime.");
  }
  return {};
}

// The messages of one entry, in their order. Inner offsets of format 1 count from 0.
Result<void> add_messages(ByteView entry, const BatchHeader& header, size_t max_decompressed,
                          RecordBatchBuilder& out) {
  Result<RecordIterator> records = RecordIterator::open(entry, max_decompressed);
  if (!records) {
    if (records.error().code() != Errc::limit_exceeded) return records.error();
    return Error(Errc::record_too_large, records.error().what());
  }
  const bool relative = header.magic == 1 && header.codec() != Codec::none;
  std::optional<Offset> first;
  for (int32_t expected = 0; const RecordView* record = records->next(); ++expected) {
    if (!first) first = record->offset;
    if (relative && record->offset - first->value() != Offset(expected)) {
      return invalid(
          format("Inner record {} inside the compressed record set does not have incremental "
                 "offsets",
                 expected));
    }
    out.add(record->timestamp_ms, record->key, record->value);
  }
  return records->ok() ? Result<void>() : records->error();
}

// The messages of one batch, as entries or in a wrapper.
class Downgrade {
 public:
  Downgrade(int8_t magic, Offset from, size_t max_decompressed)
      : magic_(magic), from_(from), max_decompressed_(max_decompressed) {}

  Result<void> add(ByteView batch, const BatchHeader& header, ByteWriter& out) const {
    Result<RecordIterator> records = RecordIterator::open(batch, max_decompressed_);
    if (!records) return records.error();
    const int16_t time_bit =
        magic_ == 1 && header.timestamp_type() == TimestampType::log_append_time ? kAppendTimeBit
                                                                                  : 0;
    const bool wrapped = header.codec() != Codec::none;
    ByteWriter inner;
    std::optional<Offset> last;
    int64_t largest = kNoTimestamp;
    while (const RecordView* record = records->next()) {
      if (!wrapped) {
        if (record->offset < from_) continue;
        write_message(out, magic_, record->offset, time_bit, record->timestamp_ms, record->key,
                      record->value);
        continue;
      }
      // format 1 counts from the batch's first offset, format 0 has the offsets themselves
      const Offset offset =
          magic_ == 1 ? Offset(record->offset - header.base_offset) : record->offset;
      write_message(inner, magic_, offset, time_bit, record->timestamp_ms, record->key,
                    record->value);
      last = record->offset;
      largest = std::max(largest, record->timestamp_ms);
    }
    if (!records->ok()) return records->error();
    if (!last) return {};
    Result<Bytes> packed = magic_ == 0 && header.codec() == Codec::lz4
                               ? compress::compress_lz4_magic0(inner.buffer())
                               : compress::compress(header.codec(), inner.buffer());
    if (!packed) return packed.error();
    const auto attributes = static_cast<int16_t>(header.codec_bits() | time_bit);
    write_message(out, magic_, *last, attributes, largest, std::nullopt, ByteView(*packed));
    return {};
  }

 private:
  const int8_t magic_;
  const Offset from_;
  const size_t max_decompressed_;
};

}  // namespace

Result<Message> parse_message(ByteView bytes) {
  Result<BatchHeader> header = parse_batch_header(bytes);
  if (!header) return header.error();
  if (header->magic > 1) return corrupt(format("a message of format {}", header->magic));
  if (bytes.size() < header->size()) return corrupt("a message is cut");
  ByteReader in(bytes.substr(0, header->size()));
  in.skip(header->magic == 0 ? 18 : 26);
  bool ok = true;
  Message message;
  message.header = *header;
  message.key = read_field(in, ok);
  message.value = read_field(in, ok);
  if (!ok || in.remaining() > 0) return corrupt("a message's key and value do not fill it");
  return message;
}

Result<Offset> last_offset_of_messages(ByteView set) {
  std::optional<Offset> last;
  while (!set.empty()) {
    Result<BatchHeader> header = parse_batch_header(set);
    if (!header) return header.error();
    if (header->magic > 1 || header->size() > set.size()) return corrupt("a message is cut");
    last = header->base_offset;
    set.remove_prefix(header->size());
  }
  if (!last) return corrupt("a compressed message holds none");
  return *last;
}

void write_message(ByteWriter& out, int8_t magic, Offset offset, int16_t attributes,
                   int64_t timestamp_ms, std::optional<ByteView> key,
                   std::optional<ByteView> value) {
  ByteWriter body;
  body.i8(magic);
  body.i8(static_cast<int8_t>(attributes));
  if (magic == 1) body.i64(timestamp_ms);
  write_field(body, key);
  write_field(body, value);
  out.i64(offset.value());
  out.i32(static_cast<int32_t>(body.buffer().size() + 4));
  out.i32(static_cast<int32_t>(crc32(body.buffer())));
  out.bytes(body.buffer());
}

Result<Bytes> to_record_batch(ByteView set, size_t max_decompressed) {
  std::optional<RecordBatchBuilder> builder;
  BatchWalker walker(set);
  bool wrapped = false;
  while (walker.next()) {
    const BatchHeader& header = walker.header();
    if (header.magic > 1) return invalid("a message set that holds a record batch of format 2");
    if (Result<void> right = check_entry(header, walker.batch()); !right) return right.error();
    const bool compressed = header.codec() != Codec::none;
    if (builder && (wrapped || compressed)) {
      return invalid("Compressed outer record has more than one batch");
    }
    wrapped = compressed;
    if (!builder) builder.emplace(BatchOptions{.codec = header.codec()});
    if (Result<void> added = add_messages(walker.batch(), header, max_decompressed, *builder);
        !added) {
      return added.error();
    }
  }
  if (!walker.ok()) {
    Result<std::optional<size_t>> next = front_batch_size(walker.rest());
    if (!next) return next.error();
    if (*next) return corrupt("an impossible message");
  }
  if (!builder) return Bytes();
  if (builder->record_count() == 0) return invalid("a compressed message holds none");
  return builder->build();
}

Result<Bytes> to_message_set(ByteView batches, int8_t magic, Offset from,
                             size_t max_decompressed) {
  ByteWriter out;
  const Downgrade downgrade(magic, from, max_decompressed);
  BatchWalker walker(batches);
  while (walker.next()) {
    const BatchHeader& header = walker.header();
    if (header.magic <= magic) {
      out.bytes(walker.batch());
      continue;
    }
    if (header.is_control()) continue;
    if (header.codec_bits() == static_cast<int>(Codec::zstd)) {
      return Error(Errc::unsupported_compression_type,
                   "Down-conversion of zstandard-compressed batches is not supported");
    }
    if (Result<void> added = downgrade.add(walker.batch(), header, out); !added) {
      return added.error();
    }
  }
  if (!walker.ok() || !walker.rest().empty()) return corrupt("a record batch is cut");
  return out.take();
}

}  // namespace odradek::broker::log
