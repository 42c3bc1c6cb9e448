#include "tests/sim/tree/tree_run.h"

#include <algorithm>

#include "common/format.h"
#include "coordinator/store/layout.h"
#include "tests/sim/tree/sim_connection.h"

namespace odradek::sim {

namespace store = coordinator::store;
namespace pipeline = coordinator::pipeline;

namespace {

constexpr int kClients = 4;
constexpr int64_t kTroubleMs = 20'000;
// Long enough for the longest time-out and the sweep.
constexpr int64_t kQuietMs = 18'000;
constexpr int64_t kTickMs = 500;
constexpr int64_t kSweepMs = 1500;
constexpr int64_t kHourMs = 3'600'000;

bool is_gone(const store::Batch::Entry& entry, char kind) {
  return entry.key.front() == kind && !entry.value;
}

bool any_gone(const store::Batch& batch, char kind) {
  for (const auto& entry : batch.entries) {
    if (is_gone(entry, kind)) return true;
  }
  return false;
}

// See LAYOUT.md for the first byte of a key.
constexpr char kNodeKey = 'n';
constexpr char kSessionKey = 's';

void keep_an_ephemeral(store::Batch& batch) {
  if (!any_gone(batch, kSessionKey)) return;
  auto at = std::find_if(batch.entries.begin(), batch.entries.end(),
                         [](const auto& entry) { return is_gone(entry, kNodeKey); });
  if (at != batch.entries.end()) batch.entries.erase(at);
}

void take_back_creates(store::Batch& batch) {
  if (!any_gone(batch, kNodeKey)) return;
  for (auto& entry : batch.entries) {
    if (entry.key.front() != kNodeKey || !entry.value) continue;
    uint32_t acl = 0;
    auto node = store::decode_node(*entry.value, acl, true);
    if (!node || node->stat.created_children <= node->stat.num_children) continue;
    --node->stat.created_children;
    entry.value = store::encode_node(*node, acl);
  }
}

}  // namespace

void TreeCounts::add(const TreeCounts& other) {
  writes += other.writes, reads += other.reads, refused += other.refused;
  failed_multis += other.failed_multis;
  events += other.events, missed_events += other.missed_events;
  sessions += other.sessions, resumed += other.resumed, expired += other.expired;
  closed += other.closed, sweeps += other.sweeps;
  crashes += other.crashes, failed_disks += other.failed_disks, pauses += other.pauses;
  lost_to_crashes += other.lost_to_crashes, audits += other.audits;
}

std::string TreeCounts::text() const {
  return odradek::format(
      "{} writes and {} reads were answered ({} refused, {} of them multis), {} events and {} "
      "missed "
      "ones told; {} sessions, {} resumed, {} expired, {} closed; {} znodes swept; {} crashes, {} "
      "failed disks, {} pauses; {} writes lost before they were answered; {} audits",
      writes, reads, refused, failed_multis, events, missed_events, sessions, resumed, expired,
      closed, sweeps, crashes, failed_disks, pauses, lost_to_crashes, audits);
}

TreeRun::TreeRun(uint64_t seed, Planted planted)
    : world_(seed), planted_(planted), coordinator_(world_), journal_(world_, kTickMs) {
  pipeline::PipelineOptions& options = coordinator_.options();
  options.tick_ms = kTickMs;
  options.rules.extended_types = true;
  options.containers.check_interval_ms = kSweepMs;
  // none, one that forgets all the time, one that holds everything
  options.znode_cache_bytes = seed % 3 == 0 ? 0 : seed % 3 == 1 ? 16 << 10 : 1 << 20;
  options.on_prepared = [this](const pipeline::Write& write, const pipeline::WriteReply& reply) {
    journal_.prepared(write, reply);
  };
  coordinator_.add_part(
      [this](SimCoordinator& at) { return std::make_unique<SimPort>(at, journal_, planted_); });
  coordinator_.on_died([this] {
    ++counts_.failed_disks;
    restart_later();
  });
  for (int number = 0; number < kClients; ++number) {
    clients_.push_back(
        std::make_unique<SimClient>(world_, coordinator_, journal_, network_, number));
  }
  plant();
}

void TreeRun::plant() {
  switch (planted_) {
    case Planted::reply_before_fsync:
      return coordinator_.store().skip_syncs(true);
    case Planted::ephemeral_left_after_close:
      coordinator_.disk().spoil = keep_an_ephemeral;
      return;
    case Planted::sequence_reused:
      coordinator_.disk().spoil = take_back_creates;
      return;
    case Planted::torn_commit:
      coordinator_.disk().spoil = [this](store::Batch& batch) {
        if (batch.entries.size() < 4 || !world_.chance(2)) return;
        store::Batch::Entry totals = batch.entries.back();
        batch.entries.resize(batch.entries.size() / 2);
        batch.entries.push_back(std::move(totals));
        coordinator_.node().after(0, [this] { crash(); });
      };
      return;
    case Planted::swept_early:
      return world_.after(world_.between(1000, 3000), [this] { sweep_early(); });
    default:
      return;  // in SimConnection, or where it happens
  }
}

void TreeRun::run() {
  coordinator_.start();
  for (auto& client : clients_) client->start();
  world_.after(world_.between(300, 3000), [this] { trouble(); });
  world_.after(0, [this] { audit(); });
  world_.run_until(kTroubleMs);
  if (world_.breaches().empty()) {
    network_ = {.most_delay_ms = 4, .last_wire = network_.last_wire};
    coordinator_.disk().most_ms = 3;
    coordinator_.disk().next_one_fails = false;
    for (auto& client : clients_) client->rest();
  }
  world_.run_until(kTroubleMs + kQuietMs);
  if (world_.breaches().empty()) check_end();
}

std::string TreeRun::report() const {
  if (breaches().empty()) return "no breach";
  return odradek::format("seed {}: {}\nSIM_SEED={} runs it alone; its last steps:\n{}",
                         world_.seed(), breaches().front(), world_.seed(), world_.last_steps());
}

// ---- troubles

void TreeRun::trouble() {
  if (world_.now_ms() > kTroubleMs - 1000) return;
  uint64_t choice = world_.below(100);
  if (choice < 14) {
    crash();
  } else if (choice < 20) {
    coordinator_.disk().next_one_fails = true;
  } else if (choice < 34) {
    pause();
  } else if (choice < 42) {
    int64_t jump_ms = world_.chance(70) ? kHourMs : world_.between(1, 10'000);
    world_.clock().jump_wall_ms(world_.chance(50) ? jump_ms : -jump_ms);
    world_.trace("the wall clock jumps");
  } else if (choice < 52) {
    slow_disk();
  } else if (choice < 60) {
    network_.most_delay_ms = world_.between(20, 900);
    world_.after(world_.between(300, 3000), [this] { network_.most_delay_ms = 4; });
  } else if (choice < 68) {
    for (auto& client : clients_) client->lose_connection();
  } else if (choice < 80) {
    any_client().lose_connection();
  } else if (choice < 92) {
    any_client().leave_connection();
  } else {
    any_client().crash();
  }
  world_.after(world_.between(50, 1800), [this] { trouble(); });
}

void TreeRun::crash() {
  if (!coordinator_.up()) return;
  ++counts_.crashes;
  coordinator_.crash();
  restart_later();
}

void TreeRun::restart_later() {
  world_.after(world_.chance(70) ? world_.between(1, 400) : world_.between(400, 5000),
               [this] { coordinator_.start(); });
}

void TreeRun::pause() {
  if (!coordinator_.up() || coordinator_.node().paused()) return;
  uint64_t choice = world_.below(3);
  int64_t ms = choice == 0   ? world_.between(1, 500)
               : choice == 1 ? world_.between(500, 2500)
                             : world_.between(2500, 12'000);
  ms = std::min(ms, kTroubleMs - world_.now_ms());
  ++counts_.pauses;
  world_.trace(odradek::format("coordinator pauses for {} ms", ms));
  coordinator_.pause(ms);
  journal_.pauses(world_.now_ms() + ms);
  if (planted_ == Planted::expired_by_own_pause) coordinator_.tick_through(ms);
}

void TreeRun::slow_disk() {
  int64_t commit_ms = world_.chance(50) ? world_.between(20, 300) : world_.between(300, 4000);
  int64_t spell_ms = world_.between(200, 4000);
  coordinator_.disk().most_ms = commit_ms;
  journal_.trouble(world_.now_ms() + spell_ms + 2 * commit_ms);
  world_.after(spell_ms, [this] { coordinator_.disk().most_ms = 3; });
}

// The sweep takes what is not due.
void TreeRun::sweep_early() {
  using coordinator::tree::NodeKind;
  const History& history = journal_.history();
  if (coordinator_.up()) {
    for (const std::string& path : history.all_paths(history.last())) {
      const ModelNode* node = history.node(path, history.last());
      bool swept = node->kind == NodeKind::container || node->kind == NodeKind::ttl;
      if (!swept || node->stat.num_children > 0) continue;
      std::vector<coordinator::tree::Operation> operations;
      operations.emplace_back(coordinator::tree::DeleteOp(path));
      coordinator_.pipeline().write(pipeline::Write::internal(std::move(operations)), nullptr);
      break;
    }
  }
  world_.after(world_.between(1000, 3000), [this] { sweep_early(); });
}

// ---- checks

void TreeRun::audit() {
  if (coordinator_.up() && !coordinator_.node().paused()) journal_.audit(coordinator_.pipeline());
  world_.after(world_.between(100, 900), [this] { audit(); });
}

void TreeRun::check_end() {
  size_t open = journal_.history().open_sessions(journal_.history().last()).size();
  if (open != clients_.size()) {
    world_.breach(
        odradek::format("at the end there are {} sessions of {} clients", open, clients_.size()));
  }
  for (size_t number = 0; number < clients_.size(); ++number) {
    if (!clients_[number]->settled()) {
      world_.breach(odradek::format("client {} does not get its answers", number));
    }
  }
  check_swept();
}

// Nobody wrote for long: what was due is gone.
void TreeRun::check_swept() {
  using coordinator::tree::NodeKind;
  const History& history = journal_.history();
  for (const std::string& path : history.all_paths(history.last())) {
    const ModelNode* node = history.node(path, history.last());
    if (node->stat.num_children > 0) continue;
    int64_t since_ms = 0;  // due
    if (node->kind == NodeKind::ttl) {
      since_ms = node->stat.mtime + node->ttl_ms;
    } else if (node->kind == NodeKind::container && node->creates > 0) {
      since_ms = history.step(node->stat.pzxid).wall_ms;
    } else {
      continue;
    }
    int64_t overdue_ms = world_.clock().wall_ms() - since_ms;
    if (overdue_ms > 3 * kSweepMs) {
      world_.breach(odradek::format("{} is still there {} ms after it was due", path, overdue_ms));
    }
  }
}

TreeCounts TreeRun::counts() const {
  TreeCounts counts = counts_;
  for (const auto& client : clients_) {
    const ClientView::Counts& view = client->view().counts();
    counts.writes += view.writes, counts.reads += view.reads, counts.refused += view.refused;
    counts.failed_multis += view.failed_multis;
    counts.events += view.events, counts.missed_events += view.missed_events;
    counts.resumed += view.resumed;
    counts.sessions += client->sessions();
  }
  const Journal::Counts& journal = journal_.counts();
  counts.expired = journal.expiries, counts.closed = journal.closes, counts.sweeps = journal.sweeps;
  counts.lost_to_crashes = journal.lost_to_crashes, counts.audits = journal.audits;
  return counts;
}

}  // namespace odradek::sim
