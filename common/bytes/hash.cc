#include "common/bytes/hash.h"

#include <cstring>

namespace odradek {
namespace {

// One code point; a byte that is not valid UTF-8 counts as U+FFFD, as Java decodes it.
uint32_t next_code_point(ByteView text, size_t& at) {
  constexpr uint32_t kReplacement = 0xfffd;
  uint8_t first = static_cast<uint8_t>(text[at++]);
  if (first < 0x80) return first;
  int more = first >= 0xc2 && first < 0xe0   ? 1
             : first >= 0xe0 && first < 0xf0 ? 2
             : first >= 0xf0 && first < 0xf5 ? 3
                                             : 0;
  if (more == 0) return kReplacement;
  uint32_t value = first & (0x3f >> more);
  for (int i = 0; i < more; ++i) {
    if (at >= text.size() || (static_cast<uint8_t>(text[at]) & 0xc0) != 0x80) return kReplacement;
    value = value << 6 | (static_cast<uint8_t>(text[at++]) & 0x3f);
  }
  return value;
}

}  // namespace

int32_t murmur2(ByteView bytes) {
  constexpr uint32_t kSeed = 0x9747b28c;
  constexpr uint32_t kMultiplier = 0x5bd1e995;
  uint32_t size = static_cast<uint32_t>(bytes.size());
  uint32_t hash = kSeed ^ size;
  size_t at = 0;
  for (; at + 4 <= bytes.size(); at += 4) {
    uint32_t word;
    std::memcpy(&word, bytes.data() + at, 4);  // little endian
    word *= kMultiplier;
    word ^= word >> 24;
    word *= kMultiplier;
    hash = hash * kMultiplier ^ word;
  }
  size_t left = bytes.size() - at;
  for (size_t i = left; i > 0; --i) {
    hash ^= static_cast<uint32_t>(static_cast<uint8_t>(bytes[at + i - 1])) << (8 * (i - 1));
  }
  if (left > 0) hash *= kMultiplier;
  hash ^= hash >> 13;
  hash *= kMultiplier;
  hash ^= hash >> 15;
  return static_cast<int32_t>(hash);
}

int32_t java_hash(ByteView utf8) {
  uint32_t hash = 0;
  for (size_t at = 0; at < utf8.size();) {
    uint32_t point = next_code_point(utf8, at);
    if (point >= 0x10000) {  // a surrogate pair
      point -= 0x10000;
      hash = 31 * hash + (0xd800 + (point >> 10));
      point = 0xdc00 + (point & 0x3ff);
    }
    hash = 31 * hash + point;
  }
  return static_cast<int32_t>(hash);
}

}  // namespace odradek
