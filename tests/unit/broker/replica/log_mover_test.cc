// Logs on their way from one log directory to another.
#include "broker/replica/log_mover.h"

#include "tests/unit/broker/replica/manager_fixture.h"

namespace odradek::broker::replica {
namespace {

using Call = fs::FaultyFileSystem::Call;
const TopicPartition kLog{"t", PartitionId(0)};

class LogMoverTest : public PartitionManagerTest {
 protected:
  LogMoverTest() {
    log_dirs_ = {"/a", "/b"};
    config_->segment_bytes = 400;  // some five batches each
  }

  void make_topic() {
    next_image([&](metadata::Image& image) { put_topic(image, "t", Uuid::random(), 1, kSelf); });
    ASSERT_EQ(place(), 0u);
  }
  void append_some(int count) {
    for (int i = 0; i < count; ++i) ASSERT_TRUE(append(kLog));
  }

  template <typename Fn>
  auto on_partition(Fn fn) {
    auto look = [this, &fn] { return fn(**manager_->find(kLog)); };
    return run(runtime::run_on(manager_->owner(kLog), look));
  }
  size_t place() {
    return on_partition([](Partition& partition) { return partition.directory(); });
  }
  Bytes content() {
    return on_partition([](Partition& partition) {
      Bytes all;
      log::Log& log = partition.log();
      for (Offset at = log.log_start_offset(); at < log.log_end_offset();) {
        auto slice = log.read(at, 1 << 20, true, log.log_end_offset());
        EXPECT_TRUE(slice) << slice.error().what();
        auto bytes = log::Log::read_bytes(*slice);
        EXPECT_TRUE(bytes);
        all += *bytes;
        for (log::BatchWalker walker(*bytes); walker.next();) at = walker.header().next_offset();
      }
      return all;
    });
  }

  Result<void> ask(size_t directory) { return run(manager_->move_log(kLog, directory)); }
  // Until the move has ended, one way or the other, and what it left is gone.
  void wait() { ASSERT_TRUE(run(manager_->mover().wait_idle(10'000))); }
  // Names below both directories that are no plain log's, but for those that go.
  std::vector<std::string> leftovers() {
    std::vector<std::string> names;
    for (const std::string& parent : log_dirs_) {
      for (const std::string& name : directories(parent)) {
        if (name != "t-0" && !name.ends_with("-delete")) names.push_back(parent + "/" + name);
      }
    }
    return names;
  }
  bool has_log(const std::string& parent) {
    auto names = directories(parent);
    return std::find(names.begin(), names.end(), "t-0") != names.end();
  }
  void stop_here() {  // as stop(), but what is held is let go once the stop has begun
    auto stopped =
        asio::co_spawn(shards_->executor(0), manager_->stop(), asio::use_future);
    run([]() -> asio::awaitable<void> { co_return; }());
    held_.release();
    stopped.get();
    lay_down();
    logs_.reset();
  }
  void crash(fs::FaultyFileSystem::CrashMode mode) {
    files_.crash(mode);
    held_.release();
    lay_down();
    // threads of the one that crashed may look at it still
    static auto* const ended = new std::vector<std::unique_ptr<log::LogManager>>;
    ended->push_back(std::move(logs_));
  }
};

TEST_F(LogMoverTest, ALogMovesWithAllThatItHas) {
  make_topic();
  append_some(50);
  ASSERT_TRUE(on_partition([](Partition& partition) { return partition.delete_records(12).ok(); }));
  const Bytes before = content();
  ASSERT_TRUE(ask(1));
  wait();
  EXPECT_EQ(place(), 1u);
  EXPECT_EQ(logs_->directory_of(kLog), 1u);
  EXPECT_EQ(content(), before);
  EXPECT_EQ(on_partition([](Partition& partition) { return partition.log_start_offset(); }),
            Offset(12));
  EXPECT_EQ(append(kLog)->first_offset, Offset(50));
  EXPECT_EQ(leftovers(), std::vector<std::string>());
  EXPECT_FALSE(has_log("/a"));
  stop();
  open();
  EXPECT_EQ(place(), 1u);
  EXPECT_EQ(append(kLog)->first_offset, Offset(51));
}

TEST_F(LogMoverTest, WhatIsAppendedMeanwhileMovesToo) {
  make_topic();
  append_some(20);
  held_.hold("-future");
  ASSERT_TRUE(ask(1));
  held_.wait_until_held();
  append_some(20);
  auto copies = manager_->mover().copies();
  ASSERT_EQ(copies.size(), 1u);
  EXPECT_EQ(copies[0].directory, 1u);
  EXPECT_EQ(place(), 0u) << "it serves from where it lies";
  const Bytes before = content();
  held_.release();
  wait();
  EXPECT_EQ(place(), 1u);
  EXPECT_EQ(content(), before);
}

TEST_F(LogMoverTest, NothingToMove) {
  make_topic();
  ASSERT_TRUE(ask(0));
  EXPECT_TRUE(manager_->mover().copies().empty());
  auto missing = run(manager_->move_log({"t", PartitionId(7)}, 1));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code(), Errc::unknown_topic_or_partition);
}

TEST_F(LogMoverTest, ALogThatIsNotHereYetIsMadeWhereItIsWanted) {
  ASSERT_FALSE(ask(1));
  next_image([&](metadata::Image& image) { put_topic(image, "t", Uuid::random(), 1, kSelf); });
  EXPECT_EQ(place(), 1u);
}

TEST_F(LogMoverTest, AnotherWishEndsAMove) {
  make_topic();
  append_some(20);
  held_.hold("-future");
  ASSERT_TRUE(ask(1));
  held_.wait_until_held();
  ASSERT_TRUE(ask(0));
  EXPECT_TRUE(manager_->mover().copies().empty());
  held_.release();
  wait();
  EXPECT_EQ(place(), 0u);
  EXPECT_EQ(leftovers(), std::vector<std::string>());
  EXPECT_FALSE(has_log("/b"));
}

TEST_F(LogMoverTest, AStopLeavesTheCopyForTheNextStart) {
  make_topic();
  append_some(20);
  const Bytes before = content();
  held_.hold("-future");
  ASSERT_TRUE(ask(1));
  held_.wait_until_held();
  stop_here();
  auto names = directories("/b");
  ASSERT_EQ(names.size(), 1u);
  EXPECT_TRUE(names[0].ends_with("-future")) << names[0];
  open();
  wait();
  EXPECT_EQ(place(), 1u);
  EXPECT_EQ(content(), before);
  EXPECT_EQ(leftovers(), std::vector<std::string>());
}

TEST_F(LogMoverTest, BehindACrashTheCopyIsMadeAnew) {
  make_topic();
  append_some(20);
  stop();  // all of it is on the disk
  open();
  held_.hold("-future");
  ASSERT_TRUE(ask(1));
  held_.wait_until_held();
  const Bytes before = content();
  crash(fs::FaultyFileSystem::CrashMode::keep_all);
  open();
  wait();
  EXPECT_EQ(content(), before);
  EXPECT_EQ(append(kLog)->first_offset, Offset(20));
  EXPECT_EQ(leftovers(), std::vector<std::string>());
}

TEST_F(LogMoverTest, ADeletedTopicTakesItsCopyAlong) {
  make_topic();
  append_some(20);
  held_.hold("-future");
  ASSERT_TRUE(ask(1));
  held_.wait_until_held();
  next_image([&](metadata::Image& image) { drop_topic(image, "t", true); });
  held_.release();
  wait();
  EXPECT_EQ(leftovers(), std::vector<std::string>());
  EXPECT_FALSE(has_log("/a"));
  EXPECT_FALSE(has_log("/b"));
}

TEST_F(LogMoverTest, ADiskThatFailsKeepsNothingOfTheMove) {
  make_topic();
  append_some(20);
  files_.fail(Call::write, "-future/0", Errc::io_error, 1000);
  ASSERT_TRUE(ask(1));
  wait();
  EXPECT_EQ(place(), 0u);
  EXPECT_TRUE(logs_->directories()[0].online);
  EXPECT_FALSE(logs_->directories()[1].online);
  EXPECT_EQ(append(kLog)->first_offset, Offset(20));
  auto refused = ask(1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Errc::log_dir_offline);
}

TEST_F(LogMoverTest, AFullDiskEndsTheMoveAndNothingElse) {
  make_topic();
  append_some(20);
  files_.fail(Call::write, "-future", Errc::disk_full, 1000);
  ASSERT_TRUE(ask(1));
  wait();
  files_.clear_faults();
  EXPECT_EQ(place(), 0u);
  EXPECT_TRUE(logs_->directories()[1].online);
  EXPECT_EQ(leftovers(), std::vector<std::string>());
  EXPECT_EQ(append(kLog)->first_offset, Offset(20));
}

TEST_F(LogMoverTest, WithGroupFlushWritersWaitForTheNewDisk) {
  stop();
  settings_.group_flush = true;
  open();
  make_topic();
  append_some(20);
  ASSERT_TRUE(ask(1));
  wait();
  ASSERT_EQ(place(), 1u);
  append_some(1);
  auto acknowledged = [this]() -> asio::awaitable<Result<void>> {
    auto partition = (*manager_->find(kLog))->shared_from_this();
    co_return co_await partition->wait_acknowledged(Offset(21), -1, 10'000);
  };
  auto kept = run(runtime::await_on(manager_->owner(kLog), acknowledged));
  EXPECT_TRUE(kept) << kept.error().what();
  crash(fs::FaultyFileSystem::CrashMode::lose_unsynced);
  open();
  wait();
  EXPECT_EQ(append(kLog)->first_offset, Offset(21));
}

// Of two complete directories the one that ends later is the log.
TEST_F(LogMoverTest, TheLongerOfTwoIsTheLog) {
  make_topic();
  append_some(20);
  stop();
  log_dirs_ = {"/b"};
  open();  // makes another one of the same name
  append_some(3);
  for (auto order : {std::vector<std::string>{"/b", "/a"}, std::vector<std::string>{"/a", "/b"}}) {
    stop();
    log_dirs_ = order;
    open();
    EXPECT_EQ(append(kLog)->first_offset, Offset(order[0] == "/b" ? 20 : 21));
    auto names = directories("/b");
    ASSERT_EQ(names.size(), 1u);
    EXPECT_TRUE(names[0].ends_with("-stray")) << names[0];
    EXPECT_EQ(directories("/a"), std::vector<std::string>{"t-0"});
  }
}

// The power goes at each change that a move makes: what was on the disk before is there.
TEST_F(LogMoverTest, NoMomentOfAMoveLosesAnything) {
  make_topic();
  append_some(12);
  stop();  // all of it is on the disk
  open();
  const Bytes before = content();
  size_t from = 0;
  int cuts = 0;
  for (uint64_t change = 1;; ++change) {
    files_.cut_power_after(change);
    ASSERT_TRUE(ask(1 - from));
    wait();
    const bool was_cut = files_.power_is_cut();
    files_.cut_power_after(0);
    crash(change % 2 == 0 ? fs::FaultyFileSystem::CrashMode::lose_unsynced
                          : fs::FaultyFileSystem::CrashMode::keep_prefix);
    open();
    wait();
    ASSERT_EQ(find(kLog), std::nullopt) << "change " << change;
    ASSERT_EQ(content(), before) << "change " << change;
    from = place();
    if (!was_cut) break;
    ++cuts;
    stop();
    open();
    wait();
  }
  EXPECT_GT(cuts, 20);
}

}  // namespace
}  // namespace odradek::broker::replica
