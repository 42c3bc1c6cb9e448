#pragma once
// Committer: the step that waits for the disk. The service runs it on a thread of its own
// (commit_thread.h), the simulator by hand (ManualCommitter).

#include <functional>
#include <optional>

#include "coordinator/store/store.h"

namespace odradek::coordinator::pipeline {

class Committer {
 public:
  using Done = std::function<void(Result<store::SnapshotRef>)>;

  virtual ~Committer() = default;
  // Commits the batch to the store and calls `done` on the tree thread, never inside this call. One
  // batch at a time: the pipeline gives the next after `done` of the one before began.
  virtual void commit(store::Store& store, store::Batch batch, store::Fence fence, Done done) = 0;
};

// Commits when told to: for tests and the simulator.
class ManualCommitter final : public Committer {
 public:
  void commit(store::Store& store, store::Batch batch, store::Fence fence, Done done) override {
    store_ = &store;
    batch_ = std::move(batch);
    fence_ = fence;
    done_ = std::move(done);
  }
  bool waiting() const { return static_cast<bool>(done_); }
  // Commits what waits and tells; false where nothing waits.
  bool step() {
    if (!done_) return false;
    auto outcome = store_->commit(batch_, fence_);
    Done done = std::exchange(done_, nullptr);
    done(std::move(outcome));
    return true;
  }
  // Until nothing waits.
  void run() {
    while (step()) {
    }
  }

 private:
  store::Store* store_ = nullptr;
  store::Batch batch_;
  store::Fence fence_;
  Done done_;
};

}  // namespace odradek::coordinator::pipeline
