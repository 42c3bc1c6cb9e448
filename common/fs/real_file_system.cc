#include "common/fs/real_file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "common/format.h"

namespace odradek::fs {
namespace {

Errc code_of(int number) {
  switch (number) {
    case ENOSPC:
    case EDQUOT:
      return Errc::disk_full;
    case EACCES:
    case EPERM:
    case EROFS:
      return Errc::permission_denied;
    case ENOENT:
      return Errc::not_found;
    case EEXIST:
      return Errc::already_exists;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return Errc::limit_exceeded;
    default:
      return Errc::io_error;
  }
}

Error failure(std::string_view what, const std::string& path, int number = errno) {
  char text[128];
  return Error(code_of(number), format("cannot {} {}: {}", what, path,
                                       std::string_view(strerror_r(number, text, sizeof text))));
}

int64_t ms_of(const timespec& time) { return time.tv_sec * 1000 + time.tv_nsec / 1'000'000; }

class RealFile final : public File {
 public:
  RealFile(std::string path, int fd) : File(std::move(path)), fd_(fd) {}
  ~RealFile() override { ::close(fd_); }

  Result<size_t> pread(char* buffer, size_t size, uint64_t position) override {
    size_t done = 0;
    while (done < size) {
      ssize_t got = ::pread(fd_, buffer + done, size - done, static_cast<off_t>(position + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return failure("read", path());
      if (got == 0) break;
      done += static_cast<size_t>(got);
    }
    return done;
  }

  Result<void> pwrite(ByteView bytes, uint64_t position) override {
    while (!bytes.empty()) {
      ssize_t put = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(position));
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return failure("write", path());
      bytes.remove_prefix(static_cast<size_t>(put));
      position += static_cast<uint64_t>(put);
    }
    return {};
  }

  Result<void> sync() override {
    if (::fdatasync(fd_) != 0) return failure("sync", path());
    return {};
  }

  Result<void> truncate(uint64_t size) override {
    while (::ftruncate(fd_, static_cast<off_t>(size)) != 0) {
      if (errno != EINTR) return failure("truncate", path());
    }
    return {};
  }

  Result<uint64_t> size() override {
    struct stat status;
    if (::fstat(fd_, &status) != 0) return failure("look at", path());
    return static_cast<uint64_t>(status.st_size);
  }

  int fd() const override { return fd_; }

 private:
  const int fd_;
};

class RealLock final : public FileLock {
 public:
  explicit RealLock(int fd) : fd_(fd) {}
  ~RealLock() override { ::close(fd_); }

 private:
  const int fd_;
};

DirEntry entry_of(std::string name, const struct stat& status) {
  return DirEntry{std::move(name), S_ISDIR(status.st_mode), static_cast<uint64_t>(status.st_size),
                  ms_of(status.st_mtim)};
}

}  // namespace

Result<std::shared_ptr<File>> RealFileSystem::open(const std::string& path, OpenMode mode) {
  int flags = O_CLOEXEC;
  switch (mode) {
    case OpenMode::read:
      flags |= O_RDONLY;
      break;
    case OpenMode::read_write:
      flags |= O_RDWR;
      break;
    case OpenMode::create:
      flags |= O_RDWR | O_CREAT;
      break;
    case OpenMode::create_new:
      flags |= O_RDWR | O_CREAT | O_EXCL;
      break;
  }
  int fd = ::open(path.c_str(), flags, 0644);
  if (fd < 0) return failure("open", path);
  return std::shared_ptr<File>(std::make_shared<RealFile>(path, fd));
}

Result<DirEntry> RealFileSystem::stat(const std::string& path) {
  struct stat status;
  if (::stat(path.c_str(), &status) != 0) return failure("look at", path);
  size_t slash = path.find_last_of('/');
  return entry_of(slash == std::string::npos ? path : path.substr(slash + 1), status);
}

Result<void> RealFileSystem::rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return failure(format("rename to {}", to), from);
  return {};
}

Result<void> RealFileSystem::remove(const std::string& path) {
  if (::remove(path.c_str()) != 0) return failure("remove", path);
  return {};
}

Result<void> RealFileSystem::remove_all(const std::string& path) {
  struct stat status;
  if (::lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return {};
    return failure("look at", path);
  }
  if (S_ISDIR(status.st_mode)) {
    Result<std::vector<DirEntry>> entries = list(path);
    if (!entries) return entries.error();
    for (const DirEntry& entry : *entries) {
      if (Result<void> removed = remove_all(path + "/" + entry.name); !removed) return removed;
    }
  }
  if (::remove(path.c_str()) != 0 && errno != ENOENT) return failure("remove", path);
  return {};
}

Result<void> RealFileSystem::make_dirs(const std::string& path) {
  struct stat status;
  if (::stat(path.c_str(), &status) == 0) {
    if (S_ISDIR(status.st_mode)) return {};
    return failure("make directory", path, ENOTDIR);
  }
  std::string parent = parent_of(path);
  if (parent != path && parent != ".") {
    if (Result<void> made = make_dirs(parent); !made) return made;
  }
  if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) return failure("make directory", path);
  return {};
}

Result<std::vector<DirEntry>> RealFileSystem::list(const std::string& directory) {
  DIR* stream = ::opendir(directory.c_str());
  if (!stream) return failure("list", directory);
  std::vector<DirEntry> entries;
  while (true) {
    errno = 0;
    dirent* item = ::readdir(stream);
    if (!item) {
      if (errno != 0) {
        Error error = failure("list", directory);
        ::closedir(stream);
        return error;
      }
      break;
    }
    std::string name = item->d_name;
    if (name == "." || name == "..") continue;
    struct stat status;
    // what vanishes meanwhile, or points nowhere, is not there
    if (::fstatat(::dirfd(stream), name.c_str(), &status, 0) != 0 &&
        ::fstatat(::dirfd(stream), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
      continue;
    }
    entries.push_back(entry_of(std::move(name), status));
  }
  ::closedir(stream);
  std::sort(entries.begin(), entries.end(),
            [](const DirEntry& left, const DirEntry& right) { return left.name < right.name; });
  return entries;
}

Result<void> RealFileSystem::sync_dir(const std::string& directory) {
  int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return failure("open", directory);
  int failed = ::fsync(fd);
  int number = errno;
  ::close(fd);
  // EINVAL: a file system that has no such call
  if (failed != 0 && number != EINVAL) return failure("sync", directory, number);
  return {};
}

Result<void> RealFileSystem::sync_all(const std::string& directory) {
  int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return failure("open", directory);
  int failed = ::syncfs(fd);  // tells of write errors since Linux 5.8
  int number = errno;
  ::close(fd);
  if (failed != 0) return failure("sync", directory, number);
  return {};
}

Result<std::unique_ptr<FileLock>> RealFileSystem::lock(const std::string& path) {
  int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return failure("open", path);
  // A lock of the open file: it meets the POSIX locks that Java takes, and other opens within this
  // process.
  struct flock range {};
  range.l_type = F_WRLCK;
  range.l_whence = SEEK_SET;
  if (::fcntl(fd, F_OFD_SETLK, &range) != 0) {
    int number = errno;
    ::close(fd);
    if (number == EAGAIN || number == EACCES) {
      return Error(Errc::locked, format("{} is held by another process", path));
    }
    return failure("lock", path, number);
  }
  return std::unique_ptr<FileLock>(std::make_unique<RealLock>(fd));
}

Result<Space> RealFileSystem::space(const std::string& path) {
  struct statvfs status;
  if (::statvfs(path.c_str(), &status) != 0) return failure("look at", path);
  return Space{status.f_blocks * status.f_frsize, status.f_bavail * status.f_frsize};
}

bool RealFileSystem::is_writable(const std::string& directory) {
  return ::access(directory.c_str(), W_OK | X_OK) == 0;
}

}  // namespace odradek::fs
