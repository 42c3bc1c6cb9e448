#include "coordinator/controller/cluster.h"

#include <algorithm>

#include "common/log/log.h"
#include "coordinator/controller/topic_decision.h"

namespace odradek::coordinator::controller {

namespace {

constexpr int kRefusalsBeforeWaiting = 5;
constexpr int64_t kRefusedWaitMs = 100;

}  // namespace

Cluster::Cluster(std::string chroot, const Settings& settings)
    : settings_(settings),
      facts_(metadata::ClusterPaths(std::move(chroot))),
      image_(std::make_shared<metadata::ClusterImage>()),
      history_(settings.history_deltas, settings.history_bytes) {}

bool Cluster::leads() const {
  return session_ != SessionId() && facts_.controller && facts_.controller->owner == session_;
}

bool Cluster::managed() const {
  return std::any_of(facts_.brokers.begin(), facts_.brokers.end(),
                     [](const auto& entry) { return entry.second.ours; });
}

void Cluster::observe(const tree::Commit& commit, int64_t now_ms) {
  for (const tree::Change& change : commit.changes) {
    Touched touched;
    facts_.note(change, dirty_, touched);
    if (!touched.topic_gone.empty()) {
      gone_[touched.topic_gone] = commit.zxid;
      settled_ms_.erase(touched.topic_gone);
    }
    if (!touched.below_topic_gone.empty())
      settled_ms_[touched.below_topic_gone] = now_ms + settings_.settle_ms;
  }
}

void Cluster::end(const std::string& subject, bool ok) {
  in_flight_.erase(subject);
  stale_ = true;
  if (ok) {
    refused_.erase(subject);
    return;
  }
  // Somebody was faster. The second time in a row everything is read anew.
  if (++refused_[subject] >= 2) dirty_.all = true;
  dirty_.head = dirty_.brokers = dirty_.chores = true;
  if (!subject.starts_with('/')) {
    Dirty::Topic& topic = dirty_.topics[subject];
    topic.whole = true;
  }
}

void Cluster::step(const World& world, const std::function<void(const Cluster&)>& on_image,
                   std::vector<Proposal>& proposals) {
  if (started_ms_ < 0) started_ms_ = world.now_ms;
  if (refresh(world) && on_image) on_image(*this);
  stale_ = false;
  decide(world, proposals);
}

std::optional<int64_t> Cluster::next_wake_ms() const {
  std::optional<int64_t> wake_ms = chores_wake_ms_;
  auto earlier = [&](int64_t ms) { wake_ms = std::min(wake_ms.value_or(ms), ms); };
  for (const auto& [name, ms] : waiting_) earlier(ms);
  for (const auto& call : calls_) {
    if (call->deadline_ms() != INT64_MAX) earlier(call->deadline_ms());
  }
  return wake_ms;
}

void Cluster::look_at_all_topics() {
  for (const auto& [name, topic] : facts_.topics) to_check_.insert(name);
}

// ---- the image ----

bool Cluster::refresh(const World& world) {
  if (!dirty_.any()) return false;
  Dirty dirty = std::exchange(dirty_, Dirty());
  dirty_.all = false;
  std::set<std::string> topics = facts_.refresh(world.tree, dirty);
  to_check_.insert(topics.begin(), topics.end());
  if (dirty.all || dirty.brokers) {
    std::map<BrokerId, int64_t> before = std::move(epochs_seen_);
    note_brokers();
    if (before != epochs_seen_) {
      look_at_all_topics();
      // Whether a leader counts depends on its broker.
      for (const auto& [name, topic] : facts_.topics) topics.insert(name);
    }
  }
  if (image_->zxid == Zxid() && wants_retirements()) {
    dirty_.all = true;  // the first image waits for the records of what was deleted before
    return false;
  }
  auto next = build(topics, dirty, world.zxid);
  if (image_->zxid == Zxid()) {
    image_ = std::move(next);
    return true;
  }
  auto delta = std::make_shared<metadata::Delta>(metadata::difference(*image_, *next));
  if (delta->empty() && image_->cluster_id == next->cluster_id) return false;
  if (image_->cluster_id != next->cluster_id)
    history_.clear();  // no delta leads there
  else
    history_.add(std::move(delta));
  image_ = std::move(next);
  return true;
}

bool Cluster::wants_retirements() const {
  return std::any_of(facts_.topics.begin(), facts_.topics.end(),
                     [](const auto& entry) { return entry.second.wants_retirement(); });
}

void Cluster::note_brokers() {
  std::map<BrokerId, int64_t> seen;
  for (const auto& [id, broker] : facts_.brokers) {
    if (broker.ours) seen[id] = broker.broker.epoch;
  }
  epochs_seen_ = std::move(seen);
}

metadata::ImagePtr Cluster::build(const std::set<std::string>& topics, const Dirty& dirty,
                                  Zxid zxid) const {
  auto next = std::make_shared<metadata::ClusterImage>(*image_);
  next->zxid = zxid;
  next->cluster_id = facts_.cluster_id;
  next->controller = facts_.controller && facts_.alive(facts_.controller->broker)
                         ? facts_.controller->broker
                         : BrokerId(-1);
  if (dirty.all || dirty.brokers) {
    next->brokers.clear();
    for (const auto& [id, broker] : facts_.brokers) {
      if (broker.ours) next->brokers[id] = broker.broker;
    }
  }
  if (dirty.all || dirty.broker_configs) {
    next->broker_configs = facts_.broker_configs;
    next->default_broker_config.clear();
    auto found = next->broker_configs.find(BrokerId(-1));
    if (found != next->broker_configs.end()) {
      next->default_broker_config = std::move(found->second);
      next->broker_configs.erase(found);
    }
  }
  if (dirty.all || dirty.deleted) {
    next->deleted_topics.clear();
    for (const auto& [name, record] : facts_.deleted) next->deleted_topics.push_back(record.record);
  }
  for (const std::string& name : topics) {
    const TopicFacts* facts = facts_.topic(name);
    auto topic = facts == nullptr ? nullptr : build_topic(name, *facts);
    auto was = next->topics.find(name);
    if (topic == nullptr) {
      // A topic leaves the image together with the record that it was deleted: without one brokers
      // set its files aside.
      bool keep = facts != nullptr && facts->wants_retirement();
      if (was != next->topics.end() && !keep) next->topics.erase(was);
    } else if (was == next->topics.end()) {
      next->topics[name] = std::move(topic);
    } else if (*was->second != *topic) {
      was->second = std::move(topic);
    }
  }
  return next;
}

// Brokers see a topic once it has its ledger, under the id that stands there; a partition's leader
// once it was elected in the registration that its broker has now.
std::shared_ptr<const metadata::Topic> Cluster::build_topic(const std::string& name,
                                                            const TopicFacts& facts) const {
  if (!facts.ledger_fits()) return nullptr;
  const metadata::TopicLedger& ledger = facts.ledger->ledger;
  auto topic = std::make_shared<metadata::Topic>();
  topic->name = name;
  topic->id = ledger.id;
  if (facts.config && facts.config->overrides) topic->configs = *facts.config->overrides;
  topic->partitions.reserve(facts.partitions.size());
  for (size_t i = 0; i < facts.partitions.size(); ++i) {
    const PartitionFacts& from = facts.partitions[i];
    metadata::Partition& partition = topic->partitions.emplace_back();
    partition.replicas = from.replicas();
    partition.adding_replicas = from.assignment.adding;
    partition.removing_replicas = from.assignment.removing;
    if (from.state && from.state->valid) {
      const metadata::StateZnode& state = from.state->state;
      bool leads = facts_.alive(state.leader) &&
                   from.state->mzxid.value() >= facts_.broker_epoch(state.leader);
      partition.leader = leads ? state.leader : BrokerId(-1);
      partition.leader_epoch = state.leader_epoch;
      partition.isr = state.isr;
      partition.partition_epoch = from.state->version;
    } else if (i < ledger.epochs.size()) {
      partition.leader_epoch = LeaderEpoch(ledger.epochs[i]);
    }
  }
  return topic;
}

// ---- decisions ----

void Cluster::decide(const World& world, std::vector<Proposal>& proposals) {
  std::string foreign = facts_.own ? facts_.foreign() : std::string();
  if (foreign != foreign_) {
    if (!foreign.empty()) {
      LOG_WARN("controller", "The cluster at {} is left alone: {}",
               chroot().empty() ? "/" : chroot(), foreign);
    }
    foreign_ = foreign;
    look_at_all_topics();
  }
  bool ours = facts_.own && foreign.empty();
  if (ours) decide_lead(world, proposals);
  if (ours && (leads() || !managed())) {
    decide_topics(world, proposals);
  } else {
    // Looked at when this cluster is led.
    for (const auto& [name, ms] : waiting_) to_check_.insert(name);
    waiting_.clear();
  }
  chores_wake_ms_.reset();
  if (ours && leads()) decide_chores(world, proposals);
  // A call may end here, and its answer may add another one.
  std::vector<std::shared_ptr<Call>> calls = std::move(calls_);
  calls_.clear();
  for (auto& call : calls) {
    if (!call->step(*this, world, proposals)) calls_.push_back(std::move(call));
  }
}

void Cluster::decide_lead(const World& world, std::vector<Proposal>& proposals) {
  if (busy("/lead")) return;
  std::vector<metadata::Broker> alive = facts_.alive_brokers();
  if (alive.empty()) {
    // Nobody is left whom /controller could name: it goes, as with Kafka's last broker.
    SessionId session = facts_.own->controller_session;
    if (session == SessionId()) return;
    Operations operations;
    if (world.tree.session(session)) operations.push_back(tree::CloseSessionOp(session));
    operations.push_back(tree::SetDataOp(
        facts_.paths().own(), metadata::encode_own({chroot(), SessionId()}), facts_.own_version));
    propose({"/lead"}, std::move(operations), {}, proposals, SessionId(),
            [this] { session_ = SessionId(); });
    return;
  }
  if (!leads()) {
    claim(world, alive, proposals);
  } else if (!facts_.alive(facts_.controller->broker)) {
    Operations operations;
    add_lead_check(facts_, operations);
    add_broker_check(facts_, alive.front().id, operations);
    operations.push_back(tree::SetDataOp(
        facts_.paths().controller(), metadata::encode_controller(alive.front().id, world.wall_ms),
        facts_.controller->version));
    propose({"/lead"}, std::move(operations),
            "Broker " + std::to_string(alive.front().id.value()) + " is named as the controller",
            proposals);
  }
}

// A new session takes /controller, and the controller epoch is raised: once at each start, and
// where somebody deleted the znode.
void Cluster::claim(const World& world, const std::vector<metadata::Broker>& alive,
                    std::vector<Proposal>& proposals) {
  SessionId old = facts_.own->controller_session;
  SessionIds fresh = world.environment.new_session(INT32_MAX, true);
  BrokerId broker = facts_.controller && facts_.alive(facts_.controller->broker)
                        ? facts_.controller->broker
                        : alive.front().id;
  Operations operations;
  add_broker_check(facts_, broker, operations);
  if (old != SessionId() && world.tree.session(old))
    operations.push_back(tree::CloseSessionOp(old));
  operations.push_back(tree::CreateSessionOp(fresh.session, fresh.timeout_ms, fresh.password));
  operations.push_back(tree::CreateOp(facts_.paths().controller(),
                                      metadata::encode_controller(broker, world.wall_ms),
                                      tree::NodeKind::ephemeral));
  std::string epoch = std::to_string(facts_.controller_epoch + 1);
  if (facts_.controller_epoch_version) {
    operations.push_back(tree::SetDataOp(facts_.paths().controller_epoch(), epoch,
                                         *facts_.controller_epoch_version));
  } else {
    operations.push_back(tree::CreateOp(facts_.paths().controller_epoch(), epoch));
  }
  operations.push_back(tree::SetDataOp(
      facts_.paths().own(), metadata::encode_own({chroot(), fresh.session}), facts_.own_version));
  auto claimed = [this, session = fresh.session] {
    session_ = session;
    look_at_all_topics();
  };
  propose({"/lead"}, std::move(operations),
          "The controller leads the cluster at " + (chroot().empty() ? "/" : chroot()) +
              " with controller epoch " + epoch,
          proposals, fresh.session, std::move(claimed));
}

void Cluster::decide_topics(const World& world, std::vector<Proposal>& proposals) {
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    if (it->second > world.now_ms) {
      ++it;
      continue;
    }
    to_check_.insert(it->first);
    it = waiting_.erase(it);
  }
  for (auto it = to_check_.begin(); it != to_check_.end();) {
    const std::string& name = *it;
    if (busy(name)) {
      ++it;  // looked at again when its transaction is settled
      continue;
    }
    auto refused = refused_.find(name);
    if (refused != refused_.end() && refused->second >= kRefusalsBeforeWaiting) {
      refused->second = 0;
      waiting_[name] = world.now_ms + kRefusedWaitMs;
      it = to_check_.erase(it);
      continue;
    }
    TopicMoment moment;
    moment.now_ms = world.now_ms;
    auto settled = settled_ms_.find(name);
    moment.settled_ms = settled == settled_ms_.end() ? world.now_ms : settled->second;
    moment.put_back_ms = std::max(started_ms_ + settings_.settle_ms, moment.settled_ms);
    auto gone = gone_.find(name);
    if (gone != gone_.end()) moment.gone = gone->second;
    TopicDecision decision = decide_topic(name, facts_, moment, world.environment);
    if (decision.look_again_ms) {
      waiting_[name] = *decision.look_again_ms;
    } else {
      waiting_.erase(name);
      if (settled != settled_ms_.end() && settled->second <= world.now_ms)
        settled_ms_.erase(settled);
    }
    if (!decision.operations.empty()) {
      propose({name}, std::move(decision.operations), std::move(decision.summary), proposals);
    } else if (facts_.topic(name) == nullptr || facts_.topic(name)->exists) {
      gone_.erase(name);
    }
    it = to_check_.erase(it);
  }
}

void Cluster::propose(std::vector<std::string> subjects, Operations operations, std::string summary,
                      std::vector<Proposal>& proposals, SessionId session,
                      std::function<void()> then) {
  for (const std::string& subject : subjects) begin(subject);
  auto settled = [this, subjects = std::move(subjects), summary = std::move(summary),
                  then = std::move(then)](const Outcome& outcome) {
    for (const std::string& subject : subjects) {
      end(subject, outcome.ok());
      if (!subject.starts_with('/')) to_check_.insert(subject);
    }
    if (outcome.ok()) {
      if (!summary.empty()) LOG_INFO("controller", "{}", summary);
      if (then) then();
    } else {
      LOG_DEBUG("controller", "Refused, and decided anew: {}: {}", summary, outcome.error->what());
    }
  };
  proposals.push_back(Proposal{std::move(operations), session, std::move(settled)});
}

}  // namespace odradek::coordinator::controller
