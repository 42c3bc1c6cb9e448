// What a led cluster wants besides its topics: old notifications removed, elections and
// reassignments obeyed.

#include <algorithm>
#include <map>

#include "common/format.h"
#include "common/log/log.h"
#include "coordinator/controller/cluster.h"
#include "coordinator/controller/topic_decision.h"

namespace odradek::coordinator::controller {

namespace {

constexpr size_t kDeletesAtOnce = 500;

}  // namespace

void Cluster::decide_chores(const World& world, std::vector<Proposal>& proposals) {
  auto wake_in = [&](int64_t ms) {
    int64_t at_ms = world.now_ms + std::max<int64_t>(ms, 1);
    chores_wake_ms_ = std::min(chores_wake_ms_.value_or(at_ms), at_ms);
  };
  auto remove = [&](const std::string& subject, const std::string& folder,
                    const std::vector<std::string>& names) {
    if (names.empty() || busy(subject)) return;
    Operations operations;
    add_lead_check(facts_, operations);
    for (const std::string& name : names) operations.push_back(tree::DeleteOp(folder + "/" + name));
    propose({subject}, std::move(operations), {}, proposals);
  };

  std::vector<std::string> old;
  for (const auto& [name, ctime_ms] : facts_.config_changes) {
    int64_t left_ms = ctime_ms + settings_.config_change_keep_ms - world.wall_ms;
    if (left_ms > 0) {
      wake_in(left_ms);
    } else if (old.size() < kDeletesAtOnce) {
      old.push_back(name);
    }
  }
  remove("/config_changes", facts_.paths().config_changes(), old);

  // What they name is in the image already: it is made from the states themselves.
  std::vector<std::string> isr_changes = facts_.isr_changes;
  if (isr_changes.size() > kDeletesAtOnce) isr_changes.resize(kDeletesAtOnce);
  remove("/isr_changes", facts_.paths().isr_changes(), isr_changes);

  std::vector<std::string> forgotten;
  size_t kept = facts_.deleted.size();
  for (const auto& [name, record] : facts_.deleted) {  // oldest first
    int64_t left_ms = record.ctime_ms + settings_.deleted_keep_ms - world.wall_ms;
    if (left_ms > 0 && kept <= settings_.deleted_keep) {
      wake_in(left_ms);
      break;
    }
    if (forgotten.size() == kDeletesAtOnce) break;
    forgotten.push_back(name);
    --kept;
  }
  remove("/deleted", facts_.paths().own_deleted(), forgotten);

  if (facts_.preferred_election) decide_election(proposals);
  if (facts_.reassignment) decide_reassignment(proposals);
}

void Cluster::decide_election(std::vector<Proposal>& proposals) {
  if (busy("/preferred_election")) return;
  auto partitions = metadata::decode_partition_list(facts_.preferred_election->first);
  std::map<std::string, std::vector<int32_t>> by_topic;
  for (const TopicPartition& partition : partitions.value_or(std::vector<TopicPartition>())) {
    if (busy(partition.topic)) return;  // looked at again when that is settled
    by_topic[partition.topic].push_back(partition.partition.value());
  }
  Operations operations;
  add_lead_check(facts_, operations);
  std::vector<std::string> subjects{"/preferred_election"};
  int moved = 0;
  for (auto& [name, indexes] : by_topic) {
    const TopicFacts* topic = facts_.topic(name);
    if (topic == nullptr || !topic->exists || !topic->ledger ||
        topic->ledger->ledger.czxid != topic->czxid)
      continue;
    metadata::TopicLedger ledger = topic->ledger->ledger;
    std::sort(indexes.begin(), indexes.end());
    indexes.erase(std::unique(indexes.begin(), indexes.end()), indexes.end());
    bool any = false;
    for (int32_t index : indexes) {
      if (index < 0 || static_cast<size_t>(index) >= topic->partitions.size()) continue;
      const PartitionFacts& partition = topic->partitions[static_cast<size_t>(index)];
      if (!partition.state || !partition.state->valid) continue;
      auto next = elect(partition, facts_, true);
      if (!next || next->leader == BrokerId(-1)) continue;
      add_broker_check(facts_, next->leader, operations);
      operations.push_back(tree::SetDataOp(facts_.paths().state(name, PartitionId(index)),
                                           metadata::encode_state(*next),
                                           partition.state->version));
      if (ledger.epochs.size() <= static_cast<size_t>(index))
        ledger.epochs.resize(static_cast<size_t>(index) + 1, -1);
      ledger.epochs[static_cast<size_t>(index)] = next->leader_epoch.value();
      any = true;
      ++moved;
    }
    if (!any) continue;
    operations.push_back(tree::SetDataOp(facts_.paths().own_topic(name),
                                         metadata::encode_ledger(ledger), topic->ledger->version));
    subjects.push_back(name);
  }
  operations.push_back(
      tree::DeleteOp(facts_.paths().preferred_election(), facts_.preferred_election->second));
  std::string summary =
      partitions ? odradek::format("Preferred replica election: {} partitions moved", moved)
                 : facts_.paths().preferred_election() + " is not understood and was removed";
  propose(std::move(subjects), std::move(operations), std::move(summary), proposals);
}

// Where the replicas are already the wanted ones, or the partition is gone, the reassignment is
// done. What would move data waits in the znode for the release that copies partitions.
void Cluster::decide_reassignment(std::vector<Proposal>& proposals) {
  if (busy("/reassignment")) return;
  const auto& [data, version] = *facts_.reassignment;
  auto wanted = metadata::decode_reassignment(data);
  Operations operations;
  add_lead_check(facts_, operations);
  if (!wanted) {
    operations.push_back(tree::DeleteOp(facts_.paths().reassign_partitions(), version));
    propose({"/reassignment"}, std::move(operations),
            facts_.paths().reassign_partitions() + " is not understood and was removed", proposals);
    return;
  }
  metadata::Reassignment left;
  for (auto& [partition, replicas] : *wanted) {
    const TopicFacts* topic = facts_.topic(partition.topic);
    size_t index = static_cast<size_t>(partition.partition.value());
    if (topic == nullptr || !topic->exists || partition.partition.value() < 0) continue;
    if (!topic->valid || index >= topic->partitions.size()) continue;
    if (topic->partitions[index].replicas() != replicas) left.emplace_back(partition, replicas);
  }
  if (left.size() == wanted->size() && !left.empty()) {
    if (reassignment_logged_ != data) {
      LOG_WARN("controller",
               "{} asks to move {} partitions to other brokers: moving partitions is not available "
               "yet, the znode is "
               "left as it is",
               facts_.paths().reassign_partitions(), left.size());
      reassignment_logged_ = data;
    }
    return;
  }
  if (left.empty()) {
    operations.push_back(tree::DeleteOp(facts_.paths().reassign_partitions(), version));
  } else {
    operations.push_back(tree::SetDataOp(facts_.paths().reassign_partitions(),
                                         metadata::encode_reassignment(left), version));
  }
  propose({"/reassignment"}, std::move(operations),
          odradek::format("Partition reassignment: {} of {} were done already",
                          wanted->size() - left.size(), wanted->size()),
          proposals);
}

}  // namespace odradek::coordinator::controller
