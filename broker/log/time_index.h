#pragma once
// A segment's NAME.timeindex: 12-byte entries, both numbers growing:
//   0 int64 largest timestamp so far | 8 int32 (offset of that record - base offset)
// As with the offset index only its length and the last entry are in memory.

#include <cstdint>
#include <optional>

#include "broker/log/file_cache.h"
#include "common/ids.h"
#include "common/result.h"

namespace odradek::broker::log {

class TimeIndex {
 public:
  struct Entry {
    int64_t timestamp = -1;
    Offset offset{0};
  };
  static constexpr size_t kEntrySize = 12;

  TimeIndex(FileCache* cache, const std::string* directory, Offset base_offset, uint64_t bytes);

  size_t entries() const { return entries_; }
  // One entry is kept free for the roll.
  bool is_full(int64_t max_bytes) const {
    return entries_ + 1 >= static_cast<size_t>(max_bytes) / kEntrySize;
  }
  Result<bool> is_sane(uint64_t file_bytes);

  // {-1, base offset} where it is empty.
  Result<Entry> last();
  // The last entry at or before the timestamp.
  Result<Entry> floor(int64_t timestamp);

  // Adds an entry where the timestamp is later than the last one's.
  Result<void> maybe_append(int64_t timestamp, Offset offset);
  Result<void> truncate_to(Offset offset);
  Result<void> clear();
  Result<void> trim();
  const SegmentFile& file() const { return file_; }

 private:
  template <typename Below>
  Result<size_t> count_where(Below below);
  Result<Entry> at(size_t index);

  SegmentFile file_;
  Offset base_offset_;
  size_t entries_;
  std::optional<Entry> last_;
};

}  // namespace odradek::broker::log
