// What is kept: retention, flush, stop and removal.
#include <algorithm>

#include "broker/log/log.h"
#include "broker/log/log_directory_name.h"
#include "common/format.h"
#include "common/log/log.h"

namespace odradek::broker::log {

void DeletedFiles::add(DeletedFiles other) {
  paths.insert(paths.end(), std::make_move_iterator(other.paths.begin()),
               std::make_move_iterator(other.paths.end()));
}

Result<void> remove_files(fs::FileSystem& files, const DeletedFiles& deleted) {
  for (const std::string& path : deleted.paths) {
    Result<void> removed = files.remove(path);
    if (!removed && removed.error().code() != Errc::not_found) return removed;
  }
  return {};
}

Result<DeletedFiles> Log::delete_old_segments(Offset high_watermark) {
  if (broken_) return *broken_;
  DeletedFiles deleted;
  const int64_t now_ms = context_.clock->wall_ms();
  // Takes segments from the front while `is_old` says so.
  auto take_while = [&](auto is_old) -> Result<void> {
    size_t count = 0;
    for (; count < segments_.size(); ++count) {
      Segment& segment = *segments_[count];
      const bool is_last = count + 1 == segments_.size();
      const Offset end = is_last ? log_end_offset_ : segments_[count + 1]->base_offset();
      if (high_watermark < end || (is_last && segment.size() == 0)) break;
      Result<bool> old = is_old(segment, end, is_last);
      if (!old) return old.error();
      if (!*old) break;
    }
    return count == 0 ? Result<void>() : take_away(count, deleted);
  };
  if (config_->cleanup_delete && config_->retention_ms >= 0) {
    Result<void> taken = take_while([&](Segment& segment, Offset, bool) -> Result<bool> {
      Result<int64_t> largest = segment.largest_timestamp();
      if (!largest) return largest.error();
      if (now_ms - *largest <= config_->retention_ms) return false;
      LOG_INFO("server",
               "Log {}: deleting segment {} ({} bytes): its largest timestamp {} is older than "
               "retention.ms "
               "{}",
               id_.to_string(), segment.base_offset().value(), segment.size(), *largest,
               config_->retention_ms);
      return true;
    });
    if (!taken) return failed(taken.error());
  }
  Result<void> taken = take_while([&](Segment& segment, Offset end, bool is_last) -> Result<bool> {
    if (is_last || end > log_start_offset_) return false;
    LOG_INFO(
        "server", "Log {}: deleting segment {} ({} bytes): it lies below the log start offset {}",
        id_.to_string(), segment.base_offset().value(), segment.size(), log_start_offset_.value());
    return true;
  });
  if (!taken) return failed(taken.error());
  if (config_->cleanup_delete && config_->retention_bytes >= 0) {
    int64_t too_much = size_bytes() - config_->retention_bytes;
    taken = take_while([&](Segment& segment, Offset, bool) -> Result<bool> {
      if (too_much - static_cast<int64_t>(segment.size()) < 0) return false;
      too_much -= static_cast<int64_t>(segment.size());
      LOG_INFO("server",
               "Log {}: deleting segment {} ({} bytes): the log is longer than retention.bytes {}",
               id_.to_string(), segment.base_offset().value(), segment.size(),
               config_->retention_bytes);
      return true;
    });
    if (!taken) return failed(taken.error());
  }
  return deleted;
}

Result<std::vector<SegmentInfo>> Log::removable_segments(Offset high_watermark) {
  if (broken_) return *broken_;
  std::vector<SegmentInfo> found;
  if (!config_->cleanup_delete) return found;
  for (size_t i = 0; i + 1 < segments_.size(); ++i) {
    if (high_watermark < segments_[i + 1]->base_offset()) break;
    Result<int64_t> largest = segments_[i]->largest_timestamp();
    if (!largest) return failed(largest.error());
    found.push_back(segments_[i]->info());
    found.back().largest_timestamp = *largest;
  }
  return found;
}

Result<DeletedFiles> Log::remove_segments(Offset last, Offset high_watermark,
                                          std::string_view why) {
  if (broken_) return *broken_;
  DeletedFiles deleted;
  size_t count = 0;
  for (; count + 1 < segments_.size() && segments_[count]->base_offset() <= last; ++count) {
    const Segment& segment = *segments_[count];
    if (!config_->cleanup_delete || high_watermark < segments_[count + 1]->base_offset()) break;
    LOG_INFO("server", "Log {}: deleting segment {} ({} bytes): {}", id_.to_string(),
             segment.base_offset().value(), segment.size(), why);
  }
  if (count == 0) return deleted;
  if (Result<void> taken = take_away(count, deleted); !taken) return failed(taken.error());
  return deleted;
}

Result<void> Log::set_aside(const std::string& path, DeletedFiles& deleted) {
  Result<void> renamed = context_.files->rename(path, path + ".deleted");
  if (renamed) {
    deleted.paths.push_back(path + ".deleted");
    return {};
  }
  if (renamed.error().code() == Errc::disk_full)  // no room for the longer name
    renamed = context_.files->remove(path);
  return !renamed && renamed.error().code() == Errc::not_found ? Result<void>() : renamed;
}

Result<void> Log::take_away(size_t count, DeletedFiles& deleted) {
  if (count == segments_.size()) {  // the log goes on in an empty segment
    Result<void> rolled = roll();
    if (!rolled && rolled.error().code() != Errc::disk_full) return rolled;
    count = std::min(count, segments_.size() - 1);
    if (count == 0) return {};  // no room for a new one: the one there is stays for now
  }
  forget_hints();
  if (Result<void> forgotten = forget_cleaning(); !forgotten) return forgotten;
  directory_dirty_ = true;
  for (size_t i = 0; i < count; ++i) {
    Segment& segment = *segments_.front();
    segment.close_files();
    for (const std::string& path : segment.paths()) {
      if (Result<void> moved = set_aside(path, deleted); !moved) return moved;
    }
    segments_.erase(segments_.begin());
  }
  const Offset first = segments_.front()->base_offset();
  while (!snapshots_.empty() && snapshots_.front() < first) {
    if (Result<void> moved = set_aside(snapshot_path(snapshots_.front()), deleted); !moved)
      return moved;
    snapshots_.erase(snapshots_.begin());
  }
  log_start_offset_ = std::max(log_start_offset_, first);
  return cut_epochs();
}

// A full disk is no reason to keep what makes it full: the next start cuts the file again.
Result<void> Log::cut_epochs() {
  Result<void> cut = epochs_.truncate_from_start(log_start_offset_);
  if (!cut && cut.error().code() == Errc::disk_full) return {};
  return cut;
}

Result<FlushWork> Log::begin_flush(FlushScope scope) {
  if (broken_) return *broken_;
  FlushWork work;
  work.file_system_ = context_.files;
  work.end_offset_ = log_end_offset_;
  work.cuts_ = cuts_;
  work.log_number_ = number_;
  if (recovery_point_ < log_end_offset_ || dirty_from_) {
    const Offset from = std::min(recovery_point_, dirty_from_.value_or(recovery_point_));
    dirty_from_.reset();
    for (size_t i = segment_index_for(from); i < segments_.size(); ++i) {
      if (scope == FlushScope::records && i + 1 == segments_.size()) {
        Result<std::shared_ptr<fs::File>> file = segments_[i]->log_file();
        if (!file) return failed(file.error());
        work.files_.push_back(std::move(*file));
        mark_dirty(*segments_[i]);  // its indexes, with a later flush
        break;
      }
      if (Result<void> collected = segments_[i]->collect_files(work.files_); !collected) {
        return failed(collected.error());
      }
    }
  }
  // where the disk was full: without room the flush after this one tries again
  if (Result<void> written = epochs_.write_left(); !written && written.error().code() != Errc::disk_full)
    return failed(written.error());
  if (epochs_.take_dirty()) {
    work.paths_.push_back(epochs_.path());
    directory_dirty_ = true;
  }
  std::move(dirty_paths_.begin(), dirty_paths_.end(), std::back_inserter(work.paths_));
  dirty_paths_.clear();
  if (directory_dirty_) {
    work.directories_ = {directory_, fs::parent_of(directory_)};
    directory_dirty_ = false;
  }
  return work;
}

bool Log::finish_flush(const FlushWork& work) {
  if (work.log_number_ != number_) return false;
  // what stands above a cut since then is not what was synced
  if (work.cuts_ == cuts_) recovery_point_ = std::max(recovery_point_, work.end_offset_);
  last_flush_ms_ = context_.clock->wall_ms();
  return true;
}

Result<void> Log::flush() {
  Result<FlushWork> work = begin_flush();
  if (!work) return work.error();
  if (work->empty()) return {};
  if (Result<void> ran = work->run(); !ran) {
    // what the kernel dropped is not written by a second call
    return failed(Error(Errc::io_error, ran.error().what()));
  }
  finish_flush(*work);
  return {};
}

void Log::remove_expired_producers() {
  producers_.remove_expired(context_.clock->wall_ms(), config_->producer_id_expiration_ms);
}

Result<void> Log::close_unsynced() {
  if (broken_) return *broken_;
  if (Result<void> written = epochs_.write_left(); !written) return failed(written.error());
  // its last entries are new also where all records were flushed before
  if (active().is_dirty()) mark_dirty(active());
  if (Result<void> forgotten = forget_cleaning(); !forgotten) return failed(forgotten.error());
  if (Result<void> trimmed = active().become_inactive(); !trimmed) return failed(trimmed.error());
  const Offset covered =
      snapshots_.empty() ? segments_.front()->base_offset() : snapshots_.back();
  if (log_end_offset_ > covered) {
    producers_.set_end_offset(log_end_offset_);
    if (Result<void> written = write_snapshot(fs::Durability::lazy); !written)
      return failed(written.error());
  }
  return {};
}

void Log::closed_and_synced() {
  recovery_point_ = log_end_offset_;
  last_flush_ms_ = context_.clock->wall_ms();
  for (const std::unique_ptr<Segment>& segment : segments_) segment->close_files();
}

Result<void> Log::close() {
  if (Result<void> closed = close_unsynced(); !closed) return closed;
  if (Result<void> flushed = flush(); !flushed) return flushed;
  closed_and_synced();
  return {};
}

Result<std::string> Log::rename_directory(std::string_view suffix) {
  if (Result<void> forgotten = forget_cleaning(); !forgotten) return failed(forgotten.error());
  for (const std::unique_ptr<Segment>& segment : segments_) segment->close_files();
  const std::string parent = fs::parent_of(directory_);
  const std::string target = parent + "/" + deleted_directory_name(id_, Uuid::random(), suffix);
  if (Result<void> renamed = context_.files->rename(directory_, target); !renamed)
    return failed(renamed.error());
  directory_ = target;
  broken_ = Error(Errc::log_dir_offline, format("log {} is removed", id_.to_string()));
  if (Result<void> synced = context_.files->sync_dir(parent); !synced) return synced.error();
  return target;
}

Result<std::string> Log::rename_for_delete() { return rename_directory("delete"); }
Result<std::string> Log::rename_as_stray() { return rename_directory("stray"); }

}  // namespace odradek::broker::log
