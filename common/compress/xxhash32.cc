#include "common/compress/xxhash32.h"

#include <bit>
#include <cstring>

namespace odradek::compress {
namespace {

constexpr uint32_t kPrime1 = 0x9E3779B1, kPrime2 = 0x85EBCA77, kPrime3 = 0xC2B2AE3D,
                   kPrime4 = 0x27D4EB2F, kPrime5 = 0x165667B1;

uint32_t little(const char* at) {
  uint32_t value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

uint32_t mix(uint32_t lane, const char* at) {
  return std::rotl(lane + little(at) * kPrime2, 13) * kPrime1;
}

}  // namespace

uint32_t xxhash32(ByteView bytes) {
  const char* at = bytes.data();
  const char* end = at + bytes.size();
  uint32_t hash;
  if (bytes.size() >= 16) {
    uint32_t a = kPrime1 + kPrime2, b = kPrime2, c = 0, d = 0 - kPrime1;
    for (; end - at >= 16; at += 16) {
      a = mix(a, at);
      b = mix(b, at + 4);
      c = mix(c, at + 8);
      d = mix(d, at + 12);
    }
    hash = std::rotl(a, 1) + std::rotl(b, 7) + std::rotl(c, 12) + std::rotl(d, 18);
  } else {
    hash = kPrime5;
  }
  hash += static_cast<uint32_t>(bytes.size());
  for (; end - at >= 4; at += 4) hash = std::rotl(hash + little(at) * kPrime3, 17) * kPrime4;
  for (; at < end; ++at) hash = std::rotl(hash + static_cast<uint8_t>(*at) * kPrime5, 11) * kPrime1;
  hash = (hash ^ hash >> 15) * kPrime2;
  hash = (hash ^ hash >> 13) * kPrime3;
  return hash ^ hash >> 16;
}

}  // namespace odradek::compress
