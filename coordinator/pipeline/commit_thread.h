#pragma once
// CommitThread: the committer of the service. One thread that waits for the disk; what it brings
// back is posted to the tree thread. A commit that fails ends the process: what is on disk is
// unknown, and trying again could hide it.

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "common/runtime/executor.h"
#include "coordinator/pipeline/committer.h"

namespace odradek::coordinator::pipeline {

class CommitThread final : public Committer {
 public:
  // A commit that takes longer than `warning_ms` is logged, at most once in ten seconds.
  CommitThread(runtime::Executor tree, int64_t warning_ms);
  ~CommitThread() override;  // stops
  void commit(store::Store& store, store::Batch batch, store::Fence fence, Done done) override;
  // Lets the commit that runs end, then joins. Its `done` may not run any more.
  void stop();

  // Of the last commits, for mntr: how many, and milliseconds in all and at most.
  struct SyncTimes {
    int64_t count = 0;
    int64_t sum_us = 0;
    int64_t max_us = 0;
  };
  SyncTimes sync_times() const;

 private:
  struct Job {
    store::Store* store;
    store::Batch batch;
    store::Fence fence;
    Done done;
  };
  void work();

  runtime::Executor tree_;
  const int64_t warning_ms_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::optional<Job> job_;
  bool stopped_ = false;
  SyncTimes times_;
  std::thread thread_;
};

}  // namespace odradek::coordinator::pipeline
