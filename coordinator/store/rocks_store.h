#pragma once
// RocksStore: the tree on this machine's disk. One writer thread (commit), snapshots are read on
// the tree thread. A commit is one write batch and one sync of RocksDB's log. Damage is looked for
// before anything is changed (rocks_check.h): a torn tail of the log is what a crash leaves and is
// cut off, anything else stops the start. What shows later ends the process: a read by fatal.h, a
// write by the commit that fails. Each names the file.

#include <memory>
#include <string>

#include "common/fs/file_system.h"
#include "coordinator/store/store.h"

namespace rocksdb {
class Env;
}

namespace odradek::coordinator::store {

struct RocksOptions {
  size_t cache_bytes = 8u << 20;
  size_t write_buffer_bytes = 4u << 20;  // twice in memory while one is flushed
  // How far a log file reaches ahead of what is written (reserved_logs.h); 0: not at all.
  size_t reserve_bytes = 256u << 10;
  // Where tests put a disk that fails; both look at the same files. Null: the system's.
  fs::FileSystem* files = nullptr;
  rocksdb::Env* env = nullptr;
};

class RocksStore final : public Store {
 public:
  // Makes the folder where it is missing. Errors, each a sentence with cause and remedy: locked
  // (another process has it), permission_denied, disk_full, store_damaged, io_error.
  static Result<std::unique_ptr<RocksStore>> open(const std::string& path, RocksOptions options);
  // To look at a store that nobody has open, a copy for example; nothing in its folder changes.
  // commit and lead fail.
  static Result<std::unique_ptr<RocksStore>> open_read_only(const std::string& path);
  ~RocksStore() override;

  SnapshotRef snapshot() override;
  Result<Fence> lead() override;
  Result<SnapshotRef> commit(const Batch& batch, Fence fence) override;

  // Upkeep, from any thread while commits go on (rocks_upkeep.cc).
  // A copy of the store as it is at one moment, in a folder of the same file system that must not
  // be there yet. Large files are linked, not copied.
  Result<void> checkpoint(const std::string& folder);
  // Reads every block of every file against its checksum; store_damaged names the file.
  Result<void> verify();

  struct Impl;

 private:
  explicit RocksStore(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;  // shared with snapshots, which need the database
};

}  // namespace odradek::coordinator::store
