// What a log does for its compaction: says what is dirty, makes the plan, swaps segments in.
#include <algorithm>

#include "broker/log/log.h"
#include "common/check.h"
#include "common/format.h"
#include "common/log/log.h"

namespace odradek::broker::log {
namespace {

constexpr int64_t kNoLag = std::numeric_limits<int64_t>::max();

}  // namespace

// A checkpoint may be of another time than the log: then it says nothing.
void Log::check_cleaned_to() {
  if (!cleaned_to_) return;
  if (*cleaned_to_ > log_end_offset_) {
    LOG_WARN("server",
             "Log {}: cleaner-offset-checkpoint says that it is clean up to offset {}, but it ends "
             "at {}; compaction begins at the log start offset {}",
             id_.to_string(), cleaned_to_->value(), log_end_offset_.value(),
             log_start_offset_.value());
    cleaned_to_.reset();
  } else if (*cleaned_to_ < log_start_offset_) {
    if (!config_->cleanup_delete) {
      LOG_WARN("server",
               "Log {}: it is clean up to offset {} by cleaner-offset-checkpoint, but begins at {} "
               "only; compaction begins there",
               id_.to_string(), cleaned_to_->value(), log_start_offset_.value());
    }
    cleaned_to_.reset();
  }
}

Result<Offset> Log::first_uncleanable(Offset first_dirty, Offset stable_end, int64_t now_ms) {
  Offset end = std::min(stable_end, active().base_offset());
  if (config_->min_compaction_lag_ms > 0) {
    for (size_t i = segment_index_for(first_dirty); i + 1 < segments_.size(); ++i) {
      Result<int64_t> largest = segments_[i]->largest_timestamp();
      if (!largest) return largest.error();
      if (*largest <= now_ms - config_->min_compaction_lag_ms) continue;
      end = std::min(end, segments_[i]->base_offset());
      break;
    }
  }
  // whole segments only
  return segments_[segment_index_for(std::max(end, first_dirty))]->base_offset();
}

Result<int64_t> Log::compaction_overdue_ms(Offset first_dirty, int64_t now_ms) {
  if (config_->max_compaction_lag_ms == kNoLag) return 0;
  int64_t earliest = kNoLag;
  for (size_t i = segment_index_for(first_dirty); i + 1 < segments_.size(); ++i) {
    if (segments_[i]->size() == 0) continue;
    Result<int64_t> first = segments_[i]->first_timestamp();
    if (!first) return first.error();
    if (*first > 0) earliest = std::min(earliest, *first);
  }
  return std::max<int64_t>(now_ms - config_->max_compaction_lag_ms - earliest, 0);
}

Result<std::optional<CleaningState>> Log::cleaning_state(Offset stable_end) {
  if (broken_) return *broken_;
  if (!config_->cleanup_compact || uncleanable_) return std::optional<CleaningState>();
  check_cleaned_to();
  const int64_t now_ms = context_.clock->wall_ms();
  CleaningState state;
  state.first_dirty = cleaned_to_.value_or(log_start_offset_);
  Result<Offset> end = first_uncleanable(state.first_dirty, stable_end, now_ms);
  if (!end) return failed(end.error());
  state.first_uncleanable = *end;
  for (const std::unique_ptr<Segment>& segment : segments_) {
    if (segment->base_offset() < state.first_dirty) state.clean_bytes += segment->size();
  }
  for (size_t i = segment_index_for(std::min(state.first_dirty, *end));
       i < segments_.size() && segments_[i]->base_offset() < *end; ++i) {
    state.cleanable_bytes += segments_[i]->size();
  }
  Result<int64_t> overdue = compaction_overdue_ms(state.first_dirty, now_ms);
  if (!overdue) return failed(overdue.error());
  state.overdue_ms = *overdue;
  return std::optional<CleaningState>(state);
}

Result<CleaningPlan> Log::plan_cleaning(Offset stable_end) {
  if (broken_) return *broken_;
  check_cleaned_to();
  CleaningPlan plan;
  plan.id = id_;
  plan.directory = directory_;
  plan.config = config_;
  if (!cleaned_to_) cleaned_to_ = log_start_offset_;
  plan.first_dirty = *cleaned_to_;
  plan.generation = generation_;
  plan.now_ms = context_.clock->wall_ms();
  Result<Offset> end = first_uncleanable(plan.first_dirty, stable_end, plan.now_ms);
  if (!end) return failed(end.error());
  plan.first_uncleanable = *end;
  for (size_t i = segment_index_for(log_start_offset_); i < segments_.size(); ++i) {
    const Segment& segment = *segments_[i];
    const Segment::Sizes sizes = segment.sizes();
    if (segment.base_offset() < plan.first_uncleanable) {
      plan.sources.push_back({segment.base_offset(), sizes.log, segment.modified_ms(),
                              sizes.offset_index, sizes.time_index});
    }
    // of the segments behind, too: a transaction's data may lie in front of its marker's segment
    const size_t aborted = sizes.transaction_index / TransactionIndex::kEntrySize;
    if (aborted > 0) plan.aborted.emplace_back(segment.base_offset(), aborted);
  }
  for (const auto& [producer_id, entry] : producers_.entries()) {
    LastOfProducer& last = plan.last_of_producers[producer_id];
    last.epoch = entry.epoch;
    if (entry.last_batch() && entry.last_batch()->last_offset.value() >= 0) {
      last.data_offset = entry.last_batch()->last_offset;
    }
  }
  return plan;
}

Result<bool> Log::begin_swap(uint64_t generation, const CleanedSegment& cleaned) {
  if (broken_) return *broken_;
  if (generation != generation_) return false;
  CHECK(!swap_);
  for (const std::string& path : cleaned.paths(directory_)) {
    Result<void> renamed = context_.files->rename(path + kCleanedSuffix, path + kSwapSuffix);
    if (!renamed) return failed(renamed.error());
  }
  directory_dirty_ = true;
  swap_ = cleaned;
  return true;
}

// Segments are about to be cut or taken away: what was read of them is not to come back.
Result<void> Log::forget_cleaning() {
  ++generation_;
  uncleanable_ = false;
  if (!swap_) return {};
  DeletedFiles files;
  for (const std::string& path : swap_->paths(directory_)) files.paths.push_back(path + kSwapSuffix);
  swap_.reset();
  directory_dirty_ = true;
  return remove_files(*context_.files, files);
}

Result<std::optional<DeletedFiles>> Log::finish_swap() {
  if (broken_) return *broken_;
  if (!swap_) return std::optional<DeletedFiles>();
  const CleanedSegment cleaned = *std::exchange(swap_, std::nullopt);
  const auto first = segments_.begin() +
                     static_cast<ptrdiff_t>(segment_index_for(cleaned.base_offset()));
  const auto end = first + static_cast<ptrdiff_t>(cleaned.replaces.size());
  for (size_t i = 0; i < cleaned.replaces.size(); ++i) {
    CHECK((*(first + static_cast<ptrdiff_t>(i)))->base_offset() == cleaned.replaces[i]);
  }
  forget_hints();
  directory_dirty_ = true;
  DeletedFiles deleted;
  for (auto segment = first; segment != end; ++segment) {
    (*segment)->close_files();
    for (const std::string& path : (*segment)->paths()) {
      if (Result<void> moved = set_aside(path, deleted); !moved) return failed(moved.error());
    }
    // the first segment's snapshot is the new one's
    const Offset base = (*segment)->base_offset();
    auto snapshot = std::lower_bound(snapshots_.begin(), snapshots_.end(), base);
    if (segment == first || snapshot == snapshots_.end() || *snapshot != base) continue;
    if (Result<void> moved = set_aside(snapshot_path(base), deleted); !moved) {
      return failed(moved.error());
    }
    snapshots_.erase(snapshot);
  }
  for (const std::string& path : cleaned.paths(directory_)) {
    Result<void> renamed = context_.files->rename(path + kSwapSuffix, path);
    if (!renamed) return failed(renamed.error());
  }
  const Segment::Sizes sizes = {cleaned.log_bytes, cleaned.offset_index_bytes,
                                cleaned.time_index_bytes, cleaned.transaction_index_bytes};
  *first = std::make_unique<Segment>(context_.file_cache, &directory_, cleaned.base_offset(), sizes,
                                     cleaned.modified_ms);
  segments_.erase(first + 1, end);
  return std::optional<DeletedFiles>(std::move(deleted));
}

void Log::finish_cleaning(uint64_t generation, Offset end_offset) {
  if (generation == generation_) cleaned_to_ = end_offset;
}

}  // namespace odradek::broker::log
