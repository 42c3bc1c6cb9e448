#include "coordinator/controller/call.h"

#include <algorithm>

#include "coordinator/controller/cluster.h"

namespace odradek::coordinator::controller {

void ItemsCall::finish(Item& item, std::optional<Error> error) {
  item.state = Item::State::done;
  item.error = std::move(error);
}

bool ItemsCall::step(Cluster& cluster, const World& world, std::vector<Proposal>& proposals) {
  if (world.now_ms >= deadline_ms_) late_ = true;
  const ClusterFacts& facts = cluster.facts();
  bool in_flight = std::any_of(items_.begin(), items_.end(), [](const Item& item) {
    return item.state == Item::State::in_flight;
  });
  if (caller_ && !in_flight &&
      (!facts.alive(caller_->broker) ||
       facts.broker_epoch(caller_->broker) != caller_->broker_epoch)) {
    answer(cluster,
           Error(Errc::stale_broker_epoch, "broker " + std::to_string(caller_->broker.value()) +
                                               " is not registered with epoch " +
                                               std::to_string(caller_->broker_epoch)));
    return true;
  }
  bool ready = !needs_lead() || cluster.leads();
  for (size_t i = 0; i < items_.size(); ++i) {
    Item& item = items_[i];
    if (item.state != Item::State::todo) continue;
    if (late_) {
      finish(item, Error(Errc::timed_out, "the tree could not be written in time"));
      continue;
    }
    if (!ready || cluster.busy(subject(i))) continue;
    auto planned = plan(i, cluster, world);
    if (!planned) {
      finish(item, planned.error());
    } else if (planned->operations.empty()) {
      finish(item, std::nullopt);
    } else {
      propose(i, std::move(*planned), cluster, proposals);
    }
  }
  bool done = std::all_of(items_.begin(), items_.end(),
                          [](const Item& item) { return item.state == Item::State::done; });
  if (done) answer(cluster, std::nullopt);
  return done;
}

void ItemsCall::propose(size_t index, Plan plan, Cluster& cluster,
                        std::vector<Proposal>& proposals) {
  items_[index].state = Item::State::in_flight;
  Operations operations;
  if (needs_lead()) add_lead_check(cluster.facts(), operations);
  if (caller_) add_broker_check(cluster.facts(), caller_->broker, operations);
  operations.insert(operations.end(), std::make_move_iterator(plan.operations.begin()),
                    std::make_move_iterator(plan.operations.end()));
  auto self = std::static_pointer_cast<ItemsCall>(shared_from_this());
  std::string name = subject(index);
  cluster.begin(name);
  auto settled = [self, index, name, &cluster](const Outcome& outcome) {
    cluster.end(name, outcome.ok());
    Item& item = self->items_[index];
    if (outcome.ok()) {
      self->applied(index, outcome.zxid);
      self->finish(item, std::nullopt);
    } else if (++item.tries >= cluster.settings().max_tries) {
      self->finish(item,
                   Error(Errc::unavailable, "the tree keeps changing: " + outcome.error->what()));
    } else {
      item.state = Item::State::todo;
    }
  };
  proposals.push_back(Proposal{std::move(operations), plan.session, std::move(settled)});
}

}  // namespace odradek::coordinator::controller
