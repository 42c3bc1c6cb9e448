#pragma once
// ByteReader: a cursor over bytes that cannot run past their end. Errors stick: after the first short read every
// value is zero or empty and ok() is false, so a decoder reads a whole struct and looks once at the end.
// Views that it returns point into the bytes that it was given.

#include <cstdint>
#include <cstring>
#include <string_view>

namespace odradek {

using ByteView = std::string_view;

class ByteReader {
 public:
  explicit ByteReader(ByteView bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  bool ok() const { return ok_; }
  void fail() {
    ok_ = false;
    at_ = end_;
  }
  size_t remaining() const { return static_cast<size_t>(end_ - at_); }
  ByteView rest() const { return ByteView(at_, remaining()); }

  // big endian
  int8_t i8() { return static_cast<int8_t>(fixed<uint8_t>()); }
  int16_t i16() { return static_cast<int16_t>(fixed<uint16_t>()); }
  uint16_t u16() { return fixed<uint16_t>(); }
  int32_t i32() { return static_cast<int32_t>(fixed<uint32_t>()); }
  uint32_t u32() { return fixed<uint32_t>(); }
  int64_t i64() { return static_cast<int64_t>(fixed<uint64_t>()); }
  double f64() {
    uint64_t bits = fixed<uint64_t>();
    double value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  }
  bool boolean() { return i8() != 0; }

  // base 128, low group first; at most 5 and 10 bytes
  uint32_t uvarint() {
    uint64_t value = varint_bits(5);
    if (value > UINT32_MAX) fail();
    return ok_ ? static_cast<uint32_t>(value) : 0;
  }
  uint64_t uvarlong() { return varint_bits(10); }
  int32_t varint() {  // zigzag
    uint32_t raw = uvarint();
    return static_cast<int32_t>(raw >> 1) ^ -static_cast<int32_t>(raw & 1);
  }
  int64_t varlong() {
    uint64_t raw = uvarlong();
    return static_cast<int64_t>(raw >> 1) ^ -static_cast<int64_t>(raw & 1);
  }

  // The next `size` bytes; fails where fewer are left.
  ByteView bytes(size_t size) {
    if (size > remaining()) {
      fail();
      return {};
    }
    ByteView view(at_, size);
    at_ += size;
    return view;
  }
  void skip(size_t size) { bytes(size); }

 private:
  template <typename T>
  T fixed() {
    if (remaining() < sizeof(T)) {
      fail();
      return 0;
    }
    T value;
    std::memcpy(&value, at_, sizeof value);
    at_ += sizeof value;
    if constexpr (sizeof(T) == 2) return __builtin_bswap16(value);
    else if constexpr (sizeof(T) == 4) return __builtin_bswap32(value);
    else if constexpr (sizeof(T) == 8) return __builtin_bswap64(value);
    else return value;
  }

  uint64_t varint_bits(int max_bytes) {
    uint64_t value = 0;
    for (int i = 0; i < max_bytes; ++i) {
      uint8_t byte = fixed<uint8_t>();
      if (!ok_) return 0;
      value |= static_cast<uint64_t>(byte & 0x7f) << (7 * i);
      if (!(byte & 0x80)) return value;
    }
    fail();
    return 0;
  }

  const char* at_;
  const char* end_;
  bool ok_ = true;
};

}  // namespace odradek
