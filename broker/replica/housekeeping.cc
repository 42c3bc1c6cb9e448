#include "broker/replica/housekeeping.h"

#include "broker/replica/disk_cap.h"
#include "common/format.h"
#include "common/log/log.h"
#include "common/runtime/background.h"
#include "common/runtime/scope_exit.h"
#include "common/runtime/spawn.h"
#include "common/runtime/timer.h"

namespace odradek::broker::replica {

namespace asio = boost::asio;

namespace {
constexpr int64_t kCapCheckMs = 1000;  // a disk fills faster than retention is looked at
constexpr int64_t kRoomCheckMs = 1000;
constexpr int64_t kFirstLookMs = 30000;  // as Kafka: a broker that starts is left alone for a while
}

Housekeeping::Housekeeping(const ReplicaSettings& settings, PartitionTable& table,
                           log::LogManager& logs, runtime::Background& background,
                           const Clock& clock, runtime::Executor home)
    : settings_(settings),
      table_(table),
      logs_(logs),
      background_(background),
      clock_(clock),
      home_(home),
      directories_(logs.directories().size()) {}

void Housekeeping::start() {
  struct Row {
    Job job;
    int64_t every_ms;
  };
  const Row rows[] = {
      {&Housekeeping::apply_retention, settings_.retention_check_ms},
      {&Housekeeping::apply_disk_cap, settings_.directory_max_bytes >= 0 ? kCapCheckMs : 0},
      {&Housekeeping::look_for_room, kRoomCheckMs},
      {&Housekeeping::flush_old, settings_.flush_check_ms},
      {&Housekeeping::checkpoint_recovery, settings_.recovery_checkpoint_ms},
      {&Housekeeping::checkpoint_log_start, settings_.log_start_checkpoint_ms},
      {&Housekeeping::checkpoint_high_watermark, settings_.high_watermark_checkpoint_ms},
      {&Housekeeping::expire_producers, settings_.producer_expiry_check_ms},
  };
  constexpr int64_t kNeverMs = int64_t{1} << 53;
  for (const Row& row : rows) {
    if (row.every_ms <= 0 || row.every_ms > kNeverMs) continue;
    runtime::spawn(home_, repeat(row.job, row.every_ms, std::min(row.every_ms, kFirstLookMs)),
                   "the housekeeping of partitions");
  }
}

asio::awaitable<void> Housekeeping::repeat(Job job, int64_t every_ms, int64_t first_ms) {
  co_await runtime::sleep_ms(first_ms);
  while (!ended_) {
    co_await run(job);
    co_await runtime::sleep_ms(every_ms);
  }
}

asio::awaitable<void> Housekeeping::run(Job job) {
  ++running_;
  runtime::ScopeExit ended([this] {
    --running_;
    ended_one_.notify_all();
  });
  co_await (this->*job)();
}

asio::awaitable<void> Housekeeping::wait_idle() {
  while (running_ > 0) co_await ended_one_.wait_ms(60000);
}

void Housekeeping::checkpoint_recovery_soon() {
  runtime::spawn(home_, run(&Housekeeping::checkpoint_recovery),
                 "the checkpoint behind a recovery");
}

asio::awaitable<void> Housekeeping::apply_retention() {
  struct Removal {
    int64_t delay_ms;
    log::DeletedFiles files;
  };
  std::vector<Removal> removals;
  auto look = [this, &removals](PartitionTable::Shard& shard) {
    for (auto& [id, partition] : shard.partitions) {
      if (partition->offline()) continue;
      auto deleted = partition->log().delete_old_segments(partition->high_watermark());
      if (!deleted) {
        LOG_ERROR("server", "Retention of {} failed: {}", id.to_string(), deleted.error().what());
        continue;
      }
      if (deleted->empty()) continue;
      const int64_t delay_ms = logs_.is_full(partition->directory())
                                   ? 0
                                   : partition->log().config().file_delete_delay_ms;
      removals.push_back({delay_ms, std::move(*deleted)});
    }
  };
  co_await table_.on_every_shard(std::move(look));
  if (removals.empty()) co_return;
  // one timer for each delay that occurs
  std::map<int64_t, log::DeletedFiles> by_delay;
  for (Removal& removal : removals) by_delay[removal.delay_ms].add(std::move(removal.files));
  for (auto& [delay_ms, files] : by_delay) {
    runtime::spawn(home_, remove_later(delay_ms, std::move(files)), "the removal of old segments");
  }
}

asio::awaitable<void> Housekeeping::remove_later(int64_t delay_ms, log::DeletedFiles files) {
  if (delay_ms > 0) co_await runtime::sleep_ms(delay_ms);
  auto work = [this, &files] { return log::remove_files(*logs_.context().files, files); };
  auto removed = co_await background_.run(std::move(work));
  if (!removed) LOG_WARN("server", "Old segments cannot be removed: {}", removed.error().what());
}

asio::awaitable<void> Housekeeping::look_for_room() {
  bool is_any_full = false;
  for (size_t i = 0; i < directories_; ++i) is_any_full |= logs_.is_full(i);
  if (!is_any_full) co_return;
  auto look = [this] { logs_.look_for_room(); };
  co_await background_.run(std::move(look));
}

asio::awaitable<void> Housekeeping::apply_disk_cap() {
  std::vector<uint64_t> used(logs_.directories().size());
  auto add_up = [&used](PartitionTable::Shard& shard) {
    for (auto& [id, partition] : shard.partitions) {
      if (partition->offline() || partition->directory() >= used.size()) continue;
      used[partition->directory()] += static_cast<uint64_t>(partition->log().size_bytes());
    }
  };
  co_await table_.on_every_shard(std::move(add_up));
  over_cap_.resize(used.size());
  for (size_t i = 0; i < used.size(); ++i) {
    if (used[i] <= static_cast<uint64_t>(settings_.directory_max_bytes)) {
      over_cap_[i] = false;
    } else {
      co_await make_room(i, used[i]);
    }
  }
}

asio::awaitable<void> Housekeeping::make_room(size_t directory, uint64_t used) {
  const auto cap = static_cast<uint64_t>(settings_.directory_max_bytes);
  std::vector<CapCandidate> candidates;
  auto collect = [&](PartitionTable::Shard& shard) {
    for (auto& [id, partition] : shard.partitions) {
      if (partition->offline() || partition->directory() != directory) continue;
      auto segments = partition->log().removable_segments(partition->high_watermark());
      if (!segments) continue;  // an I/O error: its next append says so
      for (const log::SegmentInfo& segment : *segments) {
        candidates.push_back({id, segment.base_offset, segment.size, segment.largest_timestamp});
      }
    }
  };
  co_await table_.on_every_shard(std::move(collect));
  std::map<TopicPartition, Offset> last;
  for (const CapCandidate& chosen : segments_to_remove(candidates, used - cap)) {
    last[chosen.id] = chosen.base_offset;
  }
  const std::string path = logs_.directories()[directory].path;
  if (last.empty() && !over_cap_[directory]) {
    over_cap_[directory] = true;
    LOG_WARN("server",
             "{} holds {} bytes, more than the {} of log.dirs.max.bytes, and no closed segment may "
             "be deleted; a smaller segment.bytes closes them sooner",
             path, used, cap);
  }
  const std::string why =
      format("{} holds {} bytes, more than the {} of log.dirs.max.bytes", path, used, cap);
  log::DeletedFiles removed;
  auto cut = [&](PartitionTable::Shard& shard) {
    for (auto& [id, partition] : shard.partitions) {
      auto chosen = last.find(id);
      if (chosen == last.end() || partition->offline()) continue;
      if (partition->directory() != directory) continue;  // it has moved
      auto deleted =
          partition->log().remove_segments(chosen->second, partition->high_watermark(), why);
      if (deleted) {
        removed.add(std::move(*deleted));
      } else {
        LOG_ERROR("server", "Making room in {} failed: {}", path, deleted.error().what());
      }
    }
  };
  co_await table_.on_every_shard(std::move(cut));
  // at once: who reads them has them open, and the room is what is wanted
  if (!removed.empty()) co_await remove_later(0, std::move(removed));
}

asio::awaitable<void> Housekeeping::flush_old() {
  auto look = [now = clock_.wall_ms()](PartitionTable::Shard& shard) {
    for (auto& [id, partition] : shard.partitions) {
      if (partition->offline()) continue;
      const log::Log& log = partition->log();
      if (log.unflushed_offsets() > 0 && now - log.last_flush_ms() >= log.config().flush_ms)
        partition->start_flush();
    }
  };
  co_await table_.on_every_shard(std::move(look));
}

asio::awaitable<void> Housekeeping::expire_producers() {
  auto look = [](PartitionTable::Shard& shard) {
    for (auto& [id, partition] : shard.partitions) {
      if (!partition->offline()) partition->log().remove_expired_producers();
    }
  };
  co_await table_.on_every_shard(std::move(look));
}

asio::awaitable<void> Housekeeping::write_checkpoints(log::CheckpointKind kind) {
  auto directories = logs_.directories();
  std::vector<log::Offsets> offsets(directories.size());
  auto collect = [&offsets, kind](PartitionTable::Shard& shard) {
    for (auto& [id, partition] : shard.partitions) {
      if (partition->offline() || partition->directory() >= offsets.size()) continue;
      const log::Log& log = partition->log();
      log::Offsets& into = offsets[partition->directory()];
      switch (kind) {
        case log::CheckpointKind::recovery_point:
          into.emplace(id, log.recovery_point());
          break;
        case log::CheckpointKind::high_watermark:
          into.emplace(id, partition->high_watermark());
          break;
        case log::CheckpointKind::log_start_offset: {
          auto segments = log.segments();
          if (!segments.empty() && log.log_start_offset() > segments.front().base_offset) {
            into.emplace(id, log.log_start_offset());
          }
          break;
        }
        case log::CheckpointKind::cleaner:
          if (log.cleaned_to()) into.emplace(id, *log.cleaned_to());
          break;
      }
    }
  };
  co_await table_.on_every_shard(std::move(collect));
  auto& written = written_[static_cast<size_t>(kind)];
  written.resize(directories.size());
  for (size_t i = 0; i < directories.size(); ++i) {
    if (!directories[i].online || written[i] == offsets[i]) continue;
    auto write = [this, i, kind, &offsets] { return logs_.write_checkpoint(i, kind, offsets[i]); };
    auto done = co_await background_.run(std::move(write));
    if (done) {
      written[i] = std::move(offsets[i]);
    } else if (done.error().code() == Errc::disk_full) {
      LOG_WARN("server", "A checkpoint of {} waits for room: {}", directories[i].path,
               done.error().what());
    } else {
      LOG_ERROR("server", "A checkpoint of {} cannot be written: {}", directories[i].path,
                done.error().what());
    }
  }
}

asio::awaitable<void> Housekeeping::checkpoint_recovery() {
  return write_checkpoints(log::CheckpointKind::recovery_point);
}
asio::awaitable<void> Housekeeping::checkpoint_high_watermark() {
  return write_checkpoints(log::CheckpointKind::high_watermark);
}
asio::awaitable<void> Housekeeping::checkpoint_log_start() {
  return write_checkpoints(log::CheckpointKind::log_start_offset);
}

}  // namespace odradek::broker::replica
