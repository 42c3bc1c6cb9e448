#include "broker/log/record.h"

#include "broker/log/message_set.h"
#include "common/format.h"

namespace odradek::broker::log {
namespace {

Error invalid(std::string what) { return Error(Errc::invalid_record, std::move(what)); }

// int32 length, -1 for null. False where it is below -1 or longer than what is there.
bool read_nullable(ByteReader& reader, std::optional<ByteView>& out) {
  int32_t size = reader.varint();
  if (!reader.ok() || size < -1) return false;
  if (size == -1) {
    out.reset();
    return true;
  }
  out = reader.bytes(static_cast<size_t>(size));
  return reader.ok();
}

bool read_header(ByteReader& reader, HeaderView& header) {
  std::optional<ByteView> key;
  if (!read_nullable(reader, key) || !key) return false;
  header.key = *key;
  return read_nullable(reader, header.value);
}

}  // namespace

std::vector<HeaderView> RecordView::headers() const {
  std::vector<HeaderView> all;
  all.reserve(static_cast<size_t>(header_count));
  ByteReader reader(raw_headers);
  for (int32_t i = 0; i < header_count; ++i) {
    HeaderView header;
    if (!read_header(reader, header)) break;
    all.push_back(header);
  }
  return all;
}

Result<RecordView> parse_record(ByteView body, const BatchHeader& header) {
  ByteReader reader(body);
  RecordView record;
  reader.i8();  // attributes: none are defined
  int64_t timestamp_delta = reader.varlong();
  record.offset_delta = reader.varint();
  if (!reader.ok() || !read_nullable(reader, record.key) || !read_nullable(reader, record.value)) {
    return invalid("a record's key or value does not fit into it");
  }
  record.header_count = reader.varint();
  if (!reader.ok() || record.header_count < 0 ||
      static_cast<size_t>(record.header_count) >
          reader.remaining() / 2) {  // a header has at least two bytes
    return invalid(format("Found invalid number of record headers {}", record.header_count));
  }
  ByteView headers = reader.rest();
  for (int32_t i = 0; i < record.header_count; ++i) {
    HeaderView one;
    if (!read_header(reader, one)) return invalid("a record's header does not fit into it");
  }
  if (reader.remaining() > 0) {
    return invalid(
        format("Invalid record size: {} bytes are left behind its headers", reader.remaining()));
  }
  record.raw_headers = headers;
  record.offset = header.base_offset + record.offset_delta;
  record.timestamp_ms = header.timestamp_type() == TimestampType::log_append_time
                            ? header.max_timestamp
                            : static_cast<int64_t>(static_cast<uint64_t>(header.base_timestamp) +
                                                   static_cast<uint64_t>(timestamp_delta));
  return record;
}

Result<RecordIterator> RecordIterator::open(ByteView batch, size_t max_decompressed) {
  Result<BatchHeader> header = parse_batch_header(batch);
  if (!header) return header.error();
  if (batch.size() < header->size()) return Error(Errc::corrupt_record, "a record batch is cut");
  if (header->magic < 2) {
    RecordIterator iterator;
    iterator.header_ = *header;
    Result<void> opened =
        iterator.open_message(batch.substr(0, header->size()), max_decompressed);
    if (!opened) return opened.error();
    return iterator;
  }
  if (header->record_count < 0)
    return invalid(format("{} records in a batch", header->record_count));
  RecordIterator iterator;
  iterator.header_ = *header;
  iterator.rest_ = batch.substr(kBatchHeaderSize, header->size() - kBatchHeaderSize);
  if (header->codec_bits() > 4) {
    return Error(Errc::corrupt_record,
                 format("Unknown compression type id: {}", header->codec_bits()));
  }
  // a batch that compaction emptied has a codec and no bytes
  if (header->codec() != compress::Codec::none &&
      !(header->record_count == 0 && iterator.rest_.empty())) {
    Result<Bytes> opened = compress::decompress(header->codec(), iterator.rest_, max_decompressed);
    if (!opened) return opened.error();
    iterator.opened_ = std::make_unique<Bytes>(std::move(*opened));
    iterator.rest_ = *iterator.opened_;
  }
  return iterator;
}

Result<void> RecordIterator::open_message(ByteView entry, size_t max_decompressed) {
  rest_ = entry;
  if (header_.codec() == compress::Codec::none) return {};
  if (header_.codec_bits() > static_cast<int>(compress::Codec::lz4)) {
    return Error(Errc::corrupt_record,
                 format("Unknown compression type id: {}", header_.codec_bits()));
  }
  Result<Message> wrapper = parse_message(entry);
  if (!wrapper) return wrapper.error();
  if (!wrapper->value) return invalid("a compressed message without a value");
  Result<Bytes> opened = compress::decompress(header_.codec(), *wrapper->value, max_decompressed);
  if (!opened) return opened.error();
  opened_ = std::make_unique<Bytes>(std::move(*opened));
  rest_ = *opened_;
  Result<Offset> last = last_offset_of_messages(rest_);
  if (!last) return last.error();
  if (header_.magic == 1) inner_shift_ = header_.base_offset - *last;
  return {};
}

const RecordView* RecordIterator::next_message() {
  if (rest_.empty()) return nullptr;
  Result<Message> message = parse_message(rest_);
  if (message && opened_) {  // the checksum outside covers the compressed bytes alone
    if (Result<void> right = check_crc(message->header, rest_); !right) {
      message = right.error();
    } else if (message->header.magic != header_.magic || message->header.codec_bits() != 0) {
      message = invalid("a message inside a compressed one has another format, or is compressed");
    }
  }
  if (!message) {
    error_ = message.error();
    return nullptr;
  }
  const BatchHeader& inner = message->header;
  rest_.remove_prefix(inner.size());
  ++seen_;
  record_ = RecordView();
  record_.offset = Offset(inner.base_offset.value() + inner_shift_);
  record_.offset_delta = static_cast<int32_t>(record_.offset - header_.base_offset);
  record_.timestamp_ms = header_.timestamp_type() == TimestampType::log_append_time
                             ? header_.max_timestamp
                             : inner.max_timestamp;
  record_.key = message->key;
  record_.value = message->value;
  return &record_;
}

const RecordView* RecordIterator::next() {
  if (error_) return nullptr;
  if (header_.magic < 2) return next_message();
  if (seen_ == header_.record_count) {
    if (!rest_.empty())
      error_ = invalid("Incorrect declared batch size, records still remaining in file");
    return nullptr;
  }
  ByteReader reader(rest_);
  int32_t size = reader.varint();
  if (!reader.ok() || size < 0 || static_cast<size_t>(size) > reader.remaining()) {
    error_ = invalid("Incorrect declared batch size, premature EOF reached");
    return nullptr;
  }
  Result<RecordView> record = parse_record(reader.bytes(static_cast<size_t>(size)), header_);
  if (!record) {
    error_ = record.error();
    return nullptr;
  }
  rest_ = reader.rest();
  ++seen_;
  record_ = *record;
  return &record_;
}

}  // namespace odradek::broker::log
