#pragma once
// LogCleaner: compacts the logs of topics with cleanup.policy=compact, the one first that has most
// to gain. It decides which and when, and brings log and Cleaner together: looks and swaps on the
// log's shard, steps on the background pool, one short step at a time. `threads` logs at once at
// most; waits between steps keep to log.cleaner.io.max.bytes.per.second. Lives on the home executor.
//
// A log that is cut, taken away or deleted meanwhile is left as it is, and looked at again. One that
// cannot be compacted is said once and left alone. A full disk is tried again after the backoff.
// Settings that change count from the next look on.

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "broker/log/cleaner.h"
#include "broker/log/log_manager.h"
#include "broker/replica/io_throttle.h"
#include "broker/replica/partition_table.h"
#include "common/runtime/timer.h"

namespace odradek::runtime {
class Background;
}

namespace odradek::broker::replica {

class Housekeeping;

struct CleanerSettings {
  bool enable = true;                       // log.cleaner.enable
  int32_t threads = 1;                      // log.cleaner.threads
  int64_t backoff_ms = 15000;               // log.cleaner.backoff.ms
  int64_t dedupe_buffer_bytes = 134217728;  // log.cleaner.dedupe.buffer.size, of all together
  double load_factor = 0.9;                 // log.cleaner.io.buffer.load.factor
  int64_t io_buffer_bytes = 524288;         // log.cleaner.io.buffer.size, of all together
  double max_bytes_per_second = std::numeric_limits<double>::max();
};

class LogCleaner {
 public:
  using SettingsNow = std::function<CleanerSettings()>;

  LogCleaner(SettingsNow settings_now, PartitionTable& table, log::LogManager& logs,
             runtime::Background& background, const Clock& clock, runtime::Executor home,
             Housekeeping& housekeeping, PartitionEvents& events);

  void start();
  // Passes that run are given up at their next step.
  void end();
  bool busy() const { return !cleaning_.empty() || checkpointing_; }
  runtime::Signal& progress() { return progress_; }

  // One pass over the log that needs it most. False where none needs one.
  boost::asio::awaitable<bool> clean_one();

 private:
  struct Pass;

  boost::asio::awaitable<void> run(int32_t number);
  void look_at_settings();
  boost::asio::awaitable<std::optional<TopicPartition>> dirtiest();
  boost::asio::awaitable<void> clean(TopicPartition id);
  boost::asio::awaitable<Result<bool>> steps(Pass& pass);
  boost::asio::awaitable<Result<bool>> swap_in(Pass& pass);
  boost::asio::awaitable<Result<void>> sync_directory(const Pass& pass);
  boost::asio::awaitable<void> finish(Pass& pass);
  boost::asio::awaitable<void> handle(Pass& pass, Error error);
  boost::asio::awaitable<void> checkpoint();
  void note_failure(Partition& partition, const Error& error);

  const SettingsNow settings_now_;
  CleanerSettings settings_;
  PartitionTable& table_;
  log::LogManager& logs_;
  runtime::Background& background_;
  const Clock& clock_;
  const runtime::Executor home_;
  Housekeeping& housekeeping_;
  PartitionEvents& events_;
  IoThrottle throttle_;
  std::set<TopicPartition> cleaning_;
  std::map<TopicPartition, int64_t> not_before_ms_;  // monotonic: failed for want of room
  runtime::Signal progress_;                         // a pass or a checkpoint has ended
  runtime::Signal wake_;                             // all are to end
  int32_t running_ = 0;  // run()s
  bool checkpointing_ = false;
  bool checkpoint_again_ = false;
  bool ended_ = false;
};

}  // namespace odradek::broker::replica
