#include "common/bytes/kafka_codec.h"

#include <cstring>

namespace odradek::kafka {
namespace {

constexpr size_t kMaxString = 32767;

ByteView cut_string(ByteView value) {
  if (value.size() <= kMaxString) return value;
  size_t size = kMaxString;
  while (size > 0 && (static_cast<uint8_t>(value[size]) & 0xc0) == 0x80) --size;
  return value.substr(0, size);
}

}  // namespace

Records Records::view(ByteView bytes) {
  Records records;
  records.kind_ = Kind::view;
  records.view_ = bytes;
  return records;
}

Records Records::owned(Bytes bytes) {
  Records records;
  records.kind_ = Kind::owned;
  records.owned_ = std::move(bytes);
  return records;
}

Records Records::splice(size_t size, size_t token) {
  Records records;
  records.kind_ = Kind::splice;
  records.size_ = size;
  records.token_ = token;
  return records;
}

bool Records::operator==(const Records& other) const {
  if (is_null() || other.is_null()) return is_null() == other.is_null();
  if (is_splice() || other.is_splice()) {
    return is_splice() == other.is_splice() && size_ == other.size_ && token_ == other.token_;
  }
  return bytes() == other.bytes();
}

Error FieldReader::error() const {
  std::string what = message_;
  if (field_ != nullptr) what.append(": ").append(field_);
  if (problem_ != nullptr) what.append(": ").append(problem_);
  return Error(Errc::malformed, std::move(what));
}

void FieldReader::fail(const char* field, const char* problem) {
  if (problem_ == nullptr) {
    field_ = field;
    problem_ = problem;
  }
  in_->fail();
}

int64_t FieldReader::length(const char* field, bool compact, bool short_length) {
  int64_t size;
  if (compact) {
    size = static_cast<int64_t>(in_->uvarint()) - 1;
  } else {
    size = short_length ? in_->i16() : in_->i32();
  }
  if (!in_->ok()) {
    fail(field, "cut short");
    return 0;
  }
  if (size < -1) {
    fail(field, "negative length");
    return 0;
  }
  if (short_length && size > static_cast<int64_t>(kMaxString)) {
    fail(field, "string longer than 32767 bytes");
    return 0;
  }
  if (size > static_cast<int64_t>(in_->remaining())) {
    fail(field, "length beyond the frame");
    return 0;
  }
  return size;
}

Uuid FieldReader::uuid(const char* field) {
  Uuid value;
  ByteView bytes = sized(field, sizeof value.bytes);
  if (bytes.size() == sizeof value.bytes)
    std::memcpy(value.bytes.data(), bytes.data(), bytes.size());
  return value;
}

std::string FieldReader::string(const char* field, bool compact) {
  return nullable_string(field, compact, false).value_or(std::string());
}

std::optional<std::string> FieldReader::nullable_string(const char* field, bool compact,
                                                        bool nullable) {
  int64_t size = length(field, compact, true);
  if (size < 0) {
    if (!nullable) fail(field, "null where none may be");
    return std::nullopt;
  }
  return std::string(sized(field, size));
}

std::string FieldReader::bytes(const char* field, bool compact) {
  return nullable_bytes(field, compact, false).value_or(std::string());
}

std::optional<std::string> FieldReader::nullable_bytes(const char* field, bool compact,
                                                       bool nullable) {
  int64_t size = length(field, compact, false);
  if (size < 0) {
    if (!nullable) fail(field, "null where none may be");
    return std::nullopt;
  }
  return std::string(sized(field, size));
}

Records FieldReader::records(const char* field, bool compact, bool nullable) {
  int64_t size = length(field, compact, false);
  if (size < 0) {
    if (!nullable) fail(field, "null where none may be");
    return Records();
  }
  return Records::view(sized(field, size));
}

size_t FieldReader::array(const char* field, bool compact, size_t min_wire_bytes,
                          size_t element_bytes) {
  return nullable_array(field, compact, min_wire_bytes, element_bytes, false).value_or(0);
}

std::optional<size_t> FieldReader::nullable_array(const char* field, bool compact,
                                                  size_t min_wire_bytes, size_t element_bytes,
                                                  bool nullable) {
  int64_t count = compact ? static_cast<int64_t>(in_->uvarint()) - 1 : in_->i32();
  if (!in_->ok()) {
    fail(field, "cut short");
    return 0;
  }
  if (count < 0) {
    if (count < -1) {
      fail(field, "negative count");
    } else if (!nullable) {
      fail(field, "null where none may be");
    } else {
      return std::nullopt;
    }
    return 0;
  }
  if (static_cast<uint64_t>(count) > in_->remaining() / min_wire_bytes) {
    fail(field, "count beyond the frame");
    return 0;
  }
  array_memory_ += static_cast<size_t>(count) * element_bytes;
  if (array_memory_ > kMaxArrayMemory) {
    fail(field, "too many elements");
    return 0;
  }
  return static_cast<size_t>(count);
}

bool FieldReader::present(const char* field) {
  int8_t mark = i8(field);
  return ok() && mark >= 0;
}

bool FieldReader::tagged_present(const char* field) {
  int8_t mark = i8(field);
  return ok() && mark > 0;
}

void FieldReader::skip_tagged_fields() {
  for (uint32_t n = tag_count(); n > 0 && ok(); --n) {
    TaggedField field(*this);
    field.skip();
  }
}

TaggedField::TaggedField(FieldReader& reader)
    : reader_(reader), outer_(reader.in_), tag_(outer_->uvarint()), inside_(ByteView()) {
  uint32_t size = outer_->uvarint();
  if (outer_->ok() && size > outer_->remaining()) {
    reader_.fail("tagged fields", "length beyond the frame");
  } else if (!outer_->ok()) {
    reader_.fail("tagged fields", "cut short");
  }
  if (!reader_.ok()) {
    tag_ = UINT32_MAX;
    return;
  }
  inside_ = ByteReader(outer_->bytes(size));
  reader_.in_ = &inside_;
}

TaggedField::~TaggedField() {
  bool consumed = inside_.ok() && inside_.remaining() == 0;
  reader_.in_ = outer_;
  if (!reader_.ok()) {
    outer_->fail();
  } else if (!consumed) {
    reader_.fail("tagged fields", "size does not fit the field");
  }
}

void TaggedFields::write(ByteWriter& out) const {
  out.uvarint(static_cast<uint32_t>(fields_.size()));
  for (const auto& [tag, field] : fields_) {
    out.uvarint(tag);
    out.uvarint(static_cast<uint32_t>(field.buffer_size()));
    out.bytes(field.buffer());
  }
}

void write_string(ByteWriter& out, ByteView value, bool compact) {
  value = cut_string(value);
  if (compact) {
    out.uvarint(static_cast<uint32_t>(value.size()) + 1);
  } else {
    out.i16(static_cast<int16_t>(value.size()));
  }
  out.bytes(value);
}

void write_nullable_string(ByteWriter& out, const std::optional<std::string>& value, bool compact,
                           bool nullable) {
  if (value) {
    write_string(out, *value, compact);
  } else if (!nullable) {
    write_string(out, ByteView(), compact);
  } else if (compact) {
    out.uvarint(0);
  } else {
    out.i16(-1);
  }
}

void write_bytes(ByteWriter& out, ByteView value, bool compact) {
  write_count(out, value.size(), compact);
  out.bytes(value);
}

void write_nullable_bytes(ByteWriter& out, const std::optional<std::string>& value, bool compact,
                          bool nullable) {
  if (value) {
    write_bytes(out, *value, compact);
  } else {
    write_null_array(out, compact, nullable);
  }
}

void write_records(ByteWriter& out, const Records& value, bool compact, bool nullable) {
  if (value.is_null()) {
    write_null_array(out, compact, nullable);
    return;
  }
  write_count(out, value.size(), compact);
  if (value.is_splice()) {
    out.splice(value.size(), value.token());
  } else {
    out.bytes(value.bytes());
  }
}

void write_count(ByteWriter& out, size_t count, bool compact) {
  if (compact) {
    out.uvarint(static_cast<uint32_t>(count) + 1);
  } else {
    out.i32(static_cast<int32_t>(count));
  }
}

void write_null_array(ByteWriter& out, bool compact, bool nullable) {
  if (!nullable) {
    write_count(out, 0, compact);
  } else if (compact) {
    out.uvarint(0);
  } else {
    out.i32(-1);
  }
}

void write_uuid(ByteWriter& out, const Uuid& value) {
  out.bytes(ByteView(reinterpret_cast<const char*>(value.bytes.data()), value.bytes.size()));
}

std::optional<Error> refuse_version(const char* message, int16_t version, int16_t min,
                                    int16_t max) {
  if (version >= min && version <= max) return std::nullopt;
  return Error(Errc::unsupported_version, std::string(message) + " has no version " +
                                              std::to_string(version) + ", only " +
                                              std::to_string(min) + " to " + std::to_string(max));
}

void FieldPrinter::name(const char* field) {
  if (!first_) text_ += ", ";
  first_ = false;
  text_.append(field) += '=';
}

bool FieldPrinter::element(size_t index, size_t count) {
  constexpr size_t kMaxPrinted = 32;
  if (index > 0) text_ += ", ";
  if (index < kMaxPrinted) return true;
  text_.append("... ").append(std::to_string(count - index)).append(" more");
  return false;
}

void FieldPrinter::string(ByteView value) {
  constexpr size_t kMaxPrinted = 256;
  static constexpr char kHex[] = "0123456789abcdef";
  text_ += '"';
  for (char c : value.substr(0, kMaxPrinted)) {
    if (static_cast<uint8_t>(c) < 0x20 || c == 0x7f) {
      text_.append("\\x") += kHex[static_cast<uint8_t>(c) >> 4];
      text_ += kHex[c & 15];
    } else {
      if (c == '"' || c == '\\') text_ += '\\';
      text_ += c;
    }
  }
  if (value.size() > kMaxPrinted) text_ += "...";
  text_ += '"';
}

void FieldPrinter::nullable_string(const std::optional<std::string>& value) {
  value ? string(*value) : null();
}

void FieldPrinter::bytes(size_t size) {
  text_.append("<").append(std::to_string(size)).append(" bytes>");
}

void FieldPrinter::nullable_bytes(const std::optional<std::string>& value) {
  value ? bytes(value->size()) : null();
}

void FieldPrinter::records(const Records& value) { value.is_null() ? null() : bytes(value.size()); }

}  // namespace odradek::kafka
