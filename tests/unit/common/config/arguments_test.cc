#include "common/config/arguments.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace odradek::config {
namespace {

Result<Arguments> read(std::vector<const char*> words) {
  words.insert(words.begin(), "program");
  return read_arguments(static_cast<int>(words.size()), words.data(), "usage: program FILE");
}

TEST(Arguments, AFileAndOverridesInAnyOrder) {
  auto read_back = read({"--override", "a=1", "some.properties", "--override=b=2=3"});
  ASSERT_TRUE(read_back) << read_back.error().what();
  EXPECT_EQ(read_back->file, "some.properties");
  EXPECT_EQ(read_back->overrides, (std::vector<std::string>{"a=1", "b=2=3"}));
}

TEST(Arguments, WhatIsWrongIsSaidInOneLine) {
  struct Row {
    std::vector<const char*> words;
    const char* error;
  };
  const Row rows[] = {
      {{}, "usage: program FILE"},
      {{"--override", "a=1"}, "usage: program FILE"},
      {{"file", "--override"}, "--override wants key=value"},
      {{"file", "other"}, "unknown argument other; usage: program FILE"},
      {{"file", "--overrides=a=1"}, "unknown argument --overrides=a=1; usage: program FILE"},
      {{"-x", "file"}, "unknown argument -x; usage: program FILE"},
  };
  for (const Row& row : rows) {
    auto refused = read(row.words);
    ASSERT_FALSE(refused) << row.error;
    EXPECT_EQ(refused.error().what(), row.error);
  }
}

TEST(Arguments, AVariableThatIsNotSetIsEmpty) {
  ::setenv("ODRADEK_ARGUMENTS_TEST", "here", 1);
  EXPECT_STREQ(environment("ODRADEK_ARGUMENTS_TEST"), "here");
  ::unsetenv("ODRADEK_ARGUMENTS_TEST");
  EXPECT_STREQ(environment("ODRADEK_ARGUMENTS_TEST"), "");
}

}  // namespace
}  // namespace odradek::config
