// Logs that Apache Kafka wrote (tests/golden/consumer_offsets), and what only other versions or
// transactions write.

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "broker/group/group_loader.h"
#include "broker/group/group_manager.h"
#include "broker/log/record.h"
#include "broker/log/record_batch_builder.h"
#include "tests/unit/broker/group/group_harness.h"

namespace odradek::broker::group {
namespace {

Bytes golden(const std::string& name) {
  std::ifstream in(std::string(TEST_DATA_DIR) + "/golden/consumer_offsets/" + name,
                   std::ios::binary);
  Bytes bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  EXPECT_FALSE(bytes.empty()) << name;
  return bytes;
}

// The batches below `end`.
Bytes below(const Bytes& bytes, int64_t end) {
  log::BatchWalker walker(bytes);
  while (walker.next()) {
    if (walker.header().base_offset.value() >= end) return bytes.substr(0, walker.position());
  }
  return bytes;
}

struct Loaded {
  Loaded() : set(settings, [] { return std::string("id"); }) {}
  void load(ByteView bytes) {
    replayed = replay_batches(bytes, Offset(0), Now{0, 1'795'227'000'000}, set);
    Outbox out;
    set.activate(Now{0, 1'795'227'000'000}, out);
  }
  int64_t offset(const std::string& group, const std::string& topic, int32_t partition,
                 bool stable = false) {
    auto rows =
        set.fetch(group, std::vector<TopicPartition>{{topic, PartitionId(partition)}}, stable);
    return rows[0].error ? -2 : rows[0].offset;
  }
  GroupSettings settings;
  GroupSet set;
  ReplayedBatches replayed;
};

TEST(OffsetsPartition, IsKafkas) {
  struct Row {
    const char* group;
    int32_t partition;
  };
  for (const Row& row :
       {Row{"g1", 42}, Row{"vg", 11}, Row{"g-new", 18}, Row{"console-consumer-15851", 11},
        Row{"perf-consumer-81237", 34}, Row{"console-consumer-96556", 42}, Row{"", 0}}) {
    EXPECT_EQ(offsets_partition_of(row.group, 50).value(), row.partition) << row.group;
  }
  // Java: "größe".hashCode() = 98762257, "\uD83D\uDE00".hashCode() = 1772899
  EXPECT_EQ(offsets_partition_of("gr\xc3\xb6\xc3\x9f"
                                 "e",
                                 1'000'000'000)
                .value(),
            98'762'257);
  EXPECT_EQ(offsets_partition_of("\xf0\x9f\x98\x80", 1'000'000'000).value(), 1'772'899);
}

TEST(Replay, WholeLogsOfKafka) {
  struct Row {
    const char* file;
    int64_t next;
    size_t groups;
    size_t offsets;
  };
  for (const Row& row :
       {Row{"kafka-2.5.0-partition-11.log", 6, 1, 1}, Row{"kafka-2.5.0-partition-18.log", 10, 0, 0},
        Row{"kafka-2.5.0-partition-34.log", 7, 1, 5},
        Row{"kafka-2.5.0-partition-42.log", 121, 0, 0},
        Row{"kafka-3.5.2-partition-11.log", 6, 1, 1}, Row{"kafka-3.5.2-partition-18.log", 10, 0, 0},
        Row{"kafka-3.5.2-partition-42.log", 93, 0, 0}}) {
    Loaded loaded;
    loaded.load(golden(row.file));
    EXPECT_EQ(loaded.replayed.next.value(), row.next) << row.file;
    EXPECT_EQ(loaded.replayed.unreadable, 0u) << row.file;
    EXPECT_EQ(loaded.set.group_count(), row.groups) << row.file;
    EXPECT_EQ(loaded.set.offset_count(), row.offsets) << row.file;
    EXPECT_EQ(loaded.set.unknown_records(), 0u) << row.file;
  }
}

TEST(Replay, AGroupAsItStoodInTheMiddle) {
  Loaded empty;
  empty.load(below(golden("kafka-3.5.2-partition-42.log"), 7));
  EXPECT_EQ(empty.set.describe("g1").state, "Empty");
  EXPECT_EQ(empty.set.describe("g1").protocol_type, "consumer");
  EXPECT_EQ(empty.set.find("g1")->generation(), 2);
  EXPECT_EQ(empty.offset("g1", "t1", 4), 5);
  EXPECT_EQ(empty.offset("g1", "t1", 3), 0);

  Loaded stable;
  stable.load(below(golden("kafka-3.5.2-partition-42.log"), 80));
  auto described = stable.set.describe("g1");
  EXPECT_EQ(described.state, "Stable");
  EXPECT_EQ(described.protocol, "range");
  ASSERT_EQ(described.members.size(), 1u);
  EXPECT_EQ(described.members[0].client_id, "cid-1");
  EXPECT_EQ(described.members[0].member_id.substr(0, 6), "cid-1-");
  EXPECT_EQ(subscribed_topics(described.members[0].metadata), (std::vector<std::string>{"t1"}));
  EXPECT_FALSE(described.members[0].assignment.empty());
  EXPECT_EQ(stable.offset("g1", "t1", 4), 10);
  Outbox out;
  HeartbeatRequest beat;
  beat.group_id = "g1";
  beat.member_id = described.members[0].member_id;
  beat.generation = 5;
  EXPECT_EQ(stable.set.heartbeat(beat, Now{1, 1}, out), std::nullopt);
}

// What we write is what Kafka wrote: decode every record, encode it again, compare.
TEST(Replay, OurRecordsHaveKafkasBytes) {
  for (const char* file : {"kafka-2.5.0-partition-11.log", "kafka-2.5.0-partition-34.log",
                           "kafka-2.5.0-partition-42.log", "kafka-3.5.2-partition-11.log",
                           "kafka-3.5.2-partition-42.log"}) {
    Bytes bytes = golden(file);
    log::BatchWalker walker(bytes);
    int compared = 0;
    while (walker.next()) {
      auto records = log::RecordIterator::open(walker.batch(), 1 << 20);
      ASSERT_TRUE(records);
      while (const auto* record = records->next()) {
        auto decoded = decode_record(*record->key, record->value);
        ASSERT_TRUE(decoded);
        StoredRecord again;
        if (const auto* offset = std::get_if<OffsetRecord>(&*decoded)) {
          again = offset->value ? offset_record(offset->key, *offset->value)
                                : offset_tombstone(offset->key);
        } else if (const auto* group = std::get_if<GroupRecord>(&*decoded)) {
          again = group->value ? group_record(group->group_id, *group->value)
                               : group_tombstone(group->group_id);
        }
        EXPECT_EQ(again.key, *record->key) << file << " " << record->offset.value();
        EXPECT_EQ(again.value.has_value(), record->value.has_value());
        if (record->value)
          EXPECT_EQ(*again.value, *record->value) << file << " " << record->offset.value();
        ++compared;
      }
    }
    EXPECT_GT(compared, 0);
  }
}

Bytes batch_of(const std::vector<StoredRecord>& records, Offset base,
               std::optional<ProducerId> producer = std::nullopt) {
  log::BatchOptions options;
  options.base_offset = base;
  if (producer) {
    options.transactional = true;
    options.producer_id = *producer;
    options.producer_epoch = ProducerEpoch(0);
    options.base_sequence = 0;
  }
  log::RecordBatchBuilder builder(options);
  for (const auto& record : records) {
    std::optional<ByteView> value;
    if (record.value) value = *record.value;
    builder.add(1, ByteView(record.key), value);
  }
  auto built = builder.build();
  EXPECT_TRUE(built);
  return std::move(*built);
}

Bytes marker(log::ControlType type, ProducerId producer, Offset offset) {
  auto built = log::build_transaction_marker(type, producer, ProducerEpoch(0), 0, 1);
  EXPECT_TRUE(built);
  Bytes bytes = std::move(*built);
  log::set_base_offset(std::span<char>(bytes.data(), bytes.size()), offset);
  return bytes;
}

StoredRecord offset_of(const std::string& group, int32_t partition, int64_t offset) {
  StoredOffset value;
  value.offset = offset;
  value.commit_ms = 1;
  return offset_record({group, {"t", PartitionId(partition)}}, value);
}

TEST(Replay, TransactionsCountFromTheirMarker) {
  ProducerId committed(1);
  ProducerId aborted(2);
  ProducerId open(3);
  Bytes log =
      batch_of({offset_of("g", 0, 1), offset_of("g", 1, 1), offset_of("g", 2, 1)}, Offset(0));
  log += batch_of({offset_of("g", 0, 10), offset_of("g", 3, 10)}, Offset(3), committed);
  log += batch_of({offset_of("g", 1, 20)}, Offset(5), aborted);
  log += batch_of({offset_of("g", 2, 30)}, Offset(6), open);
  log += batch_of({offset_of("g", 3, 11)}, Offset(7));  // overtakes the transaction
  log += marker(log::ControlType::commit, committed, Offset(8));
  log += marker(log::ControlType::abort, aborted, Offset(9));
  Loaded loaded;
  loaded.load(log);
  EXPECT_EQ(loaded.replayed.next.value(), 10);
  EXPECT_EQ(loaded.offset("g", "t", 0, true), 10);
  EXPECT_EQ(loaded.offset("g", "t", 1, true), 1);
  EXPECT_EQ(loaded.offset("g", "t", 2, true), -2);  // unstable
  EXPECT_EQ(loaded.offset("g", "t", 2, false), 1);
  EXPECT_EQ(loaded.offset("g", "t", 3, true), 11);
}

TEST(Replay, PassesOverWhatItDoesNotKnow) {
  ByteWriter consumer_group;
  consumer_group.i16(3);  // ConsumerGroupMetadataKey
  consumer_group.i16(1);
  consumer_group.bytes("g");
  StoredRecord newer = offset_of("g", 1, 5);
  newer.value->at(1) = 9;  // value version 9
  Bytes log = batch_of({{consumer_group.take(), Bytes("xxx")},
                        newer,
                        offset_of("g", 0, 4),
                        {Bytes("k"), Bytes("v")}},
                       Offset(0));
  Loaded loaded;
  loaded.load(log);
  EXPECT_EQ(loaded.set.unknown_records(), 1u);
  EXPECT_EQ(loaded.replayed.unreadable, 2u);
  EXPECT_EQ(loaded.offset("g", "t", 0), 4);
  EXPECT_EQ(loaded.offset("g", "t", 1), -1);
}

TEST(Replay, BeginsInsideOfABatch) {
  Bytes log = batch_of({offset_of("g", 0, 1), offset_of("g", 1, 2)}, Offset(0));
  Loaded loaded;
  loaded.replayed = replay_batches(log, Offset(1), Now(), loaded.set);
  EXPECT_EQ(loaded.replayed.records, 1u);
  EXPECT_EQ(loaded.offset("g", "t", 0), -1);
  EXPECT_EQ(loaded.offset("g", "t", 1), 2);
}

TEST(StoredRecords, OldAndNewVersions) {
  struct Row {
    const char* name;
    std::string key;
    std::string value;
    int64_t offset;
    int64_t expire_ms;
  };
  const std::string key("\0\1\0\1g\0\1t\0\0\0\5", 12);
  const std::string legacy_key("\0\0\0\1g\0\1t\0\0\0\5", 12);
  const std::string v0("\0\0\0\0\0\0\0\0\0\7\0\0\0\0\0\0\0\0\0\1", 20);
  const std::string v1 = std::string("\0\1\0\0\0\0\0\0\0\7\0\0\0\0\0\0\0\0\0\1", 20) +
                         std::string("\0\0\0\0\0\0\0\2", 8);
  const std::string v2("\0\2\0\0\0\0\0\0\0\7\0\0\0\0\0\0\0\0\0\1", 20);
  const std::string v4 = std::string("\0\4\0\0\0\0\0\0\0\7\0\0\0\3\1\0\0\0\0\0\0\0\1", 23) +
                         std::string("\1\0\x10", 3) + std::string(16, 'u');
  for (const Row& row : {Row{"v0", legacy_key, v0, 7, -1}, Row{"v1", key, v1, 7, 2},
                         Row{"v2", key, v2, 7, -1}, Row{"v4", key, v4, 7, -1}}) {
    auto decoded = decode_record(row.key, ByteView(row.value));
    ASSERT_TRUE(decoded) << row.name << ": " << decoded.error().what();
    const auto* offset = std::get_if<OffsetRecord>(&*decoded);
    ASSERT_NE(offset, nullptr) << row.name;
    EXPECT_EQ(offset->key.partition.to_string(), "t-5") << row.name;
    EXPECT_EQ(offset->value->offset, row.offset) << row.name;
    EXPECT_EQ(offset->value->expire_ms, row.expire_ms) << row.name;
    EXPECT_EQ(offset->value->commit_ms, 1) << row.name;
  }
}

TEST(StoredRecords, SubscriptionsOfOtherProgramsAreNone) {
  EXPECT_EQ(subscribed_topics(""), std::nullopt);
  EXPECT_EQ(subscribed_topics("\x7f"), std::nullopt);
  EXPECT_EQ(subscribed_topics(std::string("\0\1\x7f\xff\xff\xff", 6)), std::nullopt);
  EXPECT_EQ(subscribed_topics(std::string("\xff\xff\0\0\0\0", 6)), std::nullopt);
  EXPECT_EQ(subscribed_topics(subscription({"a", "b"})), (std::vector<std::string>{"a", "b"}));
}

}  // namespace
}  // namespace odradek::broker::group
