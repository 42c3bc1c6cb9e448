#include "common/bytes/crc32.h"

#include <zlib.h>

namespace odradek {

uint32_t crc32(ByteView bytes, uint32_t seed) {
  return static_cast<uint32_t>(
      ::crc32_z(seed, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

uint32_t adler32(ByteView bytes, uint32_t seed) {
  return static_cast<uint32_t>(
      ::adler32_z(seed, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

}  // namespace odradek
