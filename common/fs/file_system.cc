#include "common/fs/file_system.h"

#include "common/format.h"

namespace odradek::fs {

Result<void> File::pread_exact(char* buffer, size_t size, uint64_t position) {
  Result<size_t> got = pread(buffer, size, position);
  if (!got) return got.error();
  if (*got < size) {
    return Error(Errc::io_error, format("{} ends {} bytes before position {}", path_, size - *got,
                                        position + size));
  }
  return {};
}

Result<Bytes> FileSystem::read_file(const std::string& path, size_t max_size) {
  Result<std::shared_ptr<File>> file = open(path, OpenMode::read);
  if (!file) return file.error();
  Result<uint64_t> size = (*file)->size();
  if (!size) return size.error();
  if (*size > max_size) {
    return Error(Errc::limit_exceeded,
                 format("{} has {} bytes, expected at most {}", path, *size, max_size));
  }
  Bytes bytes(*size, '\0');
  Result<size_t> got = (*file)->pread(bytes.data(), bytes.size(), 0);
  if (!got) return got.error();
  bytes.resize(*got);
  return bytes;
}

Result<void> FileSystem::write_file_atomically(const std::string& path, ByteView bytes,
                                               Durability durability) {
  const std::string temporary = path + ".tmp";
  {
    Result<std::shared_ptr<File>> file = open(temporary, OpenMode::create);
    if (!file) return file.error();
    if (Result<void> cut = (*file)->truncate(0); !cut) return cut;
    if (Result<void> written = (*file)->pwrite(bytes, 0); !written) {
      (void)remove(temporary);  // on a full disk the piece would only be in the way
      return written;
    }
    if (durability != Durability::lazy) {
      if (Result<void> synced = (*file)->sync(); !synced) return synced;
    }
  }
  if (Result<void> renamed = rename(temporary, path); !renamed) return renamed;
  if (durability == Durability::full) return sync_dir(parent_of(path));
  return {};
}

std::string parent_of(const std::string& path) {
  size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  if (slash == 0) return "/";
  return path.substr(0, slash);
}

}  // namespace odradek::fs
