#pragma once
// A segment's NAME.index: where in the .log file an offset is to be looked for. 8-byte entries,
// both numbers growing:
//   0 int32 (last offset of an appended set - base offset) | 4 int32 position where that set begins
// Only its length is in memory; entries are read from the file when asked for. Owner: the
// segment's. A crash may lose or damage it; recovery builds it anew from the .log file.

#include <cstdint>
#include <optional>

#include "broker/log/file_cache.h"
#include "common/ids.h"
#include "common/result.h"

namespace odradek::broker::log {

class OffsetIndex {
 public:
  struct Entry {
    Offset offset{0};
    uint64_t position = 0;
  };
  static constexpr size_t kEntrySize = 8;

  // `bytes`: size of the file now.
  OffsetIndex(FileCache* cache, const std::string* directory, Offset base_offset, uint64_t bytes);

  size_t entries() const { return entries_; }
  bool is_full(int64_t max_bytes) const {
    return entries_ >= static_cast<size_t>(max_bytes) / kEntrySize;
  }
  // The file's length fits, and its last entry could be true for a log file of `log_size` bytes.
  Result<bool> is_sane(uint64_t file_bytes, uint64_t log_size);

  // The last entry at or below the offset; {base offset, 0} where there is none.
  Result<Entry> floor(Offset offset);
  // The last entry whose position is at or below.
  Result<Entry> floor_position(uint64_t position);
  Result<Entry> last();

  Result<void> append(Offset offset, uint64_t position);
  // Keeps the entries below the offset.
  Result<void> truncate_to(Offset offset);
  Result<void> clear();
  // Cuts the file behind the last entry (preallocated zeros, half an entry).
  Result<void> trim();
  const SegmentFile& file() const { return file_; }

 private:
  template <typename Below>
  Result<size_t> count_where(Below below);  // entries for which `below` holds; they come first
  Result<Entry> at(size_t index);

  SegmentFile file_;
  Offset base_offset_;
  size_t entries_;
  std::optional<Entry> last_;
};

}  // namespace odradek::broker::log
