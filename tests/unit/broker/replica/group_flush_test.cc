// log.flush.policy=group on a disk that loses what was not synced: what was acknowledged is there
// after the power went, and one sync serves all that were written to meanwhile.
#include "broker/replica/group_flush.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <future>
#include <random>

#include "broker/log/record_batch_builder.h"
#include "broker/replica/partition.h"
#include "common/runtime/background.h"
#include "tests/support/faulty_file_system.h"

namespace odradek::broker::replica {
namespace {

namespace asio = boost::asio;
using fs::FaultyFileSystem;
constexpr int64_t kNow = 1'600'000'000'000;

Bytes batch(int count) {
  log::RecordBatchBuilder builder({});
  for (int i = 0; i < count; ++i) builder.add(kNow + i, "key", "value");
  return *builder.build();
}

class GroupFlushTest : public testing::Test, public PartitionEvents {
 protected:
  void SetUp() override { ASSERT_TRUE(files_.make_dirs("/logs")); }
  void TearDown() override { release_pool(); }

  void on_log_failure(Partition&, const Error&) override {
    for (auto& partition : partitions_) partition->set_offline();
  }

  void make(int count, bool with_policy = true) {
    flush_ = std::make_unique<GroupFlush>(files_, *background_, std::vector<std::string>{"/logs"});
    for (int i = 0; i < count; ++i) {
      partitions_.push_back(std::make_shared<Partition>(
          BrokerId(1), loop_.get_executor(), open(i), 0, clock_, *background_, *this, Offset(0),
          with_policy ? flush_.get() : nullptr));
      lead(*partitions_.back());
    }
  }

  // One record each: the names of a new log are on the disk, too.
  void settle() {
    for (size_t i = 0; i < partitions_.size(); ++i) append(i, 1);
    run_until([this] { return acknowledged_ends() == ends(); });
  }

  std::unique_ptr<log::Log> open(int number, Offset recovery_point = Offset(0)) {
    log::OpenOptions options;
    options.id = {"t", PartitionId(number)};
    options.directory = "/logs/" + options.id.to_string();
    options.config = config_;
    options.recovery_point = recovery_point;
    auto log = log::Log::open({&files_, &cache_, &clock_}, options);
    EXPECT_TRUE(log) << log.error().what();
    return std::move(*log);
  }

  static void lead(Partition& partition) {
    LeaderState state;
    state.leader = BrokerId(1);
    state.leader_epoch = LeaderEpoch(1);
    state.replicas = state.isr = {BrokerId(1)};
    partition.apply(state);
  }

  // The power goes; each log is opened as a start would. Their ends.
  std::vector<Offset> ends_after_power_loss(FaultyFileSystem::CrashMode mode) {
    const size_t count = partitions_.size();
    end_pool();
    partitions_.clear();
    files_.crash(mode);
    std::vector<Offset> found;
    for (size_t i = 0; i < count; ++i) found.push_back(open(static_cast<int>(i))->log_end_offset());
    return found;
  }

  void hold_pool() {
    auto wait = [gate = gate_.get_future().share()] { gate.wait(); };
    ASSERT_TRUE(background_->post(wait));
    is_held_ = true;
  }
  void release_pool() {
    if (std::exchange(is_held_, false)) gate_.set_value();
  }
  void end_pool() {
    release_pool();
    background_->stop();
  }

  std::vector<Offset> ends() {
    std::vector<Offset> all;
    for (auto& partition : partitions_) all.push_back(partition->log_end_offset());
    return all;
  }
  std::vector<Offset> acknowledged_ends() {
    std::vector<Offset> all;
    for (auto& partition : partitions_) all.push_back(partition->high_watermark());
    return all;
  }

  void run_until(const std::function<bool()>& done) {
    while (!done()) {
      loop_.restart();
      ASSERT_GT(loop_.run_one_for(std::chrono::seconds(10)), 0u) << "nothing goes on";
    }
  }

  AppendInfo append(size_t partition, int count, int16_t acks = 1) {
    auto appended = partitions_[partition]->append_as_leader(batch(count), acks,
                                                             AppendOrigin::client);
    EXPECT_TRUE(appended) << appended.error().what();
    return appended ? *appended : AppendInfo();
  }

  // What a producer would be told, in time.
  using Told = std::shared_ptr<std::optional<Result<void>>>;
  Told wait(size_t partition, Offset end, int16_t acks) {
    auto told = std::make_shared<std::optional<Result<void>>>();
    auto work = [](std::shared_ptr<Partition> where, Offset end, int16_t acks,
                   Told told) -> asio::awaitable<void> {
      told->emplace(co_await where->wait_acknowledged(end, acks, 1000));
    };
    asio::co_spawn(loop_, work(partitions_[partition], end, acks, told), asio::detached);
    return told;
  }

  FaultyFileSystem files_{1};
  log::FileCache cache_{files_, 64};
  ManualClock clock_{kNow};
  asio::io_context loop_{1};
  asio::executor_work_guard<runtime::Executor> loop_stays_{loop_.get_executor()};
  std::promise<void> gate_;
  bool is_held_ = false;
  std::unique_ptr<runtime::Background> background_ =
      std::make_unique<runtime::Background>("test", 1, 100);
  std::shared_ptr<log::LogConfig> config_ = std::make_shared<log::LogConfig>();
  std::unique_ptr<GroupFlush> flush_;
  std::vector<std::shared_ptr<Partition>> partitions_;
};

TEST_F(GroupFlushTest, NothingCountsBeforeTheSync) {
  make(1);
  hold_pool();
  append(0, 3);
  EXPECT_EQ(partitions_[0]->high_watermark(), Offset(0)) << "consumers do not see it";
  EXPECT_FALSE(partitions_[0]->is_acknowledged(Offset(3), 1));
  EXPECT_FALSE(partitions_[0]->is_acknowledged(Offset(3), -1));
  EXPECT_TRUE(partitions_[0]->is_acknowledged(Offset(3), 0)) << "who asks for nothing does not wait";
  int woken = 0;
  partitions_[0]->wait_past(Offset(0), [&] { ++woken; });
  Told one = wait(0, Offset(3), 1);
  Told all = wait(0, Offset(3), -1);
  loop_.poll();
  EXPECT_FALSE(*one || *all || woken);
  release_pool();
  run_until([&] { return *one && *all; });
  EXPECT_TRUE((*one)->ok());
  EXPECT_TRUE((*all)->ok());
  EXPECT_EQ(woken, 1) << "a fetch that waits";
  EXPECT_EQ(partitions_[0]->high_watermark(), Offset(3));
  EXPECT_EQ(ends_after_power_loss(FaultyFileSystem::CrashMode::lose_unsynced),
            std::vector<Offset>{Offset(3)});
}

TEST_F(GroupFlushTest, WithoutThePolicyTheSameIsLost) {
  make(1, false);
  append(0, 3);
  EXPECT_TRUE(partitions_[0]->is_acknowledged(Offset(3), -1));
  EXPECT_EQ(ends_after_power_loss(FaultyFileSystem::CrashMode::lose_unsynced),
            std::vector<Offset>{Offset(0)});
}

TEST_F(GroupFlushTest, ManyPartitionsShareASync) {
  make(100);
  hold_pool();
  const uint64_t before = files_.syncs();
  for (int round = 0; round < 5; ++round) {
    for (size_t i = 0; i < partitions_.size(); ++i) append(i, 1);
  }
  release_pool();
  run_until([this] { return acknowledged_ends() == ends(); });
  EXPECT_LE(files_.syncs() - before, 2u) << "500 appends to 100 partitions";
  EXPECT_EQ(ends_after_power_loss(FaultyFileSystem::CrashMode::lose_unsynced),
            std::vector<Offset>(100, Offset(5)));
}

TEST_F(GroupFlushTest, AFewFilesAreSyncedAlone) {
  make(2);
  settle();
  hold_pool();
  const uint64_t before = files_.syncs();
  append(0, 1);
  append(1, 1);
  append(1, 1);
  release_pool();
  run_until([this] { return acknowledged_ends() == ends(); });
  EXPECT_EQ(files_.syncs() - before, 2u) << "the two .log files, and no index";
}

TEST_F(GroupFlushTest, AFailedSyncIsTheDirectorysEnd) {
  make(2);
  settle();
  files_.fail(FaultyFileSystem::Call::sync, "t-1", Errc::io_error);
  append(0, 1);
  append(1, 1);
  Told told = wait(1, Offset(2), 1);
  run_until([&] { return told->has_value(); });
  ASSERT_FALSE((*told)->ok());
  EXPECT_EQ((*told)->error().code(), Errc::log_dir_offline);
  EXPECT_TRUE(partitions_[0]->offline()) << "the other one of the directory, too";
  EXPECT_EQ(partitions_[1]->high_watermark(), Offset(1));
}

TEST_F(GroupFlushTest, ALeadershipThatGoesIsToldToWhoWaits) {
  make(1);
  hold_pool();
  append(0, 1);
  Told told = wait(0, Offset(1), 1);
  loop_.poll();
  LeaderState state;
  state.leader = BrokerId(2);
  state.leader_epoch = LeaderEpoch(2);
  partitions_[0]->apply(state);
  run_until([&] { return told->has_value(); });
  ASSERT_FALSE((*told)->ok());
  EXPECT_EQ((*told)->error().code(), Errc::not_leader_or_follower);
}

TEST_F(GroupFlushTest, WhatAKilledProcessLeftIsSyncedBeforeItCounts) {
  make(1);
  hold_pool();
  append(0, 4);
  // the process dies, the system lives: the records are in the page cache alone
  auto log = open(0);
  ASSERT_EQ(log->log_end_offset(), Offset(4));
  auto again = std::make_shared<Partition>(BrokerId(1), loop_.get_executor(), std::move(log), 0,
                                           clock_, *background_, *this, Offset(0), flush_.get());
  lead(*again);
  EXPECT_EQ(again->high_watermark(), Offset(0));
  release_pool();
  run_until([&] { return again->high_watermark() == Offset(4); });
  EXPECT_EQ(ends_after_power_loss(FaultyFileSystem::CrashMode::lose_unsynced),
            std::vector<Offset>{Offset(4)});
}

TEST_F(GroupFlushTest, ARollBetweenIsCovered) {
  config_->segment_bytes = 300;
  make(1);
  hold_pool();
  for (int i = 0; i < 10; ++i) append(0, 2);
  ASSERT_GT(partitions_[0]->log().segment_count(), 3u);
  release_pool();
  run_until([this] { return acknowledged_ends() == ends(); });
  EXPECT_EQ(ends_after_power_loss(FaultyFileSystem::CrashMode::lose_unsynced),
            std::vector<Offset>{Offset(20)});
}

// The power goes at any step of appends, rolls and rounds.
class PowerLoss : public GroupFlushTest, public testing::WithParamInterface<int> {};

TEST_P(PowerLoss, LosesNothingThatWasAcknowledged) {
  std::mt19937_64 random(static_cast<uint64_t>(GetParam()));
  config_->segment_bytes = 600;
  make(3);
  files_.cut_power_after(1 + random() % 250);
  struct Row {
    size_t partition;
    Offset end;
    Told told;
  };
  std::vector<Row> rows;
  for (int step = 0; step < 120 && !files_.power_is_cut(); ++step) {
    const size_t which = random() % partitions_.size();
    auto appended = partitions_[which]->append_as_leader(batch(1 + static_cast<int>(random() % 3)),
                                                         1, AppendOrigin::client);
    if (appended) {
      const Offset end = appended->last_offset + 1;
      rows.push_back({which, end, wait(which, end, random() % 2 == 0 ? 1 : -1)});
    }
    loop_.restart();
    loop_.poll();
    // now and then somebody waits, and others come behind them
    if (!rows.empty() && random() % 4 == 0) {
      run_until([&] { return rows.back().told->has_value(); });
    }
  }
  std::vector<Offset> acknowledged(partitions_.size());
  for (const Row& row : rows) {
    if (*row.told && (*row.told)->ok())
      acknowledged[row.partition] = std::max(acknowledged[row.partition], row.end);
  }
  using Mode = FaultyFileSystem::CrashMode;
  auto kept = ends_after_power_loss(GetParam() % 2 == 0 ? Mode::keep_prefix : Mode::lose_unsynced);
  for (size_t i = 0; i < kept.size(); ++i) {
    EXPECT_GE(kept[i], acknowledged[i]) << "partition " << i << ", seed " << GetParam();
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, PowerLoss, testing::Range(0, 200));

}  // namespace
}  // namespace odradek::broker::replica
