#pragma once
// The operating system's files (Linux). Stateless; any thread.

#include "common/fs/file_system.h"

namespace odradek::fs {

class RealFileSystem final : public FileSystem {
 public:
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
};

}  // namespace odradek::fs
