#include "coordinator/controller/transactions.h"

#include <set>

namespace odradek::coordinator::controller {

using tree::CheckAbsentOp;
using tree::CheckOp;
using tree::CreateOp;
using tree::DeleteOp;
using tree::DeleteTreeOp;
using tree::SetDataOp;

void add_lead_check(const ClusterFacts& facts, Operations& operations) {
  if (facts.controller) {
    operations.push_back(
        CheckOp(facts.paths().controller(), tree::kAnyVersion, facts.controller->czxid));
  } else {
    operations.push_back(CheckAbsentOp(facts.paths().controller()));
  }
}

void add_broker_check(const ClusterFacts& facts, BrokerId id, Operations& operations) {
  operations.push_back(
      CheckOp(facts.paths().broker(id), tree::kAnyVersion, Zxid(facts.broker_epoch(id))));
}

CreateOp own_create(std::string path, std::string data, bool sequential) {
  CreateOp create(std::move(path), std::move(data), tree::NodeKind::persistent, sequential);
  create.acl = tree::Acl{tree::AclEntry(tree::kPermRead, tree::Identity("world", "anyone"))};
  return create;
}

metadata::TopicZnode znode_of(const TopicFacts& topic) {
  metadata::TopicZnode znode;
  znode.id = topic.id;
  for (size_t i = 0; i < topic.partitions.size(); ++i) {
    const PartitionFacts& partition = topic.partitions[i];
    if (partition.assigned) {
      znode.partitions[static_cast<int32_t>(i)] = partition.assignment;
    } else if (partition.state) {
      znode.partitions[static_cast<int32_t>(i)].replicas = partition.replicas();
    }
  }
  return znode;
}

void add_retirement(const ClusterFacts& facts, std::string_view name, const TopicFacts& topic,
                    Operations& operations) {
  const metadata::TopicLedger& ledger = topic.ledger->ledger;
  if (!ledger.id.is_zero()) {
    metadata::DeletedRecord record{std::string(name), ledger.id, ledger.czxid};
    operations.push_back(
        own_create(facts.paths().own_deleted() + "/t", metadata::encode_deleted(record), true));
  }
  operations.push_back(DeleteOp(facts.paths().own_topic(name), topic.ledger->version));
}

void add_new_topic(const ClusterFacts& facts, std::string_view name, const Uuid& id,
                   const std::vector<std::vector<BrokerId>>& assignments,
                   const metadata::ConfigMap& configs, Operations& operations) {
  const metadata::ClusterPaths& paths = facts.paths();
  const TopicFacts* before = facts.topic(name);
  // What a topic of this name left behind goes in the same transaction.
  if (before != nullptr && before->ledger) add_retirement(facts, name, *before, operations);
  if (before != nullptr && before->delete_marker)
    operations.push_back(DeleteOp(paths.delete_topic(name)));
  std::string config_data = metadata::encode_configs(configs);
  if (before != nullptr && before->config) {
    operations.push_back(SetDataOp(paths.topic_config(name), std::move(config_data)));
  } else {
    operations.push_back(CreateOp(paths.topic_config(name), std::move(config_data)));
  }
  metadata::TopicZnode znode;
  znode.id = id;
  std::set<BrokerId> leaders;
  for (size_t i = 0; i < assignments.size(); ++i) {
    znode.partitions[static_cast<int32_t>(i)].replicas = assignments[i];
    leaders.insert(assignments[i].front());
  }
  for (BrokerId leader : leaders) add_broker_check(facts, leader, operations);
  operations.push_back(CreateOp(paths.topic(name), metadata::encode_topic(znode)));
  operations.push_back(CreateOp(paths.partitions(name)));
  metadata::TopicLedger ledger;
  ledger.id = id;
  for (size_t i = 0; i < assignments.size(); ++i) {
    PartitionId partition(static_cast<int32_t>(i));
    metadata::StateZnode state;
    state.controller_epoch = facts.controller_epoch;
    state.leader = assignments[i].front();
    state.isr = {state.leader};
    operations.push_back(CreateOp(paths.partition(name, partition)));
    operations.push_back(CreateOp(paths.state(name, partition), metadata::encode_state(state)));
    ledger.epochs.push_back(0);
  }
  operations.push_back(own_create(paths.own_topic(name), metadata::encode_ledger(ledger)));
}

void add_topic_deletion(const ClusterFacts& facts, std::string_view name, const TopicFacts& topic,
                        Operations& operations) {
  const metadata::ClusterPaths& paths = facts.paths();
  if (topic.exists) {
    operations.push_back(CheckOp(paths.topic(name), tree::kAnyVersion, topic.czxid));
    operations.push_back(DeleteTreeOp(paths.topic(name)));
  }
  if (topic.config) operations.push_back(DeleteTreeOp(paths.topic_config(name)));
  if (topic.delete_marker) operations.push_back(DeleteOp(paths.delete_topic(name)));
  if (topic.ledger) {
    add_retirement(facts, name, topic, operations);
  } else if (topic.exists && topic.id) {
    metadata::DeletedRecord record{std::string(name), *topic.id, topic.czxid};
    operations.push_back(
        own_create(paths.own_deleted() + "/t", metadata::encode_deleted(record), true));
  }
}

void add_config_change(const ClusterFacts& facts, const std::string& entity_path,
                       Operations& operations) {
  operations.push_back(CreateOp(facts.paths().config_changes() + "/config_change_",
                                metadata::encode_config_change(entity_path),
                                tree::NodeKind::persistent, true));
}

}  // namespace odradek::coordinator::controller
