#pragma once
// FlushWork: an fsync to come, taken from a log by Log::begin_flush. It touches no state of the log
// and may run on any thread while the log goes on. Works of many logs can run as one.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/fs/file_system.h"
#include "common/ids.h"
#include "common/result.h"

namespace odradek::broker::log {

class FlushWork {
 public:
  bool empty() const { return files_.empty() && paths_.empty() && directories_.empty(); }
  // A failure must take the directory offline and is never retried.
  Result<void> run();
  Offset end_offset() const { return end_offset_; }

  // Takes a later work of the same log on: both run as one, up to the end of the later one.
  void add_later(FlushWork later);
  // Runs all of them, of logs below one log directory: file by file where they are few, else with
  // one call for the whole file system. As run().
  static Result<void> run_together(fs::FileSystem& file_system, const std::string& directory,
                                   const std::vector<FlushWork*>& works);

 private:
  friend class Log;
  fs::FileSystem* file_system_ = nullptr;
  std::vector<std::shared_ptr<fs::File>> files_;
  std::vector<std::string> paths_;  // small files, opened by run()
  std::vector<std::string> directories_;
  Offset end_offset_{0};
  uint64_t cuts_ = 0;  // of the log when it began
  uint64_t log_number_ = 0;  // whose work it is
};

}  // namespace odradek::broker::log
