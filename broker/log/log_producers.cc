// Producer snapshots of a log: NAME.snapshot holds the state before that offset.
#include <algorithm>

#include "broker/log/log.h"
#include "common/format.h"
#include "common/log/log.h"

namespace odradek::broker::log {
namespace {

constexpr size_t kMaxSnapshotSize = 256 << 20;

}  // namespace

std::string Log::snapshot_path(Offset offset) const {
  return directory_ + "/" + offset_name(offset) + ".snapshot";
}

Result<void> Log::write_snapshot(fs::Durability durability) {
  const Offset offset = producers_.end_offset();
  auto place = std::lower_bound(snapshots_.begin(), snapshots_.end(), offset);
  if (place != snapshots_.end() && *place == offset) return {};
  const std::string path = snapshot_path(offset);
  Result<void> written =
      context_.files->write_file_atomically(path, producers_.encode_snapshot(), durability);
  if (!written) return written;
  snapshots_.insert(place, offset);
  if (durability == fs::Durability::lazy) dirty_paths_.push_back(path);
  directory_dirty_ = true;
  return {};
}

void Log::drop_snapshots_above(Offset offset) {
  while (!snapshots_.empty() && snapshots_.back() > offset) {
    (void)context_.files->remove(snapshot_path(snapshots_.back()));
    snapshots_.pop_back();
  }
}

Result<void> Log::rebuild_producers(Offset from, const std::vector<Offset>& reindexed) {
  producers_.clear();
  // below the log start, too: what a snapshot says of a producer would be older than what it sent there
  Offset next = segments_.front()->base_offset();
  for (size_t i = snapshots_.size(); i-- > 0;) {
    if (snapshots_[i] > from) continue;
    if (snapshots_[i] < next) break;  // what came behind it is gone: it knows of transactions that ended
    const std::string path = snapshot_path(snapshots_[i]);
    Result<Bytes> bytes = context_.files->read_file(path, kMaxSnapshotSize);
    Result<void> loaded = bytes ? producers_.load_snapshot(*bytes, context_.clock->wall_ms(),
                                                           config_->producer_id_expiration_ms)
                                : Result<void>(bytes.error());
    if (loaded) {
      next = std::max(next, snapshots_[i]);
      break;
    }
    if (!bytes && bytes.error().code() != Errc::not_found) return loaded;
    LOG_WARN("server", "Log {}: {} is dropped, an older one is used: {}", id_.to_string(), path,
             loaded.error().what());
    (void)context_.files->remove(path);
    snapshots_.erase(snapshots_.begin() + static_cast<ptrdiff_t>(i));
  }
  // Segments that are indexed anew are read from their beginning.
  for (size_t i = segment_index_for(next); i < segments_.size() && next < log_end_offset_; ++i) {
    Segment& segment = *segments_[i];
    if (segment.base_offset() > next) next = segment.base_offset();
    if (i > 0 && segment.base_offset() == next) {
      producers_.set_end_offset(next);
      if (Result<void> written = write_snapshot(fs::Durability::lazy); !written) return written;
    }
    const bool is_reindexed =
        std::find(reindexed.begin(), reindexed.end(), segment.base_offset()) != reindexed.end();
    Result<void> seen = segment.for_each_batch(
        next, [&](const BatchHeader& header, uint64_t position) -> Result<void> {
          if (header.magic < 2 || !header.has_producer_id()) return {};
          std::optional<TransactionMarker> marker;
          if (header.is_control()) {
            Result<std::shared_ptr<fs::File>> file = segment.log_file();
            if (!file) return file.error();
            Result<Bytes> batch = read_batch(**file, position, header);
            if (!batch) return batch.error();
            Result<std::optional<TransactionMarker>> parsed = parse_transaction_marker(*batch);
            if (parsed) marker = *parsed;
          }
          std::optional<ProducerStates::Completed> completed = producers_.note(header, marker);
          if (completed && completed->aborted && is_reindexed) {
            return segment.transaction_index().append(completed->entry);
          }
          return {};
        });
    if (!seen) return seen;
    next = i + 1 < segments_.size() ? segments_[i + 1]->base_offset() : log_end_offset_;
  }
  producers_.set_end_offset(log_end_offset_);
  return {};
}

}  // namespace odradek::broker::log
