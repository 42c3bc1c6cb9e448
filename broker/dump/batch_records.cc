#include "broker/dump/batch_records.h"

#include "broker/dump/output.h"
#include "broker/log/message_set.h"
#include "broker/log/record.h"
#include "common/format.h"

namespace odradek::broker::dump {
namespace {

constexpr std::string_view kInvalidRecord = "org.apache.kafka.common.InvalidRecordException";
constexpr std::string_view kCorruptRecord =
    "org.apache.kafka.common.errors.CorruptRecordException";

// What Java throws where a batch cannot be opened or read.
Error record_exception(const Error& error) {
  switch (error.code()) {
    case Errc::bad_compression:
      return exception("org.apache.kafka.common.KafkaException",
                       format("Failed to decompress record stream\nCaused by: {}", error.what()));
    case Errc::limit_exceeded:
      return exception("org.apache.kafka.common.KafkaException",
                       format("Failed to decompress record stream: {}, the most that this tool "
                              "opens",
                              error.what()));
    case Errc::corrupt_record:
      return exception(kCorruptRecord, error.what());
    default:
      return exception(kInvalidRecord, error.what());
  }
}

int64_t java_sum(int64_t left, int64_t right) {
  return static_cast<int64_t>(static_cast<uint64_t>(left) + static_cast<uint64_t>(right));
}

Result<void> visit_current(const FileBatch& batch, Bytes bytes, const VisitRecord& visit) {
  const log::BatchHeader& header = batch.header;
  if (bytes.size() < log::kBatchHeaderSize)
    return exception("java.lang.IndexOutOfBoundsException", "");
  if (header.record_count < 0) {
    return exception(kInvalidRecord, format("Found invalid record count {} in magic v{} batch",
                                            header.record_count, header.magic));
  }
  if (header.record_count == 0) return {};  // whatever follows the header
  // the iterator refuses a magic and an offset that cannot be, the official tool does not
  bytes[16] = 2;
  log::set_base_offset(bytes, Offset(0));
  Result<log::RecordIterator> records = log::RecordIterator::open(bytes, kMaxOpened);
  if (!records) return record_exception(records.error());
  while (const log::RecordView* record = records->next()) {
    DumpedRecord shown;
    shown.offset = java_sum(header.base_offset.value(), record->offset_delta);
    shown.timestamp_ms = record->timestamp_ms;
    shown.key = record->key;
    shown.value = record->value;
    if (header.base_sequence >= 0)
      shown.sequence = log::advance_sequence(header.base_sequence, record->offset_delta);
    for (const auto& one : record->headers()) shown.header_keys.push_back(one.key);
    if (auto done = visit(shown); !done) return done;
  }
  if (!records->ok()) return record_exception(records->error());
  return {};
}

// One message of formats 0 and 1, at the front of the bytes.
Result<void> visit_message(const log::Message& message, ByteView bytes, int64_t offset,
                           int64_t timestamp, const VisitRecord& visit) {
  DumpedRecord shown;
  shown.offset = offset;
  shown.timestamp_ms = timestamp;
  shown.key = message.key;
  shown.value = message.value;
  shown.is_valid = log::check_crc(message.header, bytes).ok();
  shown.crc = message.header.crc;
  return visit(shown);
}

// The messages inside a compressed one; the log's RecordIterator does not tell their checksums. Format 0
// keeps their offsets; in format 1 they count from 0, and the outer one has the offset of the last.
Result<void> visit_inner(const log::Message& outer, const VisitRecord& visit) {
  const log::BatchHeader& header = outer.header;
  if (!outer.value) {
    return exception(kInvalidRecord,
                     format("Found invalid compressed record set with null value (magic = {})",
                            header.magic));
  }
  Result<Bytes> opened = compress::decompress(header.codec(), *outer.value, kMaxOpened);
  if (!opened) return record_exception(opened.error());
  Result<Offset> last = log::last_offset_of_messages(*opened);
  if (!last) return record_exception(last.error());
  const bool is_relative = header.magic == 1;
  const int64_t base = is_relative ? header.base_offset - *last : 0;
  const bool is_append_time =
      is_relative && header.timestamp_type() == log::TimestampType::log_append_time;
  for (ByteView rest = *opened; !rest.empty();) {
    Result<log::Message> message = log::parse_message(rest);
    if (!message) return record_exception(message.error());
    const log::BatchHeader& inner = message->header;
    if (inner.codec_bits() != 0)
      return exception(kInvalidRecord, "Inner record must not be compressed");
    if (inner.magic != header.magic) {
      return exception(kInvalidRecord,
                       format("Compressed message magic {} does not match wrapper magic {}",
                              inner.magic, header.magic));
    }
    auto done = visit_message(*message, rest, java_sum(base, inner.base_offset.value()),
                              is_append_time ? header.max_timestamp : inner.max_timestamp, visit);
    if (!done) return done;
    rest.remove_prefix(inner.size());
  }
  return {};
}

Result<void> visit_legacy(ByteView bytes, const VisitRecord& visit) {
  Result<log::Message> message = log::parse_message(bytes);
  if (!message) return record_exception(message.error());
  const log::BatchHeader& header = message->header;
  if (header.codec_bits() != 0) return visit_inner(*message, visit);
  return visit_message(*message, bytes, header.base_offset.value(), header.max_timestamp, visit);
}

}  // namespace

Result<void> for_each_record(const BatchFile& file, const FileBatch& batch,
                             const VisitRecord& visit) {
  Result<Bytes> bytes = file.read(batch);
  if (!bytes) return bytes.error();
  if (batch.is_legacy()) return visit_legacy(*bytes, visit);
  return visit_current(batch, std::move(*bytes), visit);
}

}  // namespace odradek::broker::dump
