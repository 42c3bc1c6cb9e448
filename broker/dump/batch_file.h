#pragma once
// A .log file as Kafka's tools walk it: they show a batch with impossible fields too, where the log's
// own readers (broker/log) refuse it. So headers are taken as they stand here, and only lengths are checked.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "broker/log/record_batch.h"
#include "common/fs/file_system.h"
#include "common/result.h"

namespace odradek::broker::dump {

// One batch (or message of formats 0 and 1) in the file.
struct FileBatch {
  uint64_t position = 0;
  log::BatchHeader header;  // of formats 0 and 1: base_offset is the message's offset
  int64_t last_offset() const;
  bool is_legacy() const { return header.magic < 2; }
};

class BatchFile {
 public:
  // Fails where the file is absent, or longer than a segment can be (2^31 - 1 bytes).
  static Result<BatchFile> open(fs::FileSystem& files, const std::string& path);

  // A range of the file, as Kafka's slices: `size` is cut at the file's end.
  struct Slice {
    uint64_t begin = 0;
    uint64_t end = 0;
  };
  Result<Slice> slice(int64_t position, int64_t size) const;

  // The batch at `position`; nothing where what is left of the slice is no whole batch.
  // An Error is the exception with which Kafka's tool ends.
  Result<std::optional<FileBatch>> batch_at(uint64_t position, const Slice& slice) const;
  // Every field of the header behind the fixed first ones.
  Result<void> load_header(FileBatch& batch) const;

  // Does the checksum fit? `computed` only where the batch has the size of a header.
  Result<bool> is_valid(const FileBatch& batch) const;
  Result<Bytes> read(const FileBatch& batch) const;

  uint64_t size() const { return size_; }

 private:
  BatchFile(std::string path, std::shared_ptr<fs::File> file, uint64_t size)
      : path_(std::move(path)), file_(std::move(file)), size_(size) {}
  std::string description() const;

  std::string path_;
  std::shared_ptr<fs::File> file_;
  uint64_t size_;
};

}  // namespace odradek::broker::dump
