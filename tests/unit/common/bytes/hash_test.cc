#include "common/bytes/hash.h"

#include <gtest/gtest.h>

#include "common/bytes/text_codec.h"

namespace odradek {
namespace {

TEST(Hash, Murmur2) {  // the values of Kafka's own partitioner
  EXPECT_EQ(murmur2("21"), -973932308);
  EXPECT_EQ(murmur2("foobar"), -790332482);
  EXPECT_EQ(murmur2("a-little-bit-long-string"), -985981536);
  EXPECT_EQ(murmur2("a-little-bit-longer-string"), -1486304829);
  EXPECT_EQ(murmur2("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8"), -58897971);
  EXPECT_EQ(murmur2("abc"), 479470107);
}

TEST(Hash, JavaString) {
  EXPECT_EQ(java_hash(""), 0);
  EXPECT_EQ(java_hash("hello"), 99162322);
  EXPECT_EQ(java_hash("polygenelubricants"), INT32_MIN);
  EXPECT_EQ(java_hash_positive("polygenelubricants"), 0);
  EXPECT_EQ(java_hash("\u00e9"), 0xe9);
  EXPECT_EQ(java_hash("\U0001F600"), 31 * 0xd83d + 0xde00);  // two UTF-16 units
  EXPECT_EQ(java_hash("\xff"), 0xfffd);                      // not UTF-8
  EXPECT_EQ(java_hash("\xe2\x82"), 0xfffd);                  // cut short
}

TEST(TextCodec, Base64) {
  struct Case {
    std::string bytes;
    std::string text;
    std::string url;
  };
  for (const Case& c : {Case{"", "", ""},
                        {"f", "Zg==", "Zg"},
                        {"fo", "Zm8=", "Zm8"},
                        {"foo", "Zm9v", "Zm9v"},
                        {"\xfb\xff\xfe", "+//+", "-__-"}}) {
    EXPECT_EQ(base64_encode(c.bytes), c.text);
    EXPECT_EQ(base64_url_encode(c.bytes), c.url);
    EXPECT_EQ(base64_decode(c.text), c.bytes);
    EXPECT_EQ(base64_decode(c.url), c.bytes);
  }
  EXPECT_FALSE(base64_decode("a").has_value());
  EXPECT_FALSE(base64_decode("a!bc").has_value());
}

TEST(TextCodec, Hex) {
  EXPECT_EQ(hex_encode(std::string("\x00\xff\x1a", 3)), "00ff1a");
  EXPECT_EQ(hex_decode("00fF1A"), std::string("\x00\xff\x1a", 3));
  EXPECT_FALSE(hex_decode("0").has_value());
  EXPECT_FALSE(hex_decode("0g").has_value());
}

}  // namespace
}  // namespace odradek
