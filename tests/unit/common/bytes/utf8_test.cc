#include "common/bytes/utf8.h"

#include <gtest/gtest.h>

#include <vector>

#include "common/bytes/text_codec.h"

namespace odradek {
namespace {

std::vector<uint32_t> characters(const std::string& hex) {
  std::string text = *hex_decode(hex);
  std::vector<uint32_t> found;
  for (size_t at = 0; at < text.size();) found.push_back(next_character(text, at));
  return found;
}

using Characters = std::vector<uint32_t>;

TEST(Utf8, WellFormedTextIsItsCharacters) {
  EXPECT_EQ(characters("612f00"), (Characters{'a', '/', 0}));
  EXPECT_EQ(characters("c280dfbf"), (Characters{0x80, 0x7ff}));
  EXPECT_EQ(characters("e0a080ed9fbfee8080efbfbf"), (Characters{0x800, 0xd7ff, 0xe000, 0xffff}));
  EXPECT_EQ(characters("f0908080f48fbfbf"), (Characters{0x10000, 0x10ffff}));
}

// The counts are those of new String(bytes, UTF_8) on Java 17.
TEST(Utf8, MalformedSequencesAreReplacedAsJavaDoes) {
  constexpr uint32_t bad = kReplacementCharacter;
  struct Row {
    const char* hex;
    Characters expected;
  };
  for (const Row& row : std::vector<Row>{{"eda080", {bad}},
                                         {"eda078", {bad, 'x'}},
                                         {"c181", {bad, bad}},
                                         {"e08080", {bad, bad, bad}},
                                         {"e0a078", {bad, 'x'}},
                                         {"f09f9878", {bad, 'x'}},
                                         {"f0808080", {bad, bad, bad, bad}},
                                         {"f4908080", {bad, bad, bad, bad}},
                                         {"e282", {bad}},
                                         {"fffe", {bad, bad}},
                                         {"c3c3", {bad, bad}},
                                         {"80", {bad}}}) {
    EXPECT_EQ(characters(row.hex), row.expected) << row.hex;
    EXPECT_FALSE(is_utf8(*hex_decode(row.hex))) << row.hex;
  }
}

TEST(Utf8, ReplacingLeavesTheRest) {
  EXPECT_EQ(replace_malformed("a\xff" "b"), "a\xef\xbf\xbd" "b");
  EXPECT_EQ(replace_malformed("gr\xc3\xbc\xc3\x9f"), "gr\xc3\xbc\xc3\x9f");
  EXPECT_EQ(replace_malformed(""), "");
  // the character itself is well-formed
  EXPECT_TRUE(is_utf8("\xef\xbf\xbd"));
}

}  // namespace
}  // namespace odradek
