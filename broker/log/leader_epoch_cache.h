#pragma once
// Which leader epoch begins at which offset of one log (KIP-101, KIP-320). Owner: the log's. Every
// change is written to leader-epoch-checkpoint without a sync: what a crash loses of it is found
// again in the batches above the recovery point, and the file is synced with them.

#include <optional>
#include <string>
#include <vector>

#include "common/fs/file_system.h"
#include "common/ids.h"
#include "common/result.h"

namespace odradek::broker::log {

struct EpochEntry {
  LeaderEpoch epoch{-1};
  Offset start_offset{0};
  bool operator==(const EpochEntry&) const = default;
};

struct EpochEndOffset {
  LeaderEpoch leader_epoch{-1};
  Offset end_offset{-1};
};

class LeaderEpochCache {
 public:
  LeaderEpochCache() = default;
  LeaderEpochCache(fs::FileSystem* files, std::string path)
      : files_(files), path_(std::move(path)) {}

  // Reads the file; malformed where it is damaged (then empty). An absent file is empty.
  Result<void> load();
  // Notes that an epoch begins at an offset; entries that it contradicts go. Nothing for an epoch
  // that is the latest.
  Result<void> assign(LeaderEpoch epoch, Offset start_offset);
  // The same without writing; write() comes once after many.
  bool assign_in_memory(LeaderEpoch epoch, Offset start_offset);
  Result<void> write();
  // Writes what a full disk kept from being written.
  Result<void> write_left() { return unwritten_ ? write() : Result<void>(); }

  LeaderEpoch latest() const { return entries_.empty() ? LeaderEpoch(-1) : entries_.back().epoch; }
  // Of the record at an offset; nothing below the first entry.
  std::optional<LeaderEpoch> epoch_at(Offset offset) const;
  EpochEndOffset end_offset_for(LeaderEpoch epoch, Offset log_end_offset) const;
  Result<void> truncate_from_end(Offset end_offset);
  // The same without writing. True where entries went.
  bool truncate_in_memory(Offset end_offset);
  // Forgets what lies below; the entry in which the offset lies begins there now.
  Result<void> truncate_from_start(Offset start_offset);
  Result<void> clear();

  const std::vector<EpochEntry>& entries() const { return entries_; }
  const std::string& path() const { return path_; }
  bool is_dirty() const { return dirty_; }
  // True once after a change: the file has to be synced.
  bool take_dirty() { return std::exchange(dirty_, false); }

 private:
  fs::FileSystem* files_ = nullptr;
  std::string path_;
  std::vector<EpochEntry> entries_;  // both numbers ascend
  bool dirty_ = false;
  bool unwritten_ = false;  // the file does not say what stands here
};

}  // namespace odradek::broker::log
