#include "broker/log/disk_reserve.h"

#include <algorithm>

namespace odradek::broker::log {
namespace {

constexpr const char* kName = "/.odradek_reserved";
constexpr size_t kPiece = 1 << 20;

}  // namespace

DiskReserve::DiskReserve(fs::FileSystem& files, const std::string& directory, uint64_t bytes)
    : files_(files), directory_(directory), bytes_(bytes) {}

Result<void> DiskReserve::fill() {
  if (bytes_ == 0) return {};
  Result<std::shared_ptr<fs::File>> file = files_.open(directory_ + kName, fs::OpenMode::create);
  if (!file) return file.error();
  Result<uint64_t> size = (*file)->size();
  if (!size) return size.error();
  if (*size > bytes_) return (*file)->truncate(bytes_);
  const Bytes zeros(static_cast<size_t>(std::min<uint64_t>(kPiece, bytes_ - *size)), '\0');
  for (uint64_t at = *size; at < bytes_;) {
    const size_t piece = static_cast<size_t>(std::min<uint64_t>(zeros.size(), bytes_ - at));
    Result<void> written = (*file)->pwrite(ByteView(zeros).substr(0, piece), at);
    if (!written) {
      (void)(*file)->truncate(0);
      return written;
    }
    at += piece;
  }
  return {};
}

bool DiskReserve::note_full() {
  if (bytes_ == 0 || is_full_.exchange(true)) return false;
  Result<std::shared_ptr<fs::File>> file =
      files_.open(directory_ + kName, fs::OpenMode::read_write);
  if (file) (void)(*file)->truncate(0);
  return true;
}

bool DiskReserve::try_resume() {
  if (!is_full()) return true;
  // as much again for those who write: else the next append would be refused at once
  Result<fs::Space> space = files_.space(directory_);
  if (!space || space->free_bytes < 2 * bytes_ || !fill()) return false;
  is_full_ = false;
  return true;
}

}  // namespace odradek::broker::log
