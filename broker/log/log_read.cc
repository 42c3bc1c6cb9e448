// Reading: from offsets and timestamps to ranges of the segment files.
#include <algorithm>

#include "broker/log/log.h"
#include "broker/log/record.h"
#include "common/format.h"

namespace odradek::broker::log {

const Log::ReadHint* Log::hint_for(Offset offset, Offset segment_base) const {
  const ReadHint* best = nullptr;
  auto consider = [&](const ReadHint& hint) {
    if (hint.segment_base == segment_base && hint.offset <= offset &&
        (!best || hint.offset > best->offset)) {
      best = &hint;
    }
  };
  consider(append_hint_);
  for (const ReadHint& hint : read_hints_) consider(hint);
  return best;
}

void Log::note_hint(const ReadHint* used, const ReadHint& hint) {
  if (used >= read_hints_ &&
      used < read_hints_ + std::size(read_hints_)) {  // a reader that goes on
    read_hints_[used - read_hints_] = hint;
    return;
  }
  read_hints_[next_hint_] = hint;
  next_hint_ = (next_hint_ + 1) % std::size(read_hints_);
}

void Log::forget_hints() {
  append_hint_ = {};
  for (ReadHint& hint : read_hints_) hint = {};
}

Result<LogSlice> Log::read(Offset from, size_t max_bytes, bool min_one_batch, Offset upper_bound) {
  if (from < log_start_offset_ || from > log_end_offset_) {
    return Error(
        Errc::offset_out_of_range,
        format("Received request for offset {} for partition {}, but we only have log segments in "
               "the range "
               "{} to {}.",
               from.value(), id_.to_string(), log_start_offset_.value(), log_end_offset_.value()));
  }
  upper_bound = std::min(upper_bound, log_end_offset_);
  if (from >= upper_bound) return LogSlice();
  for (size_t i = segment_index_for(from); i < segments_.size(); ++i) {
    Segment& segment = *segments_[i];
    const bool is_last = i + 1 == segments_.size();
    const Offset segment_end = is_last ? log_end_offset_ : segments_[i + 1]->base_offset();
    const ReadHint* hint = hint_for(from, segment.base_offset());
    Result<std::optional<FoundBatch>> found =
        hint ? segment.find(from, hint->position, hint->offset == from) : segment.find(from);
    if (!found) return failed(found.error());
    if (!*found) continue;  // what it held behind `from` was compacted away
    const FoundBatch& first = **found;
    if (first.header.last_offset() >= segment_end) {
      // a base offset has no CRC; without a word the reader would wait for ever
      return failed(Error(Errc::corrupt_record,
                          format("a batch of {} ends at offset {}, its segment at {}",
                                 id_.to_string(), first.header.last_offset().value(),
                                 segment_end.value())));
    }
    if (first.header.last_offset() >= upper_bound) return LogSlice();

    uint64_t end_limit = segment.size();
    if (upper_bound < segment_end) {
      Result<std::optional<FoundBatch>> bound = segment.find(upper_bound, first.position);
      if (!bound) return failed(bound.error());
      if (*bound) end_limit = (*bound)->position;
    }
    const uint64_t first_end = first.position + first.header.size();
    ReadHint next{segment_end, segment.base_offset(), end_limit};
    bool know_next = end_limit == segment.size();
    if (first_end > end_limit) return LogSlice();
    if (end_limit - first.position > max_bytes) {
      if (first_end - first.position > max_bytes) {
        if (!min_one_batch) return LogSlice();
        next = {first.header.next_offset(), segment.base_offset(), first_end};
        know_next = true;
      } else {
        Result<Segment::Boundary> boundary =
            segment.boundary_before(first_end, first.position + max_bytes);
        if (!boundary) return failed(boundary.error());
        next.position = boundary->position;
        know_next = boundary->next_offset.has_value() || boundary->position == first_end;
        next.offset = boundary->next_offset.value_or(first.header.next_offset());
      }
    }
    if (know_next) note_hint(hint, next);
    Result<std::shared_ptr<fs::File>> file = segment.log_file();
    if (!file) return failed(file.error());
    LogSlice slice;
    slice.file = std::move(*file);
    slice.position = first.position;
    slice.size = static_cast<size_t>(next.position - first.position);
    slice.base_offset = first.header.base_offset;
    return slice;
  }
  return LogSlice();
}

Result<Bytes> Log::read_bytes(const LogSlice& slice) {
  Bytes bytes(slice.size, '\0');
  if (slice.size == 0) return bytes;
  if (Result<void> read = slice.file->pread_exact(bytes.data(), bytes.size(), slice.position);
      !read) {
    return read.error();
  }
  return bytes;
}

Result<std::optional<TimestampOffset>> Log::first_record_at(Segment& segment,
                                                            const FoundBatch& batch,
                                                            int64_t timestamp,
                                                            Offset start_offset) {
  const BatchHeader& header = batch.header;
  const auto found = [&](int64_t time, Offset offset) {
    return std::optional<TimestampOffset>({time, offset, header.partition_leader_epoch});
  };
  Result<std::shared_ptr<fs::File>> file = segment.log_file();
  if (!file) return file.error();
  Result<Bytes> bytes = read_batch(**file, batch.position, header);
  if (!bytes) return bytes.error();
  Result<RecordIterator> records = RecordIterator::open(
      *bytes, static_cast<size_t>(std::max<int64_t>(config_->max_decompressed_bytes, 0)));
  if (!records) return records.error();
  while (const RecordView* record = records->next()) {
    if (record->offset > header.last_offset()) {
      return Error(Errc::corrupt_record, format("a record of offset {} in a batch that ends at {}",
                                                record->offset.value(),
                                                header.last_offset().value()));
    }
    if (record->timestamp_ms >= timestamp && record->offset >= start_offset) {
      return found(record->timestamp_ms, record->offset);
    }
  }
  if (!records->ok()) return records->error();
  return std::optional<TimestampOffset>();
}

Result<std::optional<TimestampOffset>> Log::offset_for_timestamp(int64_t timestamp) {
  if (timestamp == kEarliestTimestamp || timestamp == kEarliestLocalTimestamp) {
    LeaderEpoch epoch = epochs_.epoch_at(log_start_offset_).value_or(LeaderEpoch(-1));
    return std::optional<TimestampOffset>({-1, log_start_offset_, epoch});
  }
  if (timestamp == kLatestTimestamp) {
    return std::optional<TimestampOffset>({-1, log_end_offset_, epochs_.latest()});
  }
  if (timestamp == kMaxTimestamp) {
    for (const std::unique_ptr<Segment>& segment : segments_) {
      Result<TimeIndex::Entry> latest = segment->max_timestamp_and_offset();
      if (!latest) return failed(latest.error());
      timestamp = std::max(timestamp, latest->timestamp);
    }
    if (timestamp < 0) return std::optional<TimestampOffset>();
  }
  if (timestamp < 0) {
    return Error(Errc::invalid_argument,
                 format("no offset can be found for timestamp {}", timestamp));
  }
  for (size_t i = 0; i < segments_.size(); ++i) {
    Segment* segment = segments_[i].get();
    const Offset end = i + 1 < segments_.size() ? segments_[i + 1]->base_offset() : log_end_offset_;
    Result<TimeIndex::Entry> latest = segment->max_timestamp_and_offset();
    if (!latest) return failed(latest.error());
    if (latest->timestamp < timestamp) continue;
    // A header may promise a later time than its records have: then the next batch is asked.
    Offset start = log_start_offset_;
    while (true) {
      Result<std::optional<FoundBatch>> batch = segment->find_timestamp(timestamp, start);
      if (!batch) return failed(batch.error());
      // what lies behind the segment's end nobody may read
      if (!*batch || (*batch)->header.last_offset() >= end) break;
      Result<std::optional<TimestampOffset>> record =
          first_record_at(*segment, **batch, timestamp, start);
      if (!record) return failed(record.error());
      if (*record) return record;
      start = (*batch)->header.next_offset();
    }
  }
  return std::optional<TimestampOffset>();
}

Result<std::vector<Offset>> Log::segment_offsets_before(int64_t timestamp, size_t count) {
  std::vector<Offset> offsets;
  if (timestamp == kEarliestTimestamp) {
    if (count > 0) offsets.push_back(log_start_offset_);
    return offsets;
  }
  if (timestamp == kLatestTimestamp && active().size() > 0 && count > 0) {
    offsets.push_back(log_end_offset_);
  }
  for (size_t i = segments_.size(); i-- > 0 && offsets.size() < count;) {
    if (timestamp != kLatestTimestamp) {
      Result<int64_t> largest = segments_[i]->largest_timestamp();
      if (!largest) return failed(largest.error());
      if (*largest > timestamp) continue;
    }
    offsets.push_back(std::max(segments_[i]->base_offset(), log_start_offset_));
  }
  return offsets;
}

EpochEndOffset Log::end_offset_for_epoch(LeaderEpoch leader_epoch) const {
  return epochs_.end_offset_for(leader_epoch, log_end_offset_);
}

Result<std::vector<AbortedTransaction>> Log::aborted_transactions(Offset from, Offset end) {
  std::vector<AbortedTransaction> aborted;
  for (size_t i = segment_index_for(from); i < segments_.size(); ++i) {
    Result<std::vector<AbortedEntry>> entries = segments_[i]->transaction_index().read();
    if (!entries) return failed(entries.error());
    for (const AbortedEntry& entry : *entries) {
      if (entry.last_offset >= from && entry.first_offset < end) {
        aborted.push_back({entry.producer_id, entry.first_offset});
      }
      // every transaction that begins below is listed by now
      if (entry.last_stable_offset >= end) i = segments_.size() - 1;
    }
  }
  std::sort(aborted.begin(), aborted.end(),
            [](const AbortedTransaction& left, const AbortedTransaction& right) {
              return left.first_offset < right.first_offset;
            });
  return aborted;
}

}  // namespace odradek::broker::log
