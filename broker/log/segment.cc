#include "broker/log/segment.h"

#include <algorithm>

#include "common/format.h"
#include "common/log/log.h"

namespace odradek::broker::log {

namespace {
// Between the entries of a time index that is built anew: what index.interval.bytes is by default.
constexpr uint64_t kTimeIndexIntervalBytes = 4096;
}  // namespace

Segment::Segment(FileCache* cache, const std::string* directory, Offset base_offset,
                 const Sizes& sizes, int64_t modified_ms)
    : base_offset_(base_offset),
      size_(sizes.log),
      modified_ms_(modified_ms),
      created_ms_(modified_ms),
      max_timestamp_offset_(base_offset),
      log_file_(cache, directory, base_offset, ".log"),
      offset_index_(cache, directory, base_offset, sizes.offset_index),
      time_index_(cache, directory, base_offset, sizes.time_index),
      transaction_index_(cache, directory, base_offset, sizes.transaction_index) {
  if (size_ == 0) max_timestamp_known_ = first_timestamp_known_ = true;
}

SegmentInfo Segment::info() const {
  return {base_offset_, size_, max_timestamp_known_ ? max_timestamp_ : -1};
}

Segment::Sizes Segment::sizes() const {
  return {size_, offset_index_.entries() * OffsetIndex::kEntrySize,
          time_index_.entries() * TimeIndex::kEntrySize,
          transaction_index_.entries() * TransactionIndex::kEntrySize};
}

void Segment::note_timestamp(int64_t timestamp, Offset offset) {
  if (timestamp <= max_timestamp_) return;
  max_timestamp_ = timestamp;
  max_timestamp_offset_ = offset;
}

Result<void> Segment::load_max_timestamp() {
  if (max_timestamp_known_) return {};
  Result<TimeIndex::Entry> last = time_index_.last();
  if (!last) return last.error();
  Result<bool> believed = is_true(*last);
  if (!believed) return believed.error();
  if (!*believed) return rebuild_time_index();
  note_timestamp(last->timestamp, last->offset);
  max_timestamp_known_ = true;
  return {};
}

// Whether the log has this entry's batch, with this time: an index is only believed that far.
Result<bool> Segment::is_true(const TimeIndex::Entry& entry) {
  if (entry.timestamp == kNoTimestamp && entry.offset == base_offset_) return true;  // none
  Result<std::optional<FoundBatch>> batch = find(entry.offset);
  if (!batch && batch.error().code() == Errc::corrupt_record) return false;
  if (!batch) return batch.error();
  return *batch && (*batch)->header.base_offset <= entry.offset &&
         (*batch)->header.max_timestamp == entry.timestamp;
}

Result<void> Segment::rebuild_time_index() {
  LOG_WARN("server", "{} is not true and is built anew", time_index_.file().path());
  if (Result<void> cleared = time_index_.clear(); !cleared) return cleared;
  is_dirty_ = true;
  max_timestamp_ = kNoTimestamp;
  max_timestamp_offset_ = base_offset_;
  Result<std::shared_ptr<fs::File>> file = log_file_.get();
  if (!file) return file.error();
  BatchScanner scanner(**file, 0, size_);
  uint64_t last_entry = 0;
  while (true) {
    Result<bool> more = scanner.next();
    if (!more && more.error().code() != Errc::corrupt_record) return more.error();
    if (!more || !*more) break;
    note_timestamp(scanner.header().max_timestamp, scanner.header().last_offset());
    if (scanner.position() - last_entry < kTimeIndexIntervalBytes) continue;
    last_entry = scanner.position();
    // without an entry a search only takes longer
    if (!time_index_.maybe_append(max_timestamp_, max_timestamp_offset_)) break;
  }
  max_timestamp_known_ = true;
  return {};
}

Result<void> Segment::load_first_timestamp() {
  if (first_timestamp_known_) return {};
  Result<std::shared_ptr<fs::File>> file = log_file_.get();
  if (!file) return file.error();
  BatchScanner scanner(**file, 0, size_);
  Result<bool> more = scanner.next();
  if (!more) return more.error();
  if (*more) first_timestamp_ = scanner.header().max_timestamp;
  first_timestamp_known_ = true;
  return {};
}

Result<void> Segment::append(ByteView batches, Offset last_offset, int64_t max_timestamp,
                             Offset max_timestamp_offset, const LogConfig& config, int64_t now_ms) {
  if (Result<void> loaded = load_max_timestamp(); !loaded) return loaded;
  Result<std::shared_ptr<fs::File>> file = log_file_.get();
  if (!file) return file.error();
  const uint64_t position = size_;
  if (Result<void> written = (*file)->pwrite(batches, position); !written) {
    if (written.error().code() != Errc::disk_full) return written;
    // a piece of the batch may be there: nobody may ever read it
    if (Result<void> cut = (*file)->truncate(position); !cut) {
      return Error(Errc::io_error, cut.error().what());
    }
    return written;
  }
  size_ += batches.size();
  modified_ms_ = now_ms;
  is_dirty_ = true;
  if (position == 0) {
    first_timestamp_ = max_timestamp;
    first_timestamp_known_ = true;
  }
  note_timestamp(max_timestamp, max_timestamp_offset);
  if (bytes_since_index_entry_ > static_cast<uint64_t>(config.index_interval_bytes)) {
    if (Result<void> fed = feed_indexes(last_offset, position); fed) {
      bytes_since_index_entry_ = 0;
    } else {
      // The indexes only say where to begin to look: the next append tries again.
      LOG_WARN("server", "An index entry is missing for now: {}", fed.error().what());
    }
  }
  bytes_since_index_entry_ += batches.size();
  return {};
}

Result<void> Segment::feed_indexes(Offset last_offset, uint64_t position) {
  Result<OffsetIndex::Entry> last = offset_index_.last();
  if (!last) return last.error();
  if (offset_index_.entries() == 0 || last_offset > last->offset) {
    if (Result<void> added = offset_index_.append(last_offset, position); !added) return added;
  }
  return time_index_.maybe_append(max_timestamp_, max_timestamp_offset_);
}

Result<bool> Segment::should_roll(size_t bytes, Offset last_offset, int64_t max_timestamp,
                                  const LogConfig& config, int64_t jitter_ms, int64_t now_ms) {
  if (static_cast<int64_t>(size_) > config.segment_bytes - static_cast<int64_t>(bytes)) return true;
  if (last_offset - base_offset_ > std::numeric_limits<int32_t>::max()) return true;
  if (offset_index_.is_full(config.segment_index_bytes) ||
      time_index_.is_full(config.segment_index_bytes)) {
    return true;
  }
  if (size_ == 0) return false;
  if (Result<void> loaded = load_first_timestamp(); !loaded) return loaded.error();
  const int64_t waited_ms = first_timestamp_ >= 0
                                ? std::max(max_timestamp, kNoTimestamp) - first_timestamp_
                                : now_ms - created_ms_;
  return waited_ms > config.segment_ms - jitter_ms;
}

// An index promises that the batch at the position begins at or below an offset.
Result<std::optional<FoundBatch>> Segment::scan_for(fs::File& file, uint64_t position,
                                                    Offset offset,
                                                    std::optional<Offset> promised) {
  BatchScanner scanner(file, position, size_);
  while (true) {
    Result<bool> more = scanner.next();
    if (!more) return more.error();
    if (!*more) return std::optional<FoundBatch>();
    if (promised && scanner.header().base_offset > *promised) {
      return Error(Errc::corrupt_record, format("the batch at {} begins at offset {}, not below {}",
                                                position, scanner.header().base_offset.value(),
                                                promised->value()));
    }
    promised.reset();
    if (scanner.header().last_offset() >= offset) {
      return std::optional<FoundBatch>({scanner.position(), scanner.header()});
    }
  }
}

Result<std::optional<FoundBatch>> Segment::find(Offset offset, uint64_t from_position,
                                                bool is_exact) {
  if (size_ == 0 || from_position >= size_) return std::optional<FoundBatch>();
  Result<std::shared_ptr<fs::File>> file = log_file_.get();
  if (!file) return file.error();
  uint64_t start = from_position;
  std::optional<Offset> promised;
  if (!is_exact) {
    Result<OffsetIndex::Entry> entry = offset_index_.floor(offset);
    if (!entry) return entry.error();
    if (entry->position < size_ && entry->position > start) {
      start = entry->position;
      promised = entry->offset;
    }
  }
  Result<std::optional<FoundBatch>> found = scan_for(**file, start, offset, promised);
  if (found || found.error().code() != Errc::corrupt_record || start == 0) return found;
  LOG_WARN("server",
           "{}: what an index says of offset {} is not true ({}); reading from the beginning",
           log_file_.path(), offset.value(), found.error().what());
  return scan_for(**file, 0, offset, std::nullopt);
}

Result<Segment::Boundary> Segment::boundary_before(uint64_t start, uint64_t limit) {
  Boundary boundary{start, std::nullopt};
  if (limit <= start) return boundary;
  Result<OffsetIndex::Entry> entry = offset_index_.floor_position(limit);
  if (!entry) return entry.error();
  boundary.position = std::max(start, entry->position);
  Result<std::shared_ptr<fs::File>> file = log_file_.get();
  if (!file) return file.error();
  BatchScanner scanner(**file, boundary.position, size_);
  while (true) {
    Result<bool> more = scanner.next();
    if (!more) return more.error();
    if (!*more || scanner.next_position() > limit) return boundary;
    boundary = {scanner.next_position(), scanner.header().next_offset()};
  }
}

Result<std::optional<FoundBatch>> Segment::find_timestamp(int64_t timestamp, Offset start_offset) {
  if (size_ == 0) return std::optional<FoundBatch>();
  // Of a time that an entry has, the first batch may lie before the one that the entry names.
  Result<TimeIndex::Entry> time = time_index_.floor(timestamp - 1);
  if (!time) return time.error();
  Result<bool> believed = is_true(*time);
  if (!believed) return believed.error();
  if (!*believed) {
    if (Result<void> rebuilt = rebuild_time_index(); !rebuilt) return rebuilt.error();
    time = time_index_.floor(timestamp - 1);
    if (!time) return time.error();
  }
  Result<std::optional<FoundBatch>> first = find(std::max(time->offset, start_offset));
  if (!first) return first.error();
  if (!*first) return std::optional<FoundBatch>();
  Result<std::shared_ptr<fs::File>> file = log_file_.get();
  if (!file) return file.error();
  BatchScanner scanner(**file, (*first)->position, size_);
  while (true) {
    Result<bool> more = scanner.next();
    if (!more) return more.error();
    if (!*more) return std::optional<FoundBatch>();
    const BatchHeader& header = scanner.header();
    if (header.max_timestamp >= timestamp && header.last_offset() >= start_offset) {
      return std::optional<FoundBatch>({scanner.position(), header});
    }
  }
}

Result<Offset> Segment::read_next_offset() {
  if (size_ == 0) return base_offset_;
  if (Result<void> loaded = load_max_timestamp(); !loaded) return loaded.error();
  Result<OffsetIndex::Entry> last = offset_index_.last();
  if (!last) return last.error();
  if (last->position >= size_) {
    return Error(Errc::corrupt_record, format("{} is shorter than its index", log_file_.path()));
  }
  Result<std::shared_ptr<fs::File>> file = log_file_.get();
  if (!file) return file.error();
  BatchScanner scanner(**file, last->position, size_);
  Offset next = base_offset_;
  while (true) {
    Result<bool> more = scanner.next();
    if (!more) return more.error();
    if (!*more) break;
    next = scanner.header().next_offset();
    note_timestamp(scanner.header().max_timestamp, scanner.header().last_offset());
  }
  bytes_since_index_entry_ = size_ - last->position;
  return next;
}

Result<int64_t> Segment::largest_timestamp() {
  if (Result<void> loaded = load_max_timestamp(); !loaded) return loaded.error();
  return max_timestamp_ >= 0 ? max_timestamp_ : modified_ms_;
}

Result<TimeIndex::Entry> Segment::max_timestamp_and_offset() {
  if (Result<void> loaded = load_max_timestamp(); !loaded) return loaded.error();
  return TimeIndex::Entry{max_timestamp_, max_timestamp_offset_};
}

Result<bool> Segment::indexes_are_sane(const Sizes& sizes) {
  Result<bool> sane = offset_index_.is_sane(sizes.offset_index, size_);
  if (!sane || !*sane) return sane;
  return time_index_.is_sane(sizes.time_index);
}

Result<int64_t> Segment::first_timestamp() {
  if (Result<void> loaded = load_first_timestamp(); !loaded) return loaded.error();
  return first_timestamp_;
}

Result<Segment::Recovered> Segment::recover(const LogConfig& config, Offset limit, OnDisk on_disk,
                                            const Visit& visit) {
  if (Result<void> cleared = offset_index_.clear(); !cleared) return cleared.error();
  if (Result<void> cleared = time_index_.clear(); !cleared) return cleared.error();
  if (Result<void> cleared = transaction_index_.clear(); !cleared) return cleared.error();
  Result<std::shared_ptr<fs::File>> file = log_file_.get();
  if (!file) return file.error();
  max_timestamp_ = kNoTimestamp;
  max_timestamp_offset_ = base_offset_;
  max_timestamp_known_ = true;
  first_timestamp_known_ = size_ == 0;
  is_dirty_ = true;

  Recovered recovered;
  recovered.next_offset = base_offset_;
  uint64_t valid = 0, last_entry = 0;
  BatchScanner scanner(**file, 0, size_);
  auto reject = [&](const Error& error) {
    recovered.reason = error.what();
    return error.code() == Errc::corrupt_record;
  };
  while (true) {
    Result<bool> more = scanner.next();
    if (!more) {
      if (!reject(more.error())) return more.error();
      break;
    }
    if (!*more) break;
    const BatchHeader& header = scanner.header();
    if (Result<void> right = check_crc_in_file(**file, scanner.position(), header); !right) {
      if (!reject(right.error())) return right.error();
      break;
    }
    if (header.base_offset < recovered.next_offset || header.last_offset_delta < 0 ||
        header.last_offset() - base_offset_ > std::numeric_limits<int32_t>::max()) {
      recovered.reason =
          format("offsets {} to {} do not follow offset {}", header.base_offset.value(),
                 header.last_offset().value(), recovered.next_offset.value() - 1);
      break;
    }
    if (header.last_offset() >= limit) {
      recovered.reason = format("offset {} is the next segment's", header.last_offset().value());
      recovered.reached_limit = true;
      break;
    }
    // one message of old may stand for several offsets before its own
    recovered.has_gaps |=
        header.magic >= 2 ? header.base_offset > recovered.next_offset ||
                                header.record_count != header.last_offset_delta + 1
                          : header.codec() == compress::Codec::none &&
                                header.base_offset > recovered.next_offset;
    note_timestamp(header.max_timestamp, header.last_offset());
    if (valid - last_entry > static_cast<uint64_t>(config.index_interval_bytes)) {
      if (Result<void> fed = feed_indexes(header.last_offset(), valid); !fed) return fed.error();
      last_entry = valid;
    }
    if (visit) {
      if (Result<void> seen = visit(header, scanner.position()); !seen) return seen.error();
    }
    valid = scanner.next_position();
    recovered.next_offset = header.next_offset();
  }
  recovered.truncated_bytes = size_ - valid;
  if (recovered.truncated_bytes > 0 && !recovered.reached_limit &&
      recovered.next_offset < on_disk.below) {
    Result<bool> behind = on_disk.is_followed
                              ? Result<bool>(true)
                              : has_batch_behind(**file, valid, size_, recovered.next_offset);
    if (!behind) return behind.error();
    if (*behind) {
      return Error(Errc::corrupt_record,
                   format("{} is damaged at position {}, offset {}, and whole records follow: {}. "
                          "Restore the file from a copy, or give up the rest of it by "
                          "'truncate -s {} {}', and start the broker again",
                          log_file_.path(), valid, recovered.next_offset.value(), recovered.reason,
                          valid, log_file_.path()));
    }
  }
  if (recovered.truncated_bytes > 0) {
    if (Result<void> cut = (*file)->truncate(valid); !cut) return cut.error();
    size_ = valid;
  }
  bytes_since_index_entry_ = valid - last_entry;
  if (Result<void> added = time_index_.maybe_append(max_timestamp_, max_timestamp_offset_);
      !added) {
    return added.error();
  }
  return recovered;
}

Result<void> Segment::for_each_batch(Offset offset, const Visit& visit) {
  Result<std::optional<FoundBatch>> first = find(offset);
  if (!first) return first.error();
  if (!*first) return {};
  Result<std::shared_ptr<fs::File>> file = log_file_.get();
  if (!file) return file.error();
  BatchScanner scanner(**file, (*first)->position, size_);
  while (true) {
    Result<bool> more = scanner.next();
    if (!more) return more.error();
    if (!*more) return {};
    if (Result<void> seen = visit(scanner.header(), scanner.position()); !seen) return seen;
  }
}

Result<uint64_t> Segment::truncate_to(Offset offset) {
  Result<std::optional<FoundBatch>> first = find(offset);
  if (!first) return first.error();
  if (!*first) return uint64_t{0};
  const Offset end = std::min(offset, (*first)->header.base_offset);
  Result<std::shared_ptr<fs::File>> file = log_file_.get();
  if (!file) return file.error();
  if (Result<void> cut = offset_index_.truncate_to(end); !cut) return cut.error();
  if (Result<void> cut = time_index_.truncate_to(end); !cut) return cut.error();
  if (Result<void> cut = transaction_index_.truncate_to(end); !cut) return cut.error();
  if (Result<void> cut = (*file)->truncate((*first)->position); !cut) return cut.error();
  const uint64_t removed = size_ - (*first)->position;
  size_ = (*first)->position;
  is_dirty_ = true;
  max_timestamp_ = kNoTimestamp;
  max_timestamp_offset_ = base_offset_;
  max_timestamp_known_ = false;
  if (size_ == 0) {
    max_timestamp_known_ = first_timestamp_known_ = true;
    first_timestamp_ = kNoTimestamp;
    bytes_since_index_entry_ = 0;
    return removed;
  }
  // what came after the last time index entry is found by a look at the tail
  Result<TimeIndex::Entry> last = time_index_.last();
  if (!last) return last.error();
  if (Result<void> loaded = load_max_timestamp(); !loaded) return loaded.error();
  Result<void> seen = for_each_batch(last->offset, [&](const BatchHeader& header, uint64_t) {
    note_timestamp(header.max_timestamp, header.last_offset());
    return Result<void>();
  });
  if (!seen) return seen.error();
  bytes_since_index_entry_ = 0;
  return removed;
}

Result<void> Segment::make_files() {
  Result<std::shared_ptr<fs::File>> file = log_file_.get();
  if (!file) return file.error();
  if (Result<void> cut = (*file)->truncate(0); !cut) return cut;
  if (Result<void> cleared = offset_index_.clear(); !cleared) return cleared;
  return time_index_.clear();
}

Result<void> Segment::become_inactive() {
  if (!is_dirty_) return {};
  if (Result<void> loaded = load_max_timestamp(); !loaded) return loaded;
  if (Result<void> added = time_index_.maybe_append(max_timestamp_, max_timestamp_offset_); !added)
    return added;
  if (Result<void> trimmed = offset_index_.trim(); !trimmed) return trimmed;
  if (Result<void> trimmed = time_index_.trim(); !trimmed) return trimmed;
  is_dirty_ = false;
  return {};
}

void Segment::close_files() {
  log_file_.close();
  offset_index_.file().close();
  time_index_.file().close();
  transaction_index_.file().close();
}

Result<void> Segment::collect_files(std::vector<std::shared_ptr<fs::File>>& files) {
  const SegmentFile* const always[] = {&log_file_, &offset_index_.file(), &time_index_.file()};
  for (const SegmentFile* one : always) {
    Result<std::shared_ptr<fs::File>> file = one->get();
    if (!file) return file.error();
    files.push_back(*file);
  }
  if (transaction_index_.take_cut() || transaction_index_.entries() > 0) {
    Result<std::shared_ptr<fs::File>> file = transaction_index_.file().get();
    if (!file) return file.error();
    files.push_back(*file);
  }
  return {};
}

std::vector<std::string> Segment::paths() const {
  return {log_file_.path(), offset_index_.file().path(), time_index_.file().path(),
          transaction_index_.file().path()};
}

}  // namespace odradek::broker::log
