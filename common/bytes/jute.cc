#include "common/bytes/jute.h"

namespace odradek::jute {

Error FieldReader::error() const {
  std::string what = record_;
  if (field_ != nullptr) what.append(": ").append(field_);
  if (problem_ != nullptr) what.append(": ").append(problem_);
  return Error(Errc::malformed, std::move(what));
}

void FieldReader::fail(const char* field, const char* problem) {
  if (problem_ == nullptr) {
    field_ = field;
    problem_ = problem;
  }
  in_.fail();
}

std::optional<ByteView> FieldReader::sized(const char* field) {
  int32_t size = in_.i32();
  if (!in_.ok()) {
    fail(field, "cut short");
  } else if (size < -1) {
    fail(field, "negative length");
  } else if (size > 0 && static_cast<size_t>(size) > in_.remaining()) {
    fail(field, "length beyond the frame");
  } else if (size >= 0) {
    return in_.bytes(static_cast<size_t>(size));
  }
  return std::nullopt;
}

std::string FieldReader::not_null_ustring(const char* field) {
  auto bytes = sized(field);
  if (!bytes && ok()) fail(field, "null");
  return std::string(bytes.value_or(ByteView()));
}

std::optional<std::string> FieldReader::buffer(const char* field) {
  auto bytes = sized(field);
  if (!bytes) return std::nullopt;
  return std::string(*bytes);
}

size_t FieldReader::not_null_vector(const char* field, size_t min_wire_bytes,
                                    size_t element_bytes) {
  auto count = counted(field, min_wire_bytes, element_bytes);
  if (!count && ok()) fail(field, "null");
  return count.value_or(0);
}

std::optional<size_t> FieldReader::counted(const char* field, size_t min_wire_bytes,
                                           size_t element_bytes) {
  int32_t count = in_.i32();
  if (!in_.ok()) {
    fail(field, "cut short");
  } else if (count < -1) {
    return 0;
  } else if (count > 0 && static_cast<size_t>(count) > in_.remaining() / min_wire_bytes) {
    fail(field, "count beyond the frame");
  } else if (count >= 0) {
    vector_memory_ += static_cast<size_t>(count) * element_bytes;
    if (vector_memory_ <= kMaxVectorMemory) return static_cast<size_t>(count);
    fail(field, "too many elements");
  }
  return std::nullopt;
}

void write_ustring(ByteWriter& out, ByteView value) {
  out.i32(static_cast<int32_t>(value.size()));
  out.bytes(value);
}

void write_buffer(ByteWriter& out, const std::optional<std::string>& value) {
  if (value) {
    write_ustring(out, *value);
  } else {
    out.i32(-1);
  }
}

}  // namespace odradek::jute
