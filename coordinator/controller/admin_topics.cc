// CreateTopics, DeleteTopics, CreatePartitions.
#include "coordinator/controller/admin.h"
#include "coordinator/controller/cluster.h"
#include "coordinator/controller/topic_rules.h"
#include "coordinator/controller/transactions.h"

namespace odradek::coordinator::controller {

namespace {

// Answers with a list of TopicItem.
class TopicsCall : public ItemsCall {
 protected:
  TopicsCall(Caller caller, size_t count, int64_t deadline_ms, ReplyDone<TopicItem> done)
      : ItemsCall(caller, count, deadline_ms), results_(count), done_(std::move(done)) {}

  void answer(Cluster& cluster, std::optional<Error> error) override {
    Reply<TopicItem> reply;
    reply.zxid = cluster.image()->zxid;
    reply.error = std::move(error);
    if (!reply.error) {
      for (size_t i = 0; i < results_.size(); ++i) {
        results_[i].name = subject(i);
        results_[i].error = error_of(i);
      }
      reply.items = std::move(results_);
    }
    done_(std::move(reply));
  }

  std::vector<TopicItem> results_;

 private:
  ReplyDone<TopicItem> done_;
};

class CreateTopicsCall final : public TopicsCall {
 public:
  CreateTopicsCall(Caller caller, std::vector<NewTopic> topics, bool validate_only,
                   int64_t deadline_ms, ReplyDone<TopicItem> done)
      : TopicsCall(caller, topics.size(), deadline_ms, std::move(done)),
        topics_(std::move(topics)),
        validate_only_(validate_only) {}

 private:
  std::string subject(size_t item) const override { return topics_[item].name; }

  Result<Plan> plan(size_t item, Cluster& cluster, const World& world) override {
    const NewTopic& topic = topics_[item];
    const ClusterFacts& facts = cluster.facts();
    if (auto ok = check_topic_name(topic.name); !ok) return ok.error();
    const TopicFacts* present = facts.topic(topic.name);
    if (present != nullptr && present->exists) {
      return Error(Errc::topic_exists, "Topic '" + topic.name + "' already exists.");
    }
    if (auto ok = check_collision(topic.name, facts); !ok) return ok.error();
    auto assignments =
        assign_new_topic(topic.partitions, topic.replication_factor, topic.assignments, facts,
                         cluster.settings(), world.environment);
    if (!assignments) return assignments.error();
    TopicItem& result = results_[item];
    result.partitions = static_cast<int32_t>(assignments->size());
    result.replication_factor = static_cast<int32_t>(assignments->front().size());
    Plan plan;
    if (validate_only_) return plan;
    result.id = world.environment.new_uuid();
    add_new_topic(facts, topic.name, result.id, *assignments, topic.configs, plan.operations);
    return plan;
  }

  std::vector<NewTopic> topics_;
  bool validate_only_;
};

class DeleteTopicsCall final : public TopicsCall {
 public:
  DeleteTopicsCall(Caller caller, std::vector<TopicToDelete> topics, int64_t deadline_ms,
                   ReplyDone<TopicItem> done)
      : TopicsCall(caller, topics.size(), deadline_ms, std::move(done)),
        topics_(std::move(topics)) {}

 private:
  std::string subject(size_t item) const override { return topics_[item].name; }

  Result<Plan> plan(size_t item, Cluster& cluster, const World& world) override {
    const TopicToDelete& topic = topics_[item];
    const ClusterFacts& facts = cluster.facts();
    const TopicFacts* present = facts.topic(topic.name);
    if (present == nullptr || !present->exists) {
      if (!topic.id.is_zero())
        return Error(Errc::unknown_topic_id, "This server does not host this topic ID.");
      return Error(Errc::unknown_topic_or_partition,
                   "This server does not host this topic-partition.");
    }
    if (!topic.id.is_zero() && present->id != topic.id) {
      return Error(Errc::unknown_topic_id, "This server does not host this topic ID.");
    }
    if (!facts.delete_topic_enable())
      return Error(Errc::topic_deletion_disabled, "Topic deletion is disabled.");
    results_[item].id = present->id.value_or(Uuid());
    Plan plan;
    add_topic_deletion(facts, topic.name, *present, plan.operations);
    return plan;
  }

  std::vector<TopicToDelete> topics_;
};

class CreatePartitionsCall final : public TopicsCall {
 public:
  CreatePartitionsCall(Caller caller, std::vector<MorePartitions> topics, bool validate_only,
                       int64_t deadline_ms, ReplyDone<TopicItem> done)
      : TopicsCall(caller, topics.size(), deadline_ms, std::move(done)),
        topics_(std::move(topics)),
        validate_only_(validate_only) {}

 private:
  std::string subject(size_t item) const override { return topics_[item].name; }

  Result<Plan> plan(size_t item, Cluster& cluster, const World& world) override {
    const MorePartitions& wanted = topics_[item];
    const ClusterFacts& facts = cluster.facts();
    const TopicFacts* topic = facts.topic(wanted.name);
    if (topic == nullptr || !topic->exists || !topic->valid) {
      return Error(Errc::unknown_topic_or_partition,
                   "The topic '" + wanted.name + "' does not exist.");
    }
    auto added = assign_more_partitions(*topic, wanted.total, wanted.assignments, facts,
                                        cluster.settings(), world.environment);
    if (!added) return added.error();
    results_[item].partitions = wanted.total;
    results_[item].id = topic->id.value_or(Uuid());
    Plan plan;
    if (!validate_only_) add_partitions(facts, wanted.name, *topic, *added, plan.operations);
    return plan;
  }

  static void add_partitions(const ClusterFacts& facts, const std::string& name,
                             const TopicFacts& topic, const Assignments& added,
                             Operations& operations) {
    const metadata::ClusterPaths& paths = facts.paths();
    metadata::TopicZnode znode = znode_of(topic);
    int32_t first = static_cast<int32_t>(topic.partitions.size());
    for (size_t i = 0; i < added.size(); ++i) {
      znode.partitions[first + static_cast<int32_t>(i)].replicas = added[i];
    }
    operations.push_back(tree::CheckOp(paths.topic(name), tree::kAnyVersion, topic.czxid));
    operations.push_back(
        tree::SetDataOp(paths.topic(name), metadata::encode_topic(znode), topic.version));
    bool settled =
        topic.ledger && topic.ledger->ledger.czxid == topic.czxid && topic.partitions_znode;
    if (!settled) return;  // the controller makes the states with the ones that are missing already
    metadata::TopicLedger ledger = topic.ledger->ledger;
    ledger.epochs.resize(static_cast<size_t>(first), -1);
    for (size_t i = 0; i < added.size(); ++i) {
      PartitionId partition(first + static_cast<int32_t>(i));
      metadata::StateZnode state;
      state.controller_epoch = facts.controller_epoch;
      state.leader = added[i].front();
      state.isr = {state.leader};
      add_broker_check(facts, state.leader, operations);
      operations.push_back(tree::CreateOp(paths.partition(name, partition)));
      operations.push_back(
          tree::CreateOp(paths.state(name, partition), metadata::encode_state(state)));
      ledger.epochs.push_back(0);
    }
    operations.push_back(tree::SetDataOp(paths.own_topic(name), metadata::encode_ledger(ledger),
                                         topic.ledger->version));
  }

  std::vector<MorePartitions> topics_;
  bool validate_only_;
};

}  // namespace

std::shared_ptr<Call> make_create_topics(Caller caller, std::vector<NewTopic> topics,
                                         bool validate_only, int64_t deadline_ms,
                                         ReplyDone<TopicItem> done) {
  return std::make_shared<CreateTopicsCall>(caller, std::move(topics), validate_only, deadline_ms,
                                            std::move(done));
}

std::shared_ptr<Call> make_delete_topics(Caller caller, std::vector<TopicToDelete> topics,
                                         int64_t deadline_ms, ReplyDone<TopicItem> done) {
  return std::make_shared<DeleteTopicsCall>(caller, std::move(topics), deadline_ms,
                                            std::move(done));
}

std::shared_ptr<Call> make_create_partitions(Caller caller, std::vector<MorePartitions> topics,
                                             bool validate_only, int64_t deadline_ms,
                                             ReplyDone<TopicItem> done) {
  return std::make_shared<CreatePartitionsCall>(caller, std::move(topics), validate_only,
                                                deadline_ms, std::move(done));
}

}  // namespace odradek::coordinator::controller
