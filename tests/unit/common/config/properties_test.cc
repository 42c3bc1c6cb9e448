#include "common/config/properties.h"

#include <gtest/gtest.h>

namespace odradek::config {
namespace {

struct Case {
  const char* name;
  std::string text;
  std::vector<std::pair<std::string, std::string>> expected;
};

class PropertiesText : public testing::TestWithParam<Case> {};

TEST_P(PropertiesText, IsReadAsJavaDoes) {
  auto properties = Properties::parse(GetParam().text, "test.properties");
  ASSERT_TRUE(properties.ok());
  std::vector<std::pair<std::string, std::string>> got;
  for (const Property& entry : properties->entries()) got.emplace_back(entry.key, entry.value);
  EXPECT_EQ(got, GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, PropertiesText,
    testing::Values(
        Case{"equals", "a.b=c\n", {{"a.b", "c"}}}, Case{"colon", "a:b", {{"a", "b"}}},
        Case{"space", "a b c", {{"a", "b c"}}}, Case{"around", " \t a  =  b  \n", {{"a", "b  "}}},
        Case{"bare", "key\n", {{"key", ""}}}, Case{"empty_value", "key=\n", {{"key", ""}}},
        Case{"comments", "# a=1\n  ! b=2\nc=3 # not a comment\n", {{"c", "3 # not a comment"}}},
        Case{"hash_in_value", "password=pass#word", {{"password", "pass#word"}}},
        Case{"separators_in_value", "a=b=c:d", {{"a", "b=c:d"}}},
        Case{"two_separators", "a = : b", {{"a", ": b"}}},
        Case{"continuation", "a=b,\\\n    c,\\\r\n    d\ne=f", {{"a", "b,c,d"}, {"e", "f"}}},
        Case{"continued_comment_sign", "a=b\\\n#c", {{"a", "b#c"}}},
        Case{"no_continuation_of_comments", "#a\\\nb=c", {{"b", "c"}}},
        Case{"even_backslashes", "a=b\\\\\nc=d", {{"a", "b\\"}, {"c", "d"}}},
        Case{"continuation_at_the_end", "a=b\\", {{"a", "b"}}},
        Case{"windows", "a=b\r\nc=d\r\n", {{"a", "b"}, {"c", "d"}}},
        Case{"mac", "a=b\rc=d", {{"a", "b"}, {"c", "d"}}},
        Case{"duplicates", "a=1\nb=2\na=3", {{"a", "3"}, {"b", "2"}}},
        Case{"escapes",
             "a\\ b\\=c=d\\te\\u00e9\\uD83D\\uDE00\\q",
             {{"a b=c", "d\te\u00e9\U0001F600q"}}},
        Case{"lone_surrogate", "a=\\uD83D!", {{"a", "\uFFFD!"}}},
        Case{"section", "[x]\n", {{"[x]", ""}}},
        Case{"utf8", "a=\xed\x95\x9c", {{"a", "\xed\x95\x9c"}}},
        Case{"mark",
             "\xef\xbb\xbf"
             "a=b",
             {{"a", "b"}}},
        Case{"server", "server.1=h:2888:3888", {{"server.1", "h:2888:3888"}}}),
    [](const auto& info) { return info.param.name; });

TEST(Properties, LinesAreWhereEntriesBegin) {
  auto properties = Properties::parse("# x\n\na=b\\\n c\n\nd=e\na=f\n", "dir/x.properties");
  ASSERT_TRUE(properties.ok());
  EXPECT_EQ(properties->place(*properties->find("d")), "dir/x.properties:6");
  EXPECT_EQ(properties->place(*properties->find("a")), "dir/x.properties:7");
  EXPECT_EQ(properties->find("x"), nullptr);
}

TEST(Properties, BadEscapeIsNamed) {
  auto properties = Properties::parse("a=1\nb=\\u12g4\n", "x.properties");
  ASSERT_FALSE(properties.ok());
  EXPECT_EQ(properties.error().code(), Errc::bad_setting);
  EXPECT_TRUE(properties.error().what().starts_with("x.properties:2: "))
      << properties.error().what();
}

TEST(Properties, OverridesCountMore) {
  auto properties = Properties::parse("a=1\n", "x.properties");
  ASSERT_TRUE(properties->add_override("a=2=3").ok());
  EXPECT_EQ(properties->find("a")->value, "2=3");
  EXPECT_EQ(properties->place(*properties->find("a")), "--override");
  EXPECT_FALSE(properties->add_override("novalue").ok());
  EXPECT_FALSE(properties->add_override("=1").ok());
}

}  // namespace
}  // namespace odradek::config
