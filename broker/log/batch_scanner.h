#pragma once
// Walks the batch headers of a .log file without reading the records. Sticks to a small buffer:
// small batches come many at a read, large ones one. Blocking where the file is not in the page
// cache.

#include <cstdint>
#include <memory>

#include "broker/log/record_batch.h"
#include "common/fs/file_system.h"
#include "common/result.h"

namespace odradek::broker::log {

class BatchScanner {
 public:
  // Looks at [position, end); `position` is a batch boundary.
  BatchScanner(fs::File& file, uint64_t position, uint64_t end)
      : file_(file), next_(position), end_(end) {}

  // True: header() and position() are the next batch's, which ends before `end`. False: nothing is
  // left. corrupt_record: what comes is not a whole batch with a possible header; position() is
  // where.
  Result<bool> next();
  const BatchHeader& header() const { return header_; }
  uint64_t position() const { return position_; }
  uint64_t next_position() const { return next_; }

 private:
  static constexpr size_t kBufferSize = 4096;
  fs::File& file_;
  uint64_t next_;
  uint64_t end_;
  uint64_t position_ = 0;
  BatchHeader header_;
  uint64_t buffer_at_ = 0;
  size_t buffer_size_ = 0;
  char buffer_[kBufferSize];
};

// Checks the CRC of one batch in a file, in pieces of 64 KiB.
Result<void> check_crc_in_file(fs::File& file, uint64_t position, const BatchHeader& header);
// True where a batch (magic 2) above `offset` begins somewhere behind `position`, whole and with
// the right CRC. Looks at every byte up to `end`: for what is damaged.
Result<bool> has_batch_behind(fs::File& file, uint64_t position, uint64_t end, Offset offset);
// The whole batch.
Result<Bytes> read_batch(fs::File& file, uint64_t position, const BatchHeader& header);

}  // namespace odradek::broker::log
