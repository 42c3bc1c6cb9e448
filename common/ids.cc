#include "common/ids.h"

#include <sys/random.h>

#include "common/check.h"

namespace odradek {

namespace {
constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
}

std::string Uuid::to_string() const {
  std::string text;
  uint32_t pending = 0;
  int bits = 0;
  for (uint8_t byte : bytes) {
    pending = pending << 8 | byte;
    bits += 8;
    while (bits >= 6) {
      bits -= 6;
      text += kAlphabet[pending >> bits & 63];
    }
  }
  text += kAlphabet[pending << (6 - bits) & 63];
  return text;
}

std::optional<Uuid> Uuid::parse(std::string_view text) {
  if (text.size() != 22) return std::nullopt;
  Uuid id;
  uint32_t pending = 0;
  int bits = 0;
  size_t filled = 0;
  for (char c : text) {
    size_t digit = kAlphabet.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    pending = pending << 6 | static_cast<uint32_t>(digit);
    bits += 6;
    if (bits >= 8 && filled < id.bytes.size()) {
      bits -= 8;
      id.bytes[filled++] = static_cast<uint8_t>(pending >> bits);
    }
  }
  return id;
}

Uuid Uuid::random() {
  Uuid id;
  do {
    CHECK(getrandom(id.bytes.data(), id.bytes.size(), 0) == static_cast<ssize_t>(id.bytes.size()));
    id.bytes[6] = static_cast<uint8_t>((id.bytes[6] & 0x0f) | 0x40);
    id.bytes[8] = static_cast<uint8_t>((id.bytes[8] & 0x3f) | 0x80);
  } while (id.to_string().front() == '-');
  return id;
}

}  // namespace odradek
