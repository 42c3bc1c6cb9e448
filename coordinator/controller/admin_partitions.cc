// AlterPartition (KIP-497) and controlled shutdown: what brokers write about partitions' leaders
// and in-sync replicas.
#include <algorithm>
#include <set>

#include "coordinator/controller/admin.h"
#include "coordinator/controller/cluster.h"
#include "coordinator/controller/topic_decision.h"

namespace odradek::coordinator::controller {

namespace {

class AlterPartitionCall final : public ItemsCall {
 public:
  AlterPartitionCall(Caller caller, std::vector<IsrChange> changes, int64_t deadline_ms,
                     ReplyDone<IsrItem> done)
      : ItemsCall(caller, changes.size(), deadline_ms),
        broker_(caller.broker),
        changes_(std::move(changes)),
        now_(changes_.size()),
        done_(std::move(done)) {}

 private:
  std::string subject(size_t item) const override { return changes_[item].topic; }

  Result<Plan> plan(size_t item, Cluster& cluster, const World& world) override {
    const IsrChange& change = changes_[item];
    const ClusterFacts& facts = cluster.facts();
    const TopicFacts* topic = facts.topic(change.topic);
    size_t index = static_cast<size_t>(change.partition.value());
    if (topic == nullptr || !topic->exists || change.partition.value() < 0 ||
        index >= topic->partitions.size()) {
      return Error(Errc::unknown_topic_or_partition,
                   "This server does not host this topic-partition.");
    }
    if (!change.topic_id.is_zero() && topic->id != change.topic_id) {
      return Error(Errc::unknown_topic_id, "This server does not host this topic ID.");
    }
    const PartitionFacts& partition = topic->partitions[index];
    if (!partition.state || !partition.state->valid) {
      return Error(Errc::unknown_topic_or_partition,
                   "This server does not host this topic-partition.");
    }
    const metadata::StateZnode& state = partition.state->state;
    if (state.leader_epoch != change.leader_epoch) {
      return Error(Errc::fenced_leader_epoch,
                   "the partition's leader epoch is " + std::to_string(state.leader_epoch.value()));
    }
    if (state.leader != broker_)
      return Error(Errc::not_leader_or_follower, "the broker does not lead the partition");
    if (partition.state->version != change.partition_epoch) {
      return Error(Errc::invalid_update_version,
                   "the partition's state has version " + std::to_string(partition.state->version));
    }
    for (BrokerId id : change.isr) {
      const std::vector<BrokerId>& replicas = partition.replicas();
      if (std::find(replicas.begin(), replicas.end(), id) == replicas.end()) {
        return Error(Errc::invalid_request,
                     "broker " + std::to_string(id.value()) + " is not a replica");
      }
      if (!facts.alive(id)) {
        return Error(Errc::ineligible_replica,
                     "broker " + std::to_string(id.value()) + " is not alive");
      }
    }
    if (std::find(change.isr.begin(), change.isr.end(), broker_) == change.isr.end()) {
      return Error(Errc::invalid_request, "the leader is always in sync");
    }
    Plan plan;
    now_[item].version = partition.state->version;
    now_[item].state = state;
    if (state.isr == change.isr) return plan;
    metadata::StateZnode next = state;
    next.isr = change.isr;
    now_[item].state = next;
    now_[item].version += 1;
    for (BrokerId id : change.isr) {
      if (id != broker_) add_broker_check(facts, id, plan.operations);
    }
    plan.operations.push_back(tree::SetDataOp(facts.paths().state(change.topic, change.partition),
                                              metadata::encode_state(next),
                                              change.partition_epoch));
    return plan;
  }

  void answer(Cluster& cluster, std::optional<Error> error) override {
    Reply<IsrItem> reply;
    reply.zxid = cluster.image()->zxid;
    reply.error = std::move(error);
    for (size_t i = 0; !reply.error && i < changes_.size(); ++i) {
      IsrItem item{changes_[i].topic, changes_[i].partition, error_of(i), {}};
      item.now.leader = now_[i].state.leader;
      item.now.leader_epoch = now_[i].state.leader_epoch;
      item.now.isr = now_[i].state.isr;
      item.now.partition_epoch = now_[i].version;
      reply.items.push_back(std::move(item));
    }
    done_(std::move(reply));
  }

  BrokerId broker_;
  std::vector<IsrChange> changes_;
  std::vector<StateFacts> now_;
  ReplyDone<IsrItem> done_;
};

// The topics that the broker leads partitions of, when the call came.
std::vector<std::string> led_topics(const ClusterFacts& facts, BrokerId broker) {
  std::vector<std::string> names;
  for (const auto& [name, topic] : facts.topics) {
    bool leads = std::any_of(topic.partitions.begin(), topic.partitions.end(),
                             [&](const PartitionFacts& partition) {
                               return partition.replicas().size() > 1 && partition.state &&
                                      partition.state->state.leader == broker;
                             });
    if (leads) names.push_back(name);
  }
  return names;
}

class ControlledShutdownCall final : public ItemsCall {
 public:
  ControlledShutdownCall(Caller caller, std::vector<std::string> topics, int64_t deadline_ms,
                         ReplyDone<TopicPartition> done)
      : ItemsCall(caller, topics.size(), deadline_ms),
        broker_(caller.broker),
        topics_(std::move(topics)),
        done_(std::move(done)) {}

 private:
  std::string subject(size_t item) const override { return topics_[item]; }

  Result<Plan> plan(size_t item, Cluster& cluster, const World& world) override {
    const ClusterFacts& facts = cluster.facts();
    const std::string& name = topics_[item];
    const TopicFacts* topic = facts.topic(name);
    Plan plan;
    if (topic == nullptr || !topic->exists || !topic->ledger ||
        topic->ledger->ledger.czxid != topic->czxid)
      return plan;
    metadata::TopicLedger ledger = topic->ledger->ledger;
    std::set<BrokerId> elected;
    Operations writes;
    for (size_t i = 0; i < topic->partitions.size(); ++i) {
      const PartitionFacts& partition = topic->partitions[i];
      if (!partition.state || !partition.state->valid || partition.state->state.leader != broker_)
        continue;
      auto next = elect(partition, facts, false, broker_);
      if (!next || next->leader == BrokerId(-1)) continue;
      elected.insert(next->leader);
      if (ledger.epochs.size() <= i) ledger.epochs.resize(i + 1, -1);
      ledger.epochs[i] = next->leader_epoch.value();
      writes.push_back(
          tree::SetDataOp(facts.paths().state(name, PartitionId(static_cast<int32_t>(i))),
                          metadata::encode_state(*next), partition.state->version));
    }
    if (writes.empty()) return plan;
    for (BrokerId id : elected) add_broker_check(facts, id, plan.operations);
    plan.operations.insert(plan.operations.end(), writes.begin(), writes.end());
    plan.operations.push_back(tree::SetDataOp(
        facts.paths().own_topic(name), metadata::encode_ledger(ledger), topic->ledger->version));
    return plan;
  }

  void answer(Cluster& cluster, std::optional<Error> error) override {
    Reply<TopicPartition> reply;
    reply.zxid = cluster.image()->zxid;
    reply.error = std::move(error);
    for (const std::string& name : led_topics(cluster.facts(), broker_)) {
      if (reply.error) break;
      const TopicFacts& topic = *cluster.facts().topic(name);
      for (size_t i = 0; i < topic.partitions.size(); ++i) {
        const PartitionFacts& partition = topic.partitions[i];
        if (partition.replicas().size() > 1 && partition.state &&
            partition.state->state.leader == broker_) {
          reply.items.push_back({name, PartitionId(static_cast<int32_t>(i))});
        }
      }
    }
    done_(std::move(reply));
  }

  BrokerId broker_;
  std::vector<std::string> topics_;
  ReplyDone<TopicPartition> done_;
};

}  // namespace

std::shared_ptr<Call> make_alter_partition(Caller caller, std::vector<IsrChange> changes,
                                           int64_t deadline_ms, ReplyDone<IsrItem> done) {
  return std::make_shared<AlterPartitionCall>(caller, std::move(changes), deadline_ms,
                                              std::move(done));
}

std::shared_ptr<Call> make_controlled_shutdown(Caller caller, const ClusterFacts& facts,
                                               int64_t deadline_ms,
                                               ReplyDone<TopicPartition> done) {
  return std::make_shared<ControlledShutdownCall>(caller, led_topics(facts, caller.broker),
                                                  deadline_ms, std::move(done));
}

}  // namespace odradek::coordinator::controller
