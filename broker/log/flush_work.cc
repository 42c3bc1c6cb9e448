#include "broker/log/flush_work.h"

#include <algorithm>

namespace odradek::broker::log {
namespace {

// Syncing a whole file system may write what others left in the page cache, too: a few files are
// synced one by one.
constexpr size_t kFew = 8;

template <typename T>
void add_missing(std::vector<T>& to, std::vector<T> from) {
  for (T& one : from) {
    if (std::find(to.begin(), to.end(), one) == to.end()) to.push_back(std::move(one));
  }
}

}  // namespace

Result<void> FlushWork::run() {
  for (const std::shared_ptr<fs::File>& file : files_) {
    if (Result<void> synced = file->sync(); !synced) return synced;
  }
  for (const std::string& path : paths_) {
    Result<std::shared_ptr<fs::File>> file = file_system_->open(path, fs::OpenMode::read_write);
    if (!file) {
      if (file.error().code() == Errc::not_found) continue;  // replaced or removed meanwhile
      return file.error();
    }
    if (Result<void> synced = (*file)->sync(); !synced) return synced;
  }
  for (const std::string& directory : directories_) {
    if (Result<void> synced = file_system_->sync_dir(directory); !synced) return synced;
  }
  return {};
}

void FlushWork::add_later(FlushWork later) {
  add_missing(files_, std::move(later.files_));
  add_missing(paths_, std::move(later.paths_));
  add_missing(directories_, std::move(later.directories_));
  end_offset_ = later.end_offset_;  // lower where the log was cut in between
  cuts_ = later.cuts_;
}

Result<void> FlushWork::run_together(fs::FileSystem& file_system, const std::string& directory,
                                     const std::vector<FlushWork*>& works) {
  size_t files = 0;
  for (const FlushWork* work : works) {
    files += work->files_.size() + work->paths_.size() + work->directories_.size();
  }
  if (files > kFew && works.size() > 1) return file_system.sync_all(directory);
  for (FlushWork* work : works) {
    if (Result<void> ran = work->run(); !ran) return ran;
  }
  return {};
}

}  // namespace odradek::broker::log
