#include "tests/sim/sim_coordinator.h"

#include <algorithm>

#include "common/check.h"

namespace odradek::sim {

using coordinator::pipeline::Pipeline;
using coordinator::pipeline::PipelineOptions;

void SimCoordinator::SlowCommitter::commit(coordinator::store::Store& store, coordinator::store::Batch batch,
                                           coordinator::store::Fence fence, Done done) {
  World& world = node_.world();
  // two steps, so that a crash can fall between the disk and the replies
  node_.after(world.between(0, 3), [this, &store, batch = std::move(batch), fence, done = std::move(done)] {
    outcome_.emplace(store.commit(batch, fence));
    node_.after(node_.world().between(0, 2), [this, done] {
      auto outcome = std::move(*outcome_);
      outcome_.reset();
      done(std::move(outcome));
    });
  });
}

void SimCoordinator::start() {
  CHECK(!node_.up());
  node_.start();
  PipelineOptions options;
  options.tick_ms = 500;
  options.min_session_timeout_ms = 1000;
  options.max_session_timeout_ms = 20000;
  options.new_password = [this] {
    coordinator::tree::Password password;
    for (uint8_t& byte : password) byte = static_cast<uint8_t>(world().below(256));
    return password;
  };
  auto opened = Pipeline::open(options, world().clock(), store_, committer_);
  CHECK(opened.ok());
  pipeline_ = std::move(*opened);
  for (MakePart& make : makers_) parts_.push_back(make(*this));
  world().trace("coordinator starts");
  tick();
}

void SimCoordinator::crash() {
  CHECK(node_.up());
  world().trace("coordinator crashes");
  node_.stop();
  parts_.clear();
  pipeline_.reset();
  committer_.forget();
  store_.crash();
}

void SimCoordinator::tick() {
  pipeline_->tick();
  int64_t wait = std::max<int64_t>(1, pipeline_->next_tick_ms() - world().now_ms());
  node_.after(wait, [this] { tick(); });
}

}  // namespace odradek::sim
