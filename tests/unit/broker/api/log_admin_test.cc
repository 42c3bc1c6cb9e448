// DeleteRecords, DescribeLogDirs and AlterReplicaLogDirs.
#include "broker/api/alter_replica_log_dirs.h"
#include "broker/api/delete_records.h"
#include "broker/api/describe_log_dirs.h"
#include "proto/kafka/alter_replica_log_dirs.h"
#include "proto/kafka/delete_records.h"
#include "proto/kafka/describe_log_dirs.h"
#include "tests/unit/broker/api/api_fixture.h"

namespace odradek::broker::api {
namespace {

class LogAdminTest : public ApiTest {
 protected:
  using Deleted = kafka::DeleteRecordsResponse::DeleteRecordsPartitionResult;

  void append(const std::string& topic, int32_t partition, int records) {
    const TopicPartition id{topic, PartitionId(partition)};
    Bytes bytes = batch(records);
    auto work = [&]() -> asio::awaitable<void> {
      auto found = partitions_->find(id);
      EXPECT_TRUE(found);
      EXPECT_TRUE((*found)->append_as_leader(bytes, 1, log::AppendOrigin::client));
      co_return;
    };
    run(work(), partitions_->owner_index(id));
  }

  std::vector<Deleted> delete_records(
      const std::vector<std::pair<TopicPartition, int64_t>>& offsets, int16_t version = 2) {
    kafka::DeleteRecordsRequest request;
    for (const auto& [id, offset] : offsets) {
      auto& topic = request.topics.emplace_back();
      topic.name = id.topic;
      auto& partition = topic.partitions.emplace_back();
      partition.partition_index = id.partition.value();
      partition.offset = offset;
    }
    Bytes bytes = bytes_of(ask(handle_delete_records, request, version));
    auto response = read<kafka::DeleteRecordsResponse>(bytes, version);
    std::vector<Deleted> rows;
    for (const auto& topic : response.topics) {
      rows.insert(rows.end(), topic.partitions.begin(), topic.partitions.end());
    }
    EXPECT_EQ(rows.size(), offsets.size());
    return rows;
  }

  kafka::DescribeLogDirsResponse describe(const kafka::DescribeLogDirsRequest& request,
                                          int16_t version) {
    Bytes bytes = bytes_of(ask(handle_describe_log_dirs, request, version));
    return read<kafka::DescribeLogDirsResponse>(bytes, version);
  }

  static kafka::DescribeLogDirsRequest everything() {
    kafka::DescribeLogDirsRequest request;
    request.topics.reset();
    return request;
  }
  static TopicPartition id(const std::string& topic, int32_t partition) {
    return {topic, PartitionId(partition)};
  }
};

TEST_F(LogAdminTest, MovesTheLogStart) {
  make_topic("t", 3);
  for (int32_t partition = 0; partition < 3; ++partition) append("t", partition, 10);
  for (int16_t version = 0; version <= 2; ++version) {
    auto rows = delete_records({{id("t", version), 4}}, version);
    EXPECT_EQ(rows[0].error_code, 0);
    EXPECT_EQ(rows[0].low_watermark, 4);
  }
  auto rows = delete_records({{id("t", 0), 2}, {id("t", 1), -1}, {id("t", 2), 10}});
  EXPECT_EQ(rows[0].low_watermark, 4) << "it does not go back";
  EXPECT_EQ(rows[1].low_watermark, 10) << "-1 is the high watermark";
  EXPECT_EQ(rows[2].low_watermark, 10);
}

TEST_F(LogAdminTest, RefusesAsKafkaDoes) {
  make_topic("t", 1);
  make_topic("__consumer_offsets", 1);
  append("t", 0, 5);
  auto rows = delete_records({{id("t", 0), 6},
                              {id("t", 0), -2},
                              {id("t", 1), 0},
                              {id("unknown", 0), 0},
                              {id("__consumer_offsets", 0), 0}});
  const ErrorCode expected[] = {
      ErrorCode::offset_out_of_range, ErrorCode::offset_out_of_range,
      ErrorCode::unknown_topic_or_partition, ErrorCode::unknown_topic_or_partition,
      ErrorCode::invalid_topic_exception};
  for (size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i].error_code, wire(expected[i])) << i;
    EXPECT_EQ(rows[i].low_watermark, -1) << i;
  }
  EXPECT_EQ(delete_records({{id("t", 0), 0}})[0].low_watermark, 0) << "nothing has moved";
}

TEST_F(LogAdminTest, ACompactedTopicKeepsItsRecords) {
  log_config_.cleanup_delete = false;
  make_topic("compacted", 1);
  append("compacted", 0, 5);
  EXPECT_EQ(delete_records({{id("compacted", 0), 3}})[0].error_code,
            wire(ErrorCode::policy_violation));
}

TEST_F(LogAdminTest, AFailedDiskIsSaid) {
  make_topic("t", 1);
  append("t", 0, 5);
  files_.fail(fs::FaultyFileSystem::Call::write, "leader-epoch-checkpoint", Errc::io_error, 10);
  auto row = delete_records({{id("t", 0), 3}})[0];
  EXPECT_EQ(row.error_code, wire(ErrorCode::kafka_storage_error));
  auto answer = describe(everything(), 5);
  ASSERT_EQ(answer.results.size(), 1u);
  EXPECT_EQ(answer.results[0].error_code, wire(ErrorCode::kafka_storage_error));
  EXPECT_TRUE(answer.results[0].topics.empty());
}

TEST_F(LogAdminTest, TellsWhereReplicasLie) {
  make_topic("a", 2);
  make_topic("b", 1);
  append("a", 1, 7);
  for (int16_t version = 1; version <= 5; ++version) {
    auto answer = describe(everything(), version);
    ASSERT_EQ(answer.results.size(), 1u);
    const auto& directory = answer.results[0];
    EXPECT_EQ(directory.error_code, 0);
    EXPECT_EQ(directory.log_dir, "/logs");
    EXPECT_EQ(directory.total_bytes >= 0, version >= 4);
    ASSERT_EQ(directory.topics.size(), 2u);
    EXPECT_EQ(directory.topics[0].name, "a");
    ASSERT_EQ(directory.topics[0].partitions.size(), 2u);
    EXPECT_EQ(directory.topics[0].partitions[0].partition_size, 0);
    EXPECT_EQ(directory.topics[0].partitions[1].partition_size,
              static_cast<int64_t>(batch(7).size()));
    EXPECT_EQ(directory.topics[0].partitions[1].offset_lag, 0);
    EXPECT_FALSE(directory.topics[0].partitions[1].is_future_key);
  }
}

TEST_F(LogAdminTest, TellsOfTheAskedAlone) {
  make_topic("a", 3);
  make_topic("b", 1);
  kafka::DescribeLogDirsRequest request;
  request.topics.emplace();
  auto& topic = request.topics->emplace_back();
  topic.topic = "a";
  topic.partitions = {2, 9};
  auto answer = describe(request, 5);
  ASSERT_EQ(answer.results[0].topics.size(), 1u);
  ASSERT_EQ(answer.results[0].topics[0].partitions.size(), 1u);
  EXPECT_EQ(answer.results[0].topics[0].partitions[0].partition_index, 2);
  request.topics->clear();
  EXPECT_TRUE(describe(request, 5).results[0].topics.empty());
}

TEST_F(LogAdminTest, SaysWhyDataIsKeptWhereItIsAsked) {
  make_topic("t", 1);
  append("t", 0, 3);
  kafka::DescribeLogDirsRequest request = everything();
  EXPECT_EQ(describe(request, 5).results[0].topics[0].partitions[0].why_kept, "");
  request.explain_kept = true;
  for (int16_t version : {int16_t{2}, int16_t{5}}) {
    const std::string why = describe(request, version).results[0].topics[0].partitions[0].why_kept;
    EXPECT_NE(why.find("by retention.ms=604800000"), std::string::npos) << why;
  }
}

TEST_F(LogAdminTest, SaysWhatCannotMove) {
  make_topic("t", 1);
  for (int16_t version = 0; version <= 2; ++version) {
    kafka::AlterReplicaLogDirsRequest request;
    auto want = [&](const std::string& path, const std::string& topic, int32_t partition) {
      auto& dir = request.dirs.emplace_back();
      dir.path = path;
      auto& row = dir.topics.emplace_back();
      row.name = topic;
      row.partitions = {partition};
    };
    want("/elsewhere", "t", 0);
    want("/logs", "t", 0);  // it lies there
    want("/logs/", "t", 1);
    want("/logs", "unknown", 0);
    Bytes bytes = bytes_of(ask(handle_alter_replica_log_dirs, request, version));
    auto response = read<kafka::AlterReplicaLogDirsResponse>(bytes, version);
    ASSERT_EQ(response.results.size(), 2u);
    EXPECT_EQ(response.results[0].topic_name, "t");
    std::vector<std::pair<int32_t, int16_t>> rows;
    for (const auto& row : response.results[0].partitions) {
      rows.emplace_back(row.partition_index, row.error_code);
    }
    const std::vector<std::pair<int32_t, int16_t>> expected = {
        {0, wire(ErrorCode::log_dir_not_found)},
        {0, int16_t{0}},
        {1, wire(ErrorCode::replica_not_available)}};
    EXPECT_EQ(rows, expected) << "version " << version;
    EXPECT_EQ(response.results[1].topic_name, "unknown");
    EXPECT_EQ(response.results[1].partitions[0].error_code,
              wire(ErrorCode::replica_not_available));
  }
}

}  // namespace
}  // namespace odradek::broker::api
