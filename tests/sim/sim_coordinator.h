#pragma once
// SimCoordinator: the coordinator's process in the simulation: the real pipeline on a disk in
// memory. The commit takes its time and may fail, and a crash may fall before it, or behind it with
// the replies unsent. The process may be paused.

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "coordinator/pipeline/pipeline.h"
#include "coordinator/store/memory_store.h"
#include "tests/sim/world.h"

namespace odradek::sim {

// What runs beside the pipeline and dies with it (the controller, the port).
class CoordinatorPart {
 public:
  virtual ~CoordinatorPart() = default;
};

// Of the commits to come.
struct DiskHabits {
  int64_t most_ms = 3;          // a commit takes 0 to so many
  bool next_one_fails = false;  // with an error; whether it was written all the same is chance
  // Changes what is written: a bug put in on purpose.
  std::function<void(coordinator::store::Batch&)> spoil;
};

class SimCoordinator {
 public:
  using MakePart = std::function<std::unique_ptr<CoordinatorPart>(SimCoordinator&)>;

  explicit SimCoordinator(World& world);

  // Before start:
  void add_part(MakePart make) { makers_.push_back(std::move(make)); }
  coordinator::pipeline::PipelineOptions& options() { return options_; }
  // Called whenever the process has come up, and when it is gone by itself (its disk failed).
  void on_up(std::function<void()> handler) { on_up_ = std::move(handler); }
  void on_died(std::function<void()> handler) { on_died_ = std::move(handler); }

  void start();
  // The machine goes down: what was not synced is lost.
  void crash();
  // The process stands still for so long; its clock goes on.
  void pause(int64_t ms) { node_.pause(ms); }

  World& world() { return node_.world(); }
  Node& node() { return node_; }
  bool up() const { return node_.up(); }
  DiskHabits& disk() { return disk_; }
  coordinator::pipeline::Pipeline& pipeline() { return *pipeline_; }
  coordinator::store::MemoryStore& store() { return store_; }
  template <typename Part>
  Part* part() {
    for (auto& part : parts_) {
      if (auto* found = dynamic_cast<Part*>(part.get())) return found;
    }
    return nullptr;
  }
  // A bug put in on purpose: the process does not notice that it stood still, and its ticks of that
  // time come one after another.
  void tick_through(int64_t ms);

 private:
  // Commits on this node some time after it was asked.
  class SlowCommitter final : public coordinator::pipeline::Committer {
   public:
    SlowCommitter(Node& node, DiskHabits& disk) : node_(node), disk_(disk) {}
    void commit(coordinator::store::Store& store, coordinator::store::Batch batch,
                coordinator::store::Fence fence, Done done) override;
    // What was committed and not told dies with the process.
    void forget() { outcome_.reset(); }

   private:
    Result<coordinator::store::SnapshotRef> write(coordinator::store::Store& store,
                                                  coordinator::store::Batch& batch,
                                                  coordinator::store::Fence fence);
    Node& node_;
    DiskHabits& disk_;
    std::optional<Result<coordinator::store::SnapshotRef>> outcome_;
  };

  // The world's clock, or one behind it.
  class ProcessClock final : public Clock {
   public:
    explicit ProcessClock(World& world) : world_(world) {}
    int64_t wall_ms() const override { return world_.clock().wall_ms(); }
    int64_t monotonic_ms() const override { return world_.now_ms() - behind_ms; }
    int64_t behind_ms = 0;

   private:
    World& world_;
  };

  void tick();
  void die();
  void clear();

  Node node_;
  DiskHabits disk_;
  ProcessClock clock_;
  coordinator::pipeline::PipelineOptions options_;
  coordinator::store::MemoryStore store_;
  SlowCommitter committer_;
  std::unique_ptr<coordinator::pipeline::Pipeline> pipeline_;
  std::vector<MakePart> makers_;
  std::vector<std::unique_ptr<CoordinatorPart>> parts_;
  std::function<void()> on_up_;
  std::function<void()> on_died_;
};

}  // namespace odradek::sim
