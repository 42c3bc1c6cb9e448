#include "broker/log/producer_state.h"

#include <gtest/gtest.h>

namespace odradek::broker::log {
namespace {

BatchHeader batch(int64_t producer, int16_t epoch, int32_t sequence, int32_t count, int64_t offset,
                  int64_t timestamp = 1000) {
  BatchHeader header;
  header.producer_id = ProducerId(producer);
  header.producer_epoch = ProducerEpoch(epoch);
  header.base_sequence = sequence;
  header.last_offset_delta = count - 1;
  header.record_count = count;
  header.base_offset = Offset(offset);
  header.max_timestamp = timestamp;
  return header;
}
BatchHeader transactional(BatchHeader header) {
  header.attributes |= 0x10;
  return header;
}
BatchHeader marker(BatchHeader header) {
  header.attributes |= 0x30;
  header.base_sequence = -1;
  return header;
}
const TopicPartition kId{"t", PartitionId(0)};

TEST(ProducerStates, SequencesInOrder) {
  ProducerStates states;
  // an unknown producer may begin anywhere (KIP-360)
  EXPECT_TRUE(states.check(batch(1, 0, 77, 3, 0), kId).ok());
  states.note(batch(1, 0, 77, 3, 0), std::nullopt);
  struct Row {
    const char* what;
    int16_t epoch;
    int32_t sequence, count;
    std::optional<Errc> expected;
    bool repeated = false;
  } rows[] = {
      {"next", 0, 80, 1, std::nullopt},
      {"again", 0, 77, 3, std::nullopt, true},
      {"the same start, another length", 0, 77, 2, Errc::out_of_order_sequence},
      {"a gap", 0, 81, 1, Errc::out_of_order_sequence},
      {"back to zero", 0, 0, 1, Errc::out_of_order_sequence},
      {"a new epoch at zero", 1, 0, 1, std::nullopt},
      {"a new epoch in the middle", 1, 80, 1, Errc::out_of_order_sequence},
      {"an old epoch", -1, 80, 1, Errc::invalid_producer_epoch},
  };
  for (const Row& row : rows) {
    Result<std::optional<ProducerBatch>> checked =
        states.check(batch(1, row.epoch, row.sequence, row.count, 3), kId);
    if (row.expected) {
      ASSERT_FALSE(checked.ok()) << row.what;
      EXPECT_EQ(checked.error().code(), *row.expected) << row.what;
    } else {
      ASSERT_TRUE(checked.ok()) << row.what;
      EXPECT_EQ(checked->has_value(), row.repeated) << row.what;
    }
  }
}

TEST(ProducerStates, FiveBatchesAreRemembered) {
  ProducerStates states;
  for (int i = 0; i < 7; ++i)
    states.note(batch(1, 0, i * 2, 2, 100 + i * 2, 1000 + i), std::nullopt);
  for (int i = 0; i < 7; ++i) {
    Result<std::optional<ProducerBatch>> checked = states.check(batch(1, 0, i * 2, 2, 0), kId);
    if (i < 2) {
      EXPECT_EQ(checked.error().code(), Errc::out_of_order_sequence) << i;
    } else {
      ASSERT_TRUE(checked.ok() && checked->has_value()) << i;
      EXPECT_EQ((*checked)->first_offset(), Offset(100 + i * 2));
      EXPECT_EQ((*checked)->timestamp_ms, 1000 + i);
    }
  }
}

TEST(ProducerStates, SequencesWrapAround) {
  ProducerStates states;
  states.note(batch(1, 0, 2147483646, 3, 0), std::nullopt);  // ...46, ...47, 0
  EXPECT_EQ(states.entries().at(ProducerId(1)).last_sequence(), 0);
  EXPECT_TRUE(states.check(batch(1, 0, 1, 1, 3), kId).ok());
  EXPECT_TRUE(states.check(batch(1, 0, 2147483646, 3, 0), kId)->has_value());
  ProducerStates edge;
  edge.note(batch(1, 0, 2147483647, 1, 0), std::nullopt);
  EXPECT_TRUE(edge.check(batch(1, 0, 0, 1, 1), kId).ok());
}

TEST(ProducerStates, SnapshotRoundTripAndDamage) {
  ProducerStates states;
  states.note(batch(7, 3, 10, 5, 100, 5000), std::nullopt);
  states.note(transactional(batch(8, 0, 0, 1, 105, 6000)), std::nullopt);
  states.note(batch(9, 0, 0, 1, 106, 10), std::nullopt);
  Bytes bytes = states.encode_snapshot();
  EXPECT_EQ(bytes.size(), 10 + 3 * 46u);
  ProducerStates loaded;
  ASSERT_TRUE(loaded.load_snapshot(bytes, 6000, 5000).ok());
  EXPECT_EQ(loaded.size(), 2u);  // the third one is expired
  EXPECT_EQ(loaded.entries().at(ProducerId(7)).last_sequence(), 14);
  EXPECT_EQ(loaded.entries().at(ProducerId(7)).last_batch()->first_offset(), Offset(100));
  EXPECT_EQ(loaded.first_unstable_offset(), Offset(105));
  EXPECT_TRUE(loaded.check(batch(7, 3, 10, 5, 0), kId)->has_value());
  for (size_t i = 0; i < bytes.size(); ++i) {
    Bytes bad = bytes;
    bad[i] ^= 0x20;
    EXPECT_FALSE(loaded.load_snapshot(bad, 6000, 5000).ok()) << i;
    EXPECT_FALSE(loaded.load_snapshot(ByteView(bytes).substr(0, i), 6000, 5000).ok()) << i;
  }
  EXPECT_EQ(ProducerStates().encode_snapshot().size(), 10u);
}

TEST(ProducerStates, TransactionsAndTheirEnd) {
  ProducerStates states;
  states.note(transactional(batch(1, 0, 0, 2, 10)), std::nullopt);
  states.note(transactional(batch(2, 0, 0, 2, 12)), std::nullopt);
  states.note(transactional(batch(1, 0, 2, 1, 14)), std::nullopt);
  EXPECT_EQ(states.first_unstable_offset(), Offset(10));
  auto first = states.note(marker(batch(1, 0, 0, 1, 15)), TransactionMarker{true, 4});
  ASSERT_TRUE(first.has_value());
  EXPECT_TRUE(first->aborted);
  EXPECT_EQ(first->entry.first_offset, Offset(10));
  EXPECT_EQ(first->entry.last_offset, Offset(15));
  EXPECT_EQ(first->entry.last_stable_offset, Offset(12));
  auto second = states.note(marker(batch(2, 0, 0, 1, 16)), TransactionMarker{false, 4});
  ASSERT_TRUE(second.has_value());
  EXPECT_FALSE(second->aborted);
  EXPECT_EQ(second->entry.last_stable_offset, Offset(17));
  EXPECT_FALSE(states.first_unstable_offset().has_value());
  // an open transaction keeps its producer
  states.note(transactional(batch(3, 0, 0, 1, 17, 1000)), std::nullopt);
  states.remove_expired(1'000'000, 10);
  EXPECT_EQ(states.size(), 1u);
}

}  // namespace
}  // namespace odradek::broker::log
