#include "broker/cli/line_reader.h"

#include <gtest/gtest.h>

namespace odradek::broker::cli {
namespace {

LineReader reader(Properties properties) {
  auto made = LineReader::make(properties);
  EXPECT_TRUE(made.ok());
  return std::move(*made);
}

TEST(LineReader, AWholeLineIsTheValue) {
  auto record = reader({}).parse("a\tb", 1);
  ASSERT_TRUE(record.ok());
  EXPECT_FALSE(record->key.has_value());
  EXPECT_EQ(record->value, "a\tb");
}

TEST(LineReader, KeyAndHeaders) {
  auto record =
      reader({{"parse.key", "true"}, {"parse.headers", "true"}}).parse("h1:v1,h2:v2\tk\tv", 1);
  ASSERT_TRUE(record.ok());
  EXPECT_EQ(record->key, "k");
  EXPECT_EQ(record->value, "v");
  ASSERT_EQ(record->headers.size(), 2u);
  EXPECT_EQ(record->headers[1].first, "h2");
  EXPECT_EQ(record->headers[1].second, "v2");
}

TEST(LineReader, AMissingSeparatorNamesTheLine) {
  auto record = reader({{"parse.key", "true"}, {"key.separator", ":"}}).parse("nokey", 7);
  ASSERT_FALSE(record.ok());
  EXPECT_EQ(
      record.error().what(),
      "org.apache.kafka.common.KafkaException: No key separator found on line number 7: 'nokey'");
  auto ignored = reader({{"parse.key", "true"}, {"ignore.error", "true"}}).parse("nokey", 7);
  ASSERT_TRUE(ignored.ok());
  EXPECT_EQ(ignored->value, "nokey");
}

TEST(LineReader, TheNullMarkerMakesNulls) {
  auto record = reader({{"parse.key", "true"}, {"null.marker", "NULL"}}).parse("NULL\tNULL", 1);
  ASSERT_TRUE(record.ok());
  EXPECT_FALSE(record->key.has_value());
  EXPECT_FALSE(record->value.has_value());
}

TEST(LineReader, SeparatorsMustDiffer) {
  auto made = LineReader::make({{"parse.headers", "true"}, {"headers.separator", ":"}});
  ASSERT_FALSE(made.ok());
  EXPECT_NE(
      made.error().what().find("headers.separator and headers.key.separator may not be equal"),
      std::string::npos);
}

}  // namespace
}  // namespace odradek::broker::cli
