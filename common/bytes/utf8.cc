#include "common/bytes/utf8.h"

namespace odradek {

namespace {

struct Lead {
  int more = 0;  // continuation bytes; 0: no lead byte
  uint8_t low = 0x80;
  uint8_t high = 0xbf;  // what the first of them may be
};

Lead lead_of(uint8_t byte) {
  if (byte >= 0xc2 && byte <= 0xdf) return {1, 0x80, 0xbf};
  if (byte == 0xe0) return {2, 0xa0, 0xbf};
  // the surrogates below ED are a whole sequence, and malformed
  if (byte >= 0xe1 && byte <= 0xef) return {2, 0x80, 0xbf};
  if (byte == 0xf0) return {3, 0x90, 0xbf};
  if (byte >= 0xf1 && byte <= 0xf3) return {3, 0x80, 0xbf};
  if (byte == 0xf4) return {3, 0x80, 0x8f};
  return {};
}

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

}  // namespace

uint32_t next_character(ByteView text, size_t& at) {
  auto first = static_cast<uint8_t>(text[at++]);
  if (first < 0x80) return first;
  Lead lead = lead_of(first);
  if (lead.more == 0) return kReplacementCharacter;
  uint32_t character = first & (0x3f >> lead.more);
  for (int i = 0; i < lead.more; ++i) {
    if (at == text.size()) return kReplacementCharacter;
    auto next = static_cast<uint8_t>(text[at]);
    if (next < (i == 0 ? lead.low : 0x80) || next > (i == 0 ? lead.high : 0xbf)) {
      return kReplacementCharacter;
    }
    character = character << 6 | (next & 0x3f);
    ++at;
  }
  return character >= 0xd800 && character <= 0xdfff ? kReplacementCharacter : character;
}

bool is_utf8(ByteView text) {
  for (size_t at = 0; at < text.size();) {
    size_t from = at;
    if (next_character(text, at) == kReplacementCharacter &&
        text.substr(from, at - from) != kReplacement) {
      return false;
    }
  }
  return true;
}

std::string replace_malformed(ByteView text) {
  if (is_utf8(text)) return std::string(text);
  std::string out;
  for (size_t at = 0; at < text.size();) {
    size_t from = at;
    if (next_character(text, at) == kReplacementCharacter) {
      out += kReplacement;
    } else {
      out += text.substr(from, at - from);
    }
  }
  return out;
}

}  // namespace odradek
