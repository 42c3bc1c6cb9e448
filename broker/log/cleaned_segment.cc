#include "broker/log/cleaned_segment.h"

#include "broker/log/file_cache.h"
#include "broker/log/offset_index.h"
#include "broker/log/time_index.h"

namespace odradek::broker::log {
namespace {

constexpr uint64_t kSyncEvery = 32 << 20;

}  // namespace

std::vector<std::string> CleanedSegment::paths(const std::string& directory) const {
  const std::string stem = directory + "/" + offset_name(base_offset());
  std::vector<std::string> all = {stem + ".log", stem + ".index", stem + ".timeindex"};
  if (transaction_index_bytes > 0) all.push_back(stem + ".txnindex");
  return all;
}

CleanedSegmentWriter::CleanedSegmentWriter(fs::FileSystem& files, std::string directory,
                                           Offset base_offset, int64_t index_interval_bytes)
    : files_(files),
      directory_(std::move(directory)),
      base_offset_(base_offset),
      index_interval_bytes_(static_cast<uint64_t>(index_interval_bytes)),
      max_timestamp_offset_(base_offset),
      last_time_entry_offset_(base_offset) {}

Result<void> CleanedSegmentWriter::open(Out& out, const char* suffix) {
  out.path = directory_ + "/" + offset_name(base_offset_) + suffix + kCleanedSuffix;
  Result<std::shared_ptr<fs::File>> file = files_.open(out.path, fs::OpenMode::create);
  if (!file) return file.error();
  out.file = std::move(*file);
  return out.file->truncate(0);  // what a pass that was given up left there
}

Result<void> CleanedSegmentWriter::begin() {
  if (Result<void> opened = open(log_, ".log"); !opened) return opened;
  if (Result<void> opened = open(offset_index_, ".index"); !opened) return opened;
  return open(time_index_, ".timeindex");
}

void CleanedSegmentWriter::add(ByteView batch, Offset last_offset, int64_t max_timestamp) {
  if (max_timestamp > max_timestamp_) {
    max_timestamp_ = max_timestamp;
    max_timestamp_offset_ = last_offset;
  }
  if (since_index_entry_ > index_interval_bytes_) {
    offset_index_.pending.i32(static_cast<int32_t>(last_offset - base_offset_));
    offset_index_.pending.u32(static_cast<uint32_t>(size_));
    offset_index_.size += OffsetIndex::kEntrySize;
    add_time_entry();
    since_index_entry_ = 0;
  }
  log_.pending.bytes(batch);
  size_ += batch.size();
  log_.size = size_;
  since_index_entry_ += batch.size();
}

void CleanedSegmentWriter::add(const AbortedEntry& entry) {
  TransactionIndex::write_entry(transaction_index_.pending, entry);
  transaction_index_.size += TransactionIndex::kEntrySize;
}

void CleanedSegmentWriter::add_time_entry() {
  if (max_timestamp_ <= last_time_entry_ || max_timestamp_offset_ < last_time_entry_offset_) return;
  time_index_.pending.i64(max_timestamp_);
  time_index_.pending.i32(static_cast<int32_t>(max_timestamp_offset_ - base_offset_));
  time_index_.size += TimeIndex::kEntrySize;
  last_time_entry_ = max_timestamp_;
  last_time_entry_offset_ = max_timestamp_offset_;
}

Result<void> CleanedSegmentWriter::write(Out& out) {
  const uint64_t pending = out.pending.buffer_size();
  if (pending == 0) return {};
  if (Result<void> written = out.file->pwrite(out.pending.buffer(), out.size - pending); !written) {
    return written;
  }
  out.pending = ByteWriter();
  return {};
}

Result<void> CleanedSegmentWriter::flush() {
  if (transaction_index_.size > 0 && !transaction_index_.file) {
    if (Result<void> opened = open(transaction_index_, ".txnindex"); !opened) return opened;
  }
  for (Out* out : {&log_, &offset_index_, &time_index_, &transaction_index_}) {
    if (Result<void> written = write(*out); !written) return written;
  }
  written_ = size_;
  return {};
}

Result<void> CleanedSegmentWriter::flush_and_spread_syncs() {
  if (Result<void> flushed = flush(); !flushed) return flushed;
  if (written_ - synced_ < kSyncEvery) return {};
  synced_ = written_;
  return log_.file->sync();
}

Result<void> CleanedSegmentWriter::finish(CleanedSegment& segment) {
  add_time_entry();
  if (Result<void> flushed = flush(); !flushed) return flushed;
  for (Out* out : {&log_, &offset_index_, &time_index_, &transaction_index_}) {
    if (!out->file) continue;
    if (Result<void> synced = out->file->sync(); !synced) return synced;
    out->file.reset();
  }
  segment.log_bytes = log_.size;
  segment.offset_index_bytes = offset_index_.size;
  segment.time_index_bytes = time_index_.size;
  segment.transaction_index_bytes = transaction_index_.size;
  return {};
}

Result<void> CleanedSegmentWriter::remove() {
  Result<void> result;
  for (Out* out : {&log_, &offset_index_, &time_index_, &transaction_index_}) {
    if (out->path.empty()) continue;
    out->file.reset();
    Result<void> removed = files_.remove(out->path);
    if (!removed && removed.error().code() != Errc::not_found) result = removed;
  }
  return result;
}

}  // namespace odradek::broker::log
