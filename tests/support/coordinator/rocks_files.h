#pragma once
// RocksFiles: an Env for RocksDB whose files are those of a fs::FileSystem, so that what its disk
// does is what a FaultyFileSystem does; and whose background work (flushes, compactions) runs when
// told, on the thread that tells: the same seed is the same run. One thread.

#include <memory>

#include "common/fs/file_system.h"
#include "coordinator/store/rocks_store.h"

namespace odradek::coordinator {

class RocksFiles {
 public:
  explicit RocksFiles(fs::FileSystem& files);
  ~RocksFiles();
  RocksFiles(const RocksFiles&) = delete;
  RocksFiles& operator=(const RocksFiles&) = delete;

  // For RocksStore::open. A write buffer of 64 KiB, the smallest: flushes come soon.
  store::RocksOptions options() const;
  // Runs what RocksDB has asked for in the meantime; true where there was something.
  bool run_background();

 private:
  class SteppedEnv;
  fs::FileSystem& files_;
  std::unique_ptr<SteppedEnv> env_;
};

}  // namespace odradek::coordinator
