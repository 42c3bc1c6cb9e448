#include <gtest/gtest.h>

#include <string>

#include "common/bytes/crc32.h"
#include "common/bytes/crc32c.h"

namespace odradek {
namespace {

uint32_t bit_by_bit(ByteView bytes) {
  uint32_t crc = 0xffffffff;
  for (char c : bytes) {
    crc ^= static_cast<uint8_t>(c);
    for (int i = 0; i < 8; ++i) crc = (crc >> 1) ^ ((crc & 1) ? 0x82f63b78 : 0);
  }
  return ~crc;
}

std::string pattern(size_t size) {
  std::string out(size, 0);
  for (size_t i = 0; i < size; ++i) out[i] = static_cast<char>(i * 131 + (i >> 7));
  return out;
}

TEST(Crc32c, KnownValues) {
  EXPECT_EQ(crc32c(""), 0u);
  EXPECT_EQ(crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aau);    // RFC 3720
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43u);  // RFC 3720
}

TEST(Crc32c, EveryLengthAndAlignment) {
  std::string bytes = pattern(40'000);
  for (size_t offset = 0; offset < 9; ++offset) {
    for (size_t size = 0; size < 900; ++size) {
      ByteView view = ByteView(bytes).substr(offset, size);
      ASSERT_EQ(crc32c(view), crc32c_portable(view)) << offset << " " << size;
    }
    // around the sizes of the blocks of three streams
    for (size_t block : {64, 256, 2048}) {
      for (size_t times : {3, 6, 9}) {
        for (size_t around = block * times - 9; around <= block * times + 9; ++around) {
          ByteView view = ByteView(bytes).substr(offset, around);
          ASSERT_EQ(crc32c(view), crc32c_portable(view)) << offset << " " << around;
        }
      }
    }
  }
  for (size_t size : {0, 1, 7, 8, 9, 100, 5000}) {
    ByteView view = ByteView(bytes).substr(3, size);
    EXPECT_EQ(crc32c_portable(view), bit_by_bit(view)) << size;
  }
}

TEST(Crc32c, GoesOnFromASeed) {
  std::string bytes = pattern(10'000);
  uint32_t whole = crc32c(bytes);
  for (size_t cut : {0, 1, 13, 512, 6144, 9999, 10'000}) {
    ByteView view(bytes);
    EXPECT_EQ(crc32c(view.substr(cut), crc32c(view.substr(0, cut))), whole) << cut;
    EXPECT_EQ(crc32c_portable(view.substr(cut), crc32c_portable(view.substr(0, cut))), whole)
        << cut;
  }
}

TEST(Crc32, KnownValues) {
  EXPECT_EQ(crc32("123456789"), 0xcbf43926u);
  EXPECT_EQ(crc32("6789", crc32("12345")), 0xcbf43926u);
  EXPECT_EQ(adler32("Wikipedia"), 0x11e60398u);
}

}  // namespace
}  // namespace odradek
