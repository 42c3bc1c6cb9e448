#pragma once
// Housekeeping: what happens to logs by time. Retention, flush, expired producer ids, and the
// checkpoint files of each log directory (recovery point, high watermark, log start). Timers run on
// the home executor; each look hops over the shards, file work goes to the background pool. A
// checkpoint that would say the same again is not written.

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <vector>

#include "broker/log/log_manager.h"
#include "broker/replica/partition_manager.h"
#include "broker/replica/partition_table.h"
#include "common/runtime/timer.h"

namespace odradek::broker::replica {

class Housekeeping {
 public:
  Housekeeping(const ReplicaSettings& settings, PartitionTable& table, log::LogManager& logs,
               runtime::Background& background, const Clock& clock, runtime::Executor home);

  void start();
  // Nothing begins any more; what is under way goes on until wait_idle() returns.
  void end() { ended_ = true; }
  boost::asio::awaitable<void> wait_idle();
  // What recovery wrote is not synced: a crash from here on has to find that it must be read again.
  void checkpoint_recovery_soon();
  boost::asio::awaitable<void> apply_retention();
  // log.dirs.max.bytes; see disk_cap.h.
  boost::asio::awaitable<void> apply_disk_cap();
  boost::asio::awaitable<void> write_checkpoints(log::CheckpointKind kind);
  // Removes files that were set aside, after their delay.
  boost::asio::awaitable<void> remove_later(int64_t delay_ms, log::DeletedFiles files);

 private:
  using Job = boost::asio::awaitable<void> (Housekeeping::*)();
  boost::asio::awaitable<void> run(Job job);
  boost::asio::awaitable<void> repeat(Job job, int64_t every_ms, int64_t first_ms);
  boost::asio::awaitable<void> look_for_room();
  boost::asio::awaitable<void> make_room(size_t directory, uint64_t used);
  boost::asio::awaitable<void> flush_old();
  boost::asio::awaitable<void> expire_producers();
  boost::asio::awaitable<void> checkpoint_recovery();
  boost::asio::awaitable<void> checkpoint_high_watermark();
  boost::asio::awaitable<void> checkpoint_log_start();

  const ReplicaSettings settings_;
  PartitionTable& table_;
  log::LogManager& logs_;
  runtime::Background& background_;
  const Clock& clock_;
  const runtime::Executor home_;
  const size_t directories_;
  std::vector<log::Offsets> written_[4];  // by kind and directory: what the file says
  std::vector<bool> over_cap_;  // by directory: nothing could be taken, which was said
  bool ended_ = false;
  size_t running_ = 0;
  runtime::Signal ended_one_;
};

}  // namespace odradek::broker::replica
