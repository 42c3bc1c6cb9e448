#pragma once
// Segment: one NAME.log file with its offset, time and transaction index. Owner: the log's. In
// memory are its sizes and what the next index entry needs; files are opened through the FileCache
// when they are used. Indexes may be behind the .log file (a crash, a full disk): they only say
// where to begin to look. What a time index says is held against the batch that it names, and the
// index is built anew where that is not so.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "broker/log/batch_scanner.h"
#include "broker/log/file_cache.h"
#include "broker/log/log_config.h"
#include "broker/log/offset_index.h"
#include "broker/log/time_index.h"
#include "broker/log/transaction_index.h"

namespace odradek::broker::log {

struct SegmentInfo {
  Offset base_offset{0};
  uint64_t size = 0;
  int64_t largest_timestamp = -1;  // -1: no record has one, or nobody asked the time index yet
};

// A batch in a segment.
struct FoundBatch {
  uint64_t position = 0;
  BatchHeader header;
};

class Segment {
 public:
  // Sizes of its files as they are now; 0 where one is absent.
  struct Sizes {
    uint64_t log = 0;
    uint64_t offset_index = 0;
    uint64_t time_index = 0;
    uint64_t transaction_index = 0;
  };
  Segment(FileCache* cache, const std::string* directory, Offset base_offset, const Sizes& sizes,
          int64_t modified_ms);

  Offset base_offset() const { return base_offset_; }
  uint64_t size() const { return size_; }
  int64_t modified_ms() const { return modified_ms_; }
  SegmentInfo info() const;
  // As they are now, in the files and on their way there.
  Sizes sizes() const;

  // Writes at the end and feeds the indexes. `batches` is what was appended at once. After an error
  // the file is as long as before (disk_full), or cannot be trusted (io_error).
  Result<void> append(ByteView batches, Offset last_offset, int64_t max_timestamp,
                      Offset max_timestamp_offset, const LogConfig& config, int64_t now_ms);
  // Must a new segment be begun before this append?
  Result<bool> should_roll(size_t bytes, Offset last_offset, int64_t max_timestamp,
                           const LogConfig& config, int64_t jitter_ms, int64_t now_ms);

  // The first batch whose last offset is at or above `offset`. `from_position` is a batch boundary
  // at or before it, or 0. With `is_exact` the batch begins there or later, and the index is not
  // asked.
  Result<std::optional<FoundBatch>> find(Offset offset, uint64_t from_position = 0,
                                         bool is_exact = false);
  // The largest batch boundary at or below `limit`; `start` is one below it. And the offset behind
  // it where it is known.
  struct Boundary {
    uint64_t position = 0;
    std::optional<Offset> next_offset;
  };
  Result<Boundary> boundary_before(uint64_t start, uint64_t limit);
  // The first batch from `start_offset` on whose max timestamp is at or behind the timestamp.
  Result<std::optional<FoundBatch>> find_timestamp(int64_t timestamp, Offset start_offset);
  // The offset behind the last batch: reads from the last index entry on. corrupt_record where a
  // tail is not a batch.
  Result<Offset> read_next_offset();

  // The largest timestamp in it, or the file's modification time where no record has one.
  Result<int64_t> largest_timestamp();
  Result<TimeIndex::Entry> max_timestamp_and_offset();
  // The largest timestamp of the set that was appended first.
  Result<int64_t> first_timestamp();

  // Reads everything, checks every CRC and builds the indexes anew. Each good batch is shown to
  // `visit`. Cuts the file at the first batch that is not good, or does not end below `limit`, where
  // the next segment begins; returns the number of bytes cut. `reason` is why, empty where nothing
  // was cut. What was on the disk is not cut where good batches follow: corrupt_record, which names
  // file, place and remedy.
  using Visit = std::function<Result<void>(const BatchHeader&, uint64_t position)>;
  struct Recovered {
    uint64_t truncated_bytes = 0;
    Offset next_offset{0};
    std::string reason;
    bool reached_limit = false;  // it was cut for this: the next segment is as good as before
    bool has_gaps = false;       // offsets without a record, as compaction leaves them
  };
  struct OnDisk {
    Offset below{0};           // the recovery point: this much was on the disk
    bool is_followed = false;  // by segments that hold records
  };
  Result<Recovered> recover(const LogConfig& config, Offset limit, OnDisk on_disk,
                            const Visit& visit);
  // True where the index files could be this segment's.
  Result<bool> indexes_are_sane(const Sizes& sizes);
  // Calls visit for the batches from `offset` on.
  Result<void> for_each_batch(Offset offset, const Visit& visit);

  // Removes everything at and above the offset. Returns the bytes removed.
  Result<uint64_t> truncate_to(Offset offset);

  // At roll and close: a last time index entry, trimmed indexes. Nothing to do where it was not
  // written to.
  Result<void> become_inactive();
  // The same for a segment of a run that died, behind read_next_offset.
  Result<void> end_indexes() {
    is_dirty_ = true;
    return become_inactive();
  }
  bool is_dirty() const { return is_dirty_; }  // become_inactive has something to do
  void close_files();
  // All files that exist, for fsync.
  Result<void> collect_files(std::vector<std::shared_ptr<fs::File>>& files);
  Result<std::shared_ptr<fs::File>> log_file() const { return log_file_.get(); }
  // A new segment's files, empty, the two indexes with it: tools look for all three. What a run that died left under
  // these names is no part of the log.
  Result<void> make_files();
  // Paths of files that exist or may exist.
  std::vector<std::string> paths() const;
  TransactionIndex& transaction_index() { return transaction_index_; }

 private:
  Result<void> load_max_timestamp();
  Result<bool> is_true(const TimeIndex::Entry& entry);
  Result<void> rebuild_time_index();
  Result<void> load_first_timestamp();
  Result<void> feed_indexes(Offset last_offset, uint64_t position);
  Result<std::optional<FoundBatch>> scan_for(fs::File& file, uint64_t position, Offset offset,
                                             std::optional<Offset> promised);
  void note_timestamp(int64_t timestamp, Offset offset);

  Offset base_offset_;
  uint64_t size_;
  int64_t modified_ms_;
  int64_t created_ms_;
  uint64_t bytes_since_index_entry_ = 0;
  bool is_dirty_ = false;  // the indexes are not trimmed
  bool max_timestamp_known_ = false;
  bool first_timestamp_known_ = false;
  int64_t max_timestamp_ = kNoTimestamp;
  Offset max_timestamp_offset_;
  int64_t first_timestamp_ =
      kNoTimestamp;  // max timestamp of the first set: segment.ms counts from it
  SegmentFile log_file_;
  OffsetIndex offset_index_;
  TimeIndex time_index_;
  TransactionIndex transaction_index_;
};

}  // namespace odradek::broker::log
