#include "broker/log/cleaner.h"

#include <algorithm>
#include <limits>

#include "broker/log/file_cache.h"
#include "broker/log/record.h"
#include "common/check.h"
#include "common/format.h"

namespace odradek::broker::log {

// The whole batches of one segment, a buffer at a time, with their checksums looked at.
class Cleaner::Source {
 public:
  static Result<std::unique_ptr<Source>> open(fs::FileSystem& files, const CleaningPlan& plan,
                                              const CleaningSource& source, size_t buffer_bytes) {
    const std::string path = plan.directory + "/" + offset_name(source.base_offset) + ".log";
    Result<std::shared_ptr<fs::File>> file = files.open(path, fs::OpenMode::read);
    if (!file) return file.error();
    return std::unique_ptr<Source>(
        new Source(std::move(*file), source.size, std::max(buffer_bytes, kBatchHeaderSize)));
  }

  bool at_end() const { return position_ >= end_; }

  // Calls take(header, batch) for the batches of the next piece; it returns Result<bool>, false to
  // stop. Returns false where it stopped. `read` gets the number of bytes.
  template <typename Take>
  Result<bool> next_piece(Take take, uint64_t& read) {
    size_t size = static_cast<size_t>(std::min<uint64_t>(buffer_bytes_, end_ - position_));
    if (Result<void> filled = fill(size); !filled) return filled.error();
    Result<BatchHeader> first = parse_batch_header(ByteView(buffer_.data(), size));
    if (!first) return damaged(position_, first.error().what());
    if (first->size() > end_ - position_) {
      return damaged(position_, format("a batch of {} bytes where {} are left", first->size(),
                                       end_ - position_));
    }
    if (first->size() > size) {
      size = first->size();
      if (Result<void> filled = fill(size); !filled) return filled.error();
    }
    read = size;
    BatchWalker walker(ByteView(buffer_.data(), size));
    while (walker.next()) {
      Result<bool> taken = check(walker.header(), walker.batch());
      if (taken) taken = take(walker.header(), walker.batch());
      if (!taken && taken.error().code() == Errc::corrupt_record) {
        return damaged(position_ + walker.position(),
                       format("offset {}: {}", walker.header().base_offset.value(),
                              taken.error().what()));
      }
      if (!taken || !*taken) return taken;
    }
    const size_t left = walker.rest().size();
    read = size - left;  // the rest is read again
    position_ += size - left;
    return true;
  }

 private:
  Source(std::shared_ptr<fs::File> file, uint64_t end, size_t buffer_bytes)
      : file_(std::move(file)), end_(end), buffer_bytes_(buffer_bytes) {}

  Result<void> fill(size_t size) {
    if (buffer_.size() < size) buffer_.resize(size);
    return file_->pread_exact(buffer_.data(), size, position_);
  }

  static Result<bool> check(const BatchHeader& header, ByteView batch) {
    if (Result<void> right = check_crc(header, batch); !right) return right.error();
    if (header.last_offset_delta >= 0) return true;
    return Error(Errc::corrupt_record, "offsets that go backwards");
  }

  Error damaged(uint64_t position, std::string_view why) const {
    return Error(Errc::corrupt_record, format("{}, position {}: {}", file_->path(), position, why));
  }

  const std::shared_ptr<fs::File> file_;
  const uint64_t end_;
  const size_t buffer_bytes_;
  uint64_t position_ = 0;
  Bytes buffer_;
};

Cleaner::Cleaner(fs::FileSystem& files, CleaningPlan plan, CleanerLimits limits)
    : files_(files), plan_(std::move(plan)), limits_(limits), known_to_(plan_.first_dirty - 1) {
  rules_.max_decompressed =
      static_cast<size_t>(std::max<int64_t>(plan_.config->max_decompressed_bytes, 0));
}

Cleaner::~Cleaner() = default;

Result<Cleaner::Next> Cleaner::step() {
  switch (phase_) {
    case Phase::begin:
      return begin();
    case Phase::map:
      return map_more();
    case Phase::group:
      return next_group();
    case Phase::clean:
      return clean_more();
    case Phase::finish:
      return finish_group();
    case Phase::done:
      break;
  }
  return Next::done;
}

uint64_t Cleaner::take_io_bytes() { return std::exchange(io_bytes_, 0); }

Offset Cleaner::end_of_source(size_t index) const {
  return index + 1 < plan_.sources.size() ? plan_.sources[index + 1].base_offset
                                          : plan_.first_uncleanable;
}

// The aborted transactions that end at or behind the offset.
std::vector<AbortedEntry> Cleaner::aborted_from(Offset offset) const {
  std::vector<AbortedEntry> found;
  for (const AbortedEntry& entry : aborted_) {
    if (entry.last_offset >= offset) found.push_back(entry);
  }
  return found;
}

Result<Cleaner::Next> Cleaner::begin() {
  for (const auto& [base_offset, entries] : plan_.aborted) {
    const std::string path = plan_.directory + "/" + offset_name(base_offset) + ".txnindex";
    Result<std::shared_ptr<fs::File>> file = files_.open(path, fs::OpenMode::read);
    if (!file) return file.error();
    Result<std::vector<AbortedEntry>> read = TransactionIndex::read(**file, entries);
    if (!read) return read.error();
    aborted_.insert(aborted_.end(), read->begin(), read->end());
  }
  map_.emplace(limits_.map_bytes, limits_.map_load_factor);
  transactions_.emplace(aborted_from(plan_.first_dirty));
  // formats 0 and 1 have no room for a time: there a tombstone goes when all that is older was clean
  // for delete.retention.ms
  for (const CleaningSource& source : plan_.sources) {
    if (source.base_offset >= plan_.first_dirty) break;
    legacy_horizon_ms_ = source.modified_ms - plan_.config->delete_retention_ms;
  }
  while (source_ < plan_.sources.size() && end_of_source(source_) <= plan_.first_dirty) ++source_;
  phase_ = Phase::map;
  return Next::more;
}

Result<Cleaner::Next> Cleaner::map_more() {
  if (source_ == plan_.sources.size()) {
    map_is_complete();
    return Next::more;
  }
  if (!reader_) {
    Result<std::unique_ptr<Source>> reader =
        Source::open(files_, plan_, plan_.sources[source_], limits_.io_buffer_bytes);
    if (!reader) return reader.error();
    reader_ = std::move(*reader);
  }
  if (!reader_->at_end()) {
    uint64_t read = 0;
    auto take = [this](const BatchHeader& header, ByteView batch) {
      return map_batch(header, batch);
    };
    Result<bool> went_on = reader_->next_piece(take, read);
    io_bytes_ += read;
    if (!went_on) return went_on.error();
    if (!*went_on) {
      map_is_complete();
      return Next::more;
    }
  }
  if (reader_->at_end()) {
    reader_.reset();
    known_to_ = std::max(known_to_, end_of_source(source_) - 1);  // holes at the end
    ++source_;
  }
  return Next::more;
}

Result<bool> Cleaner::map_batch(const BatchHeader& header, ByteView batch) {
  if (header.last_offset() < plan_.first_dirty) return true;
  if (header.is_control()) {
    transactions_->is_marker_without_data(header, batch);
  } else if (!transactions_->is_aborted(header)) {
    Result<RecordIterator> records = RecordIterator::open(batch, rules_.max_decompressed);
    if (!records) return Error(Errc::corrupt_record, records.error().what());
    while (const RecordView* record = records->next()) {
      if (!record->key || record->offset < plan_.first_dirty) continue;
      if (!map_->put(*record->key, record->offset)) return false;
      known_to_ = std::max(known_to_, record->offset);
    }
    if (!records->ok()) return Error(Errc::corrupt_record, records->error().what());
  }
  known_to_ = std::max(known_to_, header.last_offset());
  return true;
}

void Cleaner::map_is_complete() {
  reader_.reset();
  counts_.keys = map_->size();
  transactions_.reset();
  source_ = 0;
  phase_ = Phase::group;
}

// Neighbours that fit into one segment.
size_t Cleaner::group_end(size_t first) const {
  const LogConfig& config = *plan_.config;
  const CleaningSource* source = &plan_.sources[first];
  uint64_t log = source->size, index = source->offset_index_bytes, times = source->time_index_bytes;
  size_t end = first + 1;
  for (; end < plan_.sources.size() && plan_.sources[end].base_offset < end_offset(); ++end) {
    source = &plan_.sources[end];
    log += source->size;
    index += source->offset_index_bytes;
    times += source->time_index_bytes;
    const int64_t last_delta = end_of_source(end) - 1 - plan_.sources[first].base_offset;
    if (log > static_cast<uint64_t>(config.segment_bytes) ||
        index > static_cast<uint64_t>(config.segment_index_bytes) ||
        times > static_cast<uint64_t>(config.segment_index_bytes) ||
        (source->size > 0 && last_delta > std::numeric_limits<int32_t>::max())) {
      break;
    }
  }
  return end;
}

Result<Cleaner::Next> Cleaner::next_group() {
  if (source_ == plan_.sources.size() || plan_.sources[source_].base_offset >= end_offset()) {
    phase_ = Phase::done;
    return Next::done;
  }
  if (!transactions_) transactions_.emplace(aborted_from(plan_.sources.front().base_offset));
  group_end_ = group_end(source_);
  ready_ = CleanedSegment();
  for (size_t i = source_; i < group_end_; ++i) {
    ready_.replaces.push_back(plan_.sources[i].base_offset);
    ready_.modified_ms = std::max(ready_.modified_ms, plan_.sources[i].modified_ms);
  }
  changed_ = group_end_ - source_ > 1;
  writer_ = std::make_unique<CleanedSegmentWriter>(files_, plan_.directory, ready_.base_offset(),
                                                   plan_.config->index_interval_bytes);
  phase_ = Phase::clean;
  if (Result<void> begun = writer_->begin(); !begun) return begun.error();
  return Next::more;
}

Result<Cleaner::Next> Cleaner::clean_more() {
  if (source_ == group_end_) {
    phase_ = Phase::finish;
    return Next::more;
  }
  const CleaningSource& source = plan_.sources[source_];
  if (!reader_) {
    Result<std::unique_ptr<Source>> reader =
        Source::open(files_, plan_, source, limits_.io_buffer_bytes);
    if (!reader) return reader.error();
    reader_ = std::move(*reader);
    const LogConfig& config = *plan_.config;
    rules_.latest = &*map_;
    rules_.known_to = known_to_;
    rules_.now_ms = plan_.now_ms;
    rules_.delete_retention_ms = config.delete_retention_ms;
    rules_.keep_legacy_tombstones = source.modified_ms > legacy_horizon_ms_;
    rules_.codec_with_level = config.compression;
    rules_.level = config.compression_level;
  }
  if (!reader_->at_end()) {
    uint64_t read = 0;
    auto take = [this](const BatchHeader& header, ByteView batch) -> Result<bool> {
      if (Result<void> cleaned = clean_batch(header, batch); !cleaned) return cleaned.error();
      return true;
    };
    Result<bool> went_on = reader_->next_piece(take, read);
    if (!went_on) return went_on.error();
    counts_.bytes_read += read;
    io_bytes_ += read + writer_->unwritten();
    if (Result<void> flushed = writer_->flush_and_spread_syncs(); !flushed) return flushed.error();
  }
  if (reader_->at_end()) {
    reader_.reset();
    ++source_;
  }
  return Next::more;
}

BatchFate Cleaner::fate_of(const BatchHeader& header, ByteView batch) {
  BatchFate fate;
  const bool is_control = header.is_control();
  const bool may_go = is_control ? transactions_->is_marker_without_data(header, batch)
                                 : transactions_->is_aborted(header);
  for (const AbortedEntry& entry : transactions_->take_kept()) writer_->add(entry);
  fate.marker_without_data = is_control && may_go;
  fate.drop_records = may_go && (!is_control || (header.has_delete_horizon() &&
                                                 header.base_timestamp <= plan_.now_ms));
  if (!header.has_producer_id()) return fate;
  auto last = plan_.last_of_producers.find(header.producer_id);
  if (last == plan_.last_of_producers.end()) return fate;
  // the last sequence is in the last data batch; a producer without one has its epoch in a marker
  fate.keep_empty = last->second.data_offset
                        ? header.last_offset() == *last->second.data_offset
                        : is_control && header.producer_epoch == last->second.epoch;
  return fate;
}

Result<void> Cleaner::clean_batch(const BatchHeader& header, ByteView batch) {
  if (header.last_offset() - ready_.base_offset() > std::numeric_limits<int32_t>::max()) {
    return Error(Errc::corrupt_record, "offsets too far from the segment's first one");
  }
  scratch_.clear();
  Result<FilteredBatch> filtered =
      filter_batch(header, batch, fate_of(header, batch), rules_, scratch_);
  if (!filtered) return filtered.error();
  counts_.records_read += static_cast<uint64_t>(filtered->records_read);
  counts_.records_kept += static_cast<uint64_t>(filtered->records_kept);
  changed_ |= filtered->kind != FilteredBatch::Kind::unchanged;
  if (filtered->kind == FilteredBatch::Kind::removed) return {};
  const ByteView stays =
      filtered->kind == FilteredBatch::Kind::unchanged ? batch : ByteView(scratch_);
  writer_->add(stays, filtered->last_offset, filtered->max_timestamp);
  counts_.bytes_kept += stays.size();
  return {};
}

Result<Cleaner::Next> Cleaner::finish_group() {
  if (!changed_) {  // what is there is as good
    if (Result<void> removed = writer_->remove(); !removed) return removed.error();
    swapped();
    return Next::more;
  }
  if (Result<void> finished = writer_->finish(ready_); !finished) return finished.error();
  return Next::swap;
}

void Cleaner::swapped() {
  CHECK(phase_ == Phase::finish);
  writer_.reset();
  phase_ = Phase::group;
}

Result<void> Cleaner::abandon() {
  reader_.reset();
  phase_ = Phase::done;
  if (!writer_) return {};
  Result<void> removed = writer_->remove();
  writer_.reset();
  return removed;
}

}  // namespace odradek::broker::log
