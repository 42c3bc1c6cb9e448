#pragma once
// A file system that can hold up the opening of files: what waits for a disk is seen from outside.

#include <condition_variable>
#include <mutex>
#include <string>

#include "common/fs/file_system.h"

namespace odradek::fs {

class HeldFileSystem final : public FileSystem {
 public:
  explicit HeldFileSystem(FileSystem& inner) : inner_(inner) {}
  ~HeldFileSystem() override { release(); }

  // From now on whoever opens or lists a path that contains `part` waits for release().
  void hold(std::string part) {
    std::lock_guard lock(mutex_);
    held_ = std::move(part);
  }
  void release() {
    std::lock_guard lock(mutex_);
    held_.clear();
    changed_.notify_all();
  }
  // Until somebody waits.
  void wait_until_held() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return waiting_ > 0; });
  }

  Result<std::shared_ptr<File>> open(const std::string& path, OpenMode mode) override {
    pass(path);
    return inner_.open(path, mode);
  }
  Result<std::vector<DirEntry>> list(const std::string& directory) override {
    pass(directory);
    return inner_.list(directory);
  }
  Result<DirEntry> stat(const std::string& path) override { return inner_.stat(path); }
  Result<void> rename(const std::string& from, const std::string& to) override {
    return inner_.rename(from, to);
  }
  Result<void> remove(const std::string& path) override { return inner_.remove(path); }
  Result<void> remove_all(const std::string& path) override { return inner_.remove_all(path); }
  Result<void> make_dirs(const std::string& path) override { return inner_.make_dirs(path); }
  Result<void> sync_dir(const std::string& path) override { return inner_.sync_dir(path); }
  Result<void> sync_all(const std::string& path) override { return inner_.sync_all(path); }
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override {
    return inner_.lock(path);
  }
  Result<Space> space(const std::string& path) override { return inner_.space(path); }
  bool is_writable(const std::string& directory) override { return inner_.is_writable(directory); }

 private:
  void pass(const std::string& path) {
    std::unique_lock lock(mutex_);
    if (held_.empty() || path.find(held_) == std::string::npos) return;
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return held_.empty() || path.find(held_) == std::string::npos; });
    --waiting_;
  }

  FileSystem& inner_;
  std::mutex mutex_;  // guards the rest
  std::condition_variable changed_;
  std::string held_;
  int waiting_ = 0;
};

}  // namespace odradek::fs
