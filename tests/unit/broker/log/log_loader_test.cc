#include "broker/log/log_loader.h"

#include <condition_variable>
#include <mutex>
#include <set>

#include "tests/support/held_file_system.h"
#include "tests/unit/broker/log/log_fixture.h"

namespace odradek::broker::log {
namespace {

class LogLoaderTest : public LogTest {
 protected:
  // Logs t-0 … of two directories, as a process that was killed leaves them.
  void make_logs(int each) {
    auto manager = open_manager();
    for (int i = 0; i < 2 * each; ++i) {
      auto log = manager->create_log({"t", PartitionId(i)}, config_, std::nullopt);
      ASSERT_TRUE(log) << log.error().what();
      Bytes batch = batch_of(1 + i, kNow);
      ASSERT_TRUE((*log)->append_as_leader(batch, LeaderEpoch(0), AppendOrigin::client));
    }
  }
  std::unique_ptr<LogManager> open_manager() {
    LogManager::Options options;
    options.directories = {"/logs/a", "/logs/b"};
    options.max_open_files = 20;
    auto manager = LogManager::open(held_, clock_, options);
    EXPECT_TRUE(manager) << manager.error().what();
    return std::move(*manager);
  }
  LogManager::ConfigFor configs() {
    return [this](const std::string&) { return config_; };
  }
  void start(LogLoader& loader) {
    loader.start([this] {
      std::lock_guard lock(mutex_);
      ++told_;
      changed_.notify_all();
    });
  }
  // Until so many are there.
  void take(LogLoader& loader, size_t count) {
    size_t seen = 0;
    while (true) {
      for (LoadedLog& one : loader.take()) loaded_.push_back(std::move(one));
      if (loaded_.size() >= count) return;
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return told_ > seen; });
      seen = told_;
    }
  }

  fs::HeldFileSystem held_{files_};
  std::mutex mutex_;  // guards told_
  std::condition_variable changed_;
  size_t told_ = 0;
  std::vector<LoadedLog> loaded_;
};

TEST_F(LogLoaderTest, OpensEveryLogOnce) {
  make_logs(20);
  for (size_t threads : {1, 3, 100}) {
    loaded_.clear();
    auto manager = open_manager();
    LogLoader loader(*manager, threads, configs());
    EXPECT_EQ(loader.count(), 40u);
    start(loader);
    take(loader, 40);
    loader.stop();
    EXPECT_TRUE(loader.take().empty());
    std::set<int32_t> seen;
    for (const LoadedLog& one : loaded_) {
      ASSERT_TRUE(one.log) << one.error->what();
      EXPECT_EQ(one.log->log_end_offset().value(), one.id.partition.value() + 1);
      seen.insert(one.id.partition.value());
    }
    EXPECT_EQ(seen.size(), 40u);
    loaded_.clear();
  }
}

TEST_F(LogLoaderTest, ThreadsWorkAtOnceInOneDirectory) {
  make_logs(4);
  auto manager = open_manager();
  const std::string first = manager->found_logs().front().id.to_string();
  held_.hold("/" + first);
  LogLoader loader(*manager, 2, configs());
  start(loader);
  held_.wait_until_held();
  take(loader, 7);  // the other thread goes on, and so does the other directory
  held_.release();
  take(loader, 8);
  loader.stop();
  loaded_.clear();
}

TEST_F(LogLoaderTest, AStopLeavesTheRest) {
  make_logs(10);
  auto manager = open_manager();
  {
    const std::string first = manager->found_logs().front().id.to_string();
    held_.hold("/" + first);
    LogLoader loader(*manager, 1, configs());
    start(loader);
    held_.wait_until_held();
    take(loader, 10);  // the other directory's
    std::thread release([this] { held_.release(); });
    loader.stop();
    release.join();
    for (LoadedLog& one : loader.take()) loaded_.push_back(std::move(one));
  }
  EXPECT_LE(loaded_.size(), 20u);
  EXPECT_GE(loaded_.size(), 11u) << "what was begun is ended";
  loaded_.clear();
}

TEST_F(LogLoaderTest, WhatThrowsIsToldToo) {
  make_logs(3);
  auto manager = open_manager();
  LogLoader loader(*manager, 1, [](const std::string&) -> std::shared_ptr<const LogConfig> {
    throw std::bad_alloc();
  });
  start(loader);
  take(loader, 6);
  for (const LoadedLog& one : loaded_) EXPECT_TRUE(one.error.has_value());
}

}  // namespace
}  // namespace odradek::broker::log
