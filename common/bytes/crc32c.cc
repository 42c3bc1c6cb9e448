#include "common/bytes/crc32c.h"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace odradek {
namespace {

constexpr uint32_t kPolynomial = 0x82f63b78;  // reflected

constexpr std::array<std::array<uint32_t, 256>, 8> make_tables() {
  std::array<std::array<uint32_t, 256>, 8> tables{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) ? kPolynomial : 0);
    tables[0][i] = crc;
  }
  for (size_t t = 1; t < 8; ++t) {
    for (size_t i = 0; i < 256; ++i) {
      tables[t][i] = (tables[t - 1][i] >> 8) ^ tables[0][tables[t - 1][i] & 0xff];
    }
  }
  return tables;
}
constexpr auto kTables = make_tables();

// All of these work on the inverted register.
uint32_t update_table(uint32_t crc, const char* at, size_t size) {
  while (size >= 8) {
    uint64_t word;
    std::memcpy(&word, at, 8);  // little endian, as every machine that we build for
    word ^= crc;
    crc = kTables[7][word & 0xff] ^ kTables[6][(word >> 8) & 0xff] ^
          kTables[5][(word >> 16) & 0xff] ^ kTables[4][(word >> 24) & 0xff] ^
          kTables[3][(word >> 32) & 0xff] ^ kTables[2][(word >> 40) & 0xff] ^
          kTables[1][(word >> 48) & 0xff] ^ kTables[0][word >> 56];
    at += 8;
    size -= 8;
  }
  for (; size > 0; --size)
    crc = (crc >> 8) ^ kTables[0][(crc ^ static_cast<uint8_t>(*at++)) & 0xff];
  return crc;
}

#if defined(__x86_64__)

// x^bits modulo the polynomial, in reflected order.
constexpr uint32_t power_of_x(uint64_t bits) {
  uint32_t value = 0x80000000;  // x^0
  for (; bits > 0; --bits) value = (value >> 1) ^ ((value & 1) ? kPolynomial : 0);
  return value;
}

// Multiplying by this and feeding the 64-bit product to the crc instruction moves a register over n
// bytes.
constexpr uint32_t shift_constant(size_t bytes) { return power_of_x(8 * bytes - 33); }

__attribute__((target("sse4.2"))) uint32_t update_one_stream(uint32_t crc, const char* at,
                                                             size_t size) {
  uint64_t wide = crc;
  for (; size >= 8; size -= 8, at += 8) {
    uint64_t word;
    std::memcpy(&word, at, 8);
    wide = _mm_crc32_u64(wide, word);
  }
  crc = static_cast<uint32_t>(wide);
  for (; size > 0; --size) crc = _mm_crc32_u8(crc, static_cast<uint8_t>(*at++));
  return crc;
}

// Three streams of Block bytes hide the latency of the instruction; carry-less products join them.
template <size_t Block>
__attribute__((target("sse4.2,pclmul"))) uint32_t update_three_streams(uint32_t crc,
                                                                       const char*& at,
                                                                       size_t& size) {
  constexpr uint32_t kShiftOne = shift_constant(Block);
  constexpr uint32_t kShiftTwo = shift_constant(2 * Block);
  while (size >= 3 * Block) {
    uint64_t a = crc, b = 0, c = 0, word_a, word_b, word_c;
    for (size_t i = 0; i + 8 < Block; i += 8) {
      std::memcpy(&word_a, at + i, 8);
      std::memcpy(&word_b, at + Block + i, 8);
      std::memcpy(&word_c, at + 2 * Block + i, 8);
      a = _mm_crc32_u64(a, word_a);
      b = _mm_crc32_u64(b, word_b);
      c = _mm_crc32_u64(c, word_c);
    }
    std::memcpy(&word_a, at + Block - 8, 8);
    std::memcpy(&word_b, at + 2 * Block - 8, 8);
    std::memcpy(&word_c, at + 3 * Block - 8, 8);
    a = _mm_crc32_u64(a, word_a);
    b = _mm_crc32_u64(b, word_b);
    __m128i moved_a = _mm_clmulepi64_si128(_mm_cvtsi64_si128(static_cast<int64_t>(a)),
                                           _mm_cvtsi32_si128(static_cast<int>(kShiftTwo)), 0);
    __m128i moved_b = _mm_clmulepi64_si128(_mm_cvtsi64_si128(static_cast<int64_t>(b)),
                                           _mm_cvtsi32_si128(static_cast<int>(kShiftOne)), 0);
    uint64_t joined = static_cast<uint64_t>(_mm_cvtsi128_si64(_mm_xor_si128(moved_a, moved_b)));
    crc = static_cast<uint32_t>(_mm_crc32_u64(c, word_c) ^ _mm_crc32_u64(0, joined));
    at += 3 * Block;
    size -= 3 * Block;
  }
  return crc;
}

__attribute__((target("sse4.2,pclmul"))) uint32_t update_hardware(uint32_t crc, const char* at,
                                                                  size_t size) {
  if (size >= 512) {
    crc = update_three_streams<2048>(crc, at, size);
    crc = update_three_streams<256>(crc, at, size);
    crc = update_three_streams<64>(crc, at, size);
  }
  return update_one_stream(crc, at, size);
}

bool has_instructions() {
  return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul");
}

#endif

}  // namespace

uint32_t crc32c_portable(ByteView bytes, uint32_t seed) {
  return ~update_table(~seed, bytes.data(), bytes.size());
}

uint32_t crc32c(ByteView bytes, uint32_t seed) {
#if defined(__x86_64__)
  static const bool hardware = has_instructions();
  if (hardware) return ~update_hardware(~seed, bytes.data(), bytes.size());
#endif
  return crc32c_portable(bytes, seed);
}

}  // namespace odradek
