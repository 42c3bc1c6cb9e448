#pragma once
// The controller in the simulator: ControllerPart is the real controller beside the pipeline, SimBroker a broker that
// registers and keeps its session, Hand a person (or an old tool) who makes, changes and deletes topics as znodes, and
// LeaderWatch the invariant of one leader an epoch.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "coordinator/pipeline/controller_runner.h"
#include "tests/sim/sim_coordinator.h"

namespace odradek::sim {

class ControllerPart final : public CoordinatorPart {
 public:
  // `edge_triggered` is a bug put in on purpose: what happened before the start is not looked at.
  ControllerPart(SimCoordinator& coordinator, bool edge_triggered);
  coordinator::pipeline::ControllerRunner& runner() { return runner_; }

 private:
  void arm();

  SimCoordinator& coordinator_;
  coordinator::pipeline::ControllerRunner runner_;
  int64_t armed_for_ms_ = -1;
};

class SimBroker {
 public:
  SimBroker(World& world, SimCoordinator& coordinator, int id);

  void start();
  void crash();
  bool up() const { return node_.up(); }
  bool registered() const { return registration_.has_value(); }
  BrokerId id() const { return id_; }
  void coordinator_gone() { attached_ = false; }

 private:
  void beat();
  void join();

  World& world_;
  SimCoordinator& coordinator_;
  Node node_;
  const BrokerId id_;
  Uuid directory_;
  std::optional<coordinator::controller::Registration> registration_;
  bool attached_ = false;
  bool joining_ = false;
};

// Works node by node, with pauses in which the controller may act, and goes on where it was after a crash.
class Hand {
 public:
  Hand(World& world, SimCoordinator& coordinator) : world_(world), coordinator_(coordinator) {}
  void start(int64_t until_ms) {
    until_ms_ = until_ms;
    next();
  }

 private:
  void next();
  void make_topic(const std::string& topic);
  void add_partitions(const std::string& topic);
  void delete_all(const std::string& path);
  void call_create(const std::string& topic);
  void write(std::vector<coordinator::tree::Operation> operations);
  std::string topic_json(int partitions);

  World& world_;
  SimCoordinator& coordinator_;
  int64_t until_ms_ = 0;
};

class LeaderWatch final : public CoordinatorPart, public coordinator::tree::CommitObserver {
 public:
  // Of a topic's life (czxid of its znode), a partition and an epoch: the leader.
  using Seen = std::map<std::tuple<std::string, int64_t, int32_t, int32_t>, int32_t>;

  LeaderWatch(SimCoordinator& coordinator, Seen& seen) : coordinator_(coordinator), seen_(seen) {
    coordinator_.pipeline().observe(this);
  }
  void on_commit(const coordinator::tree::Commit& commit) override;

 private:
  SimCoordinator& coordinator_;
  Seen& seen_;
};

// What must hold once everything is up and quiet: each partition of each topic is led by a living broker, the image
// shows just the topics of the tree, and nothing is left of topics that went.
std::vector<std::string> unconverged(SimCoordinator& coordinator);

}  // namespace odradek::sim
