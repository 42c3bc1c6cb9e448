#pragma once
// RocksFiles: an Env for RocksDB whose files are those of a fs::FileSystem, so that what its disk
// does is what a FaultyFileSystem does. Its background work (flushes, compactions) runs when told, on
// the thread that tells: the same seed is the same run. One thread. Or, where somebody waits for that
// work, on RocksDB's own threads.

#include <memory>

#include "common/fs/file_system.h"
#include "coordinator/store/rocks_store.h"

namespace odradek::coordinator {

class RocksFiles {
 public:
  enum class Background { when_told, threads };
  explicit RocksFiles(fs::FileSystem& files, Background background = Background::when_told);
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
