#include "broker/log/batch_filter.h"

#include <algorithm>
#include <vector>

#include "broker/log/message_set.h"
#include "broker/log/record.h"
#include "broker/log/record_batch_builder.h"
#include "common/format.h"

namespace odradek::broker::log {
namespace {

using compress::Codec;
using Kind = FilteredBatch::Kind;

constexpr int16_t kKeptAttributes = 0x3f;  // codec, timestamp type, transactional, control
constexpr int16_t kCodecBits = 0x07;
constexpr int16_t kDeleteHorizonBit = 0x40;

Error corrupt(const Error& cause) {
  return cause.code() == Errc::corrupt_record ? cause : Error(Errc::corrupt_record, cause.what());
}
Error corrupt(std::string what) { return Error(Errc::corrupt_record, std::move(what)); }

bool stays(const BatchHeader& header, const RecordView& record, const BatchFate& fate,
           const FilterRules& rules) {
  if (fate.drop_records) return false;
  if (header.is_control() || record.offset > rules.known_to) return true;
  if (!record.key) return false;
  const std::optional<Offset> latest = rules.latest->find(*record.key);
  if (latest && record.offset < *latest) return false;
  if (record.value) return true;
  if (header.magic < 2) return rules.keep_legacy_tombstones;
  return !header.has_delete_horizon() || rules.now_ms < header.base_timestamp;
}

struct Kept {
  ByteView whole;  // with its length
  ByteView body;
  int64_t timestamp_ms;
};

int64_t difference(int64_t left, int64_t right) {  // may wrap, as the reader's addition does
  return static_cast<int64_t>(static_cast<uint64_t>(left) - static_cast<uint64_t>(right));
}

size_t varlong_size(int64_t value) {
  uint64_t raw = static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63);
  size_t size = 1;
  for (; raw >= 0x80; raw >>= 7) ++size;
  return size;
}

// The record with another base timestamp. Behind attributes and time nothing changes.
void write_record(ByteWriter& out, const Kept& record, int64_t base_timestamp) {
  ByteReader body(record.body);
  const int8_t attributes = body.i8();
  const int64_t old_delta = body.varlong();
  const int64_t delta = difference(record.timestamp_ms, base_timestamp);
  if (delta == old_delta) {
    out.bytes(record.whole);
    return;
  }
  out.varint(static_cast<int32_t>(1 + varlong_size(delta) + body.remaining()));
  out.i8(attributes);
  out.varlong(delta);
  out.bytes(body.rest());
}

class BatchRewriter {
 public:
  BatchRewriter(const BatchHeader& header, ByteView batch, const BatchFate& fate,
                const FilterRules& rules)
      : header_(header), batch_(batch), fate_(fate), rules_(rules) {}

  Result<FilteredBatch> run(Bytes& out) {
    if (Result<void> chosen = choose(); !chosen) return corrupt(chosen.error());
    if (kept_.empty()) {
      if (fate_.keep_empty) write_empty(out);
      return done_;
    }
    const bool note_horizon =
        (has_tombstone_ || fate_.marker_without_data) && !header_.has_delete_horizon();
    if (done_.records_kept == done_.records_read && !note_horizon) {
      done_.kind = Kind::unchanged;
      done_.max_timestamp = header_.max_timestamp;
      done_.last_offset = header_.last_offset();
      return done_;
    }
    if (Result<void> written = write(note_horizon, out); !written) return written.error();
    return done_;
  }

 private:
  Result<void> choose() {
    ByteView rest = batch_.substr(kBatchHeaderSize);
    if (header_.codec_bits() > static_cast<int>(Codec::zstd)) {
      return corrupt(format("Unknown compression type id: {}", header_.codec_bits()));
    }
    if (header_.record_count < 0) return corrupt("a negative number of records");
    // a batch that compaction emptied may have a codec and no bytes
    if (header_.codec() != Codec::none && !(header_.record_count == 0 && rest.empty())) {
      Result<Bytes> opened =
          compress::decompress(header_.codec(), rest, rules_.max_decompressed);
      if (!opened) return opened.error();
      opened_ = std::move(*opened);
      rest = opened_;
    }
    for (int32_t i = 0; i < header_.record_count; ++i) {
      ByteReader reader(rest);
      const int32_t size = reader.varint();
      if (!reader.ok() || size < 0 || static_cast<size_t>(size) > reader.remaining()) {
        return corrupt("a record that is longer than its batch");
      }
      const ByteView body = reader.bytes(static_cast<size_t>(size));
      Result<RecordView> record = parse_record(body, header_);
      if (!record) return record.error();
      if (record->offset > header_.last_offset() || record->offset_delta < 0) {
        return corrupt(format("a record of offset {} in a batch that ends at {}",
                              record->offset.value(), header_.last_offset().value()));
      }
      const ByteView whole(rest.data(), rest.size() - reader.remaining());
      rest = reader.rest();
      ++done_.records_read;
      if (!stays(header_, *record, fate_, rules_)) continue;
      kept_.push_back({whole, body, record->timestamp_ms});
      has_tombstone_ |= !record->value;
    }
    if (!rest.empty()) return corrupt("a batch that has more than its records");
    done_.records_kept = static_cast<int32_t>(kept_.size());
    return {};
  }

  void append(BatchHeader header, ByteView records, Bytes& out) {
    header.batch_length =
        static_cast<int32_t>(kBatchHeaderSize - kBatchPrefixSize + records.size());
    const size_t begin = out.size();
    out.append(kBatchHeaderSize, '\0');
    out.append(records);
    write_batch_header(header, std::span<char>(out).subspan(begin));
    done_.kind = Kind::rewritten;
    done_.last_offset = header.last_offset();
    done_.max_timestamp = header.max_timestamp;
  }

  void write_empty(Bytes& out) {
    BatchHeader header = header_;
    header.attributes = static_cast<int16_t>(header.attributes & kKeptAttributes & ~kCodecBits);
    header.base_timestamp = kNoTimestamp;
    header.record_count = 0;
    append(header, {}, out);
  }

  Result<void> write(bool note_horizon, Bytes& out) {
    BatchHeader header = header_;
    const bool has_horizon = note_horizon || header.has_delete_horizon();
    if (note_horizon) {
      header.base_timestamp = rules_.now_ms + rules_.delete_retention_ms;
    } else if (!has_horizon) {
      header.base_timestamp = kept_.front().timestamp_ms;
    }
    header.attributes = static_cast<int16_t>((header.attributes & kKeptAttributes) |
                                             (has_horizon ? kDeleteHorizonBit : 0));
    header.record_count = done_.records_kept;
    if (header.timestamp_type() == TimestampType::create_time) {
      header.max_timestamp = kNoTimestamp;
      for (const Kept& record : kept_) {
        header.max_timestamp = std::max(header.max_timestamp, record.timestamp_ms);
      }
    }
    ByteWriter records;
    for (const Kept& record : kept_) write_record(records, record, header.base_timestamp);
    if (header.codec() == Codec::none) {
      append(header, records.buffer(), out);
      return {};
    }
    Result<Bytes> packed = compress::compress(
        header.codec(), records.buffer(),
        rules_.codec_with_level == header.codec() ? rules_.level : std::nullopt);
    if (!packed) return packed.error();
    append(header, *packed, out);
    return {};
  }

  const BatchHeader& header_;
  const ByteView batch_;
  const BatchFate& fate_;
  const FilterRules& rules_;
  Bytes opened_;  // where compressed
  std::vector<Kept> kept_;
  bool has_tombstone_ = false;
  FilteredBatch done_;
};

struct KeptMessage {
  Offset offset;
  int64_t timestamp_ms;
  std::optional<ByteView> key, value;
};

// What stays of a wrapper, in a wrapper. Inner offsets of format 1 count from the first.
Result<void> write_wrapper(const BatchHeader& header, const std::vector<KeptMessage>& kept,
                           int64_t max_timestamp, Bytes& out) {
  const auto time_bit = static_cast<int16_t>(header.attributes & 0x08);
  ByteWriter inner;
  for (const KeptMessage& message : kept) {
    const Offset offset =
        header.magic == 1 ? Offset(message.offset - kept.front().offset) : message.offset;
    write_message(inner, header.magic, offset, time_bit, message.timestamp_ms, message.key,
                  message.value);
  }
  Result<Bytes> packed = header.magic == 0 && header.codec() == Codec::lz4
                             ? compress::compress_lz4_magic0(inner.buffer())
                             : compress::compress(header.codec(), inner.buffer());
  if (!packed) return packed.error();
  ByteWriter wrapper;
  write_message(wrapper, header.magic, kept.back().offset,
                static_cast<int16_t>(header.codec_bits() | time_bit), max_timestamp, std::nullopt,
                ByteView(*packed));
  out.append(wrapper.buffer());
  return {};
}

Result<FilteredBatch> filter_messages(const BatchHeader& header, ByteView batch,
                                      const BatchFate& fate, const FilterRules& rules,
                                      Bytes& out) {
  Result<RecordIterator> records = RecordIterator::open(batch, rules.max_decompressed);
  if (!records) return corrupt(records.error());
  FilteredBatch done;
  std::vector<KeptMessage> kept;
  while (const RecordView* record = records->next()) {
    ++done.records_read;
    if (!stays(header, *record, fate, rules)) continue;
    kept.push_back({record->offset, record->timestamp_ms, record->key, record->value});
    done.max_timestamp = std::max(done.max_timestamp, record->timestamp_ms);
  }
  if (!records->ok()) return corrupt(records->error());
  done.records_kept = static_cast<int32_t>(kept.size());
  if (kept.empty()) return done;
  done.last_offset = kept.back().offset;
  if (done.records_kept == done.records_read) {
    done.kind = Kind::unchanged;
    done.max_timestamp = header.max_timestamp;
    return done;
  }
  done.kind = Kind::rewritten;
  if (Result<void> written = write_wrapper(header, kept, done.max_timestamp, out); !written) {
    return written.error();
  }
  return done;
}

}  // namespace

Result<FilteredBatch> filter_batch(const BatchHeader& header, ByteView batch,
                                   const BatchFate& fate, const FilterRules& rules, Bytes& out) {
  if (header.magic < 2) return filter_messages(header, batch, fate, rules, out);
  if (fate.drop_records && !fate.keep_empty) {
    FilteredBatch gone;
    gone.records_read = std::max(header.record_count, 0);
    return gone;
  }
  return BatchRewriter(header, batch, fate, rules).run(out);
}

}  // namespace odradek::broker::log
