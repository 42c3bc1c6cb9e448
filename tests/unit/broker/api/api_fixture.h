#pragma once
// Handlers over real partitions on a disk in memory: one broker with the topics that a test asks
// for, two shards.

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <memory>
#include <optional>
#include <string>

#include "broker/api/broker_settings.h"
#include "broker/api/fetch_session.h"
#include "broker/api/handler.h"
#include "broker/group/group_manager.h"
#include "broker/log/record_batch_builder.h"
#include "broker/metadata/coordinator_client.h"
#include "broker/replica/partition_manager.h"
#include "common/config/setting.h"
#include "common/runtime/background.h"
#include "common/runtime/owner.h"
#include "common/runtime/shards.h"
#include "proto/kafka/api_keys.h"
#include "tests/support/faulty_file_system.h"

namespace odradek::broker::api {

namespace asio = boost::asio;

class ApiTest : public testing::Test {
 protected:
  static constexpr int64_t kNow = 1'600'000'000'000;

  void SetUp() override {
    log::LogManager::Options options;
    options.directories = {"/logs"};
    auto logs = log::LogManager::open(files_, clock_, options);
    ASSERT_TRUE(logs) << logs.error().what();
    logs_ = std::move(*logs);
    auto topic_settings = [this](const metadata::ConfigMap&, const metadata::Image&) {
      replica::TopicSettings made;
      made.log = std::make_shared<log::LogConfig>(log_config_);
      return made;
    };
    partitions_ = std::make_unique<replica::PartitionManager>(
        replica_settings_, topic_settings, shards_, background_, clock_, *logs_);
    settings_.broker_id = BrokerId(1);
    services_.settings = &settings_;
    services_.clock = &clock_;
    services_.shards = &shards_;
    services_.background = &background_;
    services_.coordinator = &coordinator_;
    services_.partitions = partitions_.get();
    services_.fetch_sessions = &sessions_;
    groups_ = std::make_unique<group::GroupManager>(group::GroupSettings(), &clock_, &shards_,
                                                    &background_, partitions_.get());
    services_.groups = groups_.get();
    shards_.start();
    auto start = [this]() -> asio::awaitable<void> {
      partitions_->begin_load();
      co_await partitions_->start(BrokerId(1), [this] { return image_; });
      EXPECT_TRUE(co_await partitions_->wait_all_open(10'000));
    };
    run(start());
  }
  void TearDown() override {
    run(partitions_->stop());
    background_.stop();
    shards_.stop();
  }

  void run(asio::awaitable<void> work, size_t shard = 0) {
    asio::co_spawn(shards_.executor(shard), std::move(work), asio::use_future).get();
  }

  // A topic that this broker leads, with its logs open.
  Uuid make_topic(const std::string& name, int partitions, int32_t leader_epoch = 3) {
    auto next = std::make_shared<metadata::Image>(*image_);
    next->zxid = next->zxid + 1;
    auto topic = std::make_shared<metadata::Topic>();
    topic->name = name;
    topic->id = Uuid::random();
    for (int i = 0; i < partitions; ++i) {
      metadata::Partition partition;
      partition.leader = BrokerId(1);
      partition.leader_epoch = LeaderEpoch(leader_epoch);
      partition.partition_epoch = 0;
      partition.replicas = partition.isr = {BrokerId(1)};
      topic->partitions.push_back(partition);
    }
    next->topics[name] = topic;
    next->topic_names[topic->id] = name;
    auto change = metadata::difference(image_.get(), *next, false);
    image_ = next;
    auto apply = [this, &change]() -> asio::awaitable<void> {
      partitions_->apply(image_, change);
      co_return;
    };
    run(apply());
    auto wait = [this, &name]() -> asio::awaitable<void> {
      bool open = co_await partitions_->wait_open(name, image_->zxid, 10'000);
      EXPECT_TRUE(open);
    };
    run(wait());
    return topic->id;
  }

  RequestContext context(kafka::ApiKey key, int16_t version) {
    RequestContext made;
    made.api_key = static_cast<int16_t>(key);
    made.version = version;
    made.correlation_id = 77;
    made.client_id = "test";
    made.listener = "PLAINTEXT";
    made.received_ms = clock_.monotonic_ms();
    made.image = image_;
    return made;
  }

  template <typename Request>
  Answer ask(Handler handler, const Request& request, int16_t version, size_t shard = 0) {
    ByteWriter body;
    request.encode(body, version);
    Bytes bytes = body.take();
    std::optional<Answer> answer;
    auto call = [&]() -> asio::awaitable<void> {
      answer.emplace(
          co_await handler(services_, context(kafka::ApiKey(Request::kApiKey), version), bytes));
    };
    run(call(), shard);
    return *std::move(answer);
  }

  // The answer as it goes over the wire, file ranges read in.
  static Bytes bytes_of(const Answer& answer) {
    Bytes all;
    for (const Piece& piece : answer.pieces()) {
      if (const auto* bytes = std::get_if<Bytes>(&piece)) {
        all += *bytes;
        continue;
      }
      const auto& range = std::get<FileRange>(piece);
      Bytes part(range.size, '\0');
      EXPECT_TRUE(
          range.file->pread_exact(part.data(), part.size(), static_cast<uint64_t>(range.position)));
      all += part;
    }
    EXPECT_EQ(all.size(), answer.size());
    return all;
  }

  // Decodes header and body. The records of the result are views into `bytes`.
  template <typename Response>
  static Response read(const Bytes& bytes, int16_t version) {
    ByteReader in(bytes);
    EXPECT_EQ(in.i32(), 77);
    if (kafka::response_header_version(kafka::ApiKey(Response::kApiKey), version) == 1)
      EXPECT_EQ(in.i8(), 0);
    auto response = Response::decode(in, version);
    EXPECT_TRUE(response) << response.error().what();
    EXPECT_EQ(in.remaining(), 0u);
    return *std::move(response);
  }

  static Bytes batch(int count, log::BatchOptions options = {}) {
    log::RecordBatchBuilder builder(options);
    for (int i = 0; i < count; ++i) builder.add(kNow + i, "key" + std::to_string(i), "value");
    return *builder.build();
  }

  fs::FaultyFileSystem files_{1};
  ManualClock clock_{kNow};
  log::LogConfig log_config_;
  replica::ReplicaSettings replica_settings_;
  runtime::Background background_{"background", 2, 1000};
  runtime::Shards shards_{"test", 2};
  config::Settings file_{config::broker_settings()};
  BrokerSettings settings_{file_};
  metadata::CoordinatorClient coordinator_{shards_.executor(0)};
  FetchSessions sessions_{2, 10, 120'000};
  metadata::ImagePtr image_ = std::make_shared<const metadata::Image>();
  std::unique_ptr<log::LogManager> logs_;
  std::unique_ptr<replica::PartitionManager> partitions_;
  std::unique_ptr<group::GroupManager> groups_;
  Services services_;
};

}  // namespace odradek::broker::api
