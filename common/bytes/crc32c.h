#pragma once
// CRC-32C (Castagnoli), as Kafka's record batches carry it. Uses the processor's instruction where
// there is one.

#include <cstdint>

#include "common/bytes/byte_reader.h"

namespace odradek {

// The checksum of the bytes, or of what `seed` is the checksum of followed by them.
uint32_t crc32c(ByteView bytes, uint32_t seed = 0);

// The same, from a table: for machines without the instruction, and for tests.
uint32_t crc32c_portable(ByteView bytes, uint32_t seed = 0);

}  // namespace odradek
