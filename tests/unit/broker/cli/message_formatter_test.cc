#include "broker/cli/message_formatter.h"

#include <gtest/gtest.h>

namespace odradek::broker::cli {
namespace {

std::string printed(const Properties& properties, const ConsumedRecord& record,
                    const std::string& formatter = "kafka.tools.DefaultMessageFormatter") {
  auto made = make_formatter(formatter, properties);
  if (!made) return made.error().what();
  std::string out;
  auto done = (*made)->write(record, out);
  return done ? out : done.error().what();
}

ConsumedRecord record() {
  ConsumedRecord record;
  record.topic = "t";
  record.partition = 4;
  record.offset = 12;
  record.timestamp_ms = 1600000000000;
  record.timestamp_type = TimestampType::create_time;
  record.value = "m0";
  return record;
}

TEST(MessageFormatter, PrintsTheValueAlone) { EXPECT_EQ(printed({}, record()), "m0\n"); }

TEST(MessageFormatter, ColumnsInKafkasOrder) {
  Properties all = {{"print.key", "true"},
                    {"print.timestamp", "true"},
                    {"print.partition", "true"},
                    {"print.offset", "true"},
                    {"print.headers", "true"}};
  EXPECT_EQ(printed(all, record()),
            "CreateTime:1600000000000\tPartition:4\tOffset:12\tNO_HEADERS\tnull\tm0\n");
  auto with_headers = record();
  with_headers.headers = {{"h", "v"}, {"n", std::nullopt}};
  EXPECT_EQ(printed({{"print.headers", "true"}}, with_headers), "h:v,n:null\tm0\n");
}

TEST(MessageFormatter, KeysWithoutValuesEndTheLine) {
  auto keyed = record();
  keyed.key = "k";
  EXPECT_EQ(printed({{"print.key", "true"}, {"print.value", "false"}}, keyed), "k\n");
  EXPECT_EQ(
      printed({{"print.key", "true"}, {"key.separator", "|"}, {"line.separator", ";"}}, keyed),
      "k|m0;");
}

TEST(MessageFormatter, NumbersAreDeserialized) {
  auto number = record();
  number.value = std::string_view("\0\0\0\0\0\0\1\0", 8);
  EXPECT_EQ(
      printed({{"value.deserializer", "org.apache.kafka.common.serialization.LongDeserializer"}},
              number),
      "256\n");
  number.value = "short";
  EXPECT_NE(
      printed({{"value.deserializer", "LongDeserializer"}}, number).find("SerializationException"),
      std::string::npos);
}

TEST(MessageFormatter, CommittedOffsets) {
  auto commit = record();
  commit.key = std::string_view("\0\1\0\2g1\0\2t1\0\0\0\3", 14);
  std::string value("\0\3\0\0\0\0\0\0\0\5\xff\xff\xff\xff\0\0\0\0\0\0\0\0\0\7", 24);
  commit.value = value;
  EXPECT_EQ(
      printed({}, commit, "kafka.coordinator.group.GroupMetadataManager$OffsetsMessageFormatter"),
      "[g1,t1,3]::OffsetAndMetadata(offset=5, leaderEpoch=Optional.empty, metadata=, "
      "commitTimestamp=7, "
      "expireTimestamp=None)\n");
  commit.value.reset();
  EXPECT_EQ(printed({}, commit, "OffsetsMessageFormatter"), "[g1,t1,3]::NULL\n");
}

TEST(MessageFormatter, AJavaClassIsRefused) {
  EXPECT_NE(printed({}, record(), "com.example.Mine").find("ClassNotFoundException"),
            std::string::npos);
}

}  // namespace
}  // namespace odradek::broker::cli
