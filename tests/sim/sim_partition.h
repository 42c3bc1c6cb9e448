#pragma once
// SimPartition: the broker's process in the simulator, with the real log of one partition on a disk that fails. Appends
// come by connections, are answered in order, and are acknowledged once they are flushed (flush.messages=1), so that
// even a lost machine loses nothing that was told.

#include <deque>
#include <functional>
#include <memory>

#include "broker/log/file_cache.h"
#include "broker/log/log.h"
#include "tests/sim/world.h"
#include "tests/support/faulty_file_system.h"

namespace odradek::sim {

// Bugs put in on purpose.
struct PartitionBugs {
  bool reply_before_fsync = false;
  bool reordered_append = false;  // now and then the second in the queue is appended first
};

class SimPartition {
 public:
  using Answer = std::function<void(const Result<broker::log::AppendInfo>&)>;

  SimPartition(World& world, PartitionBugs bugs);

  void start();
  void crash(fs::FaultyFileSystem::CrashMode mode);
  bool up() const { return node_.up(); }
  // A produce request arrives. The answer is never given after a crash.
  void append(Bytes batch, Answer answer);
  // Every record, in order of offsets: "producer:number". Notes breaches of the log's own form.
  std::vector<std::string> records();

 private:
  struct Request {
    Bytes batch;
    Answer answer;
  };
  void work();

  World& world_;
  const PartitionBugs bugs_;
  Node node_;
  fs::FaultyFileSystem files_;
  broker::log::FileCache cache_{files_, 8};
  std::shared_ptr<const broker::log::LogConfig> config_;
  std::unique_ptr<broker::log::Log> log_;
  std::deque<Request> queue_;
  bool working_ = false;
  int32_t leader_epoch_ = 0;
};

}  // namespace odradek::sim
