#pragma once
// SimCoordinator: the coordinator's process in the simulator: the real pipeline on a disk in memory. The commit takes
// its time, and a crash may fall before it, or behind it with the replies unsent.

#include <memory>
#include <optional>
#include <vector>

#include "coordinator/pipeline/pipeline.h"
#include "coordinator/store/memory_store.h"
#include "tests/sim/world.h"

namespace odradek::sim {

// What runs beside the pipeline and dies with it (the controller).
class CoordinatorPart {
 public:
  virtual ~CoordinatorPart() = default;
};

class SimCoordinator {
 public:
  using MakePart = std::function<std::unique_ptr<CoordinatorPart>(SimCoordinator&)>;

  explicit SimCoordinator(World& world) : node_(world, "coordinator") {}

  void add_part(MakePart make) { makers_.push_back(std::move(make)); }
  void start();
  // The machine goes down: what was not synced is lost.
  void crash();

  World& world() { return node_.world(); }
  Node& node() { return node_; }
  bool up() const { return node_.up(); }
  coordinator::pipeline::Pipeline& pipeline() { return *pipeline_; }
  coordinator::store::MemoryStore& store() { return store_; }
  template <typename Part>
  Part* part() {
    for (auto& part : parts_) {
      if (auto* found = dynamic_cast<Part*>(part.get())) return found;
    }
    return nullptr;
  }

 private:
  // Commits on this node some time after it was asked.
  class SlowCommitter final : public coordinator::pipeline::Committer {
   public:
    explicit SlowCommitter(Node& node) : node_(node) {}
    void commit(coordinator::store::Store& store, coordinator::store::Batch batch,
                coordinator::store::Fence fence, Done done) override;
    // What was committed and not told dies with the process.
    void forget() { outcome_.reset(); }

   private:
    Node& node_;
    std::optional<Result<coordinator::store::SnapshotRef>> outcome_;
  };

  void tick();

  Node node_;
  coordinator::store::MemoryStore store_;
  SlowCommitter committer_{node_};
  std::unique_ptr<coordinator::pipeline::Pipeline> pipeline_;
  std::vector<MakePart> makers_;
  std::vector<std::unique_ptr<CoordinatorPart>> parts_;
};

}  // namespace odradek::sim
