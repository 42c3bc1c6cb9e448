// Opening a log: finish what was begun, load the segments, cut what a crash left behind, rebuild
// what is derived.
#include <algorithm>
#include <limits>
#include <map>

#include "broker/log/log.h"
#include "broker/log/partition_metadata.h"
#include "common/format.h"
#include "common/log/log.h"

namespace odradek::broker::log {

// One opening of one log; lives as long as Log::open runs.
class LogOpener {
 public:
  LogOpener(Log& log, const OpenOptions& options)
      : log_(log), files_(*log.context_.files), options_(options) {}

  Result<void> run() {
    if (Result<void> made = make_directory(); !made) return made;
    if (Result<void> done = finish_swaps(); !done) return done;
    if (Result<void> done = load_segments(); !done) return done;
    if (Result<void> done = check_topic_id(); !done) return done;
    if (Result<void> done = load_epochs(); !done) return done;
    if (Result<void> done = recover(); !done) return done;
    if (Result<void> done = tell_gaps(); !done) return done;
    if (Result<void> done = settle_offsets(); !done) return done;
    if (Result<void> done = load_producers(); !done) return done;
    if (log_.dirty_from_ && *log_.dirty_from_ > log_.log_end_offset_) log_.dirty_from_.reset();
    for (const std::unique_ptr<Segment>& segment : log_.segments_) segment->close_files();
    if (!options_.clean_shutdown) {
      // names that the last run made may still be unknown to the disk, though this run sees them
      log_.directory_dirty_ = true;
      log_.dirty_paths_.push_back(log_.epochs_.path());
    }
    return {};
  }

 private:
  std::string path_of(const std::string& name) const { return log_.directory_ + "/" + name; }

  Result<void> make_directory() {
    Result<fs::DirEntry> there = files_.stat(log_.directory_);
    if (there) return {};
    if (there.error().code() != Errc::not_found) return there.error();
    log_.directory_dirty_ = true;
    return files_.make_dirs(log_.directory_);
  }

  Result<void> list() {
    Result<std::vector<fs::DirEntry>> entries = files_.list(log_.directory_);
    if (!entries) return entries.error();
    entries_ = std::move(*entries);
    return {};
  }

  Result<void> drop(const std::string& name) {
    log_.directory_dirty_ = true;
    Result<void> removed = files_.remove(path_of(name));
    if (!removed && removed.error().code() != Errc::not_found) return removed;
    return {};
  }

  // Kafka's cleaner writes NAME.cleaned, renames to NAME.swap when all is on disk, then takes the
  // old segments away and drops the suffix. So .cleaned is a beginning to forget, .swap an end to
  // complete.
  Result<void> finish_swaps() {
    if (Result<void> listed = list(); !listed) return listed;
    Offset min_cleaned(std::numeric_limits<int64_t>::max());
    std::vector<std::string> swaps;
    for (const fs::DirEntry& entry : entries_) {
      if (entry.is_directory) continue;
      std::string_view name = entry.name;
      const bool cleaned = name.ends_with(".cleaned");
      if (cleaned) min_cleaned = std::min(min_cleaned, offset_of_name(name).value_or(min_cleaned));
      if (cleaned || name.ends_with(".deleted") || name.ends_with(".tmp")) {
        if (Result<void> dropped = drop(entry.name); !dropped) return dropped;
      } else if (name.ends_with(".swap")) {
        swaps.push_back(entry.name);
      }
    }
    // A swap at or above a half-written segment belongs to a split that has to be done anew. An index
    // without its segment: that one is in place, or its swap was called off; which, nobody knows.
    std::vector<std::string> valid;
    for (const std::string& name : swaps) {
      const Offset base = offset_of_name(name).value_or(Offset(0));
      const bool alone = !std::binary_search(swaps.begin(), swaps.end(),
                                             offset_name(base) + ".log.swap");
      if (alone) reindex_.push_back(base);
      if (base >= min_cleaned || alone) {
        if (Result<void> dropped = drop(name); !dropped) return dropped;
      } else {
        valid.push_back(name);
      }
    }
    if (valid.empty()) return {};
    if (Result<void> replaced = drop_replaced(valid); !replaced) return replaced;
    for (const std::string& name : valid) {
      const std::string target = name.substr(0, name.size() - std::string_view(".swap").size());
      if (Result<void> renamed = files_.rename(path_of(name), path_of(target)); !renamed)
        return renamed;
      if (target.ends_with(".log")) {
        LOG_INFO("server", "Log {}: completed the swap of {}", log_.id_.to_string(), target);
        if (auto offset = offset_of_name(target)) reindex_.push_back(*offset);
      }
    }
    log_.directory_dirty_ = true;
    return {};
  }

  // The old files whose offsets the swapped segments [first, end) replace.
  Result<void> drop_replaced(const std::vector<std::string>& swaps) {
    Offset first(std::numeric_limits<int64_t>::max()), end(-1);
    for (const std::string& name : swaps) {
      if (!name.ends_with(".log.swap")) continue;
      std::optional<Offset> base = offset_of_name(name);
      if (!base) continue;
      first = std::min(first, *base);
      Result<std::shared_ptr<fs::File>> file = files_.open(path_of(name), fs::OpenMode::read);
      if (!file) return file.error();
      Result<uint64_t> size = (*file)->size();
      if (!size) return size.error();
      BatchScanner scanner(**file, 0, *size);
      Offset next = *base;
      while (true) {
        Result<bool> more = scanner.next();
        if (!more && more.error().code() != Errc::corrupt_record) return more.error();
        if (!more || !*more) break;
        next = scanner.header().next_offset();
      }
      end = std::max(end, next);
    }
    for (const fs::DirEntry& entry : entries_) {
      std::string_view name = entry.name;
      std::optional<Offset> offset = offset_of_name(name);
      const bool of_segment = name.ends_with(".log") || name.ends_with(".index") ||
                              name.ends_with(".timeindex") || name.ends_with(".txnindex");
      if (!offset || !of_segment || *offset < first || *offset >= std::max(end, first + 1))
        continue;
      if (Result<void> dropped = drop(entry.name); !dropped) return dropped;
    }
    return {};
  }

  struct Found {
    Segment::Sizes sizes;
    int64_t modified_ms = 0;
    bool has_log = false, has_index = false, has_time_index = false;
    std::vector<std::string> names;
  };

  Result<void> load_segments() {
    if (Result<void> listed = list(); !listed) return listed;
    std::map<Offset, Found> found;
    for (const fs::DirEntry& entry : entries_) {
      std::optional<Offset> offset = entry.is_directory ? std::nullopt : offset_of_name(entry.name);
      if (!offset) continue;
      std::string_view suffix = std::string_view(entry.name).substr(20);
      if (suffix == ".snapshot") {
        log_.snapshots_.push_back(*offset);
        continue;
      }
      Found& one = found[*offset];
      if (suffix == ".log") {
        one.has_log = true;
        one.sizes.log = entry.size;
        one.modified_ms = entry.modified_ms;
      } else if (suffix == ".index") {
        one.has_index = true;
        one.sizes.offset_index = entry.size;
      } else if (suffix == ".timeindex") {
        one.has_time_index = true;
        one.sizes.time_index = entry.size;
      } else if (suffix == ".txnindex") {
        one.sizes.transaction_index = entry.size;
      } else {
        continue;
      }
      one.names.push_back(entry.name);
    }
    std::sort(log_.snapshots_.begin(), log_.snapshots_.end());
    for (auto& [base, one] : found) {
      if (!one.has_log) {
        for (const std::string& name : one.names) {
          LOG_WARN("server", "Log {}: {} is dropped: its segment file is gone",
                   log_.id_.to_string(), name);
          if (Result<void> dropped = drop(name); !dropped) return dropped;
        }
        continue;
      }
      auto segment = std::make_unique<Segment>(log_.context_.file_cache, &log_.directory_, base,
                                               one.sizes, one.modified_ms);
      bool sane = one.sizes.log == 0 || (one.has_index && one.has_time_index);
      if (sane) {
        Result<bool> looked = segment->indexes_are_sane(one.sizes);
        if (!looked) return looked.error();
        sane = *looked;
      }
      if (!sane) {
        LOG_WARN("server",
                 "Log {}: the indexes of segment {} are missing or damaged and are built anew",
                 log_.id_.to_string(), base.value());
        reindex_.push_back(base);
      }
      log_.segments_.push_back(std::move(segment));
    }
    // what a truncation of this run's predecessor left of the offsets between log end and next
    // segment is no gap: the compactor leaves gaps, too
    return {};
  }

  Result<void> check_topic_id() {
    Result<std::optional<Uuid>> stored = read_partition_metadata(files_, log_.directory_);
    if (!stored) return stored.error();
    log_.topic_id_ = *stored;
    if (options_.topic_id && !options_.topic_id->is_zero())
      return log_.set_topic_id(*options_.topic_id);
    return {};
  }

  Result<void> load_epochs() {
    Result<void> loaded = log_.epochs_.load();
    if (!loaded && loaded.error().code() == Errc::malformed) {
      LOG_WARN("server", "Log {}: {}; it is built anew from the segments", log_.id_.to_string(),
               loaded.error().what());
      rebuild_epochs_ = true;
      return {};
    }
    return loaded;
  }

  // Reads every segment that may hold unsynced batches, and those whose indexes are not usable.
  Result<void> recover() {
    if (rebuild_epochs_) {
      for (const std::unique_ptr<Segment>& segment : log_.segments_) {
        Result<void> seen = segment->for_each_batch(segment->base_offset(), note_epoch());
        if (!seen && seen.error().code() != Errc::corrupt_record) return seen;
      }
      if (Result<void> written = log_.epochs_.write(); !written) return written;
    }
    if (log_.segments_.empty()) return {};
    Result<size_t> first_unflushed = find_unflushed();
    if (!first_unflushed) return first_unflushed.error();
    const size_t unflushed = *first_unflushed;
    const std::vector<EpochEntry> epochs = log_.epochs_.entries();
    if (unflushed < log_.segments_.size()) {
      // A crash may have brought back what a truncation took: the batches that are there say it.
      const Offset base = log_.segments_[unflushed]->base_offset();
      epochs_changed_ = log_.epochs_.truncate_in_memory(base);
    }
    for (size_t i = 0; i < log_.segments_.size(); ++i) {
      Segment& segment = *log_.segments_[i];
      const bool reindex =
          std::find(reindex_.begin(), reindex_.end(), segment.base_offset()) != reindex_.end();
      const bool is_last = i + 1 == log_.segments_.size();
      bool must = reindex || i >= unflushed;
      if (is_last && !must) {
        Result<Offset> next = segment.read_next_offset();
        if (!next && next.error().code() != Errc::corrupt_record) return next.error();
        if (!next) {
          LOG_WARN("server",
                   "Log {}: segment {} does not end with a whole batch after a clean stop: {}",
                   log_.id_.to_string(), segment.base_offset().value(), next.error().what());
          must = true;
        }
      }
      if (!must) continue;
      if (Result<void> done = recover_segment(i, i >= unflushed || is_last); !done) return done;
    }
    return keep_last_epoch(epochs);
  }

  // One that began at the log end has no batch yet.
  Result<void> keep_last_epoch(const std::vector<EpochEntry>& before) {
    if (before.empty() || before.back().epoch <= log_.epochs_.latest()) return {};
    Result<Offset> end = log_.active().read_next_offset();
    if (!end) return end.error();
    if (before.back().start_offset < *end) return {};
    return log_.epochs_.assign(before.back().epoch, *end);
  }

  // The first segment that may hold what was not synced.
  Result<size_t> find_unflushed() {
    if (options_.clean_shutdown) return log_.segments_.size();
    const size_t index = log_.segment_index_for(options_.recovery_point);
    if (index == 0 || log_.segments_[index]->base_offset() != options_.recovery_point) return index;
    log_.mark_dirty(*log_.segments_[index - 1]);  // where it was cut at just this offset
    // A truncation may have taken this segment away, and the one before grew beyond: its name came back.
    Segment& before = *log_.segments_[index - 1];
    Result<Offset> next = before.read_next_offset();
    if (!next && next.error().code() != Errc::corrupt_record) return next.error();
    if (!next || *next > options_.recovery_point) return index - 1;
    // its last index entries, which the roll wrote, were not synced
    if (Result<void> ended = before.end_indexes(); !ended) return ended.error();
    return index;
  }

  Segment::Visit note_epoch() {
    return [this](const BatchHeader& header, uint64_t) -> Result<void> {
      if (header.magic >= 2 && header.partition_leader_epoch > log_.epochs_.latest()) {
        epochs_changed_ |=
            log_.epochs_.assign_in_memory(header.partition_leader_epoch, header.base_offset);
      }
      return {};
    };
  }

  Result<void> recover_segment(size_t index, bool is_unflushed) {
    Segment& segment = *log_.segments_[index];
    first_recovered_ = std::min(first_recovered_, segment.base_offset());
    recovered_.push_back(segment.base_offset());
    const Offset limit = index + 1 < log_.segments_.size()
                             ? log_.segments_[index + 1]->base_offset()
                             : Offset(std::numeric_limits<int64_t>::max());
    const Segment::OnDisk on_disk{options_.recovery_point, has_records_behind(index)};
    Result<Segment::Recovered> recovered =
        segment.recover(*log_.config_, limit, on_disk, note_epoch());
    segment.close_files();
    if (!recovered) return recovered.error();
    log_.mark_dirty(segment);  // that it was cut, and its new indexes
    if (!is_unflushed) {
      // nobody reads it again after a crash, which must not find half an index
      if (Result<void> synced = sync(segment); !synced) return synced;
    }
    if (is_unflushed && segment.size() > 0 && !recovered->reached_limit) {
      LOG_INFO("server", "Log {}: recovered segment {} ({} bytes, next offset {})",
               log_.id_.to_string(), segment.base_offset().value(), segment.size(),
               recovered->next_offset.value());
    }
    if (epochs_changed_) {
      epochs_changed_ = false;
      if (Result<void> written = log_.epochs_.write(); !written) return written;
    }
    const bool lost_its_end = has_lost_its_end(*recovered, limit);
    if (!lost_its_end && recovered->truncated_bytes == 0) return {};
    if (recovered->reason.empty()) {
      recovered->reason = format("the next segment begins at offset {}", limit.value());
    }
    if (!is_unflushed || (recovered->reached_limit && !lost_its_end)) {
      // what lies behind is still good
      LOG_ERROR("server",
                "Log {}: {}/{}.log is damaged at offset {}: {}; {} bytes were removed there",
                log_.id_.to_string(), log_.directory_, offset_name(segment.base_offset()),
                recovered->next_offset.value(), recovered->reason, recovered->truncated_bytes);
      return {};
    }
    LOG_WARN("server",
             "Log {}: {}/{}.log was cut at offset {}, position {}: {}; {} bytes were removed",
             log_.id_.to_string(), log_.directory_, offset_name(segment.base_offset()),
             recovered->next_offset.value(), segment.size(), recovered->reason,
             recovered->truncated_bytes);
    while (log_.segments_.size() > index + 1) {
      Segment& later = *log_.segments_.back();
      LOG_WARN("server", "Log {}: segment {} ({} bytes) lies behind the cut and is removed",
               log_.id_.to_string(), later.base_offset().value(), later.size());
      if (Result<void> removed = remove_segment_files(later); !removed) return removed;
      log_.segments_.pop_back();
    }
    return {};
  }

  Result<void> sync(Segment& segment) {
    std::vector<std::shared_ptr<fs::File>> files;
    Result<void> done = segment.collect_files(files);
    for (const std::shared_ptr<fs::File>& file : files) {
      if (done) done = file->sync();
    }
    if (done) done = files_.sync_dir(log_.directory_);
    segment.close_files();
    return done;
  }

  // A power loss takes the end of one file and leaves the next one: what lies behind the hole goes, so
  // that the log stays a beginning of what was written. Holes of which that is not known to be the
  // cause stay: compaction makes them, or a hand that took a file away.
  bool has_lost_its_end(const Segment::Recovered& recovered, Offset next_base) const {
    const bool may_be_lost = !options_.clean_shutdown && options_.is_recovery_point_known &&
                             recovered.next_offset >= options_.recovery_point;
    const bool is_compacted =
        log_.config_->cleanup_compact || options_.was_compacted || recovered.has_gaps;
    return may_be_lost && !is_compacted && recovered.next_offset < next_base &&
           next_base.value() != std::numeric_limits<int64_t>::max();
  }

  bool has_records_behind(size_t index) const {
    return std::any_of(log_.segments_.begin() + static_cast<ptrdiff_t>(index) + 1,
                       log_.segments_.end(),
                       [](const std::unique_ptr<Segment>& later) { return later->size() > 0; });
  }

  // A segment's file that went, or was cut by hand: readers pass over it, as in Kafka, and a person
  // is told. A cleaner leaves gaps, too.
  Result<void> tell_gaps() {
    const bool is_compacted = options_.was_compacted || log_.config_->cleanup_compact;
    if (options_.clean_shutdown || is_compacted) return {};
    for (size_t i = 0; i + 1 < log_.segments_.size(); ++i) {
      Segment& segment = *log_.segments_[i];
      const Offset begin = log_.segments_[i + 1]->base_offset();
      Result<Offset> next = segment.read_next_offset();
      if (!next && next.error().code() != Errc::corrupt_record) return next.error();
      if (!next || *next >= begin) continue;
      LOG_WARN("server",
               "Log {}: offsets {} to {} are missing behind {}/{}.log: consumers pass over them. "
               "Restore the segment files from a copy, if there is one, and start the broker again",
               log_.id_.to_string(), next->value(), begin.value() - 1, log_.directory_,
               offset_name(segment.base_offset()));
    }
    return {};
  }

  Result<void> remove_segment_files(Segment& segment) {
    segment.close_files();
    log_.directory_dirty_ = true;
    DeletedFiles deleted;
    deleted.paths = segment.paths();
    return remove_files(files_, deleted);
  }

  Result<void> settle_offsets() {
    log_.log_start_offset_ = options_.log_start_offset;
    Offset end(0);
    if (!log_.segments_.empty()) {
      Result<Offset> next = log_.active().read_next_offset();
      if (!next) return next.error();
      end = *next;
      if (end < log_.log_start_offset_) {
        LOG_WARN("server",
                 "Log {}: it ends at {}, below its log start offset {}; it goes on there, empty",
                 log_.id_.to_string(), end.value(), log_.log_start_offset_.value());
        // the new one first: without any a crash would let the offsets begin at 0 again
        std::vector<std::unique_ptr<Segment>> below = std::move(log_.segments_);
        log_.segments_.clear();
        Result<std::unique_ptr<Segment>> segment = log_.make_segment(log_.log_start_offset_);
        if (!segment) return segment.error();
        log_.segments_.push_back(std::move(*segment));
        end = log_.log_start_offset_;
        for (size_t i = below.size(); i-- > 0;) {
          if (Result<void> removed = remove_segment_files(*below[i]); !removed) return removed;
        }
        if (Result<void> cleared = log_.epochs_.clear(); !cleared) return cleared;
        log_.drop_snapshots_above(Offset(-1));  // what came behind them is not known
      }
    }
    if (log_.segments_.empty()) {
      Result<std::unique_ptr<Segment>> segment = log_.make_segment(log_.log_start_offset_);
      if (!segment) return segment.error();
      log_.segments_.push_back(std::move(*segment));
      end = log_.log_start_offset_;
    }
    log_.log_end_offset_ = end;
    log_.log_start_offset_ =
        std::max(log_.log_start_offset_, log_.segments_.front()->base_offset());
    // What was read is not synced: its indexes are new, and perhaps its end is.
    const bool nothing_read = first_recovered_.value() == std::numeric_limits<int64_t>::max();
    log_.recovery_point_ = options_.clean_shutdown && nothing_read
                               ? end
                               : std::min({options_.recovery_point, end, first_recovered_});
    // an epoch that begins at the end has no record yet, and stays
    if (Result<void> cut = log_.epochs_.truncate_from_end(end + 1); !cut) return cut;
    return log_.epochs_.truncate_from_start(log_.log_start_offset_);
  }

  Result<void> load_producers() {
    // those of a segment that is read again are made again
    log_.drop_snapshots_above(std::min(log_.log_end_offset_, first_recovered_));
    if (options_.clean_shutdown && log_.snapshots_.empty() &&
        first_recovered_.value() == std::numeric_limits<int64_t>::max()) {
      // a clean stop leaves a snapshot where there is anything to remember
      log_.producers_.set_end_offset(log_.log_end_offset_);
      return {};
    }
    const Offset from = std::min(log_.log_end_offset_, first_recovered_);
    return log_.rebuild_producers(from, recovered_);
  }

  Log& log_;
  fs::FileSystem& files_;
  const OpenOptions& options_;
  std::vector<fs::DirEntry> entries_;
  std::vector<Offset> reindex_;  // base offsets of segments whose indexes are not usable
  bool rebuild_epochs_ = false;
  bool epochs_changed_ = false;
  std::vector<Offset> recovered_;  // base offsets of the segments that were read
  Offset first_recovered_{
      std::numeric_limits<int64_t>::max()};  // base offset of the first segment that was read
};

Result<std::unique_ptr<Log>> Log::open(const LogContext& context, OpenOptions options) {
  std::unique_ptr<Log> log(new Log(context, options));
  LogOpener opener(*log, options);
  if (Result<void> opened = opener.run(); !opened) {
    const Error& error = opened.error();
    switch (error.code()) {
      case Errc::io_error:
      case Errc::permission_denied:
      case Errc::not_found:
      case Errc::already_exists:
        return Error(Errc::log_dir_offline,
                     format("log {}: {}", log->id_.to_string(), error.what()));
      default:
        return error;
    }
  }
  return log;
}

Result<void> Log::set_topic_id(const Uuid& topic_id) {
  if (topic_id_ && *topic_id_ != topic_id) {
    return Error(Errc::inconsistent_topic_id,
                 format("log {} belongs to topic id {}, not {}", id_.to_string(),
                        topic_id_->to_string(), topic_id.to_string()));
  }
  if (topic_id_) return {};
  if (Result<void> written = write_partition_metadata(*context_.files, directory_, topic_id);
      !written) {
    return failed(written.error());
  }
  topic_id_ = topic_id;
  dirty_paths_.push_back(partition_metadata_path(directory_));
  directory_dirty_ = true;
  return {};
}

}  // namespace odradek::broker::log
