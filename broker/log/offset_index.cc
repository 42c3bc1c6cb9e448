#include "broker/log/offset_index.h"

#include <algorithm>

#include "common/bytes/byte_writer.h"

namespace odradek::broker::log {
namespace {

constexpr size_t kBlockEntries = 512;  // below that a range is read at once

OffsetIndex::Entry decode(const char* bytes, Offset base_offset) {
  ByteReader reader(ByteView(bytes, OffsetIndex::kEntrySize));
  Offset offset = base_offset + reader.i32();
  return {offset, reader.u32()};
}

}  // namespace

OffsetIndex::OffsetIndex(FileCache* cache, const std::string* directory, Offset base_offset,
                         uint64_t bytes)
    : file_(cache, directory, base_offset, ".index"),
      base_offset_(base_offset),
      entries_(bytes / kEntrySize) {}

Result<OffsetIndex::Entry> OffsetIndex::at(size_t index) {
  Result<std::shared_ptr<fs::File>> file = file_.get();
  if (!file) return file.error();
  char bytes[kEntrySize];
  if (Result<void> read = (*file)->pread_exact(bytes, sizeof bytes, index * kEntrySize); !read)
    return read.error();
  return decode(bytes, base_offset_);
}

template <typename Below>
Result<size_t> OffsetIndex::count_where(Below below) {
  size_t low = 0, high = entries_;
  if (high == 0) return low;
  Result<std::shared_ptr<fs::File>> file = file_.get();
  if (!file) return file.error();
  char block[kBlockEntries * kEntrySize];
  while (high - low > kBlockEntries) {
    size_t middle = low + (high - low) / 2;
    if (auto read = (*file)->pread_exact(block, kEntrySize, middle * kEntrySize); !read)
      return read.error();
    if (below(decode(block, base_offset_)))
      low = middle + 1;
    else
      high = middle;
  }
  if (high == low) return low;
  if (auto read = (*file)->pread_exact(block, (high - low) * kEntrySize, low * kEntrySize); !read)
    return read.error();
  size_t first = low;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (below(decode(block + (middle - first) * kEntrySize, base_offset_)))
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

Result<bool> OffsetIndex::is_sane(uint64_t file_bytes, uint64_t log_size) {
  if (file_bytes % kEntrySize != 0) return false;
  if (entries_ == 0) return true;
  Result<Entry> last = at(entries_ - 1);
  if (!last) return last.error();
  if (last->offset < base_offset_ || last->position >= log_size) return false;
  // a preallocated file that was never trimmed ends in zeros, which only a first entry may be
  return entries_ == 1 || last->position > 0;
}

Result<OffsetIndex::Entry> OffsetIndex::floor(Offset offset) {
  Result<size_t> count = count_where([&](const Entry& entry) { return entry.offset <= offset; });
  if (!count) return count.error();
  if (*count == 0) return Entry{base_offset_, 0};
  return at(*count - 1);
}

Result<OffsetIndex::Entry> OffsetIndex::floor_position(uint64_t position) {
  Result<size_t> count =
      count_where([&](const Entry& entry) { return entry.position <= position; });
  if (!count) return count.error();
  if (*count == 0) return Entry{base_offset_, 0};
  return at(*count - 1);
}

Result<OffsetIndex::Entry> OffsetIndex::last() {
  if (entries_ == 0) return Entry{base_offset_, 0};
  if (!last_) {
    Result<Entry> entry = at(entries_ - 1);
    if (!entry) return entry;
    last_ = *entry;
  }
  return *last_;
}

Result<void> OffsetIndex::append(Offset offset, uint64_t position) {
  Result<std::shared_ptr<fs::File>> file = file_.get();
  if (!file) return file.error();
  ByteWriter entry;
  entry.i32(static_cast<int32_t>(offset - base_offset_));
  entry.i32(static_cast<int32_t>(position));
  if (Result<void> written = (*file)->pwrite(entry.buffer(), entries_ * kEntrySize); !written)
    return written;
  ++entries_;
  last_ = Entry{offset, position};
  return {};
}

Result<void> OffsetIndex::truncate_to(Offset offset) {
  Result<size_t> count = count_where([&](const Entry& entry) { return entry.offset < offset; });
  if (!count) return count.error();
  entries_ = *count;
  return trim();
}

Result<void> OffsetIndex::clear() {
  entries_ = 0;
  return trim();
}

Result<void> OffsetIndex::trim() {
  last_.reset();
  Result<std::shared_ptr<fs::File>> file = file_.get();
  if (!file) return file.error();
  return (*file)->truncate(entries_ * kEntrySize);
}

}  // namespace odradek::broker::log
