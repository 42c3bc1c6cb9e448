#include "coordinator/tree/path.h"

#include <gtest/gtest.h>

namespace odradek::coordinator::tree {
namespace {

TEST(Path, ValidatesAsZooKeeperDoes) {
  struct Row {
    std::string path;
    bool good;
  };
  const Row rows[] = {
      {"/", true},
      {"/a", true},
      {"/a/b.c-d_e", true},
      {"/a/...", true},
      {"/\xc3\xa4\xe2\x82\xac", true},
      {"", false},
      {"a", false},
      {"/a/", false},
      {"//", false},
      {"/a//b", false},
      {"/a/.", false},
      {"/./a", false},
      {"/a/..", false},
      {"/../a", false},
      {std::string("/a\0b", 4), false},
      {"/a\x01", false},
      {"/a\x1f", false},
      {"/a\x7f", false},
      {"/a\xc2\x85", false},          // U+0085
      {"/a\xef\xbf\xb0", false},      // U+FFF0
      {"/a\xee\x80\x80", false},      // U+E000, private use
      {"/a\xf0\x9f\x98\x80", false},  // beyond U+FFFF: two surrogates to ZooKeeper
      {"/a\xc3", false},              // cut UTF-8
      {"/a\xff", false},
      {"/a\xc1\x81", false},          // an overlong A
      {"/a\xc0\xafz", false},         // an overlong slash
      {"/a\xed\xa0\x80", false},      // a surrogate
      {"/a\xed\x9f\xbf", true},       // U+D7FF
      {"/a\xef\xa4\x80", true},       // U+F900
  };
  for (const Row& row : rows) {
    EXPECT_EQ(validate_path(row.path).ok(), row.good) << row.path;
  }
  std::string deep;
  for (int i = 0; i < 65536; ++i) deep += "/a";
  EXPECT_FALSE(validate_path(deep).ok());
  EXPECT_TRUE(validate_path(deep.substr(2)).ok());
}

TEST(Path, Parts) {
  EXPECT_EQ(parent_of("/a/b"), "/a");
  EXPECT_EQ(parent_of("/a"), "/");
  EXPECT_EQ(parent_of("/"), "");
  EXPECT_EQ(name_of_path("/a/b"), "b");
  EXPECT_EQ(name_of_path("/"), "");
  EXPECT_EQ(join_path("/", "a"), "/a");
  EXPECT_EQ(join_path("/a", "b"), "/a/b");
  EXPECT_EQ(depth_of("/"), 0u);
  EXPECT_EQ(depth_of("/a/b"), 2u);
  EXPECT_TRUE(is_at_or_below("/a/b", "/a"));
  EXPECT_TRUE(is_at_or_below("/a", "/"));
  EXPECT_FALSE(is_at_or_below("/ab", "/a"));
}

}  // namespace
}  // namespace odradek::coordinator::tree
