#include "common/cli/options.h"

#include <gtest/gtest.h>

#include <array>

namespace odradek::cli {
namespace {

constexpr std::array kOptions = {
    OptionSpec{"topic", Arg::required, "String: topic", "The topic."},
    OptionSpec{"partitions", Arg::required, "Integer: # of partitions", "How many."},
    OptionSpec{"partition-size-limit", Arg::required, "Integer", "Another one that begins so."},
    OptionSpec{"group", Arg::required, "String: group", "The group."},
    OptionSpec{"shift-by", Arg::required, "Long: number", "By how much."},
    OptionSpec{"state", Arg::optional, "String", "A state, or none."},
    OptionSpec{"list", Arg::none, "", "List.", ""},
    OptionSpec{"timeout", Arg::required, "Long: ms", "How long.", "5000"},
};
constexpr Program kProgram{"kafka-test", "A program of the tests.", kOptions};

Result<Options> parse(std::vector<std::string> words) { return Options::parse(kProgram, words); }

TEST(Options, AcceptsOneDashTwoDashesAndEquals) {
  for (const auto& words :
       {std::vector<std::string>{"-group", "g"}, {"--group", "g"}, {"--group=g"}, {"-group=g"}}) {
    auto options = parse(words);
    ASSERT_TRUE(options.ok());
    EXPECT_EQ(options->value("group"), "g");
  }
}

TEST(Options, TakesAClearBeginningAndThePlural) {
  EXPECT_EQ(parse({"--gr", "g"})->value("group"), "g");
  EXPECT_EQ(parse({"--partition", "2"})->number("partitions"), 2);
  EXPECT_FALSE(parse({"--t", "x"}).ok()) << "topic or timeout";
}

TEST(Options, ARequiredArgumentMayLookLikeAnOption) {
  EXPECT_EQ(parse({"--shift-by", "-100"})->number("shift-by"), -100);
}

TEST(Options, AnOptionalArgumentMayNot) {
  auto options = parse({"--state", "--list"});
  ASSERT_TRUE(options.ok());
  EXPECT_TRUE(options->has("state"));
  EXPECT_TRUE(options->has("list"));
  EXPECT_FALSE(options->find("state").has_value());
  EXPECT_EQ(parse({"--state", "Empty"})->value("state"), "Empty");
}

TEST(Options, DefaultsHoldUntilGiven) {
  EXPECT_EQ(parse({})->number("timeout"), 5000);
  EXPECT_FALSE(parse({})->has("timeout"));
  EXPECT_EQ(parse({"--timeout", "1"})->number("timeout"), 1);
}

TEST(Options, ErrorsAreTheOfficialSentences) {
  EXPECT_EQ(parse({"--nonsense"}).error().what(),
            "joptsimple.UnrecognizedOptionException: nonsense is not a recognized option");
  EXPECT_EQ(parse({"--topic"}).error().what(),
            "joptsimple.OptionMissingRequiredArgumentException: Option topic requires an argument");
}

TEST(OptionsDeathTest, ANumberThatIsNoneEndsTheProgramWhenItIsRead) {
  auto options = parse({"--partitions", "abc"});
  ASSERT_TRUE(options.ok());
  EXPECT_EXIT(options->number("partitions"), testing::ExitedWithCode(1),
              "joptsimple.OptionArgumentConversionException: Cannot parse argument 'abc' of option "
              "partitions");
  auto large = parse({"--partitions", "99999999999"});
  EXPECT_EXIT(large->number("partitions"), testing::ExitedWithCode(1), "Cannot parse argument");
}

TEST(Options, RepeatedOptionsAreKeptInOrder) {
  EXPECT_EQ(parse({"--topic", "a", "--topic=b"})->values("topic"),
            (std::vector<std::string>{"a", "b"}));
}

TEST(Options, TheUsageTableIsEightyWide) {
  std::string table = usage_table(kProgram);
  size_t from = 0;
  while (from < table.size()) {
    size_t end = table.find('\n', from);
    EXPECT_LE(end - from, 80u);
    from = end + 1;
  }
  EXPECT_NE(table.find("--partitions <Integer: # of partitions>"), std::string::npos);
}

}  // namespace
}  // namespace odradek::cli
