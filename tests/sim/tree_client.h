#pragma once
// TreeClient: a ZooKeeper client in the simulator. It works below a znode of its own, one write at a time, and keeps
// what it was told: an acknowledged write has to be there from then on, whatever crashes. A write whose reply is lost may
// have happened or not; the client looks, as a person would.

#include <map>
#include <optional>
#include <string>

#include "tests/sim/sim_coordinator.h"

namespace odradek::sim {

class TreeClient {
 public:
  TreeClient(World& world, SimCoordinator& coordinator, int number);

  void start() { connect(); }
  // The connection broke (the coordinator crashed).
  void disconnected();
  // Compares what was acknowledged with the tree; notes breaches.
  void check();
  int acknowledged() const { return acknowledged_; }

 private:
  struct Expected {
    std::string data;
    int32_t version = 0;
  };
  // What a write would make of a path; no data: the znode goes.
  struct Effect {
    std::string path;
    std::optional<Expected> after;
  };

  void connect();
  void next();
  void send(std::vector<coordinator::tree::Operation> operations, std::vector<Effect> effects);
  void replied(const coordinator::pipeline::WriteReply& reply);
  void settle();  // after a lost reply: did it happen?
  bool stands(const std::vector<Effect>& effects);
  std::string fresh_path();

  World& world_;
  SimCoordinator& coordinator_;
  const std::string base_;
  std::optional<coordinator::pipeline::Pipeline::SessionGrant> session_;
  int64_t heard_ms_ = 0;
  std::map<std::string, Expected> expected_;
  std::vector<Effect> in_flight_;
  Zxid last_zxid_;
  uint64_t life_ = 0;  // of the connection; answers of an older one are not heard
  int next_name_ = 0;
  int acknowledged_ = 0;
};

}  // namespace odradek::sim
