#pragma once
// CleanedSegmentWriter: a segment that compaction writes, with its indexes, under names that end in
// .cleaned. Nothing in it counts until it is renamed. Blocking file work; owner: the Cleaner.

#include <memory>
#include <string>
#include <vector>

#include "broker/log/cleaning.h"
#include "broker/log/transaction_index.h"
#include "common/bytes/byte_writer.h"
#include "common/fs/file_system.h"
#include "common/result.h"

namespace odradek::broker::log {

class CleanedSegmentWriter {
 public:
  // Nothing is made before the first call.
  CleanedSegmentWriter(fs::FileSystem& files, std::string directory, Offset base_offset,
                       int64_t index_interval_bytes);

  // Makes the files, empty.
  Result<void> begin();
  // One whole batch, written at the latest by flush().
  void add(ByteView batch, Offset last_offset, int64_t max_timestamp);
  void add(const AbortedEntry& entry);
  // Writes what was added. The caller calls it before much has gathered.
  Result<void> flush();
  // As flush; and where much was written since the last sync, syncs it: many small waits for the
  // disk disturb others less than one long one.
  Result<void> flush_and_spread_syncs();
  // The rest, a last time index entry, syncs. Fills in the sizes.
  Result<void> finish(CleanedSegment& segment);
  // Removes the files.
  Result<void> remove();

  uint64_t size() const { return size_; }
  uint64_t unwritten() const { return size_ - written_; }

 private:
  struct Out {
    std::string path;
    std::shared_ptr<fs::File> file;
    ByteWriter pending;
    uint64_t size = 0;  // with what is pending
  };
  Result<void> open(Out& out, const char* suffix);
  Result<void> write(Out& out);
  void add_time_entry();

  fs::FileSystem& files_;
  const std::string directory_;
  const Offset base_offset_;
  const uint64_t index_interval_bytes_;
  Out log_, offset_index_, time_index_, transaction_index_;
  uint64_t size_ = 0;     // of the .log file, with what is pending
  uint64_t written_ = 0;  // of that
  uint64_t synced_ = 0;   // of that
  uint64_t since_index_entry_ = 0;
  int64_t max_timestamp_ = -1;
  Offset max_timestamp_offset_;
  int64_t last_time_entry_ = -1;
  Offset last_time_entry_offset_;
};

}  // namespace odradek::broker::log
