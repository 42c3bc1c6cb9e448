#include "broker/api/produce.h"

#include "broker/log/message_set.h"
#include "proto/kafka/produce.h"
#include "tests/golden/golden_file.h"
#include "tests/unit/broker/api/api_fixture.h"

namespace odradek::broker::api {
namespace {

class ProduceTest : public ApiTest {
 protected:
  kafka::ProduceRequest request(const std::string& topic, int32_t partition, const Bytes& records,
                                int16_t acks = 1) {
    kafka::ProduceRequest made;
    made.acks = acks;
    made.timeout_ms = 1000;
    kafka::ProduceRequest::TopicProduceData data;
    data.name = topic;
    if (const auto* known = image_->topic(topic)) data.topic_id = known->id;
    kafka::ProduceRequest::PartitionProduceData part;
    part.index = partition;
    part.records = kafka::Records::owned(records);
    data.partition_data.push_back(std::move(part));
    made.topic_data.push_back(std::move(data));
    return made;
  }

  kafka::ProduceResponse::PartitionProduceResponse produce(const kafka::ProduceRequest& asked,
                                                           int16_t version) {
    Bytes bytes = bytes_of(ask(handle_produce, asked, version));
    auto response = read<kafka::ProduceResponse>(bytes, version);
    EXPECT_EQ(response.responses.size(), 1u);
    EXPECT_EQ(response.responses[0].partition_responses.size(), 1u);
    return response.responses[0].partition_responses[0];
  }
};

TEST_F(ProduceTest, EveryVersionAppends) {
  make_topic("t", 2);
  int64_t next = 0;
  for (int16_t version = 3; version <= 13; ++version) {
    auto row = produce(request("t", 1, batch(2), -1), version);
    EXPECT_EQ(row.error_code, 0) << version;
    EXPECT_EQ(row.base_offset, next) << version;
    EXPECT_EQ(row.log_append_time_ms, -1) << version;
    next += 2;
  }
}

Bytes message_set(int8_t magic, int count) {
  ByteWriter out;
  for (int i = 0; i < count; ++i) {
    log::write_message(out, magic, Offset(i), 0, 1'600'000'000'000 + i, ByteView("key"),
                       ByteView("value"));
  }
  return out.take();
}

TEST_F(ProduceTest, OldVersionsBringMessageSets) {
  make_topic("t", 1);
  int64_t next = 0;
  for (int16_t version = 0; version <= 2; ++version) {
    auto row = produce(request("t", 0, message_set(version == 2, 3), -1), version);
    EXPECT_EQ(row.error_code, 0) << version;
    EXPECT_EQ(row.base_offset, next) << version;
    next += 3;
  }
  EXPECT_EQ(produce(request("t", 0, batch(2)), 2).base_offset, next) << "or a batch";
  auto nothing = produce(request("t", 0, message_set(0, 1).substr(0, 20)), 1);
  EXPECT_EQ(nothing.error_code, 0);
  EXPECT_EQ(nothing.base_offset, -1) << "nothing was whole";
  Bytes wrong = message_set(1, 1);
  wrong.back() ^= 1;
  EXPECT_EQ(produce(request("t", 0, wrong), 2).error_code, wire(ErrorCode::corrupt_message));
  EXPECT_EQ(produce(request("none", 0, message_set(1, 1)), 2).error_code,
            wire(ErrorCode::unknown_topic_or_partition));
  EXPECT_EQ(produce(request("t", 0, message_set(1, 1)), 3).error_code,
            wire(ErrorCode::invalid_record))
      << "not from version 3 on";
}

TEST_F(ProduceTest, RefusesBadBatchesAndWritesNothing) {
  make_topic("t", 1);
  Bytes wrong_crc = batch(2);
  wrong_crc.back() ^= 1;
  Bytes magic1 = batch(1);
  magic1[16] = 1;
  Bytes wrong_count = batch(3);
  {
    auto header = log::parse_batch_header(wrong_count);
    ASSERT_TRUE(header);
    header->record_count = 7;
    log::write_batch_header(*header, std::span<char>(wrong_count));
    log::set_crc(std::span<char>(wrong_count));
  }
  log::BatchOptions zstd;
  zstd.codec = compress::Codec::zstd;
  struct Row {
    const char* name;
    Bytes records;
    int16_t version;
    ErrorCode error;
  };
  const Row rows[] = {
      {"wrong crc", wrong_crc, 9, ErrorCode::corrupt_message},
      {"wrong count", wrong_count, 9, ErrorCode::invalid_record},
      {"two batches", batch(1) + batch(1), 9, ErrorCode::invalid_record},
      {"nothing", "", 9, ErrorCode::invalid_record},
      {"cut", batch(3).substr(0, 80), 9, ErrorCode::invalid_record},
      {"message format 1", magic1, 9, ErrorCode::invalid_record},
      {"zstd before version 7", batch(1, zstd), 6, ErrorCode::unsupported_compression_type},
  };
  for (const Row& row : rows) {
    auto answer = produce(request("t", 0, row.records), row.version);
    EXPECT_EQ(answer.error_code, wire(row.error))
        << row.name << ": " << answer.error_message.value_or("");
    EXPECT_EQ(answer.base_offset, -1) << row.name;
  }
  EXPECT_EQ(produce(request("t", 0, batch(1)), 9).base_offset, 0) << "nothing was written";
}

// What a broker of 3.5.2 did with the same bytes, error by error.
TEST_F(ProduceTest, TakesWhatKafkaTakesOfTheRecordsOfAPartition) {
  make_topic("t", 1);
  int64_t end = 0;
  int taken = 0;
  for (const auto& row : golden::read_rows("produce/kafka-3.5.2.tsv")) {
    ASSERT_EQ(row.size(), 5u);
    Bytes records = row[1] == "-" ? Bytes() : golden::unhex(row[1]);
    auto answer = produce(request("t", 0, records, -1), 8);
    EXPECT_EQ(std::to_string(answer.error_code), row[2])
        << row[0] << ": " << answer.error_message.value_or("");
    EXPECT_EQ(answer.base_offset, answer.error_code == 0 ? end : -1) << row[0];
    if (row[3] != "-") EXPECT_EQ(answer.error_message, row[3]) << row[0];
    end += std::stoi(row[4]);
    if (row[4] != "0") ++taken;
  }
  EXPECT_GT(taken, 5);
  EXPECT_EQ(produce(request("t", 0, batch(1)), 8).base_offset, end);
}

TEST_F(ProduceTest, CutsOffWhatIsNotAWholeBatch) {
  make_topic("t", 1);
  ASSERT_EQ(produce(request("t", 0, batch(2) + "cut"), 9).error_code, 0);
  ASSERT_EQ(produce(request("t", 0, batch(2)), 9).base_offset, 2);
  auto file = files_.open("/logs/t-0/00000000000000000000.log", fs::OpenMode::read);
  ASSERT_TRUE(file);
  EXPECT_EQ(*(*file)->size(), 2 * batch(2).size()) << "nothing of it is written";
}

TEST_F(ProduceTest, WhatCannotBeABatchFailsTheWholeRequest) {
  make_topic("t", 3);
  Bytes magic9 = batch(1);
  magic9[16] = 9;
  auto with = [&](const Bytes& second) {
    auto asked = request("t", 0, batch(1), -1);
    for (int32_t i = 1; i < 3; ++i) {
      auto more = request("t", i, i == 1 ? second : batch(1), -1);
      asked.topic_data[0].partition_data.push_back(more.topic_data[0].partition_data[0]);
    }
    Bytes bytes = bytes_of(ask(handle_produce, asked, 8));
    std::vector<int16_t> errors;
    auto response = read<kafka::ProduceResponse>(bytes, 8);
    for (const auto& row : response.responses[0].partition_responses) {
      errors.push_back(row.error_code);
      if (&second == &magic9) {
        EXPECT_EQ(row.error_message, "Invalid magic found in record: 9");
      }
    }
    return errors;
  };
  const int16_t corrupt = wire(ErrorCode::corrupt_message);
  EXPECT_EQ(with(magic9), (std::vector<int16_t>{corrupt, corrupt, corrupt}));
  EXPECT_EQ(with(batch(1) + Bytes(30, '\0')), (std::vector<int16_t>{0, corrupt, 0}))
      << "behind a batch it is that partition's alone";
  auto refused = request("t", 0, batch(1), 7);
  refused.topic_data[0].partition_data.push_back(
      request("t", 1, batch(1) + Bytes(30, '\0')).topic_data[0].partition_data[0]);
  Bytes bytes = bytes_of(ask(handle_produce, refused, 8));
  auto response = read<kafka::ProduceResponse>(bytes, 8);
  EXPECT_EQ(response.responses[0].partition_responses[0].error_code,
            wire(ErrorCode::invalid_required_acks));
  EXPECT_EQ(response.responses[0].partition_responses[1].error_code, corrupt);
}

TEST_F(ProduceTest, LooksForThePartitionBeforeItsRecords) {
  make_topic("t", 1);
  for (const Bytes& records : {Bytes(), batch(1) + Bytes(30, '\0'), batch(1) + batch(1)}) {
    EXPECT_EQ(produce(request("other", 0, records), 9).error_code,
              wire(ErrorCode::unknown_topic_or_partition));
  }
}

TEST_F(ProduceTest, RefusesWhatItDoesNotLead) {
  make_topic("t", 1);
  EXPECT_EQ(produce(request("t", 1, batch(1)), 9).error_code,
            wire(ErrorCode::unknown_topic_or_partition));
  EXPECT_EQ(produce(request("other", 0, batch(1)), 9).error_code,
            wire(ErrorCode::unknown_topic_or_partition));
  auto by_id = request("t", 0, batch(1));
  by_id.topic_data[0].topic_id = Uuid::random();
  EXPECT_EQ(produce(by_id, 13).error_code, wire(ErrorCode::unknown_topic_id));
}

TEST_F(ProduceTest, RefusesAcksAndTransactions) {
  make_topic("t", 1);
  EXPECT_EQ(produce(request("t", 0, batch(1), 2), 9).error_code,
            wire(ErrorCode::invalid_required_acks));
  auto transactional = request("t", 0, batch(1), -1);
  transactional.transactional_id = "tx";
  EXPECT_EQ(produce(transactional, 9).error_code,
            wire(ErrorCode::transactional_id_authorization_failed));
}

TEST_F(ProduceTest, WithoutAcksThereIsNoAnswerAndAnErrorCloses) {
  make_topic("t", 1);
  EXPECT_EQ(ask(handle_produce, request("t", 0, batch(1), 0), 9).kind(), Answer::Kind::nothing);
  EXPECT_EQ(ask(handle_produce, request("t", 5, batch(1), 0), 9).kind(), Answer::Kind::close);
}

TEST_F(ProduceTest, ChecksSequences) {
  make_topic("t", 1);
  auto from = [](int32_t sequence, int16_t epoch = 0) {
    log::BatchOptions options;
    options.producer_id = ProducerId(5);
    options.producer_epoch = ProducerEpoch(epoch);
    options.base_sequence = sequence;
    return options;
  };
  EXPECT_EQ(produce(request("t", 0, batch(2, from(0)), -1), 9).base_offset, 0);
  EXPECT_EQ(produce(request("t", 0, batch(2, from(2)), -1), 9).base_offset, 2);
  auto again = produce(request("t", 0, batch(2, from(0)), -1), 9);
  EXPECT_EQ(again.error_code, 0);
  EXPECT_EQ(again.base_offset, 0) << "a batch that was sent twice keeps its offset";
  EXPECT_EQ(produce(request("t", 0, batch(2, from(9)), -1), 9).error_code,
            wire(ErrorCode::out_of_order_sequence_number));
  EXPECT_EQ(produce(request("t", 0, batch(1, from(0, 1)), -1), 9).base_offset, 4);
  EXPECT_EQ(produce(request("t", 0, batch(1, from(4, 0)), -1), 9).error_code,
            wire(ErrorCode::invalid_producer_epoch));
}

TEST_F(ProduceTest, ABodyThatDoesNotDecodeCloses) {
  std::optional<Answer> answer;
  auto call = [&]() -> asio::awaitable<void> {
    answer.emplace(co_await handle_produce(services_, context(kafka::ApiKey::kProduce, 9), "\1\2"));
  };
  run(call());
  EXPECT_EQ(answer->kind(), Answer::Kind::close);
}

TEST_F(ProduceTest, ManyPartitionsOfBothShards) {
  make_topic("t", 8);
  auto asked = request("t", 0, batch(1));
  for (int32_t i = 1; i < 8; ++i) {
    auto more = request("t", i, batch(i + 1));
    asked.topic_data[0].partition_data.push_back(more.topic_data[0].partition_data[0]);
  }
  Bytes bytes = bytes_of(ask(handle_produce, asked, 9));
  auto response = read<kafka::ProduceResponse>(bytes, 9);
  ASSERT_EQ(response.responses[0].partition_responses.size(), 8u);
  for (int32_t i = 0; i < 8; ++i) {
    EXPECT_EQ(response.responses[0].partition_responses[static_cast<size_t>(i)].index, i);
    EXPECT_EQ(response.responses[0].partition_responses[static_cast<size_t>(i)].error_code, 0);
  }
}

}  // namespace
}  // namespace odradek::broker::api
