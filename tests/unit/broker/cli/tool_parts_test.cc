// Small parts of the admin tools: names, plans, config arguments, assignments.

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <fstream>

#include "broker/cli/config_command.h"
#include "broker/cli/group_rows.h"
#include "broker/cli/kafka_error.h"
#include "broker/cli/offset_reset.h"
#include "broker/cli/tool_support.h"
#include "broker/cli/topic_names.h"
#include "broker/cli/zk_admin.h"

namespace odradek::broker::cli {
namespace {

using Names = std::vector<std::string>;

TEST(TopicFilter, MatchesWholeNames) {
  Names names = {"__consumer_offsets", "a.b", "axb", "t1", "t12"};
  EXPECT_EQ(TopicFilter("t1", false).select(names), Names{"t1"});
  EXPECT_EQ(TopicFilter("t.*", false).select(names), (Names{"t1", "t12"}));
  EXPECT_EQ(TopicFilter("a.b", false).select(names), (Names{"a.b", "axb"}));
  EXPECT_EQ(TopicFilter("t1, axb", false).select(names), (Names{"axb", "t1"}));
  EXPECT_EQ(TopicFilter(".*", true).select(names).size(), 4u);
  EXPECT_THROW(TopicFilter("a(", false).select(names), KafkaError);
}

TEST(ToolSupport, ArgumentsWinOverTheFile) {
  using odradek::cli::Arg;
  static constexpr std::array kSpecs = {
      odradek::cli::OptionSpec{"config", Arg::required, "file", ""},
      odradek::cli::OptionSpec{"other-config", Arg::required, "file", ""},
      odradek::cli::OptionSpec{"property", Arg::required, "prop", ""},
  };
  static constexpr odradek::cli::Program kTool{"tool", "", kSpecs};
  std::string path = testing::TempDir() + "tool_support_test.properties";
  std::ofstream(path) << "acks=1\nlinger.ms=5\n";
  const std::vector<std::string> words = {"--config",   path,          "--property",
                                          "acks=all",   "--property",  "retries=a=b",
                                          "--property", "linger.ms"};
  auto options = odradek::cli::Options::parse(kTool, words);
  ASSERT_TRUE(options) << options.error().what();
  EXPECT_EQ(given_properties(*options, "config", "property"),
            (Properties{{"acks", "all"}, {"linger.ms", ""}, {"retries", "a=b"}}));
  EXPECT_EQ(file_properties(*options, "config"), (Properties{{"acks", "1"}, {"linger.ms", "5"}}));
  EXPECT_EQ(file_properties(*options, "other-config"), Properties{});
  std::remove(path.c_str());
}

TEST(TopicNames, WhatKafkaRefuses) {
  EXPECT_EQ(name_problem("t-1_x.y"), "");
  EXPECT_NE(name_problem("bad name"), "");
  EXPECT_NE(name_problem(std::string(250, 'a')), "");
  EXPECT_EQ(name_problem(std::string(249, 'a')), "");
  EXPECT_EQ(name_problem(".."), "Topic name is invalid: '..' is not allowed");
  EXPECT_EQ(colliding_topics("a_b", {"a.b", "ab"}), Names{"a.b"});
}

TEST(OffsetReset, Times) {
  EXPECT_EQ(parse_datetime("2020-01-01T00:00:00.000"), 1577836800000);
  EXPECT_EQ(parse_datetime("2020-01-01T00:00:00.5Z"), 1577836800500);
  EXPECT_EQ(parse_datetime("2020-01-01T01:00:00+01:00"), 1577836800000);
  EXPECT_THROW(parse_datetime("2020-01-01"), KafkaError);
  EXPECT_EQ(parse_duration("P1DT2H3M4.5S"), 93784500);
  EXPECT_EQ(parse_duration("PT0S"), 0);
  EXPECT_THROW(parse_duration("1 day"), KafkaError);
}

TEST(OffsetReset, TopicArguments) {
  auto partitions = split_topic_argument("t:0,2");
  ASSERT_TRUE(partitions.has_value());
  EXPECT_EQ(partitions->size(), 2u);
  EXPECT_EQ((*partitions)[1].partition, PartitionId(2));
  EXPECT_FALSE(split_topic_argument("t").has_value());
  EXPECT_THROW(split_topic_argument("t:x"), KafkaError);
}

TEST(OffsetReset, PlansSurviveAFile) {
  std::map<std::string, OffsetPlan> one = {
      {"g", {{{"t", PartitionId(0)}, 5}, {{"t", PartitionId(1)}, 6}}}};
  EXPECT_EQ(write_plan(one), "t,0,5\nt,1,6\n");
  EXPECT_EQ(read_plan(write_plan(one), {"g"}), one);
  auto two = one;
  two["h"] = {{{"u", PartitionId(0)}, 1}};
  EXPECT_EQ(read_plan(write_plan(two), {"g", "h"}), two);
  EXPECT_THROW(read_plan("t,0,x\n", {"g"}), KafkaError);
  EXPECT_THROW(read_plan("t,0,1\n", {"g", "h"}), KafkaError);
}

TEST(ConfigArguments, BracketsHoldCommas) {
  auto added = parse_added_configs("retention.ms=1, cleanup.policy=[compact,delete],x=");
  EXPECT_EQ(added["retention.ms"], "1");
  EXPECT_EQ(added["cleanup.policy"], "compact,delete");
  EXPECT_EQ(added["x"], "");
  EXPECT_THROW(parse_added_configs("nothing"), KafkaError);
  EXPECT_THROW(parse_added_configs("a b=1"), KafkaError);
}

TEST(GroupRows, AssignmentsOfForeignBytesAreEmpty) {
  EXPECT_TRUE(parse_assignment("").empty());
  EXPECT_TRUE(parse_assignment("\xff\xff").empty());
  std::string bytes("\0\0\0\0\0\1\0\1t\0\0\0\2\0\0\0\1\0\0\0\0\xff\xff\xff\xff", 25);
  auto partitions = parse_assignment(bytes);
  ASSERT_EQ(partitions.size(), 2u);
  EXPECT_EQ(partitions[0].partition, PartitionId(0));
}

TEST(AssignReplicas, LeadersGoAround) {
  std::vector<ZkBroker> brokers = {{0, "a"}, {1, "a"}, {2, "b"}};
  auto assignment = assign_replicas(brokers, 6, 2, 0, 0, 0, false);
  std::map<int32_t, int> leaders;
  for (const auto& [partition, replicas] : assignment) {
    ASSERT_EQ(replicas.size(), 2u);
    EXPECT_NE(replicas[0], replicas[1]);
    ++leaders[replicas[0]];
  }
  for (const auto& [broker, count] : leaders) EXPECT_EQ(count, 2);
  EXPECT_THROW(assign_replicas(brokers, 1, 4, 0, 0, 0, true), KafkaError);
  EXPECT_THROW(assign_replicas(brokers, 0, 1, 0, 0, 0, true), KafkaError);
}

TEST(KafkaError, NamesAndSentences) {
  EXPECT_EQ(KafkaError(int16_t{3}).to_string(),
            "org.apache.kafka.common.errors.UnknownTopicOrPartitionException: This server does not "
            "host this "
            "topic-partition.");
  EXPECT_EQ(KafkaError(int16_t{36}, "Topic 't1' already exists.").message(),
            "Topic 't1' already exists.");
  EXPECT_TRUE(KafkaError(int16_t{16}).retriable());
  EXPECT_FALSE(illegal_argument("x").retriable());
}

}  // namespace
}  // namespace odradek::broker::cli
