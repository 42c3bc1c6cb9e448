#pragma once
// CommitThread: the committer of the service. One thread that waits for the disk; what it brings
// back is posted to the tree thread. A commit that fails ends the process: what is on disk is
// unknown, and trying again could hide it.

#include <condition_variable>
#include <functional>
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

  // Called on the tree thread before each commit's `done`, with how long the store took and whether
  // that was above the warning. Set before the first commit.
  void on_commit(std::function<void(int64_t took_us, bool slow)> fn) { on_commit_ = std::move(fn); }

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
  std::mutex mutex_;
  std::condition_variable wake_;
  std::optional<Job> job_;
  bool stopped_ = false;
  std::function<void(int64_t, bool)> on_commit_;
  std::thread thread_;
};

}  // namespace odradek::coordinator::pipeline
