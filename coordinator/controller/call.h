#pragma once
// Call: something asked of a cluster that ends with an answer: an admin call of a broker, a
// registration. It is looked at after every commit, like everything else here: a refused
// transaction is decided anew on the new facts.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/result.h"
#include "coordinator/controller/facts.h"
#include "coordinator/controller/transactions.h"
#include "coordinator/controller/world.h"

namespace odradek::coordinator::controller {

class Cluster;

class Call : public std::enable_shared_from_this<Call> {
 public:
  virtual ~Call() = default;
  // Decides what can be decided now. True once the answer is given: the call is over.
  virtual bool step(Cluster& cluster, const World& world, std::vector<Proposal>& proposals) = 0;
  // Monotonic: when a step is wanted though nothing happened; INT64_MAX once that step was taken.
  virtual int64_t deadline_ms() const = 0;
};

// Who asks: a registered broker at its present epoch.
struct Caller {
  BrokerId broker{-1};
  int64_t broker_epoch = -1;
};

// A call about several items (topics, configurations), each with a transaction of its own.
class ItemsCall : public Call {
 public:
  bool step(Cluster& cluster, const World& world, std::vector<Proposal>& proposals) final;
  int64_t deadline_ms() const final { return late_ ? INT64_MAX : deadline_ms_; }

 protected:
  ItemsCall(std::optional<Caller> caller, size_t items, int64_t deadline_ms)
      : caller_(caller), items_(items), deadline_ms_(deadline_ms) {}

  struct Plan {
    Operations operations;  // empty: the item is done as it is
    SessionId session;
  };
  // What no two transactions in flight may touch: a topic's name, or a path-like name for the rest.
  virtual std::string subject(size_t item) const = 0;
  // Decides one item on the present facts.
  virtual Result<Plan> plan(size_t item, Cluster& cluster, const World& world) = 0;
  // The item's transaction is applied.
  virtual void applied(size_t item, Zxid zxid) {}
  // All items are done, or the whole call has the error.
  virtual void answer(Cluster& cluster, std::optional<Error> error) = 0;
  // A registration is decided before this cluster is led.
  virtual bool needs_lead() const { return true; }

  const std::optional<Error>& error_of(size_t item) const { return items_[item].error; }

 private:
  struct Item {
    enum class State { todo, in_flight, done } state = State::todo;
    int tries = 0;
    std::optional<Error> error;
  };
  void propose(size_t index, Plan plan, Cluster& cluster, std::vector<Proposal>& proposals);
  void finish(Item& item, std::optional<Error> error);

  std::optional<Caller> caller_;
  std::vector<Item> items_;
  int64_t deadline_ms_;
  bool late_ = false;
};

}  // namespace odradek::coordinator::controller
