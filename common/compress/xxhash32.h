#pragma once
// xxHash, 32 bits, seed 0: only for the header checksum of LZ4 frames.

#include <cstdint>

#include "common/bytes/byte_reader.h"

namespace odradek::compress {

uint32_t xxhash32(ByteView bytes);

}  // namespace odradek::compress
