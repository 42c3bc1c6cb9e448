#pragma once
// The hashes that decide in Kafka where something lives.

#include <cstdint>

#include "common/bytes/byte_reader.h"

namespace odradek {

// Murmur2 with Kafka's seed: the default partitioner takes (murmur2(key) & 0x7fffffff) %
// partitions.
int32_t murmur2(ByteView bytes);

// Java's String.hashCode of UTF-8 text, over its UTF-16 units. A group lives in __consumer_offsets
// partition java_hash_positive(group) % partitions, a transactional id likewise.
int32_t java_hash(ByteView utf8);

// As Kafka's Utils.abs: the absolute value (not the hash without its sign bit); of the smallest
// integer 0.
inline int32_t java_hash_positive(ByteView utf8) {
  int32_t hash = java_hash(utf8);
  return hash == INT32_MIN ? 0 : hash < 0 ? -hash : hash;
}

}  // namespace odradek
