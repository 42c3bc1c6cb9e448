// Records of __consumer_offsets and __transaction_state that brokers wrote.
#include "tests/golden/golden_file.h"
#include "tests/golden/kafka/round_trip.h"

namespace odradek::golden {
namespace {

class KafkaRecords : public testing::TestWithParam<const char*> {};

TEST_P(KafkaRecords, RoundTrip) {
  int offsets = 0;
  int groups = 0;
  int transactions = 0;
  for (const Row& row : read_rows(GetParam())) {
    SCOPED_TRACE(row[0] + " " + row[1]);
    std::string key = unhex(row[1]);
    ByteReader key_in(key);
    int16_t type = key_in.i16();
    bool tombstone = row[2] == "null";
    std::string value = tombstone ? "" : unhex(row[2]);
    ByteReader value_in(value);
    int16_t version = tombstone ? 0 : value_in.i16();
    if (row[0] == "__transaction_state") {
      ASSERT_EQ(type, kafka::TransactionLogKey::kRecordType);
      round_trip<kafka::TransactionLogKey>(key_in.rest(), 0);
      if (!tombstone) round_trip<kafka::TransactionLogValue>(value_in.rest(), version);
      ++transactions;
    } else if (type == kafka::GroupMetadataKey::kRecordType) {
      round_trip<kafka::GroupMetadataKey>(key_in.rest(), 0);
      if (!tombstone) round_trip<kafka::GroupMetadataValue>(value_in.rest(), version);
      ++groups;
    } else {
      ASSERT_EQ(type, kafka::OffsetCommitKey::kRecordType);
      round_trip<kafka::OffsetCommitKey>(key_in.rest(), 0);
      if (!tombstone) round_trip<kafka::OffsetCommitValue>(value_in.rest(), version);
      ++offsets;
    }
  }
  EXPECT_GT(offsets, 0);
  EXPECT_GT(groups, 0);
  EXPECT_GT(transactions, 0);
}

INSTANTIATE_TEST_SUITE_P(Releases, KafkaRecords,
                         testing::Values("kafka/records-2.5.0.tsv", "kafka/records-3.5.2.tsv"));

}  // namespace
}  // namespace odradek::golden
