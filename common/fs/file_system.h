#pragma once
// Files as the services see them: the only folder that calls the operating system for files.
// FileSystem is implemented by RealFileSystem (real_file_system.h) and by the in-memory
// FaultyFileSystem of the tests. Every object here may be used from several threads at once, as the
// calls of the operating system may. Errors: disk_full for ENOSPC and EDQUOT, permission_denied for
// EACCES, EPERM and EROFS, not_found for ENOENT, already_exists for EEXIST, limit_exceeded for
// EMFILE, ENFILE and ENOMEM, io_error for the rest; the sentence always names the path.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/bytes/byte_writer.h"
#include "common/result.h"

namespace odradek::fs {

// An open file. It stays readable after its name was renamed or removed.
class File {
 public:
  explicit File(std::string path) : path_(std::move(path)) {}
  virtual ~File() = default;
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  // Reads up to `size` bytes at `position`; fewer only where the file ends.
  virtual Result<size_t> pread(char* buffer, size_t size, uint64_t position) = 0;
  // Writes all bytes at `position`. After an error a part of them may stand in the file.
  virtual Result<void> pwrite(ByteView bytes, uint64_t position) = 0;
  // Returns when content and length are on the disk. After an error the file must not be trusted
  // again.
  virtual Result<void> sync() = 0;
  virtual Result<void> truncate(uint64_t size) = 0;
  virtual Result<uint64_t> size() = 0;
  // The descriptor for sendfile; -1 where the file system is not the operating system's.
  virtual int fd() const = 0;

  // Reads exactly `size` bytes; a file that ends earlier is an io_error.
  Result<void> pread_exact(char* buffer, size_t size, uint64_t position);
  // The path that it was opened by.
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

enum class OpenMode {
  read,        // must exist
  read_write,  // must exist
  create,      // read and write; made where absent
  create_new,  // read and write; already_exists where it is there
};

struct DirEntry {
  std::string name;  // last part of the path only
  bool is_directory = false;
  uint64_t size = 0;
  int64_t modified_ms = 0;  // since 1970
};

struct Space {
  uint64_t total_bytes = 0;
  uint64_t free_bytes = 0;  // for this user
};

// Held while it lives; the system drops it when the process ends.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

// What a crash leaves of a file written by write_file_atomically.
enum class Durability {
  full,        // the new content: file and directory are synced
  old_or_new,  // the old or the new content: only the file is synced
  lazy,        // anything until a later sync; for what can be rebuilt
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  virtual Result<std::shared_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  virtual Result<DirEntry> stat(const std::string& path) = 0;
  virtual Result<void> rename(const std::string& from, const std::string& to) = 0;
  virtual Result<void> remove(const std::string& path) = 0;  // a file or an empty directory
  virtual Result<void> remove_all(
      const std::string& path) = 0;  // with content; success where absent
  virtual Result<void> make_dirs(
      const std::string& path) = 0;  // with parents; success where present
  // Without "." and "..", sorted by name.
  virtual Result<std::vector<DirEntry>> list(const std::string& directory) = 0;
  // Returns when creates, renames and removes in this directory are on the disk.
  virtual Result<void> sync_dir(const std::string& directory) = 0;
  // Returns when everything written so far below this directory is on the disk, and perhaps more
  // than that: one call in place of a sync for each of many files.
  virtual Result<void> sync_all(const std::string& directory) = 0;
  // Makes the file where absent. Excludes other processes (Java's FileChannel.lock as well) and
  // other callers in this one; Errc::locked where someone holds it.
  virtual Result<std::unique_ptr<FileLock>> lock(const std::string& path) = 0;
  virtual Result<Space> space(const std::string& path) = 0;
  // False where the user may not create files in the directory.
  virtual bool is_writable(const std::string& directory) = 0;

  bool exists(const std::string& path) { return stat(path).ok(); }
  // The whole file; limit_exceeded above `max_size`.
  Result<Bytes> read_file(const std::string& path, size_t max_size);
  // NAME.tmp is written, then renamed over NAME, with as many syncs as `durability` asks for.
  Result<void> write_file_atomically(const std::string& path, ByteView bytes,
                                     Durability durability);
};

// "a/b/c" -> "a/b"; "c" -> ".".
std::string parent_of(const std::string& path);

}  // namespace odradek::fs
