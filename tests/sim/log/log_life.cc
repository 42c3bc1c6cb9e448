#include "tests/sim/log/log_life.h"

#include <algorithm>

#include "common/format.h"

namespace odradek::sim {

using namespace broker::log;  // NOLINT: the log is all that is spoken of here

namespace {
constexpr const char* kRoot = "/logs";
constexpr int kSteps = 150;
}  // namespace

void LogCounts::add(const LogCounts& other) {
  appends += other.appends, refused += other.refused, duplicates += other.duplicates;
  rolls += other.rolls, segments_deleted += other.segments_deleted;
  truncations += other.truncations, flushes += other.flushes, clean_stops += other.clean_stops;
  crashes += other.crashes, lost += other.lost, cut_in_the_middle += other.cut_in_the_middle;
  failed_starts += other.failed_starts, full += other.full, io_errors += other.io_errors;
  aborted += other.aborted;
}

std::string LogCounts::text() const {
  return format(
      "{} appends, {} refused, {} duplicates, {} rolls, {} segments deleted, {} truncations, {} "
      "flushes, {} clean stops, {} crashes ({} in the middle of something, {} lost batches), {} failed "
      "starts, {} full disks, {} I/O errors, {} aborted transactions",
      appends, refused, duplicates, rolls, segments_deleted, truncations, flushes, clean_stops,
      crashes, cut_in_the_middle, lost, failed_starts, full, io_errors, aborted);
}

LogLife::LogLife(uint64_t seed) : world_(seed), disk_(seed), maker_(world_) {
  (void)disk_.make_dirs(kRoot);
  (void)disk_.sync_all("/");
  const int count = world_.chance(6) ? 10 : static_cast<int>(world_.between(1, 2));
  for (int i = 0; i < count; ++i) {
    auto partition = std::make_unique<Partition>();
    partition->id = {"sim" + std::to_string(i), PartitionId(0)};
    partition->config = std::make_shared<LogConfig>();
    LogConfig& config = *partition->config;
    config.segment_bytes = world_.between(800, 2500);
    config.index_interval_bytes = world_.between(0, 300);
    if (world_.chance(20)) config.segment_index_bytes = world_.between(2, 8) * 12;
    if (world_.chance(30)) config.segment_ms = world_.between(500, 20'000);
    if (world_.chance(15)) config.timestamp_type = TimestampType::log_append_time;
    if (world_.chance(20)) config.compression = static_cast<compress::Codec>(world_.below(5));
    config.retention_ms = -1;
    if (world_.chance(20)) {
      config.cleanup_compact = partition->model.may_have_holes = true;
      config.cleanup_delete = world_.chance(50);
    }
    if (world_.chance(15)) config.producer_id_expiration_ms = world_.between(5000, 60'000);
    partitions_.push_back(std::move(partition));
  }
}

LogLife::~LogLife() {
  for (auto& partition : partitions_) partition->log.reset();
}

std::string LogLife::report() const {
  const std::string what = breaches().empty() ? "nothing is wrong" : breaches().front();
  return format("seed {}: {}\n{}again: SIM_SEED={} sim --gtest_filter='*LogLife*'", world_.seed(),
                what, world_.last_steps(), world_.seed());
}

void LogLife::breach(const Partition& partition, const std::string& what) {
  world_.breach(partition.id.to_string() + ": " + what);
}

void LogLife::note_failure(const Partition& partition, const char* what, const Error& error) {
  world_.trace(format("{}: {} fails: {}", partition.id.to_string(), what, error.what()));
  if (!trouble_) return breach(partition, format("{} fails without a reason: {}", what, error.what()));
  if (error.code() == Errc::disk_full) {
    ++counts_.full;
  } else if (error.code() == Errc::log_dir_offline || error.code() == Errc::io_error) {
    must_restart_ = true;
    if (!disk_.power_is_cut()) ++counts_.io_errors;
  } else {
    breach(partition, format("{} fails for another reason than the disk's: {}", what, error.what()));
  }
}

void LogLife::run() {
  start(false, true);
  Offsets cleaned;  // by a cleaner that was here once
  for (auto& partition : partitions_) {
    if (partition->model.may_have_holes) cleaned[partition->id] = Offset(0);
  }
  (void)manager_->write_checkpoint(0, CheckpointKind::cleaner, cleaned);
  // most topics are made long before their first crash
  if (world_.chance(85)) {
    for (auto& partition : partitions_) flush(*partition);
  }
  for (int i = 0; i < kSteps && breaches().empty(); ++i) step();
  if (!breaches().empty()) return;
  clear_trouble();
  stop_cleanly();
  for (auto& partition : partitions_) counts_.aborted += partition->model.producers.aborted().size();
}

void LogLife::step() {
  world_.clock().advance_ms(world_.chance(3) ? world_.between(5000, 120'000) : world_.between(0, 200));
  Partition& partition = *partitions_[world_.below(partitions_.size())];
  maker_.set_compacted(partition.config->cleanup_compact);
  set_trouble();
  struct Row {
    int weight;
    void (LogLife::*what)(Partition&);
  };
  static constexpr Row kRows[] = {
      {44, &LogLife::append},          {5, &LogLife::append_refused},
      {6, &LogLife::append_as_follower}, {3, &LogLife::begin_epoch},
      {5, &LogLife::begin_flush},      {6, &LogLife::end_flush},
      {4, &LogLife::flush},            {4, &LogLife::delete_records},
      {6, &LogLife::delete_old},       {2, &LogLife::remove_doomed},
      {3, &LogLife::truncate},         {1, &LogLife::start_anew},
      {2, &LogLife::change_config},    {1, &LogLife::expire_producers},
  };
  int dice = static_cast<int>(world_.below(100));
  const Row* chosen = nullptr;
  for (const Row& row : kRows) {
    if (dice < row.weight) {
      chosen = &row;
      break;
    }
    dice -= row.weight;
  }
  if (chosen) {
    const size_t segments = partition.log->segment_count();
    (this->*chosen->what)(partition);
    if (partition.log->segment_count() > segments) ++counts_.rolls;
  } else if (dice < 3) {
    write_checkpoint(CheckpointKind::recovery_point);
  } else if (dice < 5) {
    write_checkpoint(CheckpointKind::log_start_offset);
  } else if (dice < 6) {
    stop_cleanly();
  } else {
    crash();
  }
  if (!breaches().empty()) return;
  if (must_restart_ || disk_.power_is_cut()) {
    if (disk_.power_is_cut()) ++counts_.cut_in_the_middle;
    return crash();
  }
  disk_.clear_faults();
  disk_.cut_power_after(0);
  trouble_ = full_steps_ > 0;
  check(partition);
}

void LogLife::set_trouble() {
  if (full_steps_ > 0) {
    if (--full_steps_ == 0) clear_trouble();
    return;
  }
  const uint64_t dice = world_.below(100);
  if (dice < 5) {
    disk_.cut_power_after(1 + world_.below(14));
  } else if (dice < 9) {
    static constexpr Call kCalls[] = {Call::open,     Call::read,   Call::write, Call::sync,
                                      Call::truncate, Call::rename, Call::remove, Call::sync_dir};
    static constexpr const char* kParts[] = {"", ".log", ".index", ".snapshot", "checkpoint"};
    disk_.fail(kCalls[world_.below(std::size(kCalls))], kParts[world_.below(std::size(kParts))],
               Errc::io_error);
  } else if (dice < 12) {
    disk_.set_capacity(disk_.used_bytes() + world_.below(world_.chance(50) ? 40 : 400));
    full_steps_ = static_cast<int>(world_.between(1, 4));
    world_.trace("the disk is full");
  } else {
    return;
  }
  trouble_ = true;
}

void LogLife::clear_trouble() {
  disk_.clear_faults();
  disk_.cut_power_after(0);
  disk_.set_capacity(0);
  full_steps_ = 0;
  trouble_ = false;
}

void LogLife::check(Partition& partition) {
  ProducerModel::Leniency leniency;
  if (std::exchange(partition.is_reloaded, false)) leniency = after_reload(partition);
  if (auto wrong = check_state(*partition.log, partition.model, leniency)) {
    return breach(partition, *wrong);
  }
  if (!world_.chance(10)) return;
  if (auto wrong = check_reads(*partition.log, partition.model, world_, 6)) breach(partition, *wrong);
}

// Files know the last batch of each producer alone, and nothing of what lies in no segment.
ProducerModel::Leniency LogLife::after_reload(const Partition& partition) {
  ProducerModel::Leniency leniency;
  leniency.fewer_batches = true;
  leniency.expired_until_ms =
      world_.clock().wall_ms() - partition.config->producer_id_expiration_ms;
  leniency.forgotten_below = partition.log->segments().front().base_offset;
  return leniency;
}

bool LogLife::write_checkpoint(CheckpointKind kind) {
  Offsets offsets;
  for (auto& partition : partitions_) {
    const Log& log = *partition->log;
    if (kind == CheckpointKind::recovery_point) {
      offsets[partition->id] = log.recovery_point();
    } else if (log.log_start_offset() > log.segments().front().base_offset) {
      offsets[partition->id] = log.log_start_offset();
    }
  }
  world_.trace(format("checkpoint {}", static_cast<int>(kind)));
  Result<void> written = manager_->write_checkpoint(0, kind, offsets);
  if (kind == CheckpointKind::log_start_offset) {
    for (auto& partition : partitions_) {
      auto found = offsets.find(partition->id);
      const Offset now = found == offsets.end() ? Offset(0) : found->second;
      Offset& before = partition->model.checkpointed_start;
      before = written ? now : std::min(before, now);
    }
  }
  if (!written) note_failure(*partitions_[0], "a checkpoint", written.error());
  return written.ok();
}

// Before a log is cut: should that end in the middle, the next start has to look at all of it.
bool LogLife::lower_recovery_point(const Partition& cut, Offset to) {
  Offsets offsets;
  for (auto& partition : partitions_) offsets[partition->id] = partition->log->recovery_point();
  offsets[cut.id] = std::min(offsets[cut.id], to);
  Result<void> written = manager_->write_checkpoint(0, CheckpointKind::recovery_point, offsets);
  if (!written) note_failure(cut, "a checkpoint", written.error());
  return written.ok();
}

void LogLife::stop_cleanly() {
  std::vector<Log*> logs;
  for (auto& partition : partitions_) {
    logs.push_back(partition->log.get());
    end_flush(*partition);
    if (must_restart_ || disk_.power_is_cut()) return;
  }
  world_.trace("a clean stop");
  std::vector<Result<void>> closed = manager_->close_logs(logs);
  for (size_t i = 0; i < logs.size(); ++i) {
    if (closed[i]) continue;
    note_failure(*partitions_[i], "the close", closed[i].error());
    must_restart_ = true;
  }
  if (must_restart_ || !write_checkpoint(CheckpointKind::recovery_point) ||
      !write_checkpoint(CheckpointKind::log_start_offset)) {
    must_restart_ = true;
    return;
  }
  if (Result<void> marked = manager_->mark_clean_shutdown(0); !marked) {
    note_failure(*partitions_[0], "the mark of a clean stop", marked.error());
    must_restart_ = true;
    return;
  }
  if (disk_.power_is_cut()) return;
  ++counts_.clean_stops;
  for (auto& partition : partitions_) {
    partition->model.flushed(partition->model.end);
    partition->model.ghosts.clear();
    partition->model.former.clear();
    partition->model.is_cut = false;
    partition->log.reset();
  }
  manager_.reset();
  // nothing may hang on what the kernel has
  disk_.crash(world_.chance(50) ? CrashMode::lose_unsynced : CrashMode::keep_all);
  clear_trouble();
  if (world_.chance(25)) damage_an_index();
  start(false, true);
}

// Somebody's hand: an index file that is gone, or cut.
void LogLife::damage_an_index() {
  const std::string directory = std::string(kRoot) + "/" + partitions_[0]->id.to_string();
  Result<std::vector<fs::DirEntry>> entries = disk_.list(directory);
  if (!entries) return;
  std::erase_if(*entries, [](const fs::DirEntry& entry) { return !entry.name.ends_with("index"); });
  std::erase_if(*entries, [](const fs::DirEntry& entry) { return entry.name.ends_with("txnindex"); });
  if (entries->empty()) return;
  const fs::DirEntry& entry = (*entries)[world_.below(entries->size())];
  const std::string path = directory + "/" + entry.name;
  world_.trace("somebody damages " + path);
  if (world_.chance(50)) {
    (void)disk_.remove(path);
  } else if (auto file = disk_.open(path, fs::OpenMode::read_write)) {
    (void)(*file)->truncate(entry.size - std::min<uint64_t>(entry.size, 5));
  }
}

void LogLife::crash() {
  bool may_be_lost = false;
  for (int attempt = 0;; ++attempt) {
    static constexpr CrashMode kModes[] = {CrashMode::keep_all, CrashMode::lose_unsynced,
                                           CrashMode::keep_prefix, CrashMode::mixture,
                                           CrashMode::mixture};
    const CrashMode mode = kModes[world_.below(std::size(kModes))];
    world_.trace(format("a crash, {}", static_cast<int>(mode)));
    ++counts_.crashes;
    may_be_lost = may_be_lost || mode != CrashMode::keep_all;
    for (auto& partition : partitions_) {
      partition->log.reset();
      partition->flush.reset();
      partition->doomed = {};
    }
    manager_.reset();
    disk_.crash(mode);
    clear_trouble();
    if (attempt == 3 || !world_.chance(35)) break;
    // trouble at the start: whatever it is, the next one must find all that must be there
    trouble_ = true;
    if (world_.chance(60)) {
      disk_.cut_power_after(1 + world_.below(25));
    } else if (world_.chance(50)) {
      static constexpr Call kCalls[] = {Call::open, Call::write, Call::truncate, Call::rename};
      disk_.fail(kCalls[world_.below(std::size(kCalls))], "", Errc::io_error);
    } else {
      disk_.set_capacity(disk_.used_bytes() + world_.below(60));
    }
    const bool opened = open_logs();
    if (!breaches().empty()) return;
    if (opened && !disk_.power_is_cut() && world_.chance(50)) {
      clear_trouble();
      break;
    }
    ++counts_.failed_starts;
    world_.trace("a start that fails");
  }
  must_restart_ = false;
  start(may_be_lost, false);
}

// As the broker's start: every log that lies there, and those that should be there.
bool LogLife::open_logs() {
  LogManager::Options options;
  options.directories = {kRoot};
  options.max_open_files = 6;
  Result<std::unique_ptr<LogManager>> manager = LogManager::open(disk_, world_.clock(), options);
  if (!manager) {
    note_failure(*partitions_[0], "the directory's start", manager.error());
    return false;
  }
  manager_ = std::move(*manager);
  auto partition_of = [&](const std::string& topic) -> Partition& {
    return **std::find_if(partitions_.begin(), partitions_.end(),
                          [&](const auto& one) { return one->id.topic == topic; });
  };
  bool all = true;
  // what a topic's policy is the broker does not know yet when it opens the logs
  auto config_of = [&](const std::string& topic) {
    auto config = std::make_shared<LogConfig>(*partition_of(topic).config);
    config->cleanup_compact = false;
    return config;
  };
  for (const FoundLog& found : manager_->found_logs()) {
    LoadedLog loaded = manager_->load(found, config_of(found.id.topic));
    Partition& partition = partition_of(found.id.topic);
    if (loaded.log) {
      partition.log = std::move(loaded.log);
      partition.log->set_config(partition.config);
    } else {
      note_failure(partition, "the start", *loaded.error);
      all = false;
    }
  }
  for (auto& partition : partitions_) {
    if (partition->log || !all) continue;
    Result<std::unique_ptr<Log>> made =
        manager_->create_log(partition->id, partition->config, std::nullopt);
    if (made) {
      partition->log = std::move(*made);
      if (partition->model.durable_end == Offset(0)) partition->model.checkpointed_start = Offset(0);
    } else {
      note_failure(*partition, "its making", made.error());
      all = false;
    }
  }
  return all;
}

void LogLife::start(bool may_be_lost, bool after_clean_stop) {
  if (!manager_ && !open_logs()) return;
  must_restart_ = false;
  for (auto& partition : partitions_) {
    Log& log = *partition->log;
    LogModel& model = partition->model;
    const Offset written =
        manager_->checkpointed(CheckpointKind::log_start_offset, partition->id).value_or(Offset(0));
    const Offset first = log.segments().front().base_offset;
    if (log.log_start_offset() != std::max(first, written) && model.checkpointed_start != Offset(0)) {
      return breach(*partition, format("it starts at {}: the checkpoint says {}, segment {} is first",
                                       log.log_start_offset().value(), written.value(), first.value()));
    }
    const bool holes = model.may_have_holes || model.has_hole || !model.ghosts.empty();
    Result<Stored> stored = read_stored(log, world_, holes);
    if (!stored) return breach(*partition, "after the start: " + stored.error().what());
    const size_t before = model.batches.size();
    if (auto wrong = model.recover(*stored, may_be_lost)) {
      return breach(*partition, "after the start: " + *wrong);
    }
    const bool is_new = log.segment_count() == 1 && log.segments().front().size == 0;
    if (may_be_lost && is_new) model.adopt(log.producers());
    if (model.batches.size() < before) counts_.lost += before - model.batches.size();
    if (auto wrong = check_state(log, model, after_reload(*partition))) {
      return breach(*partition, "after the start: " + *wrong);
    }
    if (auto wrong = check_index_files(log, disk_)) {
      return breach(*partition, "after the start: " + *wrong);
    }
    if (auto wrong = check_reads(log, model, world_, 25)) {
      return breach(*partition, "after the start: " + *wrong);
    }
    partition->epoch = std::max(partition->epoch, log.latest_leader_epoch().value());
    world_.trace(format("{} is there from {} to {}{}", partition->id.to_string(), model.start.value(),
                        model.end.value(), after_clean_stop ? ", stopped cleanly" : ""));
  }
  write_checkpoint(CheckpointKind::recovery_point);
}

}  // namespace odradek::sim
