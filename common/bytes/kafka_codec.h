#pragma once
// The primitives of Kafka's wire format, as the generated messages use them. Lengths and counts
// have two forms: fixed (int16 or int32, -1 is null) before a message's first flexible version, and
// compact (uvarint of length + 1, 0 is null) from there on (KIP-482).

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/bytes/byte_reader.h"
#include "common/bytes/byte_writer.h"
#include "common/error.h"
#include "common/ids.h"

namespace odradek::kafka {

// Record batches inside a message. Decoded they are a view into the frame, which must outlive them.
// For encoding they are a view, bytes of their own, or a splice: a size, and a token that tells the
// sender which bytes come in there.
class Records {
 public:
  Records() = default;  // null
  static Records view(ByteView bytes);
  static Records owned(Bytes bytes);
  static Records splice(size_t size, size_t token);

  bool is_null() const { return kind_ == Kind::null; }
  bool is_splice() const { return kind_ == Kind::splice; }
  size_t size() const {
    return kind_ == Kind::owned ? owned_.size() : is_splice() ? size_ : view_.size();
  }
  size_t token() const { return token_; }
  // Empty for null and for a splice.
  ByteView bytes() const { return kind_ == Kind::owned ? ByteView(owned_) : view_; }
  // Two are equal when both are null, name the same splice, or hold the same bytes.
  bool operator==(const Records& other) const;

 private:
  enum class Kind : uint8_t { null, view, owned, splice };
  Kind kind_ = Kind::null;
  ByteView view_;
  Bytes owned_;
  size_t size_ = 0;
  size_t token_ = 0;
};

// Reads the fields of one message. The first problem stays, with the name of its field; after it
// every value is zero or empty. What arrays may grow to in memory is bounded, whatever their counts
// say.
class FieldReader {
 public:
  FieldReader(ByteReader& in, const char* message) : in_(&in), message_(message) {}
  FieldReader(const FieldReader&) = delete;
  FieldReader& operator=(const FieldReader&) = delete;

  bool ok() const { return problem_ == nullptr; }
  // Of a reader that is not ok: "ProduceRequest: topic_data: cut short".
  Error error() const;

  int8_t i8(const char* field) { return checked(field, in_->i8()); }
  int16_t i16(const char* field) { return checked(field, in_->i16()); }
  uint16_t u16(const char* field) { return checked(field, in_->u16()); }
  int32_t i32(const char* field) { return checked(field, in_->i32()); }
  uint32_t u32(const char* field) { return checked(field, in_->u32()); }
  int64_t i64(const char* field) { return checked(field, in_->i64()); }
  double f64(const char* field) { return checked(field, in_->f64()); }
  bool boolean(const char* field) { return checked(field, in_->boolean()); }
  Uuid uuid(const char* field);
  std::string string(const char* field, bool compact);
  std::optional<std::string> nullable_string(const char* field, bool compact, bool nullable);
  std::string bytes(const char* field, bool compact);
  std::optional<std::string> nullable_bytes(const char* field, bool compact, bool nullable);
  Records records(const char* field, bool compact, bool nullable);

  // The number of elements. Refused when the rest of the frame cannot hold so many of at least
  // min_wire_bytes each, or when they would take too much memory, element_bytes each.
  size_t array(const char* field, bool compact, size_t min_wire_bytes, size_t element_bytes);
  // The same; nothing for a null array.
  std::optional<size_t> nullable_array(const char* field, bool compact, size_t min_wire_bytes,
                                       size_t element_bytes, bool nullable);
  // The byte in front of a nullable struct: -1 null, 1 present.
  bool present(const char* field);
  // The same in a tagged field: 0 null, 1 present.
  bool tagged_present(const char* field);

  uint32_t tag_count() { return checked("tagged fields", in_->uvarint()); }
  void skip_tagged_fields();

 private:
  friend class TaggedField;

  template <typename T>
  T checked(const char* field, T value) {
    if (!in_->ok()) [[unlikely]]
      fail(field, "cut short");
    return value;
  }
  void fail(const char* field, const char* problem);
  // -1 for null. Fixed lengths have two bytes for strings, else four.
  int64_t length(const char* field, bool compact, bool short_length);
  ByteView sized(const char* field, int64_t size) {
    return checked(field, in_->bytes(static_cast<size_t>(size)));
  }

  static constexpr size_t kMaxArrayMemory = 64 << 20;

  ByteReader* in_;
  const char* message_;
  const char* field_ = nullptr;
  const char* problem_ = nullptr;
  size_t array_memory_ = 0;
};

// One field of a tagged section: while it lives, the reader sees only the field's own bytes.
class TaggedField {
 public:
  explicit TaggedField(FieldReader& reader);
  TaggedField(const TaggedField&) = delete;
  TaggedField& operator=(const TaggedField&) = delete;
  ~TaggedField();
  uint32_t tag() const { return tag_; }
  void skip() { inside_.skip(inside_.remaining()); }

 private:
  FieldReader& reader_;
  ByteReader* outer_;
  uint32_t tag_;
  ByteReader inside_;
};

// Collects the tagged fields of one struct, in ascending order of their tags.
class TaggedFields {
 public:
  ByteWriter& add(uint32_t tag) { return fields_.emplace_back(tag, ByteWriter()).second; }
  void write(ByteWriter& out) const;

 private:
  std::vector<std::pair<uint32_t, ByteWriter>> fields_;
};

// A string longer than 32767 bytes, which no version can carry, is cut there at a whole character.
void write_string(ByteWriter& out, ByteView value, bool compact);
// Null becomes the empty string where the version has no null.
void write_nullable_string(ByteWriter& out, const std::optional<std::string>& value, bool compact,
                           bool nullable);
void write_bytes(ByteWriter& out, ByteView value, bool compact);
void write_nullable_bytes(ByteWriter& out, const std::optional<std::string>& value, bool compact,
                          bool nullable);
void write_records(ByteWriter& out, const Records& value, bool compact, bool nullable);
void write_count(ByteWriter& out, size_t count, bool compact);
// A null array, or an empty one where the version has no null.
void write_null_array(ByteWriter& out, bool compact, bool nullable);
void write_uuid(ByteWriter& out, const Uuid& value);

// unsupported_version, when the version is not in min..max.
std::optional<Error> refuse_version(const char* message, int16_t version, int16_t min, int16_t max);

// Text for logs: "ProduceRequest(acks=-1, topic_data=[(name=\"a\", ...)])". Long strings and arrays
// are cut.
class FieldPrinter {
 public:
  explicit FieldPrinter(const char* message) : text_(message) {}
  void open() { text_ += '(', first_ = true; }
  void close() { text_ += ')', first_ = false; }
  void name(const char* field);
  // Between elements; false when enough of them were printed.
  bool element(size_t index, size_t count);
  void integer(int64_t value) { text_ += std::to_string(value); }
  void floating(double value) { text_ += std::to_string(value); }
  void boolean(bool value) { text_ += value ? "true" : "false"; }
  void string(ByteView value);
  void nullable_string(const std::optional<std::string>& value);
  void bytes(size_t size);
  void nullable_bytes(const std::optional<std::string>& value);
  void records(const Records& value);
  void uuid(const Uuid& value) { text_ += value.to_string(); }
  void null() { text_ += "null"; }
  void open_array() { text_ += '['; }
  void close_array() { text_ += ']', first_ = false; }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
  bool first_ = true;
};

}  // namespace odradek::kafka
