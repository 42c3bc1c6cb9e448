#pragma once
// SipHash-2-4 with a result of 128 bits (Aumasson and Bernstein): a hash with a key. Who does not
// know the key cannot make two inputs that collide; for everyone else's inputs 128 bits are enough
// to take equal hashes for equal inputs.

#include <cstdint>

#include "common/bytes/byte_reader.h"

namespace odradek {

struct Hash128 {
  uint64_t low = 0;   // the first eight bytes of the result, little endian
  uint64_t high = 0;  // the last eight
  bool operator==(const Hash128&) const = default;
};

class SipHash {
 public:
  // The key's 16 bytes as two numbers, little endian.
  SipHash(uint64_t key_low, uint64_t key_high) : key_low_(key_low), key_high_(key_high) {}
  // With a key that nobody else has.
  static SipHash with_random_key();

  Hash128 operator()(ByteView bytes) const;

 private:
  uint64_t key_low_;
  uint64_t key_high_;
};

}  // namespace odradek
