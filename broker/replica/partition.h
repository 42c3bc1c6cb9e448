#pragma once
// Partition: one replica of one partition on this broker: leadership, leader epoch, high watermark,
// and who waits for data. It owns its log. It lives on the one shard that PartitionManager::owner
// names and is touched nowhere else; every function here must be called there. The log survives a
// crash; high watermark and log start are in the checkpoints that PartitionManager writes; waiters
// do not survive.

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "broker/log/log.h"
#include "common/bytes/byte_writer.h"
#include "common/clock.h"
#include "common/ids.h"
#include "common/result.h"
#include "common/runtime/executor.h"
#include "common/runtime/timer.h"

namespace odradek::runtime {
class Background;
}

namespace odradek::broker::replica {

using log::AppendInfo;
using log::AppendOrigin;
using log::EpochEndOffset;
using log::RecordError;

// Which end a reader may see.
enum class ReadLimit { log_end, high_watermark, last_stable_offset };

struct ListedOffset {
  Offset offset{-1};
  int64_t timestamp_ms = -1;
  LeaderEpoch leader_epoch{-1};
};

struct ReadResult {
  log::LogSlice slice;  // size 0: nothing there
  Offset high_watermark{-1};
  Offset last_stable_offset{-1};
  Offset log_start_offset{-1};
  Offset log_end_offset{-1};
};

// What the cluster image says of a partition.
struct LeaderState {
  Uuid topic_id;
  BrokerId leader{-1};
  LeaderEpoch leader_epoch{-1};
  std::vector<BrokerId> replicas;
  std::vector<BrokerId> isr;
  int32_t min_insync_replicas = 1;
};

class GroupFlush;
class Partition;

// Told of what concerns more than one partition. Called on the partition's shard; owned by
// PartitionManager.
class PartitionEvents {
 public:
  virtual ~PartitionEvents() = default;
  virtual void on_log_failure(Partition& partition, const Error& error) = 0;
  // An append met a full disk. While it is called full nothing is appended.
  virtual void on_disk_full(Partition&) {}
  virtual bool is_disk_full(size_t /*directory*/) const { return false; }
};

class Partition : public std::enable_shared_from_this<Partition> {
 public:
  using WaitId = uint64_t;

  // `executor` is the shard that it lives on. With `group_flush` (log.flush.policy=group) nothing
  // counts before it is on the disk; it outlives this object.
  Partition(BrokerId self, runtime::Executor executor, std::unique_ptr<log::Log> log,
            size_t directory, const Clock& clock, runtime::Background& background,
            PartitionEvents& events, Offset high_watermark, GroupFlush* group_flush = nullptr);
  ~Partition();

  const TopicPartition& id() const { return id_; }
  Uuid topic_id() const { return state_.topic_id; }
  bool is_leader() const { return leader_ && !removed_ && !offline_; }
  BrokerId leader() const { return state_.leader; }
  LeaderEpoch leader_epoch() const { return state_.leader_epoch; }
  Offset log_start_offset() const { return log_->log_start_offset(); }
  Offset log_end_offset() const { return log_->log_end_offset(); }
  // With one replica: the log end, or with log.flush.policy=group what is on the disk.
  Offset high_watermark() const { return high_watermark_; }
  Offset last_stable_offset() const;
  bool offline() const { return offline_; }
  size_t directory() const { return directory_; }
  log::Log& log() { return *log_; }

  // Appends whole record batches (magic 2); the bytes are changed in place: offsets are assigned
  // before it returns. Errors: not_leader_or_follower, not_enough_replicas (acks -1),
  // invalid_required_acks, those of Log. A batch that has to be opened is handled on this thread:
  // clients go by append().
  Result<AppendInfo> append_as_leader(std::span<char> batches, int16_t required_acks,
                                      AppendOrigin origin,
                                      std::vector<RecordError>* record_errors = nullptr);
  Result<AppendInfo> append_as_leader(Bytes batches, int16_t required_acks, AppendOrigin origin) {
    return append_as_leader(std::span<char>(batches), required_acks, origin);
  }

  // True where append_as_leader would keep the shard busy, or has to stand behind one in the
  // background.
  bool append_must_wait(ByteView batches) const;
  // The same append, recompressed or opened in the background; appends stay in order of their
  // calls. The bytes and record_errors outlive the call. The partition may have been removed when
  // it returns.
  boost::asio::awaitable<Result<AppendInfo>> append(std::span<char> batches, int16_t required_acks,
                                                    std::vector<RecordError>* record_errors);

  // At most max_bytes from `from` on, but at least one whole batch where there is one and
  // at_least_one is set. Errors: not_leader_or_follower, offset_out_of_range, log_dir_offline.
  Result<ReadResult> read(Offset from, size_t max_bytes, ReadLimit limit, bool at_least_one);

  // nullopt: the client does not know an epoch. Errors: not_leader_or_follower,
  // fenced_leader_epoch, unknown_leader_epoch, log_dir_offline.
  Result<void> check_leader(std::optional<LeaderEpoch> current) const;

  // ListOffsets: a time, or one of its special values (-1 latest .. -4 earliest local). Below
  // `limit` for the latest. Offset -1 where no record is that late.
  Result<ListedOffset> list_offset(int64_t timestamp, ReadLimit limit);
  // OffsetForLeaderEpoch: (-1, -1) where nothing is known.
  EpochEndOffset end_offset_for_epoch(LeaderEpoch epoch) const {
    return log_->end_offset_for_epoch(epoch);
  }

  // DeleteRecords: moves the log start up to the offset, -1 for the high watermark; gives the log
  // start. Errors: offset_out_of_range above the high watermark or below -1, those of Log.
  Result<Offset> delete_records(int64_t offset);

  // Runs `wake` once, when the high watermark has moved past `end`, when this replica stops
  // leading, fails or is removed; never after cancel_wait. It runs inside of other work here: it
  // only posts or sets a flag.
  WaitId wait_past(Offset end, std::function<void()> wake);
  void cancel_wait(WaitId id);

  // True where a producer that asked for these acks may be told now that everything below `end` is
  // kept: acks 1 waits for the disk (log.flush.policy=group), -1 for every in-sync replica as well.
  bool is_acknowledged(Offset end, int16_t acks) const;
  // Waits for that; with acks 1 without a deadline, as in Kafka. Errors: timed_out,
  // not_leader_or_follower where leadership went, log_dir_offline where an fsync failed.
  boost::asio::awaitable<Result<void>> wait_acknowledged(Offset end, int16_t acks,
                                                         int64_t timeout_ms);

  // --- for PartitionManager ---
  enum class Turn { none, became_leader, stopped_leading };
  Turn apply(const LeaderState& state);
  // Goes away: whoever waits is woken, nothing is appended or read any more.
  std::unique_ptr<log::Log> remove();
  void set_offline();
  // Starts an fsync of everything so far on the background pool, unless one runs.
  void start_flush();
  // For LogMover. Appends of clients wait between these two.
  boost::asio::awaitable<void> hold_appends() { return take_append_turn(); }
  void release_appends() { end_append_turn(); }
  // Goes on with a log of the same start and end in another directory; gives the former one.
  std::unique_ptr<log::Log> exchange_log(std::unique_ptr<log::Log> log, size_t directory);
  // For GroupFlush: the round that this work was in has ended.
  void end_group_flush(const log::FlushWork& work, const Result<void>& flushed);
  runtime::Executor executor() const { return executor_; }

 private:
  friend class GroupFlush;

  struct Waiter {
    WaitId id;
    Offset end;
    std::function<void()> wake;
    bool for_disk = false;  // until this broker's own disk has it, whatever the replicas have
  };

  Result<void> check_append(int16_t required_acks) const;
  Result<AppendInfo> finish_append(Result<AppendInfo> appended);
  void advance_high_watermark();
  WaitId add_waiter(Offset end, bool for_disk, std::function<void()> wake);
  void wake_waiters(bool all);
  void ask_for_group_flush();
  void synced();
  boost::asio::awaitable<void> take_append_turn();
  void end_append_turn();
  boost::asio::awaitable<Result<AppendInfo>> append_in_turn(
      std::span<char> batches, int16_t required_acks, std::vector<RecordError>* record_errors);
  boost::asio::awaitable<Result<void>> flush_now();
  bool flush_due() const;
  void fail(const Error& error);

  const BrokerId self_;
  const runtime::Executor executor_;
  TopicPartition id_;
  std::unique_ptr<log::Log> log_;
  size_t directory_;
  const Clock& clock_;
  runtime::Background& background_;
  PartitionEvents& events_;
  GroupFlush* const group_flush_;
  size_t group_flush_slot_ = SIZE_MAX;  // guarded by GroupFlush
  LeaderState state_;
  Offset high_watermark_{0};
  bool leader_ = false;
  bool removed_ = false;
  bool offline_ = false;
  bool flushing_ = false;  // start_flush's
  runtime::Signal flush_ended_;
  bool disk_full_ = false;  // said once until there is room again
  size_t segments_ = 0;     // when last looked: a new one means that the one before wants a flush

  bool append_busy_ = false;  // an append is in the background
  std::deque<std::function<void()>> append_turns_;
  std::list<Waiter> waiters_;  // in order of arrival
  WaitId last_wait_ = 0;
};

}  // namespace odradek::broker::replica
