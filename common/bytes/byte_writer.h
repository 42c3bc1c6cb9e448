#pragma once
// ByteWriter appends to a buffer that it owns. A splice is a place where bytes that are not in the buffer (a file
// range) stand in the frame: its length counts, its bytes are sent from elsewhere.

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/bytes/byte_reader.h"

namespace odradek {

using Bytes = std::string;

class ByteWriter {
 public:
  struct Splice {
    size_t position;  // in the buffer, where the outside bytes come in
    size_t size;      // of the outside bytes
    size_t token;     // which they are; the caller's own number
  };

  void i8(int8_t v) { buffer_.push_back(static_cast<char>(v)); }
  void i16(int16_t v) { fixed(__builtin_bswap16(static_cast<uint16_t>(v))); }
  void u16(uint16_t v) { fixed(__builtin_bswap16(v)); }
  void i32(int32_t v) { fixed(__builtin_bswap32(static_cast<uint32_t>(v))); }
  void u32(uint32_t v) { fixed(__builtin_bswap32(v)); }
  void i64(int64_t v) { fixed(__builtin_bswap64(static_cast<uint64_t>(v))); }
  void f64(double v) {
    uint64_t bits;
    std::memcpy(&bits, &v, sizeof bits);
    fixed(__builtin_bswap64(bits));
  }
  void boolean(bool v) { i8(v ? 1 : 0); }
  void uvarint(uint32_t v) { uvarlong(v); }
  void uvarlong(uint64_t v) {
    while (v >= 0x80) {
      buffer_.push_back(static_cast<char>(v | 0x80));
      v >>= 7;
    }
    buffer_.push_back(static_cast<char>(v));
  }
  void varint(int32_t v) { uvarint(static_cast<uint32_t>(v) << 1 ^ static_cast<uint32_t>(v >> 31)); }
  void varlong(int64_t v) { uvarlong(static_cast<uint64_t>(v) << 1 ^ static_cast<uint64_t>(v >> 63)); }
  void bytes(ByteView v) { buffer_.append(v); }

  void splice(size_t size, size_t token) {
    splices_.push_back({buffer_.size(), size, token});
    spliced_bytes_ += size;
  }

  // Overwrites four bytes at a position: for lengths known later.
  void patch_i32(size_t position, int32_t v) {
    uint32_t swapped = __builtin_bswap32(static_cast<uint32_t>(v));
    std::memcpy(buffer_.data() + position, &swapped, sizeof swapped);
  }

  void reserve(size_t size) { buffer_.reserve(size); }
  size_t buffer_size() const { return buffer_.size(); }
  // Buffer and splices together.
  size_t total_size() const { return buffer_.size() + spliced_bytes_; }
  const Bytes& buffer() const { return buffer_; }
  const std::vector<Splice>& splices() const { return splices_; }
  Bytes take() { return std::move(buffer_); }

 private:
  template <typename T>
  void fixed(T swapped) {
    buffer_.append(reinterpret_cast<const char*>(&swapped), sizeof swapped);
  }

  Bytes buffer_;
  std::vector<Splice> splices_;
  size_t spliced_bytes_ = 0;
};

}  // namespace odradek
