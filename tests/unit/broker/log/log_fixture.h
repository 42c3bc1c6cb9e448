#pragma once
// What the tests of broker/log share: a log on a disk in memory and a clock that only moves when
// told.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "broker/log/log.h"
#include "broker/log/record_batch_builder.h"
#include "tests/support/faulty_file_system.h"

namespace odradek::broker::log {

inline Bytes batch_of(int count, int64_t timestamp, BatchOptions options = {},
                      size_t value_size = 10) {
  RecordBatchBuilder builder(options);
  for (int i = 0; i < count; ++i) {
    builder.add(timestamp + i, "key" + std::to_string(i),
                std::string(value_size, static_cast<char>('a' + i % 26)));
  }
  return *builder.build();
}

inline BatchOptions from_producer(int64_t id, int16_t epoch, int32_t sequence) {
  BatchOptions options;
  options.producer_id = ProducerId(id);
  options.producer_epoch = ProducerEpoch(epoch);
  options.base_sequence = sequence;
  return options;
}

class LogTest : public ::testing::Test {
 protected:
  static constexpr int64_t kNow = 1'600'000'000'000;

  void SetUp() override {
    ASSERT_TRUE(files_.make_dirs("/logs").ok());
    ASSERT_TRUE(files_.sync_dir("/").ok());
    config_ = std::make_shared<LogConfig>();
  }

  LogContext context() { return {&files_, &cache_, &clock_}; }

  OpenOptions options() {
    OpenOptions options;
    options.directory = "/logs/t-0";
    options.id = {"t", PartitionId(0)};
    options.config = config_;
    options.recovery_point = recovery_point_;
    options.log_start_offset = log_start_offset_;
    options.clean_shutdown = clean_;
    return options;
  }

  void open() {
    log_.reset();
    Result<std::unique_ptr<Log>> log = Log::open(context(), options());
    ASSERT_TRUE(log.ok()) << log.error().what();
    log_ = std::move(*log);
  }
  void reopen_clean() {
    ASSERT_TRUE(log_->close().ok());
    clean_ = true;
    open();
  }
  void reopen_crashed(fs::FaultyFileSystem::CrashMode mode) {
    recovery_point_ = log_->recovery_point();
    log_.reset();
    files_.crash(mode);
    clean_ = false;
    open();
  }

  Result<AppendInfo> append(Bytes batch, int32_t epoch = 0) {
    return log_->append_as_leader(batch, LeaderEpoch(epoch), AppendOrigin::client);
  }
  Offset must_append(int count, int64_t timestamp = kNow, BatchOptions options = {}) {
    Result<AppendInfo> info = append(batch_of(count, timestamp, options));
    EXPECT_TRUE(info.ok()) << info.error().what();
    return info ? info->first_offset : Offset(-1);
  }

  // Every record from `from` on, as offsets; checks each batch.
  std::vector<int64_t> offsets(Offset from, size_t max_bytes = 1 << 20) {
    std::vector<int64_t> all;
    while (from < log_->log_end_offset()) {
      Result<LogSlice> slice = log_->read(from, max_bytes, true, log_->log_end_offset());
      EXPECT_TRUE(slice.ok()) << slice.error().what();
      if (!slice || slice->size == 0) break;
      Result<Bytes> bytes = Log::read_bytes(*slice);
      EXPECT_TRUE(bytes.ok());
      BatchWalker walker(*bytes);
      while (walker.next()) {
        EXPECT_TRUE(check_crc(walker.header(), walker.batch()).ok());
        Result<RecordIterator> records = RecordIterator::open(walker.batch(), 1 << 20);
        EXPECT_TRUE(records.ok());
        while (const RecordView* record = records->next()) {
          if (record->offset >= from) all.push_back(record->offset.value());
        }
        EXPECT_TRUE(records->ok());
      }
      EXPECT_TRUE(walker.ok() && walker.rest().empty());
      from = walker.header().next_offset();
    }
    return all;
  }
  static std::vector<int64_t> range(int64_t from, int64_t end) {
    std::vector<int64_t> all;
    for (; from < end; ++from) all.push_back(from);
    return all;
  }

  fs::FaultyFileSystem files_{1};
  FileCache cache_{files_, 8};
  ManualClock clock_{kNow};
  std::shared_ptr<LogConfig> config_;
  Offset recovery_point_{0};
  Offset log_start_offset_{0};
  bool clean_ = true;
  std::unique_ptr<Log> log_;
};

}  // namespace odradek::broker::log
