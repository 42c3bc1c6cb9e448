#include "broker/log/transaction_index.h"

namespace odradek::broker::log {

TransactionIndex::TransactionIndex(FileCache* cache, const std::string* directory,
                                   Offset base_offset, uint64_t bytes)
    : file_(cache, directory, base_offset, ".txnindex"),
      entries_(bytes / kEntrySize),
      is_ragged_(bytes % kEntrySize != 0) {}

Result<std::vector<AbortedEntry>> TransactionIndex::read() {
  if (entries_ == 0) return std::vector<AbortedEntry>();
  Result<std::shared_ptr<fs::File>> file = file_.get();
  if (!file) return file.error();
  return read(**file, entries_);
}

Result<std::vector<AbortedEntry>> TransactionIndex::read(fs::File& file, size_t entries) {
  std::vector<AbortedEntry> all;
  Bytes bytes(entries * kEntrySize, '\0');
  if (Result<void> read = file.pread_exact(bytes.data(), bytes.size(), 0); !read)
    return read.error();
  all.reserve(entries);
  ByteReader reader(bytes);
  for (size_t i = 0; i < entries; ++i) {
    AbortedEntry entry;
    reader.i16();  // version: 0 is the only one
    entry.producer_id = ProducerId(reader.i64());
    entry.first_offset = Offset(reader.i64());
    entry.last_offset = Offset(reader.i64());
    entry.last_stable_offset = Offset(reader.i64());
    all.push_back(entry);
  }
  return all;
}

void TransactionIndex::write_entry(ByteWriter& out, const AbortedEntry& entry) {
  out.i16(0);
  out.i64(entry.producer_id.value());
  out.i64(entry.first_offset.value());
  out.i64(entry.last_offset.value());
  out.i64(entry.last_stable_offset.value());
}

Result<void> TransactionIndex::append(const AbortedEntry& entry) {
  Result<std::shared_ptr<fs::File>> file = file_.get();
  if (!file) return file.error();
  ByteWriter bytes;
  write_entry(bytes, entry);
  if (Result<void> written = (*file)->pwrite(bytes.buffer(), entries_ * kEntrySize); !written)
    return written;
  ++entries_;
  return {};
}

Result<void> TransactionIndex::truncate_to(Offset offset) {
  if (entries_ == 0) return {};
  Result<std::vector<AbortedEntry>> all = read();
  if (!all) return all.error();
  size_t keep = 0;
  while (keep < all->size() && (*all)[keep].last_offset < offset) ++keep;
  if (keep == entries_) return {};
  Result<std::shared_ptr<fs::File>> file = file_.get();
  if (!file) return file.error();
  entries_ = keep;
  is_cut_ = true;
  return (*file)->truncate(entries_ * kEntrySize);
}

Result<void> TransactionIndex::clear() {
  if (entries_ == 0 && !is_ragged_) return {};
  Result<std::shared_ptr<fs::File>> file = file_.get();
  if (!file) return file.error();
  entries_ = 0;
  is_ragged_ = false;
  is_cut_ = true;
  return (*file)->truncate(0);
}

}  // namespace odradek::broker::log
