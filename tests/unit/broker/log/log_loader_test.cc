#include "broker/log/log_loader.h"

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
  LogLoader::OnLoaded keep() {
    return [this](std::vector<LoadedLog> some) {
      std::lock_guard lock(mutex_);
      for (LoadedLog& one : some) loaded_.push_back(std::move(one));
    };
  }

  fs::HeldFileSystem held_{files_};
  std::mutex mutex_;
  std::vector<LoadedLog> loaded_;
};

TEST_F(LogLoaderTest, OpensEveryLogOnce) {
  make_logs(20);
  for (size_t threads : {1, 3, 100}) {
    loaded_.clear();
    auto manager = open_manager();
    LogLoader loader(*manager, threads, configs());
    EXPECT_EQ(loader.count(), 40u);
    loader.start(keep());
    while (true) {  // stop() leaves what has not begun
      std::lock_guard lock(mutex_);
      if (loaded_.size() == 40) break;
    }
    loader.stop();
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
  loader.start(keep());
  held_.wait_until_held();
  while (true) {  // the other thread goes on, and so does the other directory
    std::lock_guard lock(mutex_);
    if (loaded_.size() == 7) break;
  }
  held_.release();
  while (true) {
    std::lock_guard lock(mutex_);
    if (loaded_.size() == 8) break;
  }
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
    loader.start(keep());
    held_.wait_until_held();
    while (true) {  // the other directory's
      std::lock_guard lock(mutex_);
      if (loaded_.size() == 10) break;
    }
    std::thread release([this] { held_.release(); });
    loader.stop();
    release.join();
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
  loader.start(keep());
  while (true) {
    std::lock_guard lock(mutex_);
    if (loaded_.size() == 6) break;
  }
  for (const LoadedLog& one : loaded_) EXPECT_TRUE(one.error.has_value());
}

}  // namespace
}  // namespace odradek::broker::log
