#pragma once
// Cleaner: one pass of compaction over one log, in small steps. It reads the dirty part and notes the
// latest offset of each key (OffsetMap), then writes the log from its beginning up to there anew,
// without the records that a later one of their key replaces. Small neighbours become one segment.
//
//   Cleaner cleaner(files, plan, limits);
//   step() → more: again. swap: put ready() in the place of what it replaces, then swapped(). done:
//   everything below end_offset() is clean.
//
// It knows the log by its plan and its files alone, holds no lock, and may be given up at any moment:
// abandon() removes what it made. Steps block and are short (a piece of io_buffer_bytes, or a sync of
// at most 32 MiB); one at a time, on any thread.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/log/batch_filter.h"
#include "broker/log/cleaned_segment.h"
#include "broker/log/cleaned_transactions.h"
#include "broker/log/cleaning.h"
#include "broker/log/offset_map.h"
#include "common/fs/file_system.h"
#include "common/result.h"

namespace odradek::broker::log {

struct CleanerLimits {
  size_t io_buffer_bytes = 262144;     // read at once; a larger batch comes whole
  size_t map_bytes = 128 << 20;        // for the keys of one pass; what does not fit waits
  double map_load_factor = 0.9;
};

// Of the part that was written anew.
struct CleanerCounts {
  uint64_t keys = 0;
  uint64_t bytes_read = 0;  // of segments, without the reading for the map
  uint64_t bytes_kept = 0;
  uint64_t records_read = 0;
  uint64_t records_kept = 0;
};

class Cleaner {
 public:
  enum class Next { more, swap, done };

  Cleaner(fs::FileSystem& files, CleaningPlan plan, CleanerLimits limits);
  ~Cleaner();

  // Errors: corrupt_record: the log cannot be compacted; the sentence names file, position, offset
  // and why. disk_full, or those of the file system; where the log was changed meanwhile they may
  // come of that. After an error only abandon() is called.
  Result<Next> step();
  const CleanedSegment& ready() const { return ready_; }
  void swapped();
  // Removes what was written and not swapped in.
  Result<void> abandon();

  // What is clean when all is done.
  Offset end_offset() const { return known_to_ + 1; }
  const CleaningPlan& plan() const { return plan_; }
  const CleanerCounts& counts() const { return counts_; }
  // Read and written since the last call.
  uint64_t take_io_bytes();

 private:
  class Source;
  enum class Phase { begin, map, group, clean, finish, done };

  Result<Next> begin();
  Result<Next> map_more();
  // False: the map is full.
  Result<bool> map_batch(const BatchHeader& header, ByteView batch);
  Result<Next> next_group();
  Result<Next> clean_more();
  Result<void> clean_batch(const BatchHeader& header, ByteView batch);
  Result<Next> finish_group();
  std::vector<AbortedEntry> aborted_from(Offset offset) const;
  BatchFate fate_of(const BatchHeader& header, ByteView batch);
  Offset end_of_source(size_t index) const;
  size_t group_end(size_t first) const;
  void map_is_complete();

  fs::FileSystem& files_;
  const CleaningPlan plan_;
  const CleanerLimits limits_;
  Phase phase_ = Phase::begin;
  std::vector<AbortedEntry> aborted_;
  std::optional<OffsetMap> map_;
  Offset known_to_{-1};
  std::optional<CleanedTransactions> transactions_;
  int64_t legacy_horizon_ms_ = 0;
  size_t source_ = 0;     // that is read, or where the next group begins
  size_t group_end_ = 0;  // behind the last source of the group
  std::unique_ptr<Source> reader_;
  std::unique_ptr<CleanedSegmentWriter> writer_;
  FilterRules rules_;
  bool changed_ = false;  // something of the group is not as it was
  Bytes scratch_;
  CleanedSegment ready_;
  CleanerCounts counts_;
  uint64_t io_bytes_ = 0;
};

}  // namespace odradek::broker::log
