#include "broker/log/append_check.h"

#include <algorithm>

#include "broker/log/record.h"
#include "broker/log/record_batch_builder.h"
#include "common/format.h"

namespace odradek::broker::log {
namespace {

using compress::Codec;

Error invalid(std::string what) { return Error(Errc::invalid_record, std::move(what)); }

// The header of a compressed batch tells the latest timestamp, but not the earliest one.
bool limits_early_timestamps(const LogConfig& config) {
  return config.timestamp_type == TimestampType::create_time &&
         config.timestamp_before_max_ms != std::numeric_limits<int64_t>::max();
}

bool batch_must_be_opened(const BatchHeader& header, const LogConfig& config) {
  if (header.codec_bits() > 4) return false;  // refused anyway
  const bool recompress =
      config.compression && *config.compression != header.codec() && !header.is_control();
  const bool looks_inside = config.cleanup_compact || limits_early_timestamps(config);
  return recompress || (header.codec() != Codec::none && looks_inside);
}

// What is wrong with a record's timestamp, or nothing.
std::optional<std::string> timestamp_fault(int64_t timestamp, const LogConfig& config,
                                           int64_t now_ms) {
  if (config.timestamp_type != TimestampType::create_time || timestamp == kNoTimestamp)
    return std::nullopt;
  // subtracting cannot overflow where both are not negative; a negative time is far in the past
  const int64_t before = timestamp < 0 ? std::numeric_limits<int64_t>::max() : now_ms - timestamp;
  const int64_t after = timestamp < 0 ? 0 : timestamp - now_ms;
  if (before > config.timestamp_before_max_ms || after > config.timestamp_after_max_ms) {
    return format(
        "Timestamp {} of message is out of range. The timestamp should be within [{}, {}]",
        timestamp,
        config.timestamp_before_max_ms >= now_ms ? 0 : now_ms - config.timestamp_before_max_ms,
        config.timestamp_after_max_ms > std::numeric_limits<int64_t>::max() - now_ms
            ? std::numeric_limits<int64_t>::max()
            : now_ms + config.timestamp_after_max_ms);
  }
  return std::nullopt;
}

// The header's own numbers.
Result<void> check_header(const BatchHeader& header, const LogConfig& config, AppendOrigin origin) {
  if (header.magic < 2) {
    return Error(
        Errc::unsupported_for_message_format,
        format("a record batch of message format {} where format 2 is required", header.magic));
  }
  if (static_cast<int64_t>(header.size()) > config.max_message_bytes) {
    return Error(Errc::record_too_large, format("The record batch size in the append is {} bytes "
                                                "which exceeds the maximum configured value of "
                                                "{} (max.message.bytes).",
                                                header.size(), config.max_message_bytes));
  }
  if (static_cast<int64_t>(header.size()) > config.segment_bytes) {
    return Error(Errc::record_list_too_large,
                 format("Message batch size is {} bytes in append, which exceeds the maximum "
                        "configured segment size of "
                        "{}.",
                        header.size(), config.segment_bytes));
  }
  if (header.codec_bits() > 4) {
    return Error(Errc::corrupt_record,
                 format("Unknown compression type id: {}", header.codec_bits()));
  }
  if (header.last_offset_delta < 0) {
    return invalid(format("Batch has an invalid offset range: last offset delta {}",
                          header.last_offset_delta));
  }
  if (header.record_count <= 0) {
    return invalid(format("Invalid reported count for record batch: {}", header.record_count));
  }
  if (header.record_count - 1 != header.last_offset_delta) {
    return invalid(format("Inconsistent batch offset range [0, {}] and count of records {}",
                          header.last_offset_delta, header.record_count));
  }
  if (origin == AppendOrigin::client) {
    if (header.is_control()) return invalid("Clients are not allowed to write control records");
    if (header.has_producer_id() && header.base_sequence < 0) {
      return invalid(format("Invalid sequence number {} in record batch with producerId {}",
                            header.base_sequence, header.producer_id.value()));
    }
    if (header.has_producer_id() && header.producer_epoch.value() < 0) {
      return invalid(format("Invalid producer epoch {} in record batch with producerId {}",
                            header.producer_epoch.value(), header.producer_id.value()));
    }
    if (header.is_transactional() && !header.has_producer_id()) {
      return invalid("A transactional record batch without a producerId");
    }
    if (header.timestamp_type() == TimestampType::log_append_time) {
      return Error(Errc::invalid_timestamp,
                   "Invalid timestamp type in message. Producer should not set timestamp type to "
                   "LogAppendTime.");
    }
  }
  return {};
}

struct Walked {
  int64_t max_timestamp = kNoTimestamp;
  int32_t max_timestamp_delta = 0;
};

// What the checks ask of one record of an uncompressed batch.
struct RecordFacts {
  int64_t timestamp_delta = 0;
  int32_t offset_delta = 0;
  bool has_key = false;
};

// int32 length and as many bytes; -1 for null where that may be.
bool skip_bytes(ByteReader& reader, bool nullable, bool* present = nullptr) {
  const int32_t size = reader.varint();
  if (size > 0) reader.skip(static_cast<size_t>(size));
  if (present) *present = size >= 0;
  return reader.ok() && size >= (nullable ? -1 : 0);
}

// The same rules as parse_record, without its views: every record that is produced comes by here.
bool read_facts(ByteReader& batch, RecordFacts& facts) {
  const int32_t size = batch.varint();
  if (size < 0) return false;
  ByteReader record(batch.bytes(static_cast<size_t>(size)));
  record.i8();
  facts.timestamp_delta = record.varlong();
  facts.offset_delta = record.varint();
  if (!record.ok() || !skip_bytes(record, true, &facts.has_key) || !skip_bytes(record, true))
    return false;
  int32_t headers = record.varint();
  if (headers < 0 || static_cast<size_t>(headers) > record.remaining() / 2) return false;
  for (; headers > 0; --headers) {
    if (!skip_bytes(record, false) || !skip_bytes(record, true)) return false;
  }
  return record.ok() && record.remaining() == 0 && batch.ok();
}

// An uncompressed batch with nothing to complain of; false: walk_records says what is wrong.
bool walk_plain_records(ByteView batch, const BatchHeader& header, const LogConfig& config,
                        int64_t now_ms, Walked& walked) {
  ByteReader reader(batch.substr(kBatchHeaderSize));
  const bool needs_key = config.cleanup_compact && !header.is_control();
  const bool has_limits = config.timestamp_before_max_ms != std::numeric_limits<int64_t>::max() ||
                          config.timestamp_after_max_ms != std::numeric_limits<int64_t>::max();
  for (int32_t i = 0; i < header.record_count; ++i) {
    RecordFacts facts;
    if (!read_facts(reader, facts) || facts.offset_delta != i || (needs_key && !facts.has_key))
      return false;
    const int64_t timestamp = static_cast<int64_t>(static_cast<uint64_t>(header.base_timestamp) +
                                                   static_cast<uint64_t>(facts.timestamp_delta));
    if (has_limits && timestamp_fault(timestamp, config, now_ms)) return false;
    if (timestamp > walked.max_timestamp) walked = {timestamp, i};
  }
  return reader.remaining() == 0;
}

// Every record of a batch: lengths, offsets, key, timestamp. `rebuild` may be null, else it gets
// each record.
Result<Walked> walk_records(ByteView batch, const LogConfig& config, int64_t now_ms,
                            RecordBatchBuilder* rebuild, std::vector<RecordError>* record_errors) {
  // The opened size of a compressed batch is bounded: a few kilobytes may stand for gigabytes.
  Result<RecordIterator> records = RecordIterator::open(
      batch, static_cast<size_t>(std::max<int64_t>(config.max_decompressed_bytes, 0)));
  if (!records) {
    if (records.error().code() == Errc::limit_exceeded) {
      return Error(Errc::record_too_large, records.error().what());
    }
    if (records.error().code() == Errc::bad_compression) {
      return Error(Errc::corrupt_record, records.error().what());
    }
    return records.error();
  }
  Walked walked;
  std::optional<Error> refused;
  auto refuse = [&](Errc code, int32_t index, std::string what) {
    if (!refused) refused = Error(code, "One or more records have been rejected");
    // enough for a person; a batch of a million bad records must not become a million sentences
    if (record_errors && record_errors->size() < 100)
      record_errors->push_back({index, std::move(what)});
  };
  int32_t expected = 0;
  while (const RecordView* record = records->next()) {
    if (record->offset_delta != expected) {
      return invalid(
          format("Inner record {} inside the record batch does not have incremental offsets: "
                 "offset delta {}",
                 expected, record->offset_delta));
    }
    if (config.cleanup_compact && !record->key && !records->header().is_control()) {
      refuse(Errc::invalid_record, expected, "Compacted topic cannot accept message without key.");
    }
    if (std::optional<std::string> fault = timestamp_fault(record->timestamp_ms, config, now_ms)) {
      refuse(Errc::invalid_timestamp, expected, std::move(*fault));
    }
    if (record->timestamp_ms > walked.max_timestamp) {
      walked.max_timestamp = record->timestamp_ms;
      walked.max_timestamp_delta = expected;
    }
    if (rebuild && !refused) {
      if (record->header_count == 0) {
        rebuild->add(record->timestamp_ms, record->key, record->value);
      } else {
        rebuild->add(record->timestamp_ms, record->key, record->value, record->headers());
      }
    }
    ++expected;
  }
  if (!records->ok()) return records->error();
  if (refused) return *refused;
  return walked;
}

Result<Bytes> recompress(ByteView batch, const BatchHeader& header, const LogConfig& config,
                         int64_t now_ms, Walked& walked, std::vector<RecordError>* record_errors) {
  BatchOptions options;
  options.codec = *config.compression;
  options.compression_level = config.compression_level;
  options.timestamp_type = config.timestamp_type;
  options.log_append_time_ms = now_ms;
  options.producer_id = header.producer_id;
  options.producer_epoch = header.producer_epoch;
  options.base_sequence = header.base_sequence;
  options.transactional = header.is_transactional();
  RecordBatchBuilder rebuild(options);
  Result<Walked> found = walk_records(batch, config, now_ms, &rebuild, record_errors);
  if (!found) return found.error();
  walked = *found;
  Result<Bytes> rebuilt = rebuild.build();
  if (rebuilt && static_cast<int64_t>(rebuilt->size()) >
                     std::min(config.max_message_bytes, config.segment_bytes)) {
    return Error(
        Errc::record_too_large,
        format("The record batch has {} bytes with the topic's compression, more than the {} of "
               "max.message.bytes",
               rebuilt->size(), config.max_message_bytes));
  }
  return rebuilt;
}

}  // namespace

bool must_be_opened(ByteView batches, const LogConfig& config) {
  BatchWalker walker(batches);
  while (walker.next()) {
    if (walker.header().magic == 2 && batch_must_be_opened(walker.header(), config)) return true;
  }
  return false;
}

Result<PreparedAppend> prepare_append(std::span<char> batches, const LogConfig& config,
                                      AppendOrigin origin, int64_t now_ms,
                                      std::vector<RecordError>* record_errors) {
  const ByteView view(batches.data(), batches.size());
  PreparedAppend prepared(batches);
  Bytes replaced;
  bool replace = false;
  int64_t offsets = 0;
  // before the walk, which takes an impossible offset for a damaged batch
  if (origin == AppendOrigin::client && view.size() >= kBatchPrefixSize) {
    const int64_t base_offset = ByteReader(view).i64();
    if (base_offset != 0) {
      return invalid(format(
          "The baseOffset of the record batch in the append should be 0, but it is {}",
          base_offset));
    }
  }
  BatchWalker walker(view);
  while (walker.next()) {
    const BatchHeader& header = walker.header();
    if (++prepared.batch_count > 1 && origin == AppendOrigin::client) {
      return invalid(
          "Produce requests are only allowed to contain exactly one record batch per partition");
    }
    if (Result<void> right = check_header(header, config, origin); !right) return right.error();
    if (Result<void> right = check_crc(header, walker.batch()); !right) return right.error();

    std::span<char> batch = batches.subspan(walker.position(), header.size());
    Walked walked;
    if (batch_must_be_opened(header, config) && config.compression &&
        *config.compression != header.codec()) {
      if (!replace)
        replaced.assign(view.substr(0, walker.position()));  // the ones before, as they are
      replace = true;
      Result<Bytes> rebuilt =
          recompress(walker.batch(), header, config, now_ms, walked, record_errors);
      if (!rebuilt) return rebuilt.error();
      replaced.append(*rebuilt);
    } else {
      if (header.codec() == Codec::none && header.timestamp_type() == TimestampType::create_time &&
          walk_plain_records(walker.batch(), header, config, now_ms, walked)) {
        // the usual case
      } else if (header.codec() == Codec::none || batch_must_be_opened(header, config)) {
        Result<Walked> found = walk_records(walker.batch(), config, now_ms, nullptr, record_errors);
        if (!found) return found.error();
        walked = *found;
        // Kafka's index entry for a compressed batch names its last offset
        if (header.codec() != Codec::none) walked.max_timestamp_delta = header.last_offset_delta;
      } else {
        if (header.max_timestamp < kNoTimestamp) {
          return Error(Errc::invalid_timestamp,
                       format("a max timestamp of {}", header.max_timestamp));
        }
        if (std::optional<std::string> fault =
                timestamp_fault(header.max_timestamp, config, now_ms)) {
          return Error(Errc::invalid_timestamp, std::move(*fault));
        }
        walked = {header.max_timestamp, header.last_offset_delta};
      }
      set_timestamp(
          batch, config.timestamp_type,
          config.timestamp_type == TimestampType::log_append_time ? now_ms : walked.max_timestamp);
      if (replace) replaced.append(walker.batch());
    }
    if (config.timestamp_type == TimestampType::log_append_time)
      walked = {now_ms, header.last_offset_delta};
    if (walked.max_timestamp > prepared.max_timestamp ||
        (config.timestamp_type == TimestampType::log_append_time)) {
      prepared.max_timestamp = walked.max_timestamp;
      prepared.max_timestamp_delta = static_cast<int32_t>(offsets) + walked.max_timestamp_delta;
    }
    offsets += static_cast<int64_t>(header.last_offset_delta) + 1;
    if (offsets > std::numeric_limits<int32_t>::max())
      return invalid("more offsets than one append can take");
    prepared.record_count += header.record_count;
  }
  if (!walker.ok()) {
    Result<BatchHeader> header = parse_batch_header(walker.rest());
    if (!header) return header.error();
  }
  if (!walker.rest().empty()) {
    return Error(Errc::corrupt_record,
                 format("{} bytes at the end of the records are not a whole record batch",
                        walker.rest().size()));
  }
  if (prepared.batch_count == 0) {
    return invalid("Produce requests must have at least one record batch per partition");
  }
  if (view.size() > static_cast<size_t>(config.segment_bytes)) {
    return Error(Errc::record_list_too_large,
                 format("Message batch size is {} bytes in append, which exceeds the maximum "
                        "configured segment size of "
                        "{}.",
                        view.size(), config.segment_bytes));
  }
  const PreparedAppend counted = prepared;
  if (replace) {
    PreparedAppend result(std::move(replaced));
    result.batch_count = counted.batch_count;
    result.record_count = counted.record_count;
    result.max_timestamp = counted.max_timestamp;
    result.max_timestamp_delta = counted.max_timestamp_delta;
    result.timestamp_type = config.timestamp_type;
    result.offset_count = static_cast<int32_t>(offsets);
    return result;
  }
  prepared.timestamp_type = config.timestamp_type;
  prepared.offset_count = static_cast<int32_t>(offsets);
  return prepared;
}

}  // namespace odradek::broker::log
