#pragma once
// FaultyFileSystem: files in memory that fail like disks do. Deterministic from its seed; any
// thread (one mutex).
//
// It keeps two pictures. "Now" is what the program sees. "Durable" is what a crash leaves:
//   content   a file's bytes as of its last File::sync
//   names     creates, renames and removes as of the last sync_dir of their directory
// crash() makes now durable, with the disk's own will in between: of what was written since the
// last sync, each file keeps a random prefix of its writes, the last of them perhaps torn (see
// CrashMode).

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "common/fs/file_system.h"

namespace odradek::fs {

class FaultyFileSystem final : public FileSystem {
 public:
  explicit FaultyFileSystem(uint64_t seed = 1) : random_(seed) {}

  // What a file looks like that was written to since its last sync.
  enum class CrashMode {
    lose_unsynced,  // as of the last sync: the worst that a disk may do
    keep_prefix,    // a random number of the writes since then, the last one torn at a random byte
    keep_all,       // a process that was killed: the kernel still has everything
    mixture,        // each write since then is there, torn or missing for itself, but none behind a
                    // truncation that is missing; of the changed names the first so many are kept
  };
  // Open files of the time before give io_error from now on; locks are free.
  void crash(CrashMode mode);

  // Calls that the next faults are for.
  enum class Call { open, read, write, sync, truncate, rename, remove, sync_dir };
  // The next `count` calls of this kind on paths that contain `path_part` fail with the code
  // (io_error, disk_full). A failing write leaves a random part of its bytes.
  void fail(Call call, const std::string& path_part, Errc code, int count = 1);
  // The same, but the calls throw std::bad_alloc.
  void run_short_of_memory(Call call, const std::string& path_part, int count = 1);
  void clear_faults();
  // The power goes with the n-th call from now (1: the next, 0: never) that changes something: a
  // write is torn there, anything else does not happen. From then on every call fails, until crash().
  void cut_power_after(uint64_t changes);
  bool power_is_cut() const;
  uint64_t changes() const;  // such calls since construction
  // Bytes that all files together may have; writes beyond are disk_full. 0: no bound.
  void set_capacity(uint64_t bytes);

  uint64_t used_bytes() const;
  uint64_t writes() const;  // since construction
  uint64_t syncs() const;

  Result<std::shared_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Result<DirEntry> stat(const std::string& path) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> remove(const std::string& path) override;
  Result<void> remove_all(const std::string& path) override;
  Result<void> make_dirs(const std::string& path) override;
  Result<std::vector<DirEntry>> list(const std::string& directory) override;
  Result<void> sync_dir(const std::string& directory) override;
  Result<void> sync_all(const std::string& directory) override;
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override;
  Result<Space> space(const std::string& path) override;
  bool is_writable(const std::string& directory) override;

 private:
  struct Write {
    bool is_truncate;
    uint64_t position;  // or the new size
    Bytes bytes;
  };
  // The content of a file, whatever its names are.
  struct Node {
    Bytes now;
    Bytes durable;
    std::vector<Write> unsynced;
  };
  using NodePtr = std::shared_ptr<Node>;
  // A change of names that no sync_dir has made durable.
  struct NameChange {
    enum class Kind { file, directory, rename, remove } kind;
    std::string path;
    std::string to;
    NodePtr node;
  };
  struct Fault {
    Call call;
    std::string path_part;
    std::optional<Errc> code;  // nothing: throws
    int count;
  };
  class OpenFile;
  class HeldLock;

  std::optional<Error> fault(Call call, const std::string& path);
  void count_change();
  std::optional<Error> change(Call call, const std::string& path);
  static void apply(Bytes& bytes, const Write& write);
  void apply(const NameChange& change);  // to the durable names
  Bytes prefix_of(const Node& node);
  Bytes mixture_of(const Node& node);
  bool has_dir(const std::string& path) const;
  uint64_t used() const;

  mutable std::mutex mutex_;
  std::mt19937_64 random_;
  std::map<std::string, NodePtr> files_;          // now
  std::set<std::string> dirs_;                    // now
  std::map<std::string, NodePtr> durable_files_;  // after a crash
  std::set<std::string> durable_dirs_;
  std::vector<NameChange> name_changes_;  // in their order
  std::set<std::string> locks_;
  std::vector<Fault> faults_;
  uint64_t capacity_ = 0;
  uint64_t generation_ = 0;  // goes up with every crash
  uint64_t writes_ = 0;
  uint64_t syncs_ = 0;
  uint64_t changes_ = 0;
  uint64_t cut_at_ = 0;  // of changes_; 0: never
  bool cut_ = false;
};

}  // namespace odradek::fs
