#pragma once
// CRC-32 (zlib's, IEEE), as message sets of format 0 and 1 and gzip carry it.

#include <cstdint>

#include "common/bytes/byte_reader.h"

namespace odradek {

// The checksum of the bytes, or of what `seed` is the checksum of followed by them.
uint32_t crc32(ByteView bytes, uint32_t seed = 0);

// Adler-32, as ZooKeeper's log and snapshot files carry it. The seed of nothing is 1.
uint32_t adler32(ByteView bytes, uint32_t seed = 1);

}  // namespace odradek
