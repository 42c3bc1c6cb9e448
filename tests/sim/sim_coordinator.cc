#include "tests/sim/sim_coordinator.h"

#include <algorithm>

#include "common/check.h"

namespace odradek::sim {

using coordinator::pipeline::Pipeline;
namespace store = coordinator::store;

void SimCoordinator::SlowCommitter::commit(store::Store& store, store::Batch batch,
                                           store::Fence fence, Done done) {
  World& world = node_.world();
  // two steps, so that a crash can fall between the disk and the replies
  node_.after(world.between(0, disk_.most_ms),
              [this, &store, batch = std::move(batch), fence, done = std::move(done)]() mutable {
                outcome_.emplace(write(store, batch, fence));
                node_.after(node_.world().between(0, 2), [this, done = std::move(done)] {
                  auto outcome = std::move(*outcome_);
                  outcome_.reset();
                  done(std::move(outcome));
                });
              });
}

Result<store::SnapshotRef> SimCoordinator::SlowCommitter::write(store::Store& store,
                                                                store::Batch& batch,
                                                                store::Fence fence) {
  if (disk_.spoil) disk_.spoil(batch);
  if (!std::exchange(disk_.next_one_fails, false)) return store.commit(batch, fence);
  if (node_.world().chance(50)) {
    if (auto written = store.commit(batch, fence); !written) return written;
  }
  return Error(Errc::io_error, "the disk failed");
}

SimCoordinator::SimCoordinator(World& world)
    : node_(world, "coordinator"), clock_(world), committer_(node_, disk_) {
  options_.tick_ms = 500;
  options_.min_session_timeout_ms = 1000;
  options_.max_session_timeout_ms = 20000;
  options_.new_password = [this] {
    coordinator::tree::Password password;
    for (uint8_t& byte : password) byte = static_cast<uint8_t>(this->world().below(256));
    return password;
  };
  options_.on_failed_commit = [this](const Error&) { die(); };
}

void SimCoordinator::start() {
  CHECK(!node_.up());
  node_.start();
  clock_.behind_ms = 0;
  auto opened = Pipeline::open(options_, clock_, store_, committer_);
  CHECK(opened.ok());
  pipeline_ = std::move(*opened);
  for (MakePart& make : makers_) parts_.push_back(make(*this));
  world().trace("coordinator starts");
  if (on_up_) on_up_();
  tick();
}

void SimCoordinator::crash() {
  CHECK(node_.up());
  world().trace("coordinator crashes");
  node_.stop();
  clear();
}

// In the middle of the pipeline's own call: it does nothing more, and is taken down behind it.
void SimCoordinator::die() {
  world().trace("coordinator ends, its disk failed");
  node_.stop();
  world().after(0, [this] {
    clear();
    if (on_died_) on_died_();
  });
}

void SimCoordinator::clear() {
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

void SimCoordinator::tick_through(int64_t ms) {
  // just before the pause ends, so that nothing that waits comes first
  world().after(ms - 1, [this, ms, incarnation = node_.incarnation()] {
    if (!node_.up() || node_.incarnation() != incarnation) return;
    for (clock_.behind_ms = ms; clock_.behind_ms > 0; clock_.behind_ms -= options_.tick_ms) {
      pipeline_->tick();
    }
    clock_.behind_ms = 0;
  });
}

}  // namespace odradek::sim
