#include "broker/log/file_cache.h"

#include <sys/resource.h>

#include <algorithm>
#include <charconv>

#include "broker/log/record_batch.h"
#include "common/format.h"

namespace odradek::broker::log {

uint64_t FileCache::new_key() {
  std::lock_guard lock(mutex_);
  return ++last_key_;
}

std::shared_ptr<fs::File> FileCache::find(uint64_t key) {
  std::lock_guard lock(mutex_);
  auto found = by_key_.find(key);
  if (found == by_key_.end()) return nullptr;
  newest_first_.splice(newest_first_.begin(), newest_first_, found->second);
  return found->second->file;
}

Result<std::shared_ptr<fs::File>> FileCache::open(uint64_t key, const std::string& path,
                                                  fs::OpenMode mode) {
  Result<std::shared_ptr<fs::File>> file = files_.open(path, mode);
  if (!file) return file;
  std::shared_ptr<fs::File> oldest;  // closed behind the lock
  std::lock_guard lock(mutex_);
  auto found = by_key_.find(key);
  if (found != by_key_.end()) {  // another thread was quicker
    return found->second->file;
  }
  newest_first_.push_front({key, *file});
  by_key_[key] = newest_first_.begin();
  if (newest_first_.size() > capacity_) {
    oldest = std::move(newest_first_.back().file);
    by_key_.erase(newest_first_.back().key);
    newest_first_.pop_back();
  }
  return file;
}

void FileCache::forget(uint64_t key) {
  std::shared_ptr<fs::File> file;  // closed behind the lock
  std::lock_guard lock(mutex_);
  auto found = by_key_.find(key);
  if (found == by_key_.end()) return;
  file = std::move(found->second->file);
  newest_first_.erase(found->second);
  by_key_.erase(found);
}

size_t FileCache::open_files() const {
  std::lock_guard lock(mutex_);
  return newest_first_.size();
}

size_t FileCache::default_capacity() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 64;
  return static_cast<size_t>(std::clamp<rlim_t>(limit.rlim_cur / 3, 64, 1000));
}

Result<std::shared_ptr<fs::File>> SegmentFile::get() const {
  if (std::shared_ptr<fs::File> file = cache_->find(key_)) return file;
  return cache_->open(key_, path(), fs::OpenMode::create);
}

std::string SegmentFile::path() const {
  return *directory_ + "/" + offset_name(base_offset_) + suffix_;
}

std::string offset_name(Offset offset) { return format("{:020}", offset.value()); }

std::optional<Offset> offset_of_name(std::string_view name) {
  if (name.size() < 21 || name[20] != '.') return std::nullopt;
  int64_t value = 0;
  auto [end, error] = std::from_chars(name.data(), name.data() + 20, value);
  if (error != std::errc() || end != name.data() + 20 || value < 0) return std::nullopt;
  if (Offset(value) > kMaxOffset) return std::nullopt;
  return Offset(value);
}

}  // namespace odradek::broker::log
