#include "broker/replica/log_mover.h"

#include <algorithm>
#include <utility>

#include "broker/log/log_directory_name.h"
#include "broker/replica/partition_manager.h"
#include "broker/replica/reconciler.h"
#include "common/check.h"
#include "common/format.h"
#include "common/log/log.h"
#include "common/runtime/background.h"
#include "common/runtime/owner.h"
#include "common/runtime/scope_exit.h"
#include "common/runtime/spawn.h"

namespace odradek::broker::replica {

namespace asio = boost::asio;

namespace {

constexpr size_t kPieceBytes = 1 << 20;

Error gone(const TopicPartition& id) {
  return Error(Errc::cancelled, id.to_string() + " has gone, or should lie elsewhere now");
}
Error stopped() { return Error(Errc::cancelled, "the broker stops"); }

}  // namespace

struct LogMover::Move {
  Move(TopicPartition id_in, Uuid topic_id_in, size_t directory_in, std::string path_in)
      : id(std::move(id_in)),
        topic_id(topic_id_in),
        directory(directory_in),
        path(std::move(path_in)) {}

  const TopicPartition id;
  const Uuid topic_id;
  const size_t directory;
  std::string path;         // of the copy; of a move that goes on: as found
  bool goes_on = false;
  bool is_renamed = false;   // the copy has the name of a log
  bool disk_failed = false;  // an I/O error where the copy lies
  std::unique_ptr<log::Log> log;
  std::atomic<bool> cancelled = false;
  std::atomic<int64_t> size = 0;
  std::atomic<int64_t> end = 0;

  // Of what was done where the copy lies.
  Error failed(const Error& error) {
    disk_failed = error.code() == Errc::log_dir_offline || error.code() == Errc::io_error;
    return error;
  }
};

std::vector<LogMover::Copy> LogMover::copies() const {
  std::lock_guard lock(mutex_);
  std::vector<Copy> copies;
  for (const auto& [id, move] : moves_) {
    copies.push_back({id, move->directory, move->size, Offset(move->end)});
  }
  return copies;
}

asio::awaitable<Result<void>> LogMover::move(TopicPartition id, size_t directory) {
  CHECK(manager_.home().running_in_this_thread());
  const auto directories = manager_.logs().directories();
  if (!directories[directory].online) {
    co_return Error(Errc::log_dir_offline,
                    format("log directory {} is offline", directories[directory].path));
  }
  auto found = co_await place_of(id);
  if (!found) {
    if (found.error().code() != Errc::log_dir_offline) {
      manager_.logs().prefer_directory(id, directory);
    }
    co_return found.error();
  }
  if (auto at = moves_.find(id); at != moves_.end()) {
    if (at->second->directory == directory) co_return Result<void>();
    at->second->cancelled = true;
    std::lock_guard lock(mutex_);
    moves_.erase(at);
  }
  if (found->directory == directory) co_return Result<void>();
  begin(std::make_shared<Move>(id, found->topic_id, directory,
                               directories[directory].path + "/" +
                                   log::deleted_directory_name(id, Uuid::random(), "future")));
  co_return Result<void>();
}

asio::awaitable<Result<LogMover::Place>> LogMover::place_of(TopicPartition id) {
  auto look = [this, &id]() -> Result<Place> {
    auto found = manager_.find(id);
    if (!found) return found.error();
    if ((*found)->offline()) {
      return Error(Errc::log_dir_offline, "the log directory of " + id.to_string() + " is offline");
    }
    return Place{(*found)->directory(), (*found)->topic_id()};
  };
  co_return co_await runtime::run_on(manager_.owner(id), std::move(look));
}

asio::awaitable<void> LogMover::go_on_with(std::vector<log::FutureLog> found) {
  for (log::FutureLog& future : found) {
    auto here = co_await place_of(future.id);
    if (!here || here->directory == future.directory || moves_.contains(future.id)) {
      LOG_WARN("server",
               "{} is the copy of a log that is not here, or no longer moves: it is left alone",
               future.path);
      continue;
    }
    const auto directories = manager_.logs().directories();
    const bool is_clean = directories[here->directory].clean_shutdown &&
                          directories[future.directory].clean_shutdown;
    if (!is_clean) {
      LOG_INFO("server", "{} may differ from its log since the broker did not stop: it is made anew",
               future.path);
      manager_.remove_later(future.path, 0);
      (void)co_await move(future.id, future.directory);
      continue;
    }
    auto move = std::make_shared<Move>(future.id, here->topic_id, future.directory,
                                       std::move(future.path));
    move->goes_on = true;
    begin(std::move(move));
  }
}

void LogMover::begin(MovePtr move) {
  const size_t directory = move->directory;
  {
    std::lock_guard lock(mutex_);
    moves_[move->id] = move;
  }
  waiting_[directory].push_back(std::move(move));
  if (!at_work_[directory]) begin_next(directory);
}

void LogMover::begin_next(size_t directory) {
  auto& waiting = waiting_[directory];
  at_work_[directory] = !waiting.empty() && !ended_;
  if (!at_work_[directory]) return;
  MovePtr move = std::move(waiting.front());
  waiting.pop_front();
  ++running_;
  runtime::spawn(manager_.home(), run(std::move(move)), "the move of a log");
}

asio::awaitable<void> LogMover::run(MovePtr move) {
  LOG_INFO("server", "The log of {} moves to {}", move->id.to_string(),
           fs::parent_of(move->path));
  Result<void> done = co_await open(*move);
  if (done) done = co_await copy(*move);
  if (done) done = co_await finish(*move);
  std::unique_ptr<log::Log> old;
  if (done) {
    auto work = [this, move] { return exchange(move); };
    auto exchanged = co_await runtime::await_on(manager_.owner(move->id), std::move(work));
    if (exchanged) {
      old = std::move(*exchanged);
    } else {
      done = exchanged.error();
    }
  }
  if (done) {
    manager_.logs().moved(move->id, move->directory);
    LOG_INFO("server", "The log of {} lies in {} now", move->id.to_string(),
             fs::parent_of(move->path));
    const int64_t delay_ms = old->config().file_delete_delay_ms;
    auto rename = [&old] { return old->rename_for_delete(); };
    auto renamed = co_await manager_.background().run(std::move(rename));
    if (renamed) {
      manager_.remove_later(*renamed, delay_ms);
    } else {
      LOG_ERROR("server", "The former log of {} cannot be taken away: {}", move->id.to_string(),
                renamed.error().what());
    }
  } else {
    if (move->disk_failed) manager_.take_directory_offline(move->directory, done.error());
    co_await give_up(*move, done.error());
  }
  {
    std::lock_guard lock(mutex_);
    auto at = moves_.find(move->id);
    if (at != moves_.end() && at->second == move) moves_.erase(at);
  }
  --running_;
  begin_next(move->directory);
  ended_one_.notify_all();
  manager_.progress();
}

asio::awaitable<bool> LogMover::wait_idle(int64_t timeout_ms) {
  const int64_t deadline = manager_.clock_.monotonic_ms() + timeout_ms;
  while (running_ > 0) {
    const int64_t left = deadline - manager_.clock_.monotonic_ms();
    if (left <= 0) co_return false;
    co_await ended_one_.wait_ms(left);
  }
  co_return true;
}

// What a stop interrupts stays, as a copy that is closed.
asio::awaitable<void> LogMover::give_up(Move& move, const Error& why) {
  if (ended_ && !move.cancelled && !move.is_renamed) {
    if (!move.log) co_return;
    auto close = [&move] { return move.log->close(); };
    auto closed = co_await manager_.background().run(std::move(close));
    if (closed) co_return;
    LOG_WARN("server", "{} cannot be closed: {}", move.path, closed.error().what());
  } else {
    LOG_WARN("server", "The log of {} does not move to {}: {}", move.id.to_string(),
             fs::parent_of(move.path), why.what());
  }
  if (!move.log) {  // it could not be opened, or opened again
    auto remove = [this, &move] { return manager_.logs().remove_dir(move.path); };
    auto removed = co_await manager_.background().run(std::move(remove));
    if (!removed) {
      LOG_ERROR("server", "{} cannot be removed: {}", move.path, removed.error().what());
    }
    co_return;
  }
  auto take_away = [&move] { return move.log->rename_for_delete(); };
  auto renamed = co_await manager_.background().run(std::move(take_away));
  if (renamed) {
    manager_.remove_later(*renamed, 0);
  } else {
    LOG_ERROR("server", "{} cannot be taken away: {}", move.path, renamed.error().what());
  }
}

Result<std::shared_ptr<Partition>> LogMover::partition_of(const Move& move) const {
  if (ended_) return stopped();
  auto partition = manager_.table().find(move.id);
  if (!partition || partition->offline() || move.cancelled ||
      partition->topic_id() != move.topic_id) {
    return gone(move.id);
  }
  return partition;
}

asio::awaitable<Result<void>> LogMover::open(Move& move) {
  log::OpenOptions options;
  options.directory = move.path;
  options.id = move.id;
  options.config = manager_.settings_for(move.id.topic).log;
  if (!move.topic_id.is_zero()) options.topic_id = move.topic_id;
  options.clean_shutdown = move.goes_on;
  auto work = [this, &move, &options]() -> Result<void> {
    auto opened = log::Log::open(manager_.logs().context(), std::move(options));
    if (!opened) return move.failed(opened.error());
    move.log = std::move(*opened);
    return {};
  };
  auto opened = co_await manager_.background().run(std::move(work));
  if (opened) move.end = move.log->log_end_offset().value();
  co_return opened;
}

// On the owner.
Result<LogMover::Piece> LogMover::next_piece(Move& move) {
  auto partition = partition_of(move);
  if (!partition) return partition.error();
  log::Log& from = (*partition)->log();
  Piece piece;
  piece.start = move.log->log_end_offset();
  if (piece.start > from.log_end_offset() || piece.start < from.log_start_offset()) {
    piece.start = from.log_start_offset();
    piece.anew = true;
  }
  auto slice = from.read(piece.start, kPieceBytes, true, from.log_end_offset());
  if (!slice) return slice.error();
  piece.slice = std::move(*slice);
  return piece;
}

// On any thread, while nobody else uses the copy.
Result<void> LogMover::append(Move& move, const Piece& piece) {
  if (piece.anew) {
    // a start may lie inside of a batch
    const Offset first = piece.slice.size > 0 ? std::min(piece.slice.base_offset, piece.start)
                                              : piece.start;
    if (auto begun = move.log->truncate_fully_and_start_at(first); !begun) {
      return move.failed(begun.error());
    }
  }
  if (piece.slice.size > 0) {
    auto bytes = log::Log::read_bytes(piece.slice);
    if (!bytes) return bytes.error();
    if (auto appended = move.log->append_as_follower(*bytes); !appended) {
      return move.failed(appended.error());
    }
  }
  move.size = move.log->size_bytes();
  move.end = move.log->log_end_offset().value();
  return {};
}

asio::awaitable<Result<void>> LogMover::copy(Move& move) {
  while (true) {
    auto look = [this, &move] { return next_piece(move); };
    auto piece = co_await runtime::run_on(manager_.owner(move.id), std::move(look));
    if (!piece) co_return piece.error();
    if (piece->slice.size == 0 && !piece->anew) co_return Result<void>();
    auto work = [&move, &piece] { return append(move, *piece); };
    auto appended = co_await manager_.background().run(std::move(work));
    if (!appended) co_return appended;
  }
}

// The copy gets its name while the log still serves: what comes meanwhile is added by exchange().
asio::awaitable<Result<void>> LogMover::finish(Move& move) {
  auto work = [this, &move]() -> Result<void> {
    fs::FileSystem& files = *manager_.logs().context().files;
    log::OpenOptions options;
    options.directory = fs::parent_of(move.path) + "/" + move.id.to_string();
    options.id = move.id;
    options.config = manager_.settings_for(move.id.topic).log;
    options.recovery_point = move.log->log_end_offset();
    options.log_start_offset = move.log->log_start_offset();
    options.clean_shutdown = true;
    if (auto closed = move.log->close(); !closed) return move.failed(closed.error());
    auto renamed = files.rename(move.path, options.directory);
    if (!renamed) return move.failed(renamed.error());
    move.path = options.directory;
    move.is_renamed = true;
    move.log.reset();
    auto opened = log::Log::open(manager_.logs().context(), std::move(options));
    if (!opened) return move.failed(opened.error());
    move.log = std::move(*opened);
    return files.sync_dir(fs::parent_of(move.path));
  };
  co_return co_await manager_.background().run(std::move(work));
}

// On the owner.
asio::awaitable<Result<std::unique_ptr<log::Log>>> LogMover::exchange(MovePtr move) {
  auto partition = partition_of(*move);
  if (!partition) co_return partition.error();
  std::shared_ptr<Partition> held = *partition;
  co_await held->hold_appends();
  runtime::ScopeExit release([&held] { held->release_appends(); });
  while (true) {
    auto piece = next_piece(*move);
    if (!piece) co_return piece.error();
    if (piece->slice.size == 0 && !piece->anew) break;
    auto work = [&move, &piece] { return append(*move, *piece); };
    auto appended = co_await manager_.background().run(std::move(work));
    if (!appended) co_return appended.error();
  }
  if (auto started = move->log->advance_log_start(held->log_start_offset()); !started) {
    co_return started.error();
  }
  co_return held->exchange_log(std::move(move->log), move->directory);
}

}  // namespace odradek::broker::replica
