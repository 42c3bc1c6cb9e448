#pragma once
// ControllerRunner puts the controller beside the pipeline: it shows it every commit, writes what
// it proposes, and tells it how that ended. It guards managed clusters against ZooKeeper sessions
// that would lead them (design decision 4). Lives on the tree thread. The service and the simulator
// use it alike; only who calls tick() differs.

#include <functional>
#include <memory>
#include <optional>

#include "coordinator/controller/controller.h"
#include "coordinator/pipeline/pipeline.h"

namespace odradek::coordinator::pipeline {

// Where ids and the spread of partitions come from; the simulator gives seeded ones.
struct Randomness {
  std::function<Uuid()> uuid;               // empty: the system's random source
  std::function<uint32_t(uint32_t)> below;  // 0..argument-1; empty: the system's
};

class ControllerRunner final : public tree::CommitObserver,
                               public RequestGuard,
                               private controller::Environment {
 public:
  // The pipeline must outlive the runner. Takes its guard.
  ControllerRunner(Pipeline& pipeline, controller::Settings settings, Randomness randomness = {});
  ~ControllerRunner() override;

  // Reads the whole tree and begins to act.
  void start();
  // Called once after the controller was given something (a call), and at or after next_wake_ms
  // (monotonic).
  void tick();
  std::optional<int64_t> next_wake_ms() const;
  // Called after each round, when next_wake_ms may have moved.
  void on_round(std::function<void()> handler) { on_round_ = std::move(handler); }

  controller::Controller& controller() { return controller_; }
  const controller::Controller& controller() const { return controller_; }

  void on_commit(const tree::Commit& commit) override;
  std::optional<Error> refuse(const Write& write, const tree::Operation& operation) override;

 private:
  Uuid new_uuid() override;
  uint32_t random_below(uint32_t bound) override;
  controller::SessionIds new_session(int32_t timeout_ms, bool exact) override;

  controller::World world();
  void schedule();
  void round();
  void touch_own_sessions(int64_t now_ms);

  Pipeline& pipeline_;
  controller::Controller controller_;
  Randomness randomness_;
  std::function<void()> on_round_;
  bool scheduled_ = false;
  int64_t touched_ms_ = 0;
  std::shared_ptr<bool> alive_ =
      std::make_shared<bool>(true);  // for callbacks that come after the runner
};

}  // namespace odradek::coordinator::pipeline
