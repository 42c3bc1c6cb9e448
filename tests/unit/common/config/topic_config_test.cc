#include "common/config/topic_config.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "common/config/describe.h"

namespace odradek::config {
namespace {

Settings load(std::string_view text) {
  auto settings = load_settings(broker_settings(), *Properties::parse(text, "server.properties"));
  EXPECT_TRUE(settings.ok());
  return *settings;
}

DescribedConfig pick(const std::vector<DescribedConfig>& all, std::string_view name) {
  auto at = std::find_if(all.begin(), all.end(),
                         [&](const DescribedConfig& c) { return c.name == name; });
  EXPECT_NE(at, all.end()) << name;
  return at == all.end() ? DescribedConfig() : *at;
}

// "SOURCE name=value" for each synonym.
std::string shown(const DescribedConfig& config) {
  std::string out =
      config.value.value_or("null") + " " + std::to_string(static_cast<int>(config.source));
  for (const ConfigSynonym& synonym : config.synonyms) {
    out += " {" + std::to_string(static_cast<int>(synonym.source)) + " " + synonym.name + "=" +
           synonym.value.value_or("null") + "}";
  }
  return out;
}

TEST(TopicConfig, DefaultsAreTheStructsOwn) {
  std::string problem;
  EXPECT_EQ(resolve_topic_config({}, {}, &problem), TopicConfig());
  EXPECT_EQ(problem, "");
}

TEST(TopicConfig, LayersInOrder) {
  Settings settings = load(
      "log.retention.hours=2\nlog.segment.bytes=5000\nlog.roll.hours=1\nmessage.max.bytes=77\n");
  BrokerConfigs broker{nullptr, nullptr, &settings};
  TopicConfig config = resolve_topic_config({}, broker);
  EXPECT_EQ(config.retention_ms, 7'200'000);
  EXPECT_EQ(config.segment_bytes, 5000);
  EXPECT_EQ(config.segment_ms, 3'600'000);
  EXPECT_EQ(config.max_message_bytes, 77);

  ConfigMap all_brokers{{"log.retention.ms", "100"}, {"message.max.bytes", "78"}};
  ConfigMap this_broker{{"message.max.bytes", "79"}, {"log.segment.bytes", "rubbish"}};
  broker.dynamic_default = &all_brokers;
  broker.dynamic_broker = &this_broker;
  config = resolve_topic_config({}, broker);
  EXPECT_EQ(config.retention_ms, 100);
  EXPECT_EQ(config.max_message_bytes, 79);
  EXPECT_EQ(config.segment_bytes, 5000);  // what is wrong is passed over

  std::string problem;
  config = resolve_topic_config(
      {{"retention.ms", "-1"}, {"cleanup.policy", "compact,delete"}, {"no.such", "1"}}, broker,
      &problem);
  EXPECT_EQ(config.retention_ms, -1);
  EXPECT_TRUE(config.cleanup_compact && config.cleanup_delete);
  EXPECT_EQ(problem, "Unknown topic config name: no.such");
}

TEST(TopicConfig, WrongOnesAreRefused) {
  EXPECT_EQ(refuse_topic_config({{"nonsense", "1"}}, {}), "Unknown topic config name: nonsense");
  EXPECT_EQ(refuse_topic_config({{"retention.ms", "abc"}}, {}),
            "Invalid value abc for configuration retention.ms: Not a number of type LONG");
  EXPECT_EQ(
      refuse_topic_config({{"min.compaction.lag.ms", "5"}, {"max.compaction.lag.ms", "4"}}, {}),
      "conflict topic config setting min.compaction.lag.ms (5) > max.compaction.lag.ms (4)");
  EXPECT_EQ(refuse_topic_config({{"retention.ms", "60000"}, {"cleanup.policy", "compact"}}, {}),
            std::nullopt);
}

TEST(Describe, TopicSynonymsAsKafkaShowsThem) {
  Settings settings = load("");
  BrokerConfigs broker{nullptr, nullptr, &settings};
  auto all = describe_topic_configs(
      {{"cleanup.policy", "compact,delete"}, {"retention.ms", "60000"}}, broker);
  EXPECT_EQ(shown(pick(all, "cleanup.policy")),
            "compact,delete 1 {1 cleanup.policy=compact,delete} {5 log.cleanup.policy=delete}");
  EXPECT_EQ(shown(pick(all, "retention.ms")), "60000 1 {1 retention.ms=60000}");
  EXPECT_EQ(shown(pick(all, "segment.ms")), "604800000 5");
  EXPECT_EQ(shown(pick(all, "flush.ms")), "9223372036854775807 5");
  EXPECT_EQ(shown(pick(all, "min.cleanable.dirty.ratio")),
            "0.5 5 {5 log.cleaner.min.cleanable.ratio=0.5}");
  EXPECT_EQ(shown(pick(all, "leader.replication.throttled.replicas")), " 5");
  for (const DescribedConfig& config : all)
    EXPECT_FALSE(config.setting->internal || config.read_only) << config.name;

  ConfigMap all_brokers{{"log.retention.ms", "700000000"}};
  broker.dynamic_default = &all_brokers;
  all = describe_topic_configs({{"retention.ms", "60000"}}, broker);
  EXPECT_EQ(
      shown(pick(all, "retention.ms")),
      "60000 1 {1 retention.ms=60000} {3 log.retention.ms=700000000} {5 log.retention.hours=168}");
}

TEST(Describe, Brokers) {
  Settings settings = load("num.partitions=3\nssl.key.password=x\nlog.cleaner.threads=4\n");
  ConfigMap mine{{"log.cleaner.threads", "2"}};
  auto all = describe_broker_configs({&mine, nullptr, &settings});
  EXPECT_EQ(shown(pick(all, "num.partitions")), "3 4 {4 num.partitions=3} {5 num.partitions=1}");
  EXPECT_TRUE(pick(all, "num.partitions").read_only);
  EXPECT_EQ(shown(pick(all, "log.cleaner.threads")),
            "2 2 {2 log.cleaner.threads=2} {4 log.cleaner.threads=4} {5 log.cleaner.threads=1}");
  EXPECT_FALSE(pick(all, "log.cleaner.threads").read_only);
  EXPECT_EQ(shown(pick(all, "ssl.key.password")), "null 4 {4 ssl.key.password=null}");
  EXPECT_TRUE(pick(all, "ssl.key.password").sensitive);
  EXPECT_EQ(shown(pick(all, "log.retention.ms")), "null 5");

  auto defaults =
      describe_default_broker_configs({{"log.retention.ms", " 5 "}, {"who.knows", "secret"}});
  EXPECT_EQ(shown(pick(defaults, "log.retention.ms")), "5 3 {3 log.retention.ms=5}");
  EXPECT_EQ(shown(pick(defaults, "who.knows")), "null 3 {3 who.knows=null}");
}

}  // namespace
}  // namespace odradek::config
