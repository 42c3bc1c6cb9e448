#include "broker/dump/index_text.h"

#include <algorithm>

#include "broker/dump/batch_file.h"
#include "broker/dump/batch_records.h"
#include "broker/dump/paths.h"
#include "broker/log/offset_index.h"
#include "broker/log/time_index.h"
#include "common/format.h"

namespace odradek::broker::dump {
namespace {

constexpr std::string_view kCorruptIndex =
    "org.apache.kafka.storage.internals.log.CorruptIndexException";

// The entries of an index file, read in blocks. The log's own index classes make a file that is absent
// and write; a dump must not.
class IndexFile {
 public:
  static Result<IndexFile> open(fs::FileSystem& files, const std::string& path,
                                size_t entry_size) {
    Result<std::shared_ptr<fs::File>> file = files.open(path, fs::OpenMode::read);
    if (!file) {
      // the official tool makes the file and then finds that it has no size for it
      if (file.error().code() == Errc::not_found) {
        return exception("java.lang.IllegalArgumentException", "Invalid max index size: -1");
      }
      return io_exception(file.error());
    }
    Result<uint64_t> bytes = (*file)->size();
    if (!bytes) return io_exception(bytes.error());
    return IndexFile(std::move(*file), *bytes, entry_size);
  }

  uint64_t bytes() const { return bytes_; }
  size_t entries() const { return static_cast<size_t>(bytes_ / entry_size_); }

  // The bytes of one entry.
  Result<ByteView> at(size_t index) {
    const uint64_t position = index * entry_size_;
    if (position < block_at_ || position + entry_size_ > block_at_ + block_.size()) {
      const uint64_t end = entries() * entry_size_;
      block_.resize(static_cast<size_t>(std::min<uint64_t>(kBlockEntries * entry_size_,
                                                           end - position)));
      if (auto read = file_->pread_exact(block_.data(), block_.size(), position); !read) {
        block_.clear();
        return io_exception(read.error());
      }
      block_at_ = position;
    }
    return ByteView(block_).substr(static_cast<size_t>(position - block_at_), entry_size_);
  }

 private:
  static constexpr size_t kBlockEntries = 512;
  IndexFile(std::shared_ptr<fs::File> file, uint64_t bytes, size_t entry_size)
      : file_(std::move(file)), bytes_(bytes), entry_size_(entry_size) {}

  std::shared_ptr<fs::File> file_;
  uint64_t bytes_;
  size_t entry_size_;
  uint64_t block_at_ = 0;
  Bytes block_;
};

struct OffsetEntry {
  int64_t offset = 0;
  int32_t position = 0;  // may be negative in a damaged file
};
Result<OffsetEntry> offset_entry(IndexFile& index, size_t i, int64_t base) {
  Result<ByteView> bytes = index.at(i);
  if (!bytes) return bytes.error();
  ByteReader reader(*bytes);
  int64_t offset = base + reader.i32();
  return OffsetEntry{offset, reader.i32()};
}

struct TimeEntry {
  int64_t timestamp = -1;
  int64_t offset = 0;
};
Result<TimeEntry> time_entry(IndexFile& index, size_t i, int64_t base) {
  Result<ByteView> bytes = index.at(i);
  if (!bytes) return bytes.error();
  ByteReader reader(*bytes);
  int64_t timestamp = reader.i64();
  return TimeEntry{timestamp, base + reader.i32()};
}

// Where to look for the offset: the position of the last entry at or below it. The steps are those of
// Kafka's search, which begins with the last 8 KiB, so that a damaged index leads to the same place.
Result<int32_t> lookup(IndexFile& index, int64_t offset, int64_t base) {
  constexpr size_t kWarmEntries = 8192 / log::OffsetIndex::kEntrySize;
  if (index.entries() == 0) return 0;
  size_t high = index.entries() - 1;
  size_t low = high > kWarmEntries ? high - kWarmEntries : 0;
  Result<OffsetEntry> entry = offset_entry(index, low, base);
  if (!entry) return entry.error();
  if (entry->offset >= offset) {
    high = low;
    low = 0;
    entry = offset_entry(index, 0, base);
    if (!entry) return entry.error();
    if (entry->offset > offset) return 0;
  }
  while (low < high) {
    size_t middle = (low + high + 1) / 2;
    entry = offset_entry(index, middle, base);
    if (!entry) return entry.error();
    if (entry->offset == offset) return entry->position;
    if (entry->offset > offset) {
      high = middle - 1;
    } else {
      low = middle;
    }
  }
  entry = offset_entry(index, low, base);
  if (!entry) return entry.error();
  return entry->position;
}

Result<void> whole_entries(const IndexFile& index, size_t entry_size, std::string_view what,
                           const std::string& path) {
  if (index.bytes() % entry_size == 0) return {};
  return exception(kCorruptIndex, format("{} file {} is corrupt, found {} bytes which is neither "
                                         "positive nor a multiple of {}",
                                         what, path, index.bytes(), entry_size));
}

Result<void> check_offset_index(IndexFile& index, int64_t base, const std::string& path) {
  Result<OffsetEntry> last = offset_entry(index, index.entries() - 1, base);
  if (!last) return last.error();
  if (last->offset < base) {
    return exception(kCorruptIndex,
                     format("Corrupt index found, index file {} has non-zero size but the last "
                            "offset is {} which is less than the base offset {}",
                            path, last->offset, base));
  }
  return whole_entries(index, log::OffsetIndex::kEntrySize, "Index", path);
}

Result<void> check_time_index(IndexFile& index, int64_t base, const std::string& path) {
  if (index.entries() > 0) {
    Result<TimeEntry> first = time_entry(index, 0, base);
    if (!first) return first.error();
    Result<TimeEntry> last = time_entry(index, index.entries() - 1, base);
    if (!last) return last.error();
    auto corrupt = [&](std::string_view what, int64_t value, std::string_view than, int64_t limit) {
      return exception(kCorruptIndex,
                       format("Corrupt time index found, time index file ({}) has non-zero size "
                              "but the last {} is {} which is less than the first {} {}",
                              path, what, value, than, limit));
    };
    if (last->timestamp < first->timestamp)
      return corrupt("timestamp", last->timestamp, "timestamp", first->timestamp);
    if (last->offset < base) return corrupt("offset", last->offset, "offset", base);
  }
  return whole_entries(index, log::TimeIndex::kEntrySize, "Time index", path);
}

// Holds one entry against the batch that has its offset.
Result<void> verify_time_entry(const BatchFile& log_file, IndexFile& offset_index, int64_t base,
                               const TimeEntry& entry, int64_t previous, TimeIndexErrors& errors) {
  Result<int32_t> position = lookup(offset_index, entry.offset, base);
  if (!position) return position.error();
  Result<BatchFile::Slice> slice = log_file.slice(*position, INT32_MAX);
  if (!slice) return slice.error();
  std::optional<FileBatch> found;
  for (uint64_t at = slice->begin;; at += found->header.size()) {
    Result<std::optional<FileBatch>> batch = log_file.batch_at(at, *slice);
    if (!batch) return batch.error();
    found = *batch;
    if (!found || found->last_offset() >= entry.offset) break;
  }
  if (!found || found->last_offset() != entry.offset) {
    errors.not_found.emplace_back(entry.offset, found ? found->last_offset() : -1);
    return {};
  }
  if (found->is_legacy()) {
    if (auto loaded = log_file.load_header(*found); !loaded) return loaded;
  }
  int64_t largest = -1;
  auto read = for_each_record(log_file, *found, [&](const DumpedRecord& record) -> Result<void> {
    largest = std::max(largest, record.timestamp_ms);
    return {};
  });
  if (!read) return read;
  if (largest != entry.timestamp) errors.mismatches.emplace_back(entry.timestamp, largest);
  if (previous >= entry.timestamp) errors.out_of_order.emplace_back(entry.timestamp, previous);
  return {};
}

}  // namespace

Result<void> dump_offset_index(fs::FileSystem& files, const std::string& path,
                               const IndexOptions& options, IndexMismatches& mismatches,
                               Output& output) {
  Result<int64_t> base = offset_in_name(path);
  if (!base) return base.error();
  Result<BatchFile> log_file = BatchFile::open(files, sibling(path, ".log"));
  if (!log_file) return log_file.error();
  Result<IndexFile> index = IndexFile::open(files, path, log::OffsetIndex::kEntrySize);
  if (!index) return index.error();
  if (index->entries() == 0) {
    output.out(path + " is empty.\n");
    return {};
  }
  if (options.sanity_only) {
    if (auto sane = check_offset_index(*index, *base, absolute(path)); !sane) return sane;
    output.out(path + " passed sanity check.\n");
    return {};
  }
  for (size_t i = 0; i < index->entries(); ++i) {
    Result<OffsetEntry> entry = offset_entry(*index, i, *base);
    if (!entry) return entry.error();
    // the file of an active segment ends in zeros
    if (entry->offset == *base && i > 0) return {};
    Result<BatchFile::Slice> slice = log_file->slice(entry->position, options.max_message_size);
    if (!slice) return slice.error();
    Result<std::optional<FileBatch>> batch = log_file->batch_at(slice->begin, *slice);
    if (!batch) return batch.error();
    if (!*batch) return exception("java.util.NoSuchElementException", "");
    if ((*batch)->last_offset() != entry->offset)
      mismatches.emplace_back(entry->offset, (*batch)->last_offset());
    if (!options.verify_only)
      output.out(format("offset: {} position: {}\n", entry->offset, entry->position));
  }
  return {};
}

Result<void> dump_time_index(fs::FileSystem& files, const std::string& path,
                             const IndexOptions& options, TimeIndexErrors& errors,
                             Output& output) {
  Result<int64_t> base = offset_in_name(path);
  if (!base) return base.error();
  Result<BatchFile> log_file = BatchFile::open(files, sibling(path, ".log"));
  if (!log_file) return log_file.error();
  Result<IndexFile> offset_index =
      IndexFile::open(files, sibling(path, ".index"), log::OffsetIndex::kEntrySize);
  if (!offset_index) return offset_index.error();
  Result<IndexFile> index = IndexFile::open(files, path, log::TimeIndex::kEntrySize);
  if (!index) return index.error();
  if (options.sanity_only) {
    if (auto sane = check_time_index(*index, *base, absolute(path)); !sane) return sane;
    output.out(path + " passed sanity check.\n");
    return {};
  }
  int64_t previous = -1;
  for (size_t i = 0; i < index->entries(); ++i) {
    Result<TimeEntry> entry = time_entry(*index, i, *base);
    if (!entry) return entry.error();
    if (entry->offset == *base && i > 0) return {};
    auto verified = verify_time_entry(*log_file, *offset_index, *base, *entry, previous, errors);
    if (!verified) return verified;
    if (!options.verify_only)
      output.out(format("timestamp: {} offset: {}\n", entry->timestamp, entry->offset));
    previous = entry->timestamp;
  }
  return {};
}

}  // namespace odradek::broker::dump
