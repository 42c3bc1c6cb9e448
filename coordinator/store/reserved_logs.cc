#include "coordinator/store/reserved_logs.h"

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <algorithm>
#include <string>
#include <utility>

namespace odradek::coordinator::store {

namespace {

using rocksdb::FileOptions;
using rocksdb::FSWritableFile;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

// RocksDB appends; what it appends goes to its place among the zeros.
class ReservedLog final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  ReservedLog(std::unique_ptr<FSWritableFile> file, uint64_t piece_bytes)
      : FSWritableFileOwnerWrapper(std::move(file)), piece_bytes_(piece_bytes) {}

  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* debug) override {
    IOStatus status = reserve(written_ + data.size(), options, debug);
    if (status.ok()) status = target()->PositionedAppend(data, written_, options, debug);
    if (status.ok()) written_ += data.size();
    reserved_ = std::max(reserved_, written_);
    return status;
  }
  IOStatus Append(const Slice& data, const IOOptions& options, const rocksdb::DataVerificationInfo&,
                  IODebugContext* debug) override {
    return Append(data, options, debug);
  }
  IOStatus Truncate(uint64_t size, const IOOptions& options, IODebugContext* debug) override {
    written_ = reserved_ = size;
    return target()->Truncate(size, options, debug);
  }
  IOStatus Close(const IOOptions& options, IODebugContext* debug) override {
    IOStatus cut = reserved_ > written_ ? Truncate(written_, options, debug) : IOStatus::OK();
    IOStatus closed = target()->Close(options, debug);
    return cut.ok() ? closed : cut;
  }
  uint64_t GetFileSize(const IOOptions&, IODebugContext*) override { return written_; }
  // in place of its own preallocation
  void SetPreallocationBlockSize(size_t) override {}
  void PrepareWrite(size_t, size_t, const IOOptions&, IODebugContext*) override {}
  IOStatus Allocate(uint64_t, uint64_t, const IOOptions&, IODebugContext*) override {
    return IOStatus::OK();
  }

 private:
  // Where there is no room for a piece the file grows as it would without us: only what has to be
  // written may fail.
  IOStatus reserve(uint64_t end, const IOOptions& options, IODebugContext* debug) {
    if (end <= reserved_) return IOStatus::OK();
    const uint64_t upto = end + piece_bytes_;
    const std::string zeros(static_cast<size_t>(upto - reserved_), '\0');
    IOStatus status = target()->PositionedAppend(zeros, reserved_, options, debug);
    if (status.IsNoSpace()) return Truncate(written_, options, debug);
    if (status.ok()) reserved_ = upto;
    return status;
  }

  const uint64_t piece_bytes_;
  uint64_t written_ = 0;
  uint64_t reserved_ = 0;  // the size of the file on the disk
};

class ReservingFiles final : public rocksdb::FileSystemWrapper {
 public:
  ReservingFiles(const std::shared_ptr<rocksdb::FileSystem>& base, uint64_t piece_bytes)
      : FileSystemWrapper(base), piece_bytes_(piece_bytes) {}

  const char* Name() const override { return "odradek.ReservingFiles"; }

  IOStatus NewWritableFile(const std::string& name, const FileOptions& options,
                           std::unique_ptr<FSWritableFile>* file, IODebugContext* debug) override {
    IOStatus status = target()->NewWritableFile(name, options, file, debug);
    if (status.ok() && name.ends_with(".log")) {
      *file = std::make_unique<ReservedLog>(std::move(*file), piece_bytes_);
    }
    return status;
  }

 private:
  const uint64_t piece_bytes_;
};

// The base's threads and clock, and its files through ReservingFiles.
class ReservingEnv final : public rocksdb::EnvWrapper {
 public:
  ReservingEnv(rocksdb::Env* base, uint64_t piece_bytes) : EnvWrapper(base) {
    file_system_ = std::make_shared<ReservingFiles>(base->GetFileSystem(), piece_bytes);
  }
  const char* Name() const override { return "odradek.ReservingEnv"; }
};

}  // namespace

std::unique_ptr<rocksdb::Env> reserve_logs(rocksdb::Env* base, uint64_t piece_bytes) {
  return std::make_unique<ReservingEnv>(base, piece_bytes);
}

}  // namespace odradek::coordinator::store
