#pragma once
// DiskReserve: room on a disk that is kept back for the broker itself (log.dirs.reserved.bytes). A
// file of zeros, .odradek_reserved, lies in the log directory; where the disk is full it is emptied,
// so that checkpoints can be written and segments deleted, while nothing is appended. When there is
// room again the file is filled first, and then writing goes on. A file, and no look at the free
// space before each append: others write to the same disk, too, and what is written cannot be
// taken.
//
// Any thread. fill and try_resume are blocking and have one caller at a time.

#include <atomic>
#include <cstdint>
#include <string>

#include "common/fs/file_system.h"
#include "common/result.h"

namespace odradek::broker::log {

class DiskReserve {
 public:
  // 0 bytes: none is kept, and the disk is never called full here.
  DiskReserve(fs::FileSystem& files, const std::string& directory, uint64_t bytes);

  // Makes or completes the file. disk_full where there is no room for it.
  Result<void> fill();
  bool is_full() const { return is_full_.load(std::memory_order_relaxed); }
  // The disk is full: gives the room free. True for the first who says so.
  bool note_full();
  // True where there is room again, and it is kept back again.
  bool try_resume();

 private:
  fs::FileSystem& files_;
  const std::string directory_;
  const uint64_t bytes_;
  std::atomic<bool> is_full_ = false;
};

}  // namespace odradek::broker::log
