#include "broker/dump/segment_text.h"

#include "broker/dump/batch_file.h"
#include "broker/dump/batch_records.h"
#include "broker/dump/paths.h"
#include "common/bytes/utf8.h"
#include "common/format.h"

namespace odradek::broker::dump {
namespace {

std::string_view timestamp_name(const log::BatchHeader& header) {
  if (header.magic == 0) return "NoTimestampType";
  return header.timestamp_type() == log::TimestampType::log_append_time ? "LogAppendTime"
                                                                        : "CreateTime";
}

std::string optional_long(bool present, int64_t value) {
  return present ? format("OptionalLong[{}]", value) : "OptionalLong.empty";
}

// The official tool prints these fields before it looks at the rest, which may end it.
std::string first_fields(const FileBatch& batch) {
  const log::BatchHeader& header = batch.header;
  if (batch.is_legacy()) return format("offset: {}", header.base_offset.value());
  return format(
      "baseOffset: {} lastOffset: {} count: {} baseSequence: {} lastSequence: {} producerId: {} "
      "producerEpoch: {} partitionLeaderEpoch: {} isTransactional: {} isControl: {} "
      "deleteHorizonMs: {}",
      header.base_offset.value(), batch.last_offset(), header.record_count, header.base_sequence,
      header.last_sequence(), header.producer_id.value(), header.producer_epoch.value(),
      header.partition_leader_epoch.value(), header.is_transactional(), header.is_control(),
      optional_long(header.has_delete_horizon(), header.base_timestamp));
}

Result<std::string> other_fields(const BatchFile& file, FileBatch& batch) {
  if (batch.is_legacy()) {
    if (auto loaded = file.load_header(batch); !loaded) return loaded.error();
  }
  const log::BatchHeader& header = batch.header;
  if (header.codec_bits() > 4) {
    return exception("java.lang.IllegalArgumentException",
                     format("Unknown compression type id: {}", header.codec_bits()));
  }
  Result<bool> valid = file.is_valid(batch);
  if (!valid) return valid.error();
  return format(" position: {} {}: {} size: {} magic: {} compresscodec: {} crc: {} isvalid: {}\n",
                batch.position, timestamp_name(header), header.max_timestamp, header.size(),
                header.magic, compress::name_of(header.codec()), header.crc, *valid);
}

// " endTxnMarker: ABORT coordinatorEpoch: 2"
Result<std::string> control_fields(const DumpedRecord& record) {
  constexpr std::string_view kInvalid = "org.apache.kafka.common.InvalidRecordException";
  ByteView key = record.key.value_or(ByteView());
  if (key.size() < 4) {
    return exception(kInvalid,
                     format("Invalid value size found for end control record key. Must have at "
                            "least 4 bytes, but found only {}",
                            key.size()));
  }
  ByteReader reader(key);
  int16_t version = reader.i16();
  if (version < 0) {
    return exception(kInvalid,
                     format("Invalid version found for control record: {}. May indicate data "
                            "corruption",
                            version));
  }
  const int16_t type = reader.i16();
  if (type != 0 && type != 1) {
    // those of KRaft's logs; no log here has them
    std::string_view name = type == 2   ? "LEADER_CHANGE"
                            : type == 3 ? "SNAPSHOT_HEADER"
                            : type == 4 ? "SNAPSHOT_FOOTER"
                                        : "UNKNOWN";
    return format(" controlType: {}({})", name, type);
  }
  ByteReader value(record.value.value_or(ByteView()));
  value.skip(2);
  int32_t coordinator_epoch = value.i32();
  if (!value.ok()) {
    return exception(kInvalid,
                     format("Invalid value size found for end transaction marker. Must have at "
                            "least 6 bytes, but found only {}",
                            record.value ? record.value->size() : 0));
  }
  return format(" endTxnMarker: {} coordinatorEpoch: {}", type == 0 ? "ABORT" : "COMMIT",
                coordinator_epoch);
}

std::string record_fields(const FileBatch& batch, const DumpedRecord& record) {
  auto size_of = [](const std::optional<ByteView>& bytes) {
    return bytes ? static_cast<int64_t>(bytes->size()) : -1;
  };
  std::string text =
      format("offset: {} {}: {} keySize: {} valueSize: {}", record.offset,
             timestamp_name(batch.header), record.timestamp_ms, size_of(record.key),
             size_of(record.value));
  if (batch.is_legacy()) {
    // the brace is in the official text, too
    return text + format(" isValid: {} crc: {}}}", record.is_valid, record.crc);
  }
  std::string keys;
  for (ByteView key : record.header_keys) keys += (keys.empty() ? "" : ",") + replace_malformed(key);
  return text + format(" sequence: {} headerKeys: [{}]", record.sequence, keys);
}

Result<void> print_record(const FileBatch& batch, const DumpedRecord& record,
                          const SegmentOptions& options, Output& output) {
  std::string_view prefix = "| ";
  const bool is_control = batch.header.is_control();
  if (!options.skip_record_metadata) {
    output.out(std::string(prefix) + record_fields(batch, record));
    prefix = " ";
    if (is_control) {
      Result<std::string> fields = control_fields(record);
      if (!fields) return fields.error();
      output.out(*fields);
    }
  }
  if (options.decoder && !is_control) {
    Result<RecordText> text = options.decoder->decode(record);
    if (!text) return text.error();
    if (text->key) output.out(std::string(prefix) + "key: " + *text->key);
    if (text->value) output.out(" payload: " + *text->value);
  }
  output.out("\n");
  return {};
}

}  // namespace

Result<void> dump_segment(fs::FileSystem& files, const std::string& path,
                          const SegmentOptions& options, OffsetPairs& non_consecutive,
                          Output& output) {
  Result<int64_t> start = offset_in_name(path);
  if (!start) return start.error();
  output.out(format("Log starting offset: {}\n", *start));
  Result<BatchFile> file = BatchFile::open(files, path);
  if (!file) return file.error();
  Result<BatchFile::Slice> slice = file->slice(0, options.max_bytes);
  if (!slice) return slice.error();
  uint64_t position = 0;
  int64_t last_offset = -1;
  auto visit = [&](const FileBatch& batch, const DumpedRecord& record) {
    if (last_offset != -1 && record.offset != last_offset + 1)
      non_consecutive.emplace_back(last_offset, record.offset);
    last_offset = record.offset;
    return print_record(batch, record, options, output);
  };
  while (true) {
    Result<std::optional<FileBatch>> batch = file->batch_at(position, *slice);
    if (!batch) return batch.error();
    if (!*batch) break;
    output.out(first_fields(**batch));
    Result<std::string> rest = other_fields(*file, **batch);
    if (!rest) return rest.error();
    output.out(*rest);
    if (options.deep) {
      auto shown = for_each_record(
          *file, **batch, [&](const DumpedRecord& record) { return visit(**batch, record); });
      if (!shown) return shown;
    }
    position += (*batch)->header.size();
  }
  if (slice->end > position && options.max_bytes == INT32_MAX) {
    output.out(format("Found {} invalid bytes at the end of {}\n", slice->end - position,
                      file_name(path)));
  }
  return {};
}

}  // namespace odradek::broker::dump
