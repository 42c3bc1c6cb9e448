#include "common/bytes/siphash.h"

#include <gtest/gtest.h>

#include <string>

namespace odradek {
namespace {

std::string hex(const Hash128& hash) {
  std::string text;
  for (uint64_t word : {hash.low, hash.high}) {
    for (int i = 0; i < 8; ++i) {
      constexpr char kDigits[] = "0123456789abcdef";
      const auto byte = static_cast<unsigned char>(word >> (8 * i));
      text += kDigits[byte >> 4];
      text += kDigits[byte & 15];
    }
  }
  return text;
}

// What the algorithm's reference gives for the bytes 0, 1, 2, ... with the key 00 01 .. 0f.
TEST(SipHash, IsTheReferences) {
  const SipHash hash(0x0706050403020100, 0x0f0e0d0c0b0a0908);
  struct Row {
    size_t size;
    const char* result;
  };
  const Row rows[] = {
      {0, "a3817f04ba25a8e66df67214c7550293"},
      {12, "d626b266905ef35882634df68532c125"},
      {1, "da87c1d86b99af44347659119b22fc45"},
      {7, "a1f1ebbed8dbc153c0b84aa61ff08239"},
      {8, "3b62a9ba6258f5610f83e264f31497b4"},
      {15, "5493e99933b0a8117e08ec0f97cfc3d9"},
      {16, "6ee2a4ca67b054bbfd3315bf85230577"},
      {63, "5150d1772f50834a503e069a973fbd7c"},
  };
  for (const Row& row : rows) {
    std::string bytes;
    for (size_t i = 0; i < row.size; ++i) bytes.push_back(static_cast<char>(i));
    EXPECT_EQ(hex(hash(bytes)), row.result) << row.size;
  }
}

TEST(SipHash, EveryRandomKeyIsAnother) {
  EXPECT_NE(hex(SipHash::with_random_key()("key")), hex(SipHash::with_random_key()("key")));
}

}  // namespace
}  // namespace odradek
