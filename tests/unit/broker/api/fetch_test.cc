#include "broker/api/fetch.h"

#include "broker/api/list_offsets.h"
#include "broker/api/offset_for_leader_epoch.h"
#include "proto/kafka/fetch.h"
#include "proto/kafka/list_offsets.h"
#include "proto/kafka/offset_for_leader_epoch.h"
#include "tests/unit/broker/api/api_fixture.h"

namespace odradek::broker::api {
namespace {

class FetchTest : public ApiTest {
 protected:
  void append(const std::string& topic, int32_t partition, int count) {
    TopicPartition id{topic, PartitionId(partition)};
    auto work = [&] {
      auto found = partitions_->find(id);
      ASSERT_TRUE(found);
      ASSERT_TRUE((*found)->append_as_leader(batch(count), 1, log::AppendOrigin::client));
    };
    run(runtime::run_on(partitions_->owner(id), work));
  }

  kafka::FetchRequest request(std::vector<std::pair<int32_t, int64_t>> offsets) {
    kafka::FetchRequest made;
    made.max_wait_ms = 0;
    made.min_bytes = 1;
    made.max_bytes = 1 << 20;
    kafka::FetchRequest::FetchTopic topic;
    topic.topic = "t";
    topic.topic_id = image_->topic("t")->id;
    for (auto [partition, offset] : offsets) {
      kafka::FetchRequest::FetchPartition row;
      row.partition = partition;
      row.fetch_offset = offset;
      row.partition_max_bytes = 1 << 20;
      topic.partitions.push_back(row);
    }
    made.topics.push_back(topic);
    return made;
  }

  // The answer's bytes stay in bytes_.
  kafka::FetchResponse fetch(const kafka::FetchRequest& asked, int16_t version, size_t shard = 0) {
    bytes_ = bytes_of(ask(handle_fetch, asked, version, shard));
    return read<kafka::FetchResponse>(bytes_, version);
  }

  Bytes bytes_;
};

TEST_F(FetchTest, EveryVersionReadsTheBytesThatWereWritten) {
  make_topic("t", 1);
  append("t", 0, 3);
  for (int16_t version = 4; version <= 18; ++version) {
    auto response = fetch(request({{0, 0}}), version);
    ASSERT_EQ(response.responses.size(), 1u) << version;
    const auto& row = response.responses[0].partitions[0];
    EXPECT_EQ(row.error_code, 0);
    EXPECT_EQ(row.high_watermark, 3);
    EXPECT_EQ(row.last_stable_offset, 3);
    EXPECT_EQ(row.preferred_read_replica, -1);
    Bytes expected = batch(3);
    log::set_leader_epoch(std::span<char>(expected), LeaderEpoch(3));
    EXPECT_EQ(row.records.bytes(), expected) << version;
    if (version <= 12) EXPECT_EQ(response.responses[0].topic, "t");
    if (version >= 13) EXPECT_EQ(response.responses[0].topic_id, image_->topic("t")->id);
  }
}

TEST_F(FetchTest, ReadCommittedHasAListOfAbortedTransactions) {
  make_topic("t", 1);
  append("t", 0, 1);
  auto asked = request({{0, 0}});
  EXPECT_FALSE(fetch(asked, 11).responses[0].partitions[0].aborted_transactions.has_value());
  asked.isolation_level = 1;
  auto response = fetch(asked, 11);
  ASSERT_TRUE(response.responses[0].partitions[0].aborted_transactions.has_value());
  EXPECT_TRUE(response.responses[0].partitions[0].aborted_transactions->empty());
}

TEST_F(FetchTest, ErrorsOfPartitions) {
  make_topic("t", 1);
  append("t", 0, 3);
  EXPECT_EQ(fetch(request({{0, 4}}), 11).responses[0].partitions[0].error_code,
            wire(ErrorCode::offset_out_of_range));
  EXPECT_EQ(fetch(request({{1, 0}}), 11).responses[0].partitions[0].error_code,
            wire(ErrorCode::unknown_topic_or_partition));
  auto epoch = request({{0, 0}});
  epoch.topics[0].partitions[0].current_leader_epoch = 2;
  EXPECT_EQ(fetch(epoch, 11).responses[0].partitions[0].error_code,
            wire(ErrorCode::fenced_leader_epoch));
  epoch.topics[0].partitions[0].current_leader_epoch = 4;
  EXPECT_EQ(fetch(epoch, 11).responses[0].partitions[0].error_code,
            wire(ErrorCode::unknown_leader_epoch));
  auto by_id = request({{0, 0}});
  by_id.topics[0].topic_id = Uuid::random();
  EXPECT_EQ(fetch(by_id, 13).responses[0].partitions[0].error_code,
            wire(ErrorCode::unknown_topic_id));
}

TEST_F(FetchTest, MaxBytesHoldsButTheFirstBatchAlwaysComes) {
  make_topic("t", 2);
  append("t", 0, 5);
  append("t", 0, 5);
  append("t", 1, 5);
  auto asked = request({{0, 0}, {1, 0}});
  asked.max_bytes = 10;
  auto response = fetch(asked, 11);
  size_t with_records = 0;
  for (const auto& row : response.responses[0].partitions) {
    if (row.records.size() == 0) continue;
    ++with_records;
    EXPECT_EQ(row.records.size(), batch(5).size());
  }
  EXPECT_EQ(with_records, 1u);
}

TEST_F(FetchTest, TheEndIsAnEmptyAnswerNotNull) {
  make_topic("t", 1);
  auto row = fetch(request({{0, 0}}), 11).responses[0].partitions[0];
  EXPECT_EQ(row.error_code, 0);
  EXPECT_FALSE(row.records.is_null());
  EXPECT_EQ(row.records.size(), 0u);
}

TEST_F(FetchTest, WaitsForDataOnAnyShardAndIsWoken) {
  make_topic("t", 4);
  for (int32_t partition = 0; partition < 4; ++partition) {
    auto asked = request({{0, 0}, {1, 0}, {2, 0}, {3, 0}});
    for (auto& row : asked.topics[0].partitions) {
      if (row.partition < partition) row.fetch_offset = 2;
    }
    asked.max_wait_ms = 60'000;
    ByteWriter body;
    asked.encode(body, 11);
    Bytes bytes = body.take();
    std::optional<Answer> answer;
    auto call = [&]() -> asio::awaitable<void> {
      answer.emplace(co_await handle_fetch(services_, context(kafka::ApiKey::kFetch, 11), bytes));
    };
    auto done = asio::co_spawn(shards_.executor(0), call(), asio::use_future);
    append("t", partition, 2);
    done.get();
    Bytes received = bytes_of(*answer);
    auto response = read<kafka::FetchResponse>(received, 11);
    EXPECT_EQ(response.responses[0].partitions[static_cast<size_t>(partition)].records.size(),
              batch(2).size());
  }
}

TEST_F(FetchTest, ASessionIsUsableFromAnotherShard) {
  make_topic("t", 3);
  append("t", 1, 2);
  auto first = request({{0, 0}, {1, 0}, {2, 0}});
  first.session_epoch = 0;
  auto opened = fetch(first, 11, 0);
  ASSERT_NE(opened.session_id, 0);
  EXPECT_EQ(opened.responses[0].partitions.size(), 3u);

  kafka::FetchRequest next;
  next.session_id = opened.session_id;
  next.session_epoch = 1;
  next.min_bytes = 1;
  auto row = request({{1, 2}});
  next.topics = row.topics;
  auto nothing = fetch(next, 11, 1);
  EXPECT_EQ(nothing.error_code, 0);
  EXPECT_TRUE(nothing.responses.empty()) << "nothing new";

  append("t", 2, 1);
  kafka::FetchRequest third;
  third.session_id = opened.session_id;
  third.session_epoch = 2;
  third.min_bytes = 1;
  auto news = fetch(third, 11, 1);
  ASSERT_EQ(news.responses.size(), 1u);
  ASSERT_EQ(news.responses[0].partitions.size(), 1u);
  EXPECT_EQ(news.responses[0].partitions[0].partition_index, 2);

  EXPECT_EQ(fetch(third, 11).error_code, wire(ErrorCode::invalid_fetch_session_epoch));
  third.session_id += 2;
  EXPECT_EQ(fetch(third, 11).error_code, wire(ErrorCode::fetch_session_id_not_found));
}

TEST_F(FetchTest, ListOffsetsKnowsEveryMark) {
  make_topic("t", 1);
  append("t", 0, 4);
  struct Row {
    int64_t timestamp;
    int16_t version;
    int16_t error;
    int64_t offset;
  };
  const Row rows[] = {
      {-1, 1, 0, 4},       {-2, 1, 0, 0},         {-1, 11, 0, 4}, {-2, 11, 0, 0},
      {kNow + 2, 5, 0, 2}, {kNow + 99, 5, 0, -1}, {-3, 7, 0, 3},  {-3, 6, 35, -1},
      {-4, 8, 0, 0},       {-4, 7, 35, -1},       {-5, 9, 0, -1}, {-5, 8, 35, -1},
      {-6, 11, 0, -1},     {-6, 10, 35, -1},
  };
  for (const Row& row : rows) {
    kafka::ListOffsetsRequest asked;
    asked.replica_id = -1;
    kafka::ListOffsetsRequest::ListOffsetsTopic topic;
    topic.name = "t";
    kafka::ListOffsetsRequest::ListOffsetsPartition partition;
    partition.timestamp = row.timestamp;
    topic.partitions.push_back(partition);
    asked.topics.push_back(topic);
    Bytes bytes = bytes_of(ask(handle_list_offsets, asked, row.version));
    auto response = read<kafka::ListOffsetsResponse>(bytes, row.version);
    const auto& answer = response.topics[0].partitions[0];
    EXPECT_EQ(answer.error_code, row.error) << row.timestamp << " v" << row.version;
    EXPECT_EQ(answer.offset, row.offset) << row.timestamp << " v" << row.version;
  }
}

TEST_F(FetchTest, OffsetForLeaderEpochTellsWhereAnEpochEnds) {
  make_topic("t", 1);
  append("t", 0, 4);
  kafka::OffsetForLeaderEpochRequest asked;
  kafka::OffsetForLeaderEpochRequest::OffsetForLeaderTopic topic;
  topic.topic = "t";
  kafka::OffsetForLeaderEpochRequest::OffsetForLeaderPartition partition;
  partition.leader_epoch = 3;
  topic.partitions.push_back(partition);
  asked.topics.push_back(topic);
  Bytes bytes = bytes_of(ask(handle_offset_for_leader_epoch, asked, 4));
  auto response = read<kafka::OffsetForLeaderEpochResponse>(bytes, 4);
  EXPECT_EQ(response.topics[0].partitions[0].error_code, 0);
  EXPECT_EQ(response.topics[0].partitions[0].leader_epoch, 3);
  EXPECT_EQ(response.topics[0].partitions[0].end_offset, 4);
}

// Clients before 0.11: the records in formats of theirs.
TEST_F(FetchTest, OldVersionsGetMessageSets) {
  make_topic("t", 2);
  append("t", 0, 3);
  append("t", 0, 2);
  for (int16_t version = 0; version <= 3; ++version) {
    auto answer = fetch(request({{0, 1}, {1, 0}}), version);
    const auto& rows = answer.responses[0].partitions;
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_EQ(rows[0].error_code, 0);
    EXPECT_EQ(rows[0].high_watermark, 5);
    EXPECT_TRUE(rows[1].records.bytes().empty());
    int64_t expected = 1;  // uncompressed: from the offset asked for
    log::BatchWalker walker(rows[0].records.bytes());
    while (walker.next()) {
      EXPECT_EQ(walker.header().magic, version < 2 ? 0 : 1);
      EXPECT_EQ(walker.header().base_offset, Offset(expected++));
      EXPECT_TRUE(log::check_crc(walker.header(), walker.batch()).ok());
    }
    EXPECT_EQ(expected, 5) << version;
  }
}

// Up to version 2 a partition's bytes are bounded whatever comes, and a message may be cut.
TEST_F(FetchTest, OldVersionsCutTheLastMessage) {
  make_topic("t", 1);
  append("t", 0, 5);
  auto asked = request({{0, 0}});
  asked.topics[0].partitions[0].partition_max_bytes = 50;
  EXPECT_EQ(fetch(asked, 2).responses[0].partitions[0].records.bytes().size(), 50u);
  EXPECT_GT(fetch(asked, 3).responses[0].partitions[0].records.bytes().size(), 50u);
}

TEST_F(FetchTest, OldVersionsPassOverWhatTheyCannotBeShown) {
  make_topic("t", 1);
  const TopicPartition id{"t", PartitionId(0)};
  auto work = [&] {
    auto found = partitions_->find(id);
    ASSERT_TRUE(found);
    for (int i = 0; i < 3; ++i) {
      Bytes marker = *log::build_transaction_marker(log::ControlType::commit, ProducerId(5),
                                                    ProducerEpoch(0), 0, kNow);
      ASSERT_TRUE((*found)->append_as_leader(marker, 1, log::AppendOrigin::coordinator));
    }
    ASSERT_TRUE((*found)->append_as_leader(batch(1), 1, log::AppendOrigin::client));
  };
  run(runtime::run_on(partitions_->owner(id), work));
  auto asked = request({{0, 0}});
  asked.topics[0].partitions[0].partition_max_bytes = 60;  // one marker at a time
  auto answer = fetch(asked, 3);
  log::BatchWalker walker(answer.responses[0].partitions[0].records.bytes());
  ASSERT_TRUE(walker.next());
  EXPECT_EQ(walker.header().base_offset, Offset(3));
}

TEST_F(FetchTest, OldVersionsAreRefusedWhereTheTopicSaysSo) {
  log_config_.down_conversion = false;
  make_topic("t", 1);
  append("t", 0, 1);
  EXPECT_EQ(fetch(request({{0, 0}}), 3).responses[0].partitions[0].error_code,
            wire(ErrorCode::unsupported_version));
  EXPECT_EQ(fetch(request({{0, 0}}), 4).responses[0].partitions[0].error_code, 0);
}

TEST_F(FetchTest, OldOffsetsAreThoseOfSegments) {
  log_config_.segment_bytes = 200;  // about two batches
  make_topic("t", 1);
  for (int i = 0; i < 6; ++i) append("t", 0, 1);
  auto offsets = [&](int64_t time, int32_t count) {
    kafka::ListOffsetsRequest asked;
    asked.replica_id = -1;
    auto& topic = asked.topics.emplace_back();
    topic.name = "t";
    auto& partition = topic.partitions.emplace_back();
    partition.timestamp = time;
    partition.max_num_offsets = count;
    Bytes bytes = bytes_of(ask(handle_list_offsets, asked, 0));
    auto answer = read<kafka::ListOffsetsResponse>(bytes, 0);
    EXPECT_EQ(answer.topics[0].partitions[0].error_code, 0);
    return answer.topics[0].partitions[0].old_style_offsets;
  };
  EXPECT_EQ(offsets(-1, 1), std::vector<int64_t>{6});
  EXPECT_EQ(offsets(-2, 1), std::vector<int64_t>{0});
  EXPECT_EQ(offsets(-2, 5), std::vector<int64_t>{0});
  const auto all = offsets(-1, 100);
  ASSERT_GT(all.size(), 2u);
  EXPECT_EQ(all.front(), 6);
  EXPECT_EQ(all.back(), 0);
  EXPECT_TRUE(std::is_sorted(all.rbegin(), all.rend()));
  EXPECT_EQ(offsets(-1, 2).size(), 2u);
  EXPECT_EQ(offsets(kNow - 1, 100), std::vector<int64_t>{}) << "every segment is newer";
}

}  // namespace
}  // namespace odradek::broker::api
