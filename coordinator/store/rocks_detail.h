#pragma once
// What the files about RocksDB share. Not for other folders.

#include <rocksdb/db.h>
#include <rocksdb/listener.h>
#include <rocksdb/options.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "common/fs/real_file_system.h"
#include "coordinator/store/rocks_store.h"

namespace odradek::coordinator::store {

// Notes that RocksDB begins a new log file. It does so within a write, on the thread of that write,
// or before a checkpoint, on its thread.
class LogFileListener final : public rocksdb::EventListener {
 public:
  void OnMemTableSealed(const rocksdb::MemTableInfo&) override { note(); }
  void note() { begun_ = true; }
  bool take_begun() { return begun_.exchange(false); }

 private:
  std::atomic<bool> begun_ = false;
};

struct RocksStore::Impl {
  std::string path;
  fs::RealFileSystem real_files;
  fs::FileSystem* files = nullptr;
  std::shared_ptr<LogFileListener> listener;  // the database has it too
  std::unique_ptr<rocksdb::Env> reserving;
  std::unique_ptr<rocksdb::DB> db;
  rocksdb::Options options;  // that it was opened with
  std::mutex writing;        // held for a commit, and while a copy is made: the log stands still
  uint64_t epoch = 0;
  uint64_t commits = 0;  // the number of the last one

  // The way of every commit: durable, all or nothing, with its number.
  Result<void> write(rocksdb::WriteBatch& writes);
};

rocksdb::Options database_options(const RocksOptions& wished);

inline rocksdb::Slice slice(std::string_view text) {
  return rocksdb::Slice(text.data(), text.size());
}
inline std::string_view view(const rocksdb::Slice& slice) {
  return std::string_view(slice.data(), slice.size());
}

// The first key behind all that begin with the prefix; empty where there is none.
std::string end_of_prefix(std::string_view prefix);

}  // namespace odradek::coordinator::store
