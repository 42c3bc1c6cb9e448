#include "coordinator/controller/topic_decision.h"

#include <algorithm>
#include <set>

#include "common/format.h"

namespace odradek::coordinator::controller {

using tree::CheckOp;
using tree::CreateOp;
using tree::DeleteOp;
using tree::SetDataOp;

namespace {

bool contains(const std::vector<BrokerId>& ids, BrokerId id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

// One topic being brought to what it should be; gathers the operations.
class Reconcile {
 public:
  Reconcile(std::string_view name, const TopicFacts& topic, const ClusterFacts& facts,
            const TopicMoment& moment)
      : name_(name), topic_(topic), facts_(facts), paths_(facts.paths()), moment_(moment) {}

  TopicDecision run(Environment& environment);

 private:
  Uuid right_id(Environment& environment) const;
  bool id_is_taken(const Uuid& id) const;
  void partition(int32_t index, const PartitionFacts& partition);
  void make_state(int32_t index, const PartitionFacts& partition);
  void write_state(int32_t index, const metadata::StateZnode& state, int32_t version);
  int32_t known_epoch(int32_t index) const {
    return static_cast<size_t>(index) < epochs_.size() ? epochs_[static_cast<size_t>(index)] : -1;
  }
  void know_epoch(int32_t index, LeaderEpoch epoch) {
    if (epochs_.size() <= static_cast<size_t>(index))
      epochs_.resize(static_cast<size_t>(index) + 1, -1);
    epochs_[static_cast<size_t>(index)] =
        std::max(epochs_[static_cast<size_t>(index)], epoch.value());
  }
  void wait_until(int64_t ms) {
    decision_.look_again_ms = std::min(decision_.look_again_ms.value_or(ms), ms);
  }

  std::string_view name_;
  const TopicFacts& topic_;
  const ClusterFacts& facts_;
  const metadata::ClusterPaths& paths_;
  const TopicMoment& moment_;
  TopicDecision decision_;
  Operations writes_;
  std::set<BrokerId> elected_;
  std::vector<int32_t> epochs_;
  bool partitions_znode_ = false;
  int made_ = 0, changed_ = 0;
};

TopicDecision Reconcile::run(Environment& environment) {
  bool ledger_fits = topic_.ledger_fits();
  if (ledger_fits) epochs_ = topic_.ledger->ledger.epochs;
  std::vector<int32_t> epochs_before = epochs_;
  partitions_znode_ = topic_.partitions_znode;
  Uuid id = right_id(environment);
  for (size_t i = 0; i < topic_.partitions.size(); ++i) {
    const PartitionFacts& facts = topic_.partitions[i];
    if (facts.assigned || facts.state) partition(static_cast<int32_t>(i), facts);
  }
  bool new_id = topic_.valid && topic_.id != id;
  if (new_id) {
    metadata::TopicZnode znode = znode_of(topic_);
    znode.id = id;
    writes_.push_back(
        SetDataOp(paths_.topic(name_), metadata::encode_topic(znode), topic_.version));
  }
  if (!ledger_fits || epochs_ != epochs_before || topic_.ledger->ledger.id != id) {
    metadata::TopicLedger ledger;
    ledger.id = id;
    ledger.czxid = topic_.czxid;
    ledger.epochs = std::move(epochs_);
    std::string data = metadata::encode_ledger(ledger);
    if (topic_.ledger) {
      writes_.push_back(
          SetDataOp(paths_.own_topic(name_), std::move(data), topic_.ledger->version));
    } else {
      writes_.push_back(own_create(paths_.own_topic(name_), std::move(data)));
    }
  }
  if (writes_.empty()) return std::move(decision_);

  Operations& operations = decision_.operations;
  add_lead_check(facts_, operations);
  operations.push_back(CheckOp(paths_.topic(name_), topic_.version, topic_.czxid));
  for (BrokerId id : elected_) add_broker_check(facts_, id, operations);
  operations.insert(operations.end(), std::make_move_iterator(writes_.begin()),
                    std::make_move_iterator(writes_.end()));
  if (made_ + changed_ > 0 || new_id) {
    decision_.summary = odradek::format("Topic {}: {} partition states made, {} changed{}", name_,
                                        made_, changed_, new_id ? ", id " + id.to_string() : "");
  }
  return std::move(decision_);
}

Uuid Reconcile::right_id(Environment& environment) const {
  if (topic_.ledger_fits()) return topic_.ledger->ledger.id;
  if (topic_.id && !id_is_taken(*topic_.id)) return *topic_.id;
  return environment.new_uuid();
}

// A pasted znode may carry the id of another topic, or of one whose files are being deleted.
bool Reconcile::id_is_taken(const Uuid& id) const {
  for (const auto& [name, record] : facts_.deleted) {
    if (record.record.id == id) return true;
  }
  for (const auto& [name, other] : facts_.topics) {
    if (name == name_) continue;
    if (other.ledger && other.ledger->ledger.id == id) return true;
    if (other.exists && other.id == id && other.czxid < topic_.czxid) return true;
  }
  return false;
}

void Reconcile::partition(int32_t index, const PartitionFacts& partition) {
  if (!partition.state) {
    make_state(index, partition);
    return;
  }
  const StateFacts& state = *partition.state;
  if (!state.valid) {
    // Its data was overwritten by hand with something else.
    auto first = std::find_if(partition.replicas().begin(), partition.replicas().end(),
                              [&](BrokerId id) { return facts_.alive(id); });
    if (first == partition.replicas().end()) return;
    metadata::StateZnode fresh;
    fresh.leader = *first;
    fresh.isr = {*first};
    fresh.leader_epoch = LeaderEpoch(known_epoch(index) + 1);
    write_state(index, fresh, state.version);
    return;
  }
  know_epoch(index, state.state.leader_epoch);
  auto next = elect(partition, facts_);
  if (!next) {
    // A hand-written state with an epoch below one that was in use would be taken for an old one.
    if (state.state.leader_epoch.value() < known_epoch(index)) {
      next = state.state;
      next->leader_epoch = LeaderEpoch(known_epoch(index) + 1);
      if (next->leader != BrokerId(-1)) elected_.insert(next->leader);
      write_state(index, *next, state.version);
    }
    return;
  }
  next->leader_epoch = LeaderEpoch(std::max(next->leader_epoch.value(), known_epoch(index) + 1));
  write_state(index, *next, state.version);
}

void Reconcile::make_state(int32_t index, const PartitionFacts& partition) {
  auto first = std::find_if(partition.replicas().begin(), partition.replicas().end(),
                            [&](BrokerId id) { return facts_.alive(id); });
  if (first == partition.replicas().end()) return;  // as Kafka: no state before a replica lives
  int64_t wait_ms = moment_.settled_ms;
  if (known_epoch(index) >= 0) wait_ms = std::max(wait_ms, moment_.put_back_ms);
  if (moment_.now_ms < wait_ms) {
    wait_until(wait_ms);
    return;
  }
  if (!partitions_znode_) {
    writes_.push_back(CreateOp(paths_.partitions(name_)));
    partitions_znode_ = true;
  }
  if (!partition.znode) writes_.push_back(CreateOp(paths_.partition(name_, PartitionId(index))));
  metadata::StateZnode state;
  state.controller_epoch = facts_.controller_epoch;
  state.leader = *first;
  state.isr = {*first};  // a replica that has nothing yet is not in sync
  state.leader_epoch = LeaderEpoch(known_epoch(index) + 1);
  writes_.push_back(
      CreateOp(paths_.state(name_, PartitionId(index)), metadata::encode_state(state)));
  elected_.insert(*first);
  know_epoch(index, state.leader_epoch);
  ++made_;
}

void Reconcile::write_state(int32_t index, const metadata::StateZnode& state, int32_t version) {
  metadata::StateZnode written = state;
  written.controller_epoch = facts_.controller_epoch;
  writes_.push_back(
      SetDataOp(paths_.state(name_, PartitionId(index)), metadata::encode_state(written), version));
  if (written.leader != BrokerId(-1)) elected_.insert(written.leader);
  know_epoch(index, written.leader_epoch);
  ++changed_;
}

// The topic's znode is gone, or is that of a later topic: what the ledger knows of was deleted.
TopicDecision retire(std::string_view name, const TopicFacts& topic, const ClusterFacts& facts,
                     const TopicMoment& moment) {
  TopicDecision decision;
  add_lead_check(facts, decision.operations);
  add_retirement(facts, name, topic, decision.operations);
  // Its settings go too, unless somebody wrote them after the deletion: a tool of 2.5 writes them
  // before the topic.
  if (!topic.exists && topic.config && moment.gone && topic.config->mzxid < *moment.gone) {
    decision.operations.push_back(
        DeleteOp(facts.paths().topic_config(name), topic.config->version));
  }
  decision.summary =
      odradek::format("Topic {} with id {} was deleted", name, topic.ledger->ledger.id.to_string());
  return decision;
}

TopicDecision obey_delete_marker(std::string_view name, const TopicFacts& topic,
                                 const ClusterFacts& facts) {
  TopicDecision decision;
  add_lead_check(facts, decision.operations);
  if (topic.exists && facts.delete_topic_enable()) {
    add_topic_deletion(facts, name, topic, decision.operations);
    decision.summary =
        odradek::format("Topic {} is deleted, as {} asks", name, facts.paths().delete_topic(name));
  } else {
    decision.operations.push_back(DeleteOp(facts.paths().delete_topic(name)));
    decision.summary =
        odradek::format("{} is taken back: {}", facts.paths().delete_topic(name),
                        topic.exists ? "delete.topic.enable is false" : "there is no such topic");
  }
  return decision;
}

}  // namespace

std::optional<metadata::StateZnode> elect(const PartitionFacts& partition,
                                          const ClusterFacts& facts, bool prefer_first,
                                          BrokerId leave) {
  const StateFacts& state = *partition.state;
  const std::vector<BrokerId>& replicas = partition.replicas();
  auto can_lead = [&](BrokerId id) { return id != leave && facts.alive(id); };
  BrokerId leader = state.state.leader;
  // A leader that registered anew since the state was written starts a new epoch: it may have lost
  // what was not synced.
  bool leads = can_lead(leader) && state.mzxid.value() >= facts.broker_epoch(leader);
  BrokerId wanted{-1};
  bool unclean = false;
  if (leads && prefer_first && !replicas.empty() && replicas.front() != leader &&
      can_lead(replicas.front()) && contains(state.state.isr, replicas.front())) {
    wanted = replicas.front();
  } else if (leads) {
    return std::nullopt;
  } else {
    for (BrokerId id : replicas) {
      if (wanted == BrokerId(-1) && can_lead(id) && contains(state.state.isr, id)) wanted = id;
    }
    if (wanted == BrokerId(-1) && facts.unclean_leader_election_enable()) {
      auto any = std::find_if(replicas.begin(), replicas.end(), can_lead);
      if (any != replicas.end()) wanted = *any, unclean = true;
    }
  }
  if (wanted == BrokerId(-1) && (leader == BrokerId(-1) || leave != BrokerId(-1)))
    return std::nullopt;
  metadata::StateZnode next = state.state;
  next.leader = wanted;
  next.leader_epoch = next.leader_epoch + 1;
  next.controller_epoch = facts.controller_epoch;
  if (unclean) {
    next.isr = {wanted};
  } else if (wanted != BrokerId(-1)) {
    std::erase_if(next.isr, [&](BrokerId id) { return !can_lead(id); });
  }
  return next;
}

TopicDecision decide_topic(std::string_view name, const ClusterFacts& facts,
                           const TopicMoment& moment, Environment& environment) {
  const TopicFacts* topic = facts.topic(name);
  if (topic == nullptr) return {};
  if (topic->delete_marker) return obey_delete_marker(name, *topic, facts);
  if (topic->wants_retirement() || (topic->ledger && !topic->exists))
    return retire(name, *topic, facts, moment);
  if (!topic->exists || (!topic->valid && !topic->ledger_fits())) return {};
  return Reconcile(name, *topic, facts, moment).run(environment);
}

}  // namespace odradek::coordinator::controller
