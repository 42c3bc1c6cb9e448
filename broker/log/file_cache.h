#pragma once
// FileCache: the open files of all logs, at most `capacity` of them; the one unused longest is
// closed first. A file that someone still reads (a fetch being sent) stays open until that ends.
// Any thread; one mutex inside, held for the table only.

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "common/fs/file_system.h"
#include "common/ids.h"
#include "common/result.h"

namespace odradek::broker::log {

class FileCache {
 public:
  FileCache(fs::FileSystem& files, size_t capacity) : files_(files), capacity_(capacity) {}

  // A number that nobody else uses as a key.
  uint64_t new_key();
  // Null where it is not open.
  std::shared_ptr<fs::File> find(uint64_t key);
  Result<std::shared_ptr<fs::File>> open(uint64_t key, const std::string& path, fs::OpenMode mode);
  void forget(uint64_t key);
  size_t open_files() const;

  // A third of the process's limit of descriptors, 64 to 1,000: the rest is for connections.
  static size_t default_capacity();

 private:
  struct Entry {
    uint64_t key;
    std::shared_ptr<fs::File> file;
  };
  fs::FileSystem& files_;
  const size_t capacity_;
  mutable std::mutex mutex_;  // guards the rest
  uint64_t last_key_ = 0;
  std::list<Entry> newest_first_;
  std::unordered_map<uint64_t, std::list<Entry>::iterator> by_key_;
};

// One file of a segment: opened through the cache when it is needed, without memory of its own but
// these words.
class SegmentFile {
 public:
  // `directory` is the log's and outlives this. `suffix` is a literal: ".log".
  SegmentFile(FileCache* cache, const std::string* directory, Offset base_offset,
              const char* suffix)
      : cache_(cache),
        directory_(directory),
        base_offset_(base_offset),
        suffix_(suffix),
        key_(cache->new_key()) {}
  ~SegmentFile() { cache_->forget(key_); }
  SegmentFile(const SegmentFile&) = delete;
  SegmentFile& operator=(const SegmentFile&) = delete;

  // Makes the file where it is absent.
  Result<std::shared_ptr<fs::File>> get() const;
  void close() const { cache_->forget(key_); }
  std::string path() const;

 private:
  FileCache* cache_;
  const std::string* directory_;
  Offset base_offset_;
  const char* suffix_;
  uint64_t key_;
};

// "00000000000000000012"
std::string offset_name(Offset offset);
// The offset of "00000000000000000012.index"; nothing for other names, and where no log can begin.
std::optional<Offset> offset_of_name(std::string_view name);

}  // namespace odradek::broker::log
