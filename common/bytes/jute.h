#pragma once
// The primitives of ZooKeeper's jute format: everything big endian, ustring and buffer with an
// int32 length in front (-1 is null), vector with an int32 count (-1 is null; any other negative
// count is an empty vector, as ZooKeeper reads it).

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/bytes/byte_reader.h"
#include "common/bytes/byte_writer.h"
#include "common/error.h"

namespace odradek::jute {

// Reads the fields of one record. The first problem stays, with the name of its field; after it
// every value is zero or empty. What vectors may grow to in memory is bounded, whatever their
// counts say.
class FieldReader {
 public:
  FieldReader(ByteReader& in, const char* record) : in_(in), record_(record) {}
  FieldReader(const FieldReader&) = delete;
  FieldReader& operator=(const FieldReader&) = delete;

  bool ok() const { return problem_ == nullptr; }
  Error error() const;
  size_t remaining() const { return in_.remaining(); }

  int32_t i32(const char* field) { return checked(field, in_.i32()); }
  int64_t i64(const char* field) { return checked(field, in_.i64()); }
  bool boolean(const char* field) { return checked(field, in_.boolean()); }
  // A null string is read as the empty one, or refused.
  std::string ustring(const char* field) { return std::string(sized(field).value_or(ByteView())); }
  std::string not_null_ustring(const char* field);
  std::optional<std::string> buffer(const char* field);
  // The count of elements. A null vector is read as the empty one, or refused.
  size_t vector(const char* field, size_t min_wire_bytes, size_t element_bytes) {
    return counted(field, min_wire_bytes, element_bytes).value_or(0);
  }
  size_t not_null_vector(const char* field, size_t min_wire_bytes, size_t element_bytes);

 private:
  template <typename T>
  T checked(const char* field, T value) {
    if (!in_.ok()) [[unlikely]]
      fail(field, "cut short");
    return value;
  }
  void fail(const char* field, const char* problem);
  std::optional<ByteView> sized(const char* field);
  std::optional<size_t> counted(const char* field, size_t min_wire_bytes, size_t element_bytes);

  static constexpr size_t kMaxVectorMemory = 64 << 20;

  ByteReader& in_;
  const char* record_;
  const char* field_ = nullptr;
  const char* problem_ = nullptr;
  size_t vector_memory_ = 0;
};

void write_ustring(ByteWriter& out, ByteView value);
void write_buffer(ByteWriter& out, const std::optional<std::string>& value);

}  // namespace odradek::jute
