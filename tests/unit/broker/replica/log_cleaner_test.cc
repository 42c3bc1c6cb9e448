// Which log is compacted when, and what becomes of one that cannot be; on a disk in memory, with real
// shards and a real background pool.
#include "broker/replica/log_cleaner.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include "broker/log/record.h"
#include "broker/log/record_batch_builder.h"
#include "broker/replica/housekeeping.h"
#include "common/runtime/background.h"
#include "common/runtime/owner.h"
#include "common/runtime/shards.h"
#include "tests/support/faulty_file_system.h"

namespace odradek::broker::replica {
namespace {

namespace asio = boost::asio;

struct Failures final : PartitionEvents {
  void on_log_failure(Partition& partition, const Error&) override {
    partition.set_offline();
    failed.push_back(partition.id());
  }
  std::vector<TopicPartition> failed;
};

class LogCleanerTest : public testing::Test {
 protected:
  void SetUp() override {
    config_->cleanup_compact = true;
    config_->cleanup_delete = false;
    config_->segment_bytes = 400;
    config_->file_delete_delay_ms = 0;
    open();
  }
  void TearDown() override { close(); }

  void open() {
    log::LogManager::Options options;
    options.directories = {"/logs"};
    auto logs = log::LogManager::open(files_, clock_, options);
    ASSERT_TRUE(logs) << logs.error().what();
    logs_ = std::move(*logs);
    shards_ = std::make_unique<runtime::Shards>("test", 2);
    table_ = std::make_unique<PartitionTable>(*shards_);
    housekeeping_ = std::make_unique<Housekeeping>(ReplicaSettings{}, *table_, *logs_, background_,
                                                   clock_, shards_->executor(0));
    cleaner_ = std::make_unique<LogCleaner>([this] { return settings_; }, *table_, *logs_, background_, clock_,
                                            shards_->executor(0), *housekeeping_, failures_);
    shards_->start();
    for (const log::FoundLog& found : logs_->found_logs()) {
      install(logs_->load(found, config_).log);
    }
  }
  void close() {
    // as in the service: what coroutines hold is only freed by the end of the process
    static auto* const ended = new std::vector<std::shared_ptr<void>>;
    shards_->stop();
    ended->push_back(std::shared_ptr<runtime::Shards>(std::move(shards_)));
    ended->push_back(std::shared_ptr<PartitionTable>(std::move(table_)));
    ended->push_back(std::shared_ptr<Housekeeping>(std::move(housekeeping_)));
    ended->push_back(std::shared_ptr<LogCleaner>(std::move(cleaner_)));
    ended->push_back(std::shared_ptr<log::LogManager>(std::move(logs_)));
    files_.crash(fs::FaultyFileSystem::CrashMode::keep_all);  // the lock is free
  }

  template <typename T>
  T run(asio::awaitable<T> work) {
    return asio::co_spawn(shards_->executor(0), std::move(work), asio::use_future).get();
  }
  template <typename Fn>
  auto on_owner(const TopicPartition& id, Fn fn) {
    auto visit = [this, id, fn] { return fn(*table_->find(id)); };
    return run(runtime::run_on(table_->owner(id), visit));
  }

  void install(std::unique_ptr<log::Log> log) {
    const TopicPartition id = log->id();
    auto put = [&] {
      const Offset end = log->log_end_offset();
      auto partition =
          std::make_shared<Partition>(BrokerId(1), table_->owner(id), std::move(log), 0, clock_,
                                      background_, failures_, end);
      LeaderState state;
      state.leader = BrokerId(1);
      state.leader_epoch = LeaderEpoch(0);
      state.replicas = state.isr = {BrokerId(1)};
      partition->apply(state);
      table_->shard_for(id).partitions[id] = std::move(partition);
      return true;
    };
    run(runtime::run_on(table_->owner(id), put));
  }
  TopicPartition make(const std::string& topic) {
    TopicPartition id{topic, PartitionId(0)};
    auto log = logs_->create_log(id, config_, std::nullopt);
    EXPECT_TRUE(log) << log.error().what();
    install(std::move(*log));
    return id;
  }
  void fill(const TopicPartition& id, int count) {
    on_owner(id, [&](Partition& partition) {
      for (int i = 0; i < count; ++i) {
        log::RecordBatchBuilder builder;
        builder.add(clock_.wall_ms(), "k", std::string(100, 'v'));
        EXPECT_TRUE(partition.append_as_leader(*builder.build(), 1, AppendOrigin::client));
      }
      return true;
    });
  }
  int64_t bytes(const TopicPartition& id) {
    return on_owner(id, [](Partition& partition) { return partition.log().size_bytes(); });
  }
  bool clean_one() { return run(cleaner_->clean_one()); }
  std::string checkpoint() {
    auto text = files_.read_file("/logs/cleaner-offset-checkpoint", 1 << 20);
    return text ? *text : "";
  }
  std::vector<std::string> leftovers(const TopicPartition& id) {
    std::vector<std::string> found;
    const std::vector<fs::DirEntry> entries = *files_.list("/logs/" + id.to_string());
    for (const auto& entry : entries) {
      if (entry.name.ends_with(".cleaned") || entry.name.ends_with(".swap")) {
        found.push_back(entry.name);
      }
    }
    return found;
  }

  fs::FaultyFileSystem files_{1};
  ManualClock clock_;
  runtime::Background background_{"background", 2, 1000};
  Failures failures_;
  CleanerSettings settings_;
  std::shared_ptr<log::LogConfig> config_ = std::make_shared<log::LogConfig>();
  std::unique_ptr<log::LogManager> logs_;
  std::unique_ptr<runtime::Shards> shards_;
  std::unique_ptr<PartitionTable> table_;
  std::unique_ptr<Housekeeping> housekeeping_;
  std::unique_ptr<LogCleaner> cleaner_;
};

TEST_F(LogCleanerTest, TheDirtiestGoesFirst) {
  const TopicPartition a = make("a"), b = make("b"), c = make("c");
  for (const TopicPartition& id : {a, b}) fill(id, 20);
  EXPECT_TRUE(clean_one());
  EXPECT_TRUE(clean_one());
  EXPECT_FALSE(clean_one()) << "c is empty, the others are clean";
  EXPECT_EQ(checkpoint(), "0\n2\na 0 18\nb 0 18\n");
  const int64_t clean_bytes = bytes(a);
  EXPECT_LT(clean_bytes, 900);
  fill(c, 2);
  EXPECT_FALSE(clean_one()) << "c's segment is still written to";
  fill(a, 6);
  fill(b, 12);
  EXPECT_TRUE(clean_one());
  EXPECT_EQ(checkpoint(), "0\n2\na 0 18\nb 0 30\n");
  EXPECT_TRUE(clean_one());
  EXPECT_EQ(checkpoint(), "0\n2\na 0 24\nb 0 30\n");
  EXPECT_FALSE(clean_one());
}

TEST_F(LogCleanerTest, WhatIsCleanEnoughWaits) {
  config_->min_cleanable_dirty_ratio = 0.9;
  const TopicPartition a = make("a");
  fill(a, 20);
  EXPECT_TRUE(clean_one());
  fill(a, 2);
  EXPECT_FALSE(clean_one());
  fill(a, 40);
  EXPECT_TRUE(clean_one());
}

TEST_F(LogCleanerTest, MaxCompactionLagDoesNotWaitForTheRatio) {
  config_->min_cleanable_dirty_ratio = 1;
  config_->max_compaction_lag_ms = 1000;
  const TopicPartition a = make("a");
  fill(a, 20);
  EXPECT_FALSE(clean_one());
  clock_.advance_ms(1001);
  EXPECT_TRUE(clean_one());
  EXPECT_FALSE(clean_one());
}

TEST_F(LogCleanerTest, OnlyCompactedTopics) {
  config_->cleanup_compact = false;
  const TopicPartition a = make("a");
  fill(a, 20);
  EXPECT_FALSE(clean_one());
}

TEST_F(LogCleanerTest, WhatWasCleanStaysSoAfterARestart) {
  const TopicPartition a = make("a");
  fill(a, 20);
  EXPECT_TRUE(clean_one());
  on_owner(a, [](Partition& partition) { return partition.log().close().ok(); });
  close();
  open();
  EXPECT_FALSE(clean_one());
  EXPECT_LT(bytes(a), 900);
}

TEST_F(LogCleanerTest, ALogThatIsGoneLeavesTheCheckpoint) {
  const TopicPartition a = make("a"), b = make("b");
  fill(a, 20);
  fill(b, 20);
  EXPECT_TRUE(clean_one());
  EXPECT_TRUE(clean_one());
  auto take = [&] { return table_->shard_for(a).partitions.erase(a); };
  run(runtime::run_on(table_->owner(a), take));
  fill(b, 20);
  EXPECT_TRUE(clean_one());
  EXPECT_EQ(checkpoint(), "0\n1\nb 0 38\n");
}

TEST_F(LogCleanerTest, ACorruptLogIsLeftAloneAndTheOthersGoOn) {
  const TopicPartition a = make("a"), b = make("b");
  fill(a, 20);
  fill(b, 10);
  auto file = *files_.open("/logs/a-0/00000000000000000000.log", fs::OpenMode::read_write);
  ASSERT_TRUE(file->pwrite("XX", 100).ok());
  EXPECT_TRUE(clean_one());
  EXPECT_TRUE(clean_one());
  EXPECT_FALSE(clean_one());
  EXPECT_EQ(checkpoint(), "0\n2\na 0 0\nb 0 8\n");
  EXPECT_TRUE(leftovers(a).empty());
  EXPECT_TRUE(failures_.failed.empty());
}

TEST_F(LogCleanerTest, AFullDiskIsTriedAgain) {
  const TopicPartition a = make("a"), b = make("b");
  fill(a, 20);
  fill(b, 10);
  files_.fail(fs::FaultyFileSystem::Call::write, "a-0/00000000000000000016.log.cleaned",
              Errc::disk_full);
  EXPECT_TRUE(clean_one());
  EXPECT_TRUE(leftovers(a).empty());
  EXPECT_TRUE(clean_one()) << "b is not kept waiting";
  EXPECT_EQ(checkpoint(), "0\n2\na 0 0\nb 0 8\n");
  EXPECT_FALSE(clean_one()) << "not at once";
  clock_.advance_ms(settings_.backoff_ms);
  EXPECT_TRUE(clean_one());
  EXPECT_EQ(checkpoint(), "0\n2\na 0 18\nb 0 8\n");
}

TEST_F(LogCleanerTest, AFailingDiskIsToldOf) {
  const TopicPartition a = make("a");
  using Call = fs::FaultyFileSystem::Call;
  for (Call call : {Call::read, Call::sync, Call::rename, Call::sync_dir}) {
    SCOPED_TRACE(static_cast<int>(call));
    failures_.failed.clear();
    const TopicPartition id = make("t" + std::to_string(static_cast<int>(call)));
    fill(id, 20);
    files_.fail(call, id.to_string(), Errc::io_error);
    EXPECT_TRUE(clean_one());
    EXPECT_EQ(failures_.failed, std::vector<TopicPartition>{id});
    files_.clear_faults();
    EXPECT_FALSE(clean_one());
  }
}

TEST_F(LogCleanerTest, SeveralAtOnceTakeDifferentLogs) {
  std::vector<TopicPartition> ids;
  for (int i = 0; i < 8; ++i) ids.push_back(make("t" + std::to_string(i)));
  for (const TopicPartition& id : ids) fill(id, 20);
  auto some = [this]() -> asio::awaitable<void> {
    while (co_await cleaner_->clean_one()) {
    }
  };
  auto first = asio::co_spawn(shards_->executor(0), some, asio::use_future);
  auto second = asio::co_spawn(shards_->executor(0), some, asio::use_future);
  first.get();
  second.get();
  for (const TopicPartition& id : ids) EXPECT_LT(bytes(id), 900) << id.to_string();
  EXPECT_EQ(checkpoint().substr(0, 4), "0\n8\n");
}

TEST_F(LogCleanerTest, AppendsGoOnWhileItWorks) {
  config_->segment_bytes = 20000;
  const TopicPartition a = make("a");
  fill(a, 2000);
  auto cleaning = asio::co_spawn(shards_->executor(0), cleaner_->clean_one(), asio::use_future);
  for (int i = 0; i < 200; ++i) fill(a, 1);
  EXPECT_TRUE(cleaning.get());
  const Offset end =
      on_owner(a, [](Partition& partition) { return partition.log_end_offset(); });
  EXPECT_EQ(end, Offset(2200));
  EXPECT_LT(bytes(a), 70000);
}

TEST_F(LogCleanerTest, SettingsThatChangeCountFromTheNextLook) {
  close();
  settings_.threads = 0;
  settings_.backoff_ms = 1;
  open();
  const TopicPartition a = make("a"), b = make("b");
  fill(a, 20);
  fill(b, 20);
  auto watch = [this]() -> asio::awaitable<void> {
    cleaner_->start();
    for (int looks = 0; looks < 3;) looks += co_await cleaner_->progress().wait_ms(10000) ? 1 : 0;
    EXPECT_EQ(checkpoint(), "");
    settings_.threads = 2;
    while (checkpoint() != "0\n2\na 0 18\nb 0 18\n") co_await cleaner_->progress().wait_ms(10000);
    cleaner_->end();
    while (cleaner_->busy()) co_await cleaner_->progress().wait_ms(10000);
  };
  run(watch());
  EXPECT_LT(bytes(a), 900);
  EXPECT_LT(bytes(b), 900);
}

TEST_F(LogCleanerTest, AnEndIsNotWaitedForLong) {
  close();
  settings_.max_bytes_per_second = 1;  // the first piece alone would take hours
  open();
  const TopicPartition a = make("a");
  fill(a, 20);
  auto cleaning = asio::co_spawn(shards_->executor(0), cleaner_->clean_one(), asio::use_future);
  auto wait = [this]() -> asio::awaitable<void> {
    while (!cleaner_->busy()) co_await cleaner_->progress().wait_ms(1);
    cleaner_->end();
    while (cleaner_->busy()) co_await cleaner_->progress().wait_ms(10000);
  };
  run(wait());
  EXPECT_TRUE(cleaning.get());
  EXPECT_TRUE(leftovers(a).empty());
  EXPECT_EQ(checkpoint().find(" 18"), std::string::npos);
}

}  // namespace
}  // namespace odradek::broker::replica
