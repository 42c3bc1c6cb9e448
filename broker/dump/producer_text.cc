#include "broker/dump/producer_text.h"

#include <algorithm>

#include "broker/dump/paths.h"
#include "broker/log/transaction_index.h"
#include "common/bytes/crc32c.h"
#include "common/format.h"

namespace odradek::broker::dump {
namespace {

constexpr size_t kMaxSnapshotBytes = 512 << 20;  // eleven million producers
constexpr size_t kTransactionBlock = 512;        // entries that are read at once

// One producer of a snapshot, in the order of its fields.
struct ProducerLine {
  int64_t producer_id = 0;
  int16_t epoch = 0;
  int32_t last_sequence = 0;
  int64_t last_offset = 0;
  int32_t offset_delta = 0;
  int64_t timestamp = 0;
  int32_t coordinator_epoch = 0;
  int64_t first_offset = 0;

  std::string to_string() const {
    std::string text = format(
        "producerId: {} producerEpoch: {} coordinatorEpoch: {} currentTxnFirstOffset: {} "
        "lastTimestamp: {} ",
        producer_id, epoch, coordinator_epoch,
        first_offset >= 0 ? format("OptionalLong[{}]", first_offset) : "OptionalLong.empty",
        timestamp);
    if (last_offset >= 0) {
      // sequences go around; what a damaged file holds may, too
      uint32_t first = static_cast<uint32_t>(last_sequence) - static_cast<uint32_t>(offset_delta);
      int32_t first_sequence = offset_delta >= 0 && last_sequence < offset_delta
                                   ? static_cast<int32_t>(first & 0x7fffffff)
                                   : static_cast<int32_t>(first);
      text += format(
          "firstSequence: {} lastSequence: {} lastOffset: {} offsetDelta: {} timestamp: {}",
          first_sequence, last_sequence, last_offset, offset_delta, timestamp);
    }
    return text + "\n";
  }
};

// The name of the field that the bytes end in, null where all are there.
const char* read_line(ByteReader& reader, ProducerLine& line) {
  const char* cut = nullptr;
  auto field = [&](auto& value, auto read, const char* name) {
    value = read();
    if (!reader.ok() && !cut) cut = name;
  };
  field(line.producer_id, [&] { return reader.i64(); }, "producer_id");
  field(line.epoch, [&] { return reader.i16(); }, "epoch");
  field(line.last_sequence, [&] { return reader.i32(); }, "last_sequence");
  field(line.last_offset, [&] { return reader.i64(); }, "last_offset");
  field(line.offset_delta, [&] { return reader.i32(); }, "offset_delta");
  field(line.timestamp, [&] { return reader.i64(); }, "timestamp");
  field(line.coordinator_epoch, [&] { return reader.i32(); }, "coordinator_epoch");
  field(line.first_offset, [&] { return reader.i64(); }, "current_txn_first_offset");
  return cut;
}

// The lines in the file's order; an Error is the official tool's sentence on a damaged file.
Result<std::string> snapshot_text(ByteView bytes) {
  auto broken = [](std::string_view field, std::string_view why) {
    return Error(Errc::corrupt_record,
                 format("Snapshot failed schema validation: Error reading field '{}': {}", field,
                        why));
  };
  constexpr std::string_view kEnds = "java.nio.BufferUnderflowException";
  ByteReader reader(bytes);
  int16_t version = reader.i16();
  if (!reader.ok()) return broken("version", kEnds);
  uint32_t crc = reader.u32();
  if (!reader.ok()) return broken("crc", kEnds);
  int32_t count = reader.i32();
  if (!reader.ok()) return broken("producer_entries", kEnds);
  if (count < 0)
    return broken("producer_entries", format("Array size {} cannot be negative", count));
  if (static_cast<size_t>(count) > reader.remaining()) {
    return broken("producer_entries", format("Error reading array of size {}, only {} bytes available",
                                             count, reader.remaining()));
  }
  std::string text;
  for (int32_t i = 0; i < count; ++i) {
    ProducerLine line;
    if (const char* cut = read_line(reader, line)) {
      return broken("producer_entries", format("Error reading field '{}': {}", cut, kEnds));
    }
    text += line.to_string();
  }
  if (version != 1) {
    return Error(Errc::corrupt_record,
                 format("Snapshot contained an unknown file version {}", version));
  }
  if (uint32_t computed = crc32c(bytes.substr(6)); computed != crc) {
    return Error(Errc::corrupt_record,
                 format("Snapshot is corrupt (CRC is no longer valid). Stored crc: {}. Computed "
                        "crc: {}",
                        crc, computed));
  }
  return text;
}

}  // namespace

Result<void> dump_transaction_index(fs::FileSystem& files, const std::string& path,
                                    Output& output) {
  if (auto offset = offset_in_name(path); !offset) return offset.error();
  Result<std::shared_ptr<fs::File>> file = files.open(path, fs::OpenMode::read);
  if (!file) {
    // a segment without aborted transactions has none
    if (file.error().code() == Errc::not_found) return {};
    return io_exception(file.error());
  }
  Result<uint64_t> bytes = (*file)->size();
  if (!bytes) return io_exception(bytes.error());
  const uint64_t end = *bytes - *bytes % log::TransactionIndex::kEntrySize;
  for (uint64_t at = 0; at < end;) {
    Bytes block(static_cast<size_t>(std::min<uint64_t>(
                    end - at, kTransactionBlock * log::TransactionIndex::kEntrySize)),
                '\0');
    if (auto read = (*file)->pread_exact(block.data(), block.size(), at); !read)
      return io_exception(read.error());
    at += block.size();
    for (ByteReader reader(block); reader.remaining() > 0;) {
      int8_t version = reader.i8();  // the official reader takes the first of the two bytes
      reader.skip(1);
      if (version > 0) {
        return exception("org.apache.kafka.common.KafkaException",
                         format("Unexpected aborted transaction version {} in transaction index "
                                "{}, current version is 0",
                                version, absolute(path)));
      }
      int64_t producer_id = reader.i64();
      int64_t first_offset = reader.i64();
      int64_t last_offset = reader.i64();
      int64_t last_stable_offset = reader.i64();
      output.out(
          format("version: {} producerId: {} firstOffset: {} lastOffset: {} lastStableOffset: {}\n",
                 version, producer_id, first_offset, last_offset, last_stable_offset));
    }
  }
  return {};
}

Result<void> dump_producer_snapshot(fs::FileSystem& files, const std::string& path,
                                    Output& output) {
  Result<std::shared_ptr<fs::File>> file = open_to_read(files, path);
  if (!file) return file.error();
  Result<Bytes> bytes = files.read_file(path, kMaxSnapshotBytes);
  if (!bytes) return io_exception(bytes.error());
  Result<std::string> text = snapshot_text(*bytes);
  if (text) {
    output.out(*text);
  } else {
    output.err(text.error().what() + "\n");
  }
  return {};
}

}  // namespace odradek::broker::dump
