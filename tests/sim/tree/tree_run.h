#pragma once
// TreeRun: one seed of the simulation of the coordinator's ZooKeeper side: a coordinator, clients,
// and troubles of every kind; then a time without any, in which everything has to come right.

#include <memory>
#include <string>
#include <vector>

#include "tests/sim/sim_coordinator.h"
#include "tests/sim/tree/journal.h"
#include "tests/sim/tree/planted.h"
#include "tests/sim/tree/sim_client.h"
#include "tests/sim/tree/wire.h"
#include "tests/sim/world.h"

namespace odradek::sim {

// What happened, over one seed or many: a run in which nothing happens shows nothing.
struct TreeCounts {
  int64_t writes = 0, reads = 0, refused = 0, failed_multis = 0;
  int64_t events = 0, missed_events = 0;
  int64_t sessions = 0, resumed = 0, expired = 0, closed = 0, sweeps = 0;
  int64_t crashes = 0, failed_disks = 0, pauses = 0, lost_to_crashes = 0, audits = 0;
  void add(const TreeCounts& other);
  std::string text() const;
};

class TreeRun {
 public:
  TreeRun(uint64_t seed, Planted planted);

  void run();
  const std::vector<std::string>& breaches() const { return world_.breaches(); }
  // The seed, the breach and the steps that led to it.
  std::string report() const;
  uint64_t digest() const { return world_.digest(); }
  TreeCounts counts() const;

 private:
  void plant();
  void trouble();
  void crash();
  void pause();
  void slow_disk();
  void restart_later();
  void audit();
  void sweep_early();
  void check_end();
  void check_swept();
  SimClient& any_client() { return *clients_[world_.below(clients_.size())]; }

  World world_;
  const Planted planted_;
  Network network_;
  SimCoordinator coordinator_;
  Journal journal_;
  std::vector<std::unique_ptr<SimClient>> clients_;
  TreeCounts counts_;
};

}  // namespace odradek::sim
