#include "common/config/values.h"

#include <gtest/gtest.h>

namespace odradek::config {
namespace {

const Setting& broker(std::string_view key) { return *broker_settings().find(key); }
const Setting& topic(std::string_view key) { return *topic_settings().find(key); }

TEST(Tables, DefaultsAreAllowedValues) {
  for (const SettingTable* table : {&broker_settings(), &topic_settings(), &zookeeper_settings(),
                                    &user_settings(), &client_settings(), &ip_settings()}) {
    std::string_view before;
    for (const Setting& setting : table->settings) {
      EXPECT_LT(before, setting.name);
      before = setting.name;
      if (!setting.has_default || (setting.default_value.empty() && setting.type == Type::list))
        continue;
      EXPECT_EQ(refuse_value(setting, setting.name, setting.default_value), std::nullopt)
          << setting.name;
      EXPECT_EQ(normal_form(setting, setting.default_value), setting.default_value) << setting.name;
      EXPECT_EQ(table->find(setting.name), &setting);
    }
  }
  EXPECT_GE(broker_settings().settings.size(), 400u);
}

TEST(Tables, NumberedKeysAndNearestNames) {
  EXPECT_EQ(zookeeper_settings().find("server.3"), zookeeper_settings().find("server.N"));
  EXPECT_EQ(zookeeper_settings().find("server.x"), nullptr);
  EXPECT_EQ(broker_settings().nearest("num.partiton"), "num.partitions");
  EXPECT_EQ(broker_settings().nearest("log.retention.hour"), "log.retention.hours");
  EXPECT_EQ(broker_settings().nearest("something.else.entirely.different"), "");
}

struct Refusal {
  const Setting& setting;
  std::string value;
  std::string what;  // empty: it is right
};

TEST(Values, AreRefusedWithKafkasWords) {
  for (const Refusal& row : std::vector<Refusal>{
           {topic("retention.ms"), "abc",
            "Invalid value abc for configuration retention.ms: Not a number of type LONG"},
           {topic("retention.ms"), "-2",
            "Invalid value -2 for configuration retention.ms: Value must be at least -1"},
           {topic("retention.ms"), " 5 ", ""},
           {topic("retention.ms"), "",
            "Invalid value  for configuration retention.ms: Not a number of type LONG"},
           {topic("segment.bytes"), "2147483648",
            "Invalid value 2147483648 for configuration segment.bytes: Not a number of type INT"},
           {topic("cleanup.policy"), "compact, delete", ""},
           {topic("cleanup.policy"), "compact,foo",
            "Invalid value foo for configuration cleanup.policy: String must be one of: compact, "
            "delete"},
           {topic("compression.type"), "brotli",
            "Invalid value brotli for configuration compression.type: String must be one of: "
            "uncompressed, zstd, lz4, "
            "snappy, gzip, producer"},
           {topic("preallocate"), "yes",
            "Invalid value yes for configuration preallocate: Expected value to be either true or "
            "false"},
           {topic("preallocate"), "TRUE", ""},
           {topic("min.cleanable.dirty.ratio"), "1.5",
            "Invalid value 1.5 for configuration min.cleanable.dirty.ratio: Value must be no more "
            "than 1"},
           {topic("min.cleanable.dirty.ratio"), "0", ""},
           {topic("leader.replication.throttled.replicas"), "*", ""},
           {topic("leader.replication.throttled.replicas"), "0:1,2:3", ""},
           {topic("leader.replication.throttled.replicas"), "0-1",
            "Invalid value [0-1] for configuration leader.replication.throttled.replicas: Must be "
            "the literal '*' or a "
            "list of replicas in the following format: "
            "[partitionId]:[brokerId],[partitionId]:[brokerId],..."},
           {topic("compression.gzip.level"), "0",
            "Invalid value 0 for configuration compression.gzip.level: Value must be between 1 and "
            "9 or equal to -1"},
           {topic("compression.gzip.level"), "-1", ""},
           {topic("message.format.version"), "2.5-IV0", ""},
           {topic("message.format.version"), "0.10.2", ""},
           {topic("message.format.version"), "9.9",
            "Invalid value 9.9 for configuration message.format.version: Version 9.9 is not a "
            "valid version"},
           {broker("group.consumer.migration.policy"), "Upgrade", ""},
       }) {
    EXPECT_EQ(refuse_value(row.setting, row.setting.name, row.value).value_or(""), row.what)
        << row.value;
  }
}

TEST(Values, WhatIsAllowed) {
  EXPECT_EQ(allowed_values(broker("num.partitions")), "an integer from 1 up");
  EXPECT_EQ(allowed_values(topic("min.cleanable.dirty.ratio")), "a number from 0 to 1");
  EXPECT_EQ(allowed_values(topic("cleanup.policy")), "some of compact, delete");
  EXPECT_EQ(allowed_values(topic("compression.gzip.level")), "an integer from 1 to 9, or -1");
  EXPECT_EQ(allowed_values(broker("delete.topic.enable")), "true or false");
}

TEST(Values, DoublesAsJavaPrintsThem) {
  EXPECT_EQ(java_double(0.5), "0.5");
  EXPECT_EQ(java_double(1), "1.0");
  EXPECT_EQ(java_double(0), "0.0");
  EXPECT_EQ(java_double(-1234567.25), "-1234567.25");
  EXPECT_EQ(java_double(1e7), "1.0E7");
  EXPECT_EQ(java_double(0.001), "0.001");
  EXPECT_EQ(java_double(0.0001), "1.0E-4");
  EXPECT_EQ(java_double(2147483647.0), "2.147483647E9");
  EXPECT_EQ(java_double(1.7976931348623157e308), "1.7976931348623157E308");
}

}  // namespace
}  // namespace odradek::config
