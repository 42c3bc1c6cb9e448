#pragma once
// A segment's NAME.txnindex: one 34-byte entry for each aborted transaction whose marker is in the
// segment; the file is made with the first one.
//   0 int16 version 0 | 2 int64 producer id | 10 int64 first offset | 18 int64 last offset | 26
//   int64 last stable offset

#include <cstdint>
#include <vector>

#include "broker/log/file_cache.h"
#include "common/bytes/byte_writer.h"
#include "common/ids.h"
#include "common/result.h"

namespace odradek::broker::log {

struct AbortedEntry {
  ProducerId producer_id{-1};
  Offset first_offset{-1};
  Offset last_offset{-1};  // of the marker
  Offset last_stable_offset{-1};
};

class TransactionIndex {
 public:
  static constexpr size_t kEntrySize = 34;
  TransactionIndex(FileCache* cache, const std::string* directory, Offset base_offset,
                   uint64_t bytes);

  size_t entries() const { return entries_; }
  Result<std::vector<AbortedEntry>> read();
  // The first `entries` of a file; for who is not the segment's owner.
  static Result<std::vector<AbortedEntry>> read(fs::File& file, size_t entries);
  static void write_entry(ByteWriter& out, const AbortedEntry& entry);
  Result<void> append(const AbortedEntry& entry);
  // Keeps the entries whose marker is below the offset.
  Result<void> truncate_to(Offset offset);
  Result<void> clear();
  // True once after entries were taken away, which has to be synced as well.
  bool take_cut() { return std::exchange(is_cut_, false); }
  const SegmentFile& file() const { return file_; }

 private:
  SegmentFile file_;
  size_t entries_;
  bool is_cut_ = false;
  bool is_ragged_;  // a crash left a piece of an entry at the end
};

}  // namespace odradek::broker::log
