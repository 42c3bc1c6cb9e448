#include "broker/log/time_index.h"

#include "common/bytes/byte_writer.h"

namespace odradek::broker::log {

TimeIndex::TimeIndex(FileCache* cache, const std::string* directory, Offset base_offset,
                     uint64_t bytes)
    : file_(cache, directory, base_offset, ".timeindex"),
      base_offset_(base_offset),
      entries_(bytes / kEntrySize) {}

Result<TimeIndex::Entry> TimeIndex::at(size_t index) {
  Result<std::shared_ptr<fs::File>> file = file_.get();
  if (!file) return file.error();
  char bytes[kEntrySize];
  if (Result<void> read = (*file)->pread_exact(bytes, sizeof bytes, index * kEntrySize); !read)
    return read.error();
  ByteReader reader(ByteView(bytes, sizeof bytes));
  int64_t timestamp = reader.i64();
  return Entry{timestamp, base_offset_ + reader.i32()};
}

template <typename Below>
Result<size_t> TimeIndex::count_where(Below below) {
  size_t low = 0, high = entries_;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    Result<Entry> entry = at(middle);
    if (!entry) return entry.error();
    if (below(*entry))
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

Result<bool> TimeIndex::is_sane(uint64_t file_bytes) {
  if (file_bytes % kEntrySize != 0) return false;
  if (entries_ == 0) return true;
  Result<Entry> first = at(0);
  if (!first) return first.error();
  Result<Entry> last = at(entries_ - 1);
  if (!last) return last.error();
  return last->timestamp >= first->timestamp && first->offset >= base_offset_ &&
         last->offset >= first->offset;
}

Result<TimeIndex::Entry> TimeIndex::last() {
  if (entries_ == 0) return Entry{-1, base_offset_};
  if (!last_) {
    Result<Entry> entry = at(entries_ - 1);
    if (!entry) return entry;
    last_ = *entry;
  }
  return *last_;
}

Result<TimeIndex::Entry> TimeIndex::floor(int64_t timestamp) {
  Result<size_t> count =
      count_where([&](const Entry& entry) { return entry.timestamp <= timestamp; });
  if (!count) return count.error();
  if (*count == 0) return Entry{-1, base_offset_};
  return at(*count - 1);
}

Result<void> TimeIndex::maybe_append(int64_t timestamp, Offset offset) {
  Result<Entry> latest = last();
  if (!latest) return latest.error();
  if (timestamp <= latest->timestamp || offset < latest->offset) return {};
  Result<std::shared_ptr<fs::File>> file = file_.get();
  if (!file) return file.error();
  ByteWriter entry;
  entry.i64(timestamp);
  entry.i32(static_cast<int32_t>(offset - base_offset_));
  if (Result<void> written = (*file)->pwrite(entry.buffer(), entries_ * kEntrySize); !written)
    return written;
  ++entries_;
  last_ = Entry{timestamp, offset};
  return {};
}

Result<void> TimeIndex::truncate_to(Offset offset) {
  Result<size_t> count = count_where([&](const Entry& entry) { return entry.offset < offset; });
  if (!count) return count.error();
  entries_ = *count;
  return trim();
}

Result<void> TimeIndex::clear() {
  entries_ = 0;
  return trim();
}

Result<void> TimeIndex::trim() {
  last_.reset();
  Result<std::shared_ptr<fs::File>> file = file_.get();
  if (!file) return file.error();
  return (*file)->truncate(entries_ * kEntrySize);
}

}  // namespace odradek::broker::log
