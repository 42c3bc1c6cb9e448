#include "common/bytes/siphash.h"

#include <bit>
#include <cstring>
#include <random>

namespace odradek {
namespace {

struct State {
  uint64_t v0, v1, v2, v3;

  void round() {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }
  void take(uint64_t word) {
    v3 ^= word;
    round();
    round();
    v0 ^= word;
  }
  uint64_t finish() {
    for (int i = 0; i < 4; ++i) round();
    return v0 ^ v1 ^ v2 ^ v3;
  }
};

uint64_t little_endian(const char* bytes, size_t size) {
  uint64_t word = 0;
  for (size_t i = 0; i < size; ++i) {
    word |= uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  }
  return word;
}

}  // namespace

SipHash SipHash::with_random_key() {
  std::random_device random;
  auto word = [&] { return uint64_t{random()} << 32 | random(); };
  const uint64_t low = word();
  return SipHash(low, word());
}

Hash128 SipHash::operator()(ByteView bytes) const {
  // the constants spell "somepseudorandomlygeneratedbytes"; 0xee marks the long result
  State state{key_low_ ^ 0x736f6d6570736575, key_high_ ^ 0x646f72616e646f6d ^ 0xee,
              key_low_ ^ 0x6c7967656e657261, key_high_ ^ 0x7465646279746573};
  size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) {
    uint64_t word;
    if constexpr (std::endian::native == std::endian::little) {
      std::memcpy(&word, bytes.data() + at, 8);
    } else {
      word = little_endian(bytes.data() + at, 8);
    }
    state.take(word);
  }
  state.take(little_endian(bytes.data() + at, bytes.size() - at) | uint64_t{bytes.size()} << 56);
  state.v2 ^= 0xee;
  Hash128 hash;
  hash.low = state.finish();
  state.v1 ^= 0xdd;
  hash.high = state.finish();
  return hash;
}

}  // namespace odradek
