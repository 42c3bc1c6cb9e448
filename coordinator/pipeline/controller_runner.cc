#include "coordinator/pipeline/controller_runner.h"

#include <algorithm>
#include <cstring>

#include "common/log/log.h"

namespace odradek::coordinator::pipeline {

namespace {

// The sessions that hold /controller have the longest time-out there is; they are touched long
// before.
constexpr int64_t kTouchEveryMs = 3'600'000;

}  // namespace

ControllerRunner::ControllerRunner(Pipeline& pipeline, controller::Settings settings,
                                   Randomness randomness)
    : pipeline_(pipeline), controller_(settings), randomness_(std::move(randomness)) {
  pipeline_.observe(this);
  pipeline_.set_guard(this);
}

ControllerRunner::~ControllerRunner() {
  *alive_ = false;
  pipeline_.unobserve(this);
  pipeline_.set_guard(nullptr);
}

void ControllerRunner::start() {
  touched_ms_ = pipeline_.clock().monotonic_ms();
  controller_.load(world());
  schedule();
}

void ControllerRunner::tick() { schedule(); }

std::optional<int64_t> ControllerRunner::next_wake_ms() const {
  auto wake_ms = controller_.next_wake_ms();
  if (controller_.clusters().empty()) return wake_ms;
  int64_t touch_ms = touched_ms_ + kTouchEveryMs;
  return std::min(wake_ms.value_or(touch_ms), touch_ms);
}

void ControllerRunner::on_commit(const tree::Commit& commit) {
  controller_.observe(commit, pipeline_.clock().monotonic_ms());
  schedule();
}

// One round for all commits of a step; outside of a step at once.
void ControllerRunner::schedule() {
  if (scheduled_) return;
  scheduled_ = true;
  pipeline_.after_step([this, alive = alive_] {
    if (!*alive) return;
    scheduled_ = false;
    round();
  });
}

void ControllerRunner::round() {
  controller::World now = world();
  touch_own_sessions(now.now_ms);
  if (controller_.wants_step(now.now_ms)) {
    for (controller::Proposal& proposal : controller_.step(now)) {
      auto done = [this, alive = alive_, settled = std::move(proposal.settled)](WriteReply reply) {
        if (!*alive) return;
        controller::Outcome outcome;
        outcome.zxid = reply.zxid;
        if (reply.failure) outcome.error = reply.failure->error;
        settled(outcome);
        schedule();
      };
      pipeline_.write(Write::internal(std::move(proposal.operations), proposal.session),
                      std::move(done));
    }
  }
  if (on_round_) on_round_();
}

void ControllerRunner::touch_own_sessions(int64_t now_ms) {
  if (now_ms < touched_ms_ + kTouchEveryMs) return;
  touched_ms_ = now_ms;
  for (const auto& [chroot, cluster] : controller_.clusters()) {
    if (cluster->session() != SessionId()) pipeline_.touch(cluster->session());
  }
}

std::optional<Error> ControllerRunner::refuse(const Write& write,
                                              const tree::Operation& operation) {
  const auto* create = std::get_if<tree::CreateOp>(&operation);
  if (create == nullptr || !controller_.refuses_create(create->path)) return std::nullopt;
  LOG_WARN("controller",
           "Session 0x{:x} may not create {}: brokers that registered by gRPC run this cluster",
           static_cast<uint64_t>(write.session.value()), create->path);
  return Error(Errc::node_exists, create->path + " belongs to the coordinator's controller");
}

controller::World ControllerRunner::world() {
  return controller::World{pipeline_.applied_store(), pipeline_.last_zxid(),
                           pipeline_.clock().monotonic_ms(), pipeline_.clock().wall_ms(), *this};
}

Uuid ControllerRunner::new_uuid() { return randomness_.uuid ? randomness_.uuid() : Uuid::random(); }

uint32_t ControllerRunner::random_below(uint32_t bound) {
  if (randomness_.below) return randomness_.below(bound);
  Uuid uuid = Uuid::random();
  uint32_t bits = 0;
  std::memcpy(&bits, uuid.bytes.data() + 10, sizeof bits);
  return bits % bound;
}

controller::SessionIds ControllerRunner::new_session(int32_t timeout_ms, bool exact) {
  Pipeline::SessionRequest request;
  request.timeout_ms = timeout_ms;
  request.exact_timeout = exact;
  Pipeline::SessionGrant grant = pipeline_.new_session_ids(request);
  return {grant.session, grant.timeout_ms, grant.password};
}

}  // namespace odradek::coordinator::pipeline
