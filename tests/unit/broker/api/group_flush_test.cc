// Clients of a broker with log.flush.policy=group.
#include "broker/api/produce.h"
#include "proto/kafka/produce.h"
#include "tests/unit/broker/api/api_fixture.h"

namespace odradek::broker::api {
namespace {

class GroupFlushApiTest : public ApiTest {
 protected:
  GroupFlushApiTest() { replica_settings_.group_flush = true; }

  Answer produce(int32_t partition, int16_t acks) {
    kafka::ProduceRequest made;
    made.acks = acks;
    made.timeout_ms = 0;  // means nothing to acks 1
    kafka::ProduceRequest::TopicProduceData data;
    data.name = "t";
    kafka::ProduceRequest::PartitionProduceData part;
    part.index = partition;
    part.records = kafka::Records::owned(batch(2));
    data.partition_data.push_back(std::move(part));
    made.topic_data.push_back(std::move(data));
    return ask(handle_produce, made, 9);
  }

  kafka::ProduceResponse::PartitionProduceResponse row_of(Answer answer) {
    if (answer.kind() == Answer::Kind::later) {
      std::optional<Answer> rest;
      auto wait = [&]() -> asio::awaitable<void> { rest.emplace(co_await answer.take_rest()); };
      run(wait());
      answer = *std::move(rest);
    }
    auto response = read<kafka::ProduceResponse>(bytes_of(answer), 9);
    return response.responses.at(0).partition_responses.at(0);
  }
};

TEST_F(GroupFlushApiTest, AProducerIsAnsweredBehindTheSync) {
  make_topic("t", 4);
  for (int32_t partition = 0; partition < 4; ++partition) {
    auto row = row_of(produce(partition, 1));
    EXPECT_EQ(row.error_code, 0);
    EXPECT_EQ(row.base_offset, 0);
  }
  EXPECT_EQ(produce(3, 0).kind(), Answer::Kind::nothing);
  auto after = row_of(produce(3, 1));
  EXPECT_EQ(after.base_offset, 4);
  // the power goes
  files_.crash(fs::FaultyFileSystem::CrashMode::lose_unsynced);
  log::OpenOptions options;
  options.id = {"t", PartitionId(3)};
  options.directory = "/logs/t-3";
  options.config = std::make_shared<log::LogConfig>();
  log::FileCache cache(files_, 8);
  auto log = log::Log::open({&files_, &cache, &clock_}, options);
  ASSERT_TRUE(log) << log.error().what();
  EXPECT_EQ((*log)->log_end_offset(), Offset(6));
}

TEST_F(GroupFlushApiTest, AFailedSyncIsAStorageError) {
  make_topic("t", 1);
  EXPECT_EQ(row_of(produce(0, 1)).error_code, 0);
  files_.fail(fs::FaultyFileSystem::Call::sync, "t-0", Errc::io_error);
  EXPECT_EQ(row_of(produce(0, 1)).error_code, wire(ErrorCode::kafka_storage_error));
  EXPECT_EQ(row_of(produce(0, 1)).error_code, wire(ErrorCode::kafka_storage_error))
      << "it is not tried again";
}

}  // namespace
}  // namespace odradek::broker::api
