#include "tests/support/coordinator/rocks_files.h"

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <algorithm>
#include <deque>
#include <string>

namespace odradek::coordinator {

namespace {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

// As the Env of the operating system words it.
IOStatus status_of(const Error& error) {
  switch (error.code()) {
    case Errc::not_found:
      return IOStatus::PathNotFound(error.what(), "No such file or directory");
    case Errc::disk_full:
      return IOStatus::NoSpace(error.what(), "No space left on device");
    case Errc::locked:
      return IOStatus::IOError("lock " + error.what(), "Resource temporarily unavailable");
    default:
      return IOStatus::IOError(error.what(), "Input/output error");
  }
}
IOStatus status_of(const Result<void>& result) {
  return result ? IOStatus::OK() : status_of(result.error());
}

IOStatus read_at(fs::File& file, uint64_t position, size_t size, Slice* result, char* scratch) {
  Result<size_t> got = file.pread(scratch, size, position);
  if (!got) return status_of(got.error());
  *result = Slice(scratch, *got);
  return IOStatus::OK();
}

class Sequential final : public rocksdb::FSSequentialFile {
 public:
  explicit Sequential(std::shared_ptr<fs::File> file) : file_(std::move(file)) {}
  IOStatus Read(size_t size, const IOOptions&, Slice* result, char* scratch,
                IODebugContext*) override {
    IOStatus status = read_at(*file_, at_, size, result, scratch);
    if (status.ok()) at_ += result->size();
    return status;
  }
  IOStatus Skip(uint64_t size) override {
    at_ += size;
    return IOStatus::OK();
  }

 private:
  std::shared_ptr<fs::File> file_;
  uint64_t at_ = 0;
};

class RandomAccess final : public rocksdb::FSRandomAccessFile {
 public:
  explicit RandomAccess(std::shared_ptr<fs::File> file) : file_(std::move(file)) {}
  IOStatus Read(uint64_t position, size_t size, const IOOptions&, Slice* result, char* scratch,
                IODebugContext*) const override {
    return read_at(*file_, position, size, result, scratch);
  }

 private:
  std::shared_ptr<fs::File> file_;
};

class Writable final : public rocksdb::FSWritableFile {
 public:
  Writable(std::shared_ptr<fs::File> file, uint64_t size) : file_(std::move(file)), size_(size) {}
  using FSWritableFile::Append;
  IOStatus Append(const Slice& bytes, const IOOptions&, IODebugContext*) override {
    Result<void> written = file_->pwrite(ByteView(bytes.data(), bytes.size()), size_);
    if (written) size_ += bytes.size();
    return status_of(written);
  }
  IOStatus Append(const Slice& bytes, const IOOptions& options,
                  const rocksdb::DataVerificationInfo&, IODebugContext* debug) override {
    return Append(bytes, options, debug);
  }
  IOStatus PositionedAppend(const Slice& bytes, uint64_t position, const IOOptions&,
                            IODebugContext*) override {
    Result<void> written = file_->pwrite(ByteView(bytes.data(), bytes.size()), position);
    if (written) size_ = std::max(size_, position + bytes.size());
    return status_of(written);
  }
  IOStatus Truncate(uint64_t size, const IOOptions&, IODebugContext*) override {
    Result<void> cut = file_->truncate(size);
    if (cut) size_ = size;
    return status_of(cut);
  }
  IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Flush(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Sync(const IOOptions&, IODebugContext*) override { return status_of(file_->sync()); }
  bool IsSyncThreadSafe() const override { return true; }
  uint64_t GetFileSize(const IOOptions&, IODebugContext*) override { return size_; }

 private:
  std::shared_ptr<fs::File> file_;
  uint64_t size_;
};

class Directory final : public rocksdb::FSDirectory {
 public:
  Directory(fs::FileSystem& files, std::string path) : files_(files), path_(std::move(path)) {}
  IOStatus Fsync(const IOOptions&, IODebugContext*) override {
    return status_of(files_.sync_dir(path_));
  }

 private:
  fs::FileSystem& files_;
  const std::string path_;
};

class Lock final : public rocksdb::FileLock {
 public:
  explicit Lock(std::unique_ptr<fs::FileLock> held) : held_(std::move(held)) {}

 private:
  std::unique_ptr<fs::FileLock> held_;
};

class Files final : public rocksdb::FileSystem {
 public:
  explicit Files(fs::FileSystem& files) : files_(files) {}
  const char* Name() const override { return "odradek.Files"; }

  IOStatus NewSequentialFile(const std::string& path, const FileOptions&,
                             std::unique_ptr<rocksdb::FSSequentialFile>* made,
                             IODebugContext*) override {
    auto file = files_.open(path, fs::OpenMode::read);
    if (!file) return status_of(file.error());
    *made = std::make_unique<Sequential>(*std::move(file));
    return IOStatus::OK();
  }
  IOStatus NewRandomAccessFile(const std::string& path, const FileOptions&,
                               std::unique_ptr<rocksdb::FSRandomAccessFile>* made,
                               IODebugContext*) override {
    auto file = files_.open(path, fs::OpenMode::read);
    if (!file) return status_of(file.error());
    *made = std::make_unique<RandomAccess>(*std::move(file));
    return IOStatus::OK();
  }
  IOStatus NewWritableFile(const std::string& path, const FileOptions&,
                           std::unique_ptr<rocksdb::FSWritableFile>* made,
                           IODebugContext*) override {
    auto file = files_.open(path, fs::OpenMode::create);
    if (!file) return status_of(file.error());
    if (auto cut = (*file)->truncate(0); !cut) return status_of(cut);
    *made = std::make_unique<Writable>(*std::move(file), 0);
    return IOStatus::OK();
  }
  IOStatus ReopenWritableFile(const std::string& path, const FileOptions&,
                              std::unique_ptr<rocksdb::FSWritableFile>* made,
                              IODebugContext*) override {
    auto file = files_.open(path, fs::OpenMode::create);
    if (!file) return status_of(file.error());
    auto size = (*file)->size();
    if (!size) return status_of(size.error());
    *made = std::make_unique<Writable>(*std::move(file), *size);
    return IOStatus::OK();
  }
  IOStatus NewDirectory(const std::string& path, const IOOptions&,
                        std::unique_ptr<rocksdb::FSDirectory>* made, IODebugContext*) override {
    *made = std::make_unique<Directory>(files_, path);
    return IOStatus::OK();
  }
  IOStatus FileExists(const std::string& path, const IOOptions&, IODebugContext*) override {
    return files_.exists(path) ? IOStatus::OK() : IOStatus::NotFound(path);
  }
  IOStatus GetChildren(const std::string& path, const IOOptions&, std::vector<std::string>* names,
                       IODebugContext*) override {
    auto entries = files_.list(path);
    if (!entries) return status_of(entries.error());
    names->clear();
    for (const fs::DirEntry& entry : *entries) names->push_back(entry.name);
    return IOStatus::OK();
  }
  IOStatus DeleteFile(const std::string& path, const IOOptions&, IODebugContext*) override {
    return status_of(files_.remove(path));
  }
  IOStatus CreateDir(const std::string& path, const IOOptions&, IODebugContext*) override {
    return status_of(files_.make_dirs(path));
  }
  IOStatus CreateDirIfMissing(const std::string& path, const IOOptions&,
                              IODebugContext*) override {
    return status_of(files_.make_dirs(path));
  }
  IOStatus DeleteDir(const std::string& path, const IOOptions&, IODebugContext*) override {
    return status_of(files_.remove(path));
  }
  IOStatus GetFileSize(const std::string& path, const IOOptions&, uint64_t* size,
                       IODebugContext*) override {
    auto entry = files_.stat(path);
    if (!entry) return status_of(entry.error());
    *size = entry->size;
    return IOStatus::OK();
  }
  IOStatus GetFileModificationTime(const std::string&, const IOOptions&, uint64_t* time,
                                   IODebugContext*) override {
    *time = 0;
    return IOStatus::OK();
  }
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions&,
                      IODebugContext*) override {
    return status_of(files_.rename(from, to));
  }
  IOStatus LockFile(const std::string& path, const IOOptions&, rocksdb::FileLock** lock,
                    IODebugContext*) override {
    auto held = files_.lock(path);
    if (!held) return status_of(held.error());
    *lock = new Lock(*std::move(held));
    return IOStatus::OK();
  }
  IOStatus UnlockFile(rocksdb::FileLock* lock, const IOOptions&, IODebugContext*) override {
    delete lock;
    return IOStatus::OK();
  }
  IOStatus GetTestDirectory(const IOOptions&, std::string* path, IODebugContext*) override {
    *path = "/";
    return IOStatus::OK();
  }
  IOStatus GetAbsolutePath(const std::string& path, const IOOptions&, std::string* absolute,
                           IODebugContext*) override {
    *absolute = path;
    return IOStatus::OK();
  }
  IOStatus IsDirectory(const std::string& path, const IOOptions&, bool* is,
                       IODebugContext*) override {
    auto entry = files_.stat(path);
    if (!entry) return status_of(entry.error());
    *is = entry->is_directory;
    return IOStatus::OK();
  }

 private:
  fs::FileSystem& files_;
};

}  // namespace

// What is scheduled waits in a queue. RocksDB takes out what has not begun when it closes.
class RocksFiles::SteppedEnv final : public rocksdb::EnvWrapper {
 public:
  SteppedEnv(fs::FileSystem& files, bool own_threads)
      : EnvWrapper(rocksdb::NewCompositeEnv(std::make_shared<Files>(files))),
        own_threads_(own_threads) {}

  const char* Name() const override { return "odradek.SteppedEnv"; }

  void Schedule(void (*run)(void*), void* argument, Priority priority, void* tag,
                void (*unscheduled)(void*)) override {
    if (own_threads_) {
      EnvWrapper::Schedule(run, argument, priority, tag, unscheduled);
      return;
    }
    jobs_.push_back({run, argument, priority, tag, unscheduled});
  }
  int UnSchedule(void* tag, Priority priority) override {
    if (own_threads_) return EnvWrapper::UnSchedule(tag, priority);
    std::deque<Job> mine;
    std::erase_if(jobs_, [&](const Job& job) {
      if (job.tag != tag || job.priority != priority) return false;
      mine.push_back(job);
      return true;
    });
    for (const Job& job : mine) {
      if (job.unscheduled) job.unscheduled(job.argument);
    }
    return static_cast<int>(mine.size());
  }
  // RocksDB waits for a second behind background work that failed.
  void SleepForMicroseconds(int) override {}
  bool run() {
    if (jobs_.empty()) return false;
    while (!jobs_.empty()) {
      Job job = jobs_.front();
      jobs_.pop_front();
      job.run(job.argument);
    }
    return true;
  }

 private:
  struct Job {
    void (*run)(void*);
    void* argument;
    Priority priority;
    void* tag;
    void (*unscheduled)(void*);
  };
  const bool own_threads_;
  std::deque<Job> jobs_;
};

RocksFiles::RocksFiles(fs::FileSystem& files, Background background)
    : files_(files),
      env_(std::make_unique<SteppedEnv>(files, background == Background::threads)) {}

RocksFiles::~RocksFiles() = default;

store::RocksOptions RocksFiles::options() const {
  store::RocksOptions options;
  options.files = &files_;
  options.env = env_.get();
  options.write_buffer_bytes = 64 << 10;
  return options;
}

bool RocksFiles::run_background() { return env_->run(); }

}  // namespace odradek::coordinator
