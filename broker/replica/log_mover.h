#pragma once
// LogMover: moves logs of this broker from one of its log directories to another (KIP-113). A copy
// grows in a directory that ends in -future beside the log, which goes on serving; when it has
// caught up it takes the log's place, and the old directory goes as a deleted one does.
//
//   TOPIC-P.UUID-future  ---- append, in pieces ---->  closed, renamed to TOPIC-P
//   both ends equal, appends held  ---- in one step on the shard ---->  the partition has the copy
//
// Lives on the home executor; the copying itself is done on the background pool, one log at a time
// for each directory. A clean stop leaves a copy that is not complete for the next start to go on
// with; behind a crash it is begun anew, since the log may have lost what the copy has. Two complete
// directories of one log are what a crash in the last step leaves: LogManager keeps the longer one.

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "broker/log/log_manager.h"
#include "broker/replica/partition.h"
#include "common/ids.h"
#include "common/result.h"
#include "common/runtime/timer.h"

namespace odradek::broker::replica {

class PartitionManager;

class LogMover {
 public:
  explicit LogMover(PartitionManager& manager) : manager_(manager) {}

  // Begins to move the log, unless it lies or moves there already. A move to elsewhere ends. Errors:
  // those of PartitionManager::find; log_dir_offline where the directory is.
  boost::asio::awaitable<Result<void>> move(TopicPartition id, size_t directory);
  // Copies that the last run left.
  boost::asio::awaitable<void> go_on_with(std::vector<log::FutureLog> found);
  // Copies that are under way stay for the next start. Until busy() is false.
  void end() { ended_ = true; }
  bool busy() const { return running_ > 0; }
  // On the home executor: until no log is on its way. False at the deadline.
  boost::asio::awaitable<bool> wait_idle(int64_t timeout_ms);

  // How far the copies are. Any thread.
  struct Copy {
    TopicPartition id;
    size_t directory = 0;
    int64_t size = 0;
    Offset end{0};
  };
  std::vector<Copy> copies() const;

 private:
  struct Move;
  using MovePtr = std::shared_ptr<Move>;
  // Where a log lies now, and whose it is.
  struct Place {
    size_t directory;
    Uuid topic_id;
  };
  struct Piece {
    log::LogSlice slice;   // size 0: the copy has everything
    bool anew = false;     // what the copy has is below the log's start: it begins anew there
    Offset start{0};
  };

  boost::asio::awaitable<Result<Place>> place_of(TopicPartition id);
  void begin(MovePtr move);
  void begin_next(size_t directory);
  boost::asio::awaitable<void> run(MovePtr move);
  boost::asio::awaitable<Result<void>> open(Move& move);
  boost::asio::awaitable<Result<void>> copy(Move& move);
  boost::asio::awaitable<Result<void>> finish(Move& move);
  boost::asio::awaitable<Result<std::unique_ptr<log::Log>>> exchange(MovePtr move);
  boost::asio::awaitable<void> give_up(Move& move, const Error& why);
  Result<Piece> next_piece(Move& move);
  static Result<void> append(Move& move, const Piece& piece);
  Result<std::shared_ptr<Partition>> partition_of(const Move& move) const;

  PartitionManager& manager_;
  mutable std::mutex mutex_;  // guards moves_ alone, which only the home executor changes
  std::map<TopicPartition, MovePtr> moves_;
  std::map<size_t, std::deque<MovePtr>> waiting_;  // by the directory they go to
  std::map<size_t, bool> at_work_;
  size_t running_ = 0;
  runtime::Signal ended_one_;
  bool ended_ = false;
};

}  // namespace odradek::broker::replica
