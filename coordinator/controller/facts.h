#pragma once
// Facts: what the controller knows of one cluster, read from its znodes and from nothing else. Kept
// between commits and refreshed where a commit touched them; reading all anew gives the same. Lives
// on the tree thread, gone at a restart.

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "coordinator/metadata/cluster_image.h"
#include "coordinator/metadata/znodes.h"
#include "coordinator/tree/commit.h"
#include "coordinator/tree/tree_reader.h"

namespace odradek::coordinator::controller {

struct StateFacts {
  metadata::StateZnode state;
  int32_t version = 0;
  Zxid mzxid;
  bool valid = false;  // the data was understood
};

struct PartitionFacts {
  metadata::TopicZnode::Assignment assignment;
  bool assigned = false;  // named in the topic's znode
  bool znode = false;     // partitions/N stands
  std::optional<StateFacts> state;

  // Where the data is. Replicas that were rewritten by hand so that nobody in sync is among them
  // are not obeyed: the partition would lose its records. Moving them is what a reassignment is
  // for.
  const std::vector<BrokerId>& replicas() const {
    if (!state || !state->valid || state->state.isr.empty()) return assignment.replicas;
    for (BrokerId id : state->state.isr) {
      if (std::find(assignment.replicas.begin(), assignment.replicas.end(), id) !=
          assignment.replicas.end()) {
        return assignment.replicas;
      }
    }
    return state->state.isr;
  }
};

struct ConfigFacts {
  std::optional<metadata::ConfigMap> overrides;  // nothing: the data was not understood
  int32_t version = 0;
  Zxid mzxid;
};

struct LedgerFacts {
  metadata::TopicLedger ledger;
  int32_t version = 0;
};

// Everything that stands under one topic's name.
struct TopicFacts {
  bool exists = false;  // /brokers/topics/NAME
  bool valid = false;   // its data was understood
  Zxid czxid;
  int32_t version = 0;
  std::optional<Uuid> id;
  bool partitions_znode = false;
  std::vector<PartitionFacts> partitions;
  std::optional<ConfigFacts> config;
  std::optional<LedgerFacts> ledger;
  std::optional<Zxid> delete_marker;  // czxid of /admin/delete_topics/NAME

  // The ledger is of this very topic: it is what the topic's id is known by. A tool that rewrites
  // the znode may leave the id out.
  bool ledger_fits() const {
    return exists && ledger && !ledger->ledger.id.is_zero() && ledger->ledger.czxid == czxid;
  }
  // The ledger knows a topic that is not there any more.
  bool wants_retirement() const {
    return ledger && !ledger->ledger.id.is_zero() && (!exists || ledger->ledger.czxid != czxid);
  }
  bool nothing() const { return !exists && !config && !ledger && !delete_marker; }
};

struct BrokerFacts {
  metadata::Broker broker;
  SessionId owner;  // 0: not ephemeral
  std::optional<metadata::BrokerIdentity> identity;
  bool ours = false;  // registered by gRPC: its identity was written with the znode
};

struct ControllerFacts {
  BrokerId broker{-1};
  SessionId owner;
  Zxid czxid;
  int32_t version = 0;
};

struct DeletedFacts {
  metadata::DeletedTopic record;
  int64_t ctime_ms = 0;
};

// What a commit touched.
struct Dirty {
  struct Topic {
    bool whole = false;
    bool config = false;
    bool ledger = false;
    bool marker = false;
    std::set<int32_t> states;
  };
  bool all = true;
  bool head = false;  // controller, epoch, cluster id, our own record
  bool brokers = false;
  bool broker_configs = false;
  bool deleted = false;
  bool chores = false;  // change notifications, elections, reassignments
  std::map<std::string, Topic, std::less<>> topics;

  bool any() const {
    return all || head || brokers || broker_configs || deleted || chores || !topics.empty();
  }
};

// What else follows from a change's path.
struct Touched {
  std::string topic_gone;        // the topic's own znode was deleted
  std::string below_topic_gone;  // a znode below a topic's was deleted
};

class ClusterFacts {
 public:
  explicit ClusterFacts(metadata::ClusterPaths paths) : paths_(std::move(paths)) {}

  // Marks what a change touches; false where it is none of this cluster's.
  bool note(const tree::Change& change, Dirty& dirty, Touched& touched) const;
  // Reads what is dirty, and tells which topics it read.
  std::set<std::string> refresh(const tree::TreeState& tree, const Dirty& dirty);

  const metadata::ClusterPaths& paths() const { return paths_; }

  // /controller and around it
  std::string cluster_id;
  std::optional<ControllerFacts> controller;
  int32_t controller_epoch = 0;
  std::optional<int32_t> controller_epoch_version;
  std::optional<metadata::OwnRecord> own;
  int32_t own_version = 0;

  std::map<BrokerId, BrokerFacts> brokers;  // that have a znode
  std::map<BrokerId, metadata::BrokerIdentity> identities;
  std::map<std::string, TopicFacts, std::less<>> topics;
  std::map<BrokerId, metadata::ConfigMap> broker_configs;  // -1: the default
  std::map<std::string, DeletedFacts> deleted;             // by record name, oldest first

  std::map<std::string, int64_t> config_changes;  // name, ctime
  std::vector<std::string> isr_changes;
  std::optional<std::pair<std::string, int32_t>> preferred_election;  // data, version
  std::optional<std::pair<std::string, int32_t>> reassignment;

  bool alive(BrokerId id) const {
    auto found = brokers.find(id);
    return found != brokers.end() && found->second.ours;
  }
  int64_t broker_epoch(BrokerId id) const { return brokers.at(id).broker.epoch; }
  std::vector<metadata::Broker> alive_brokers() const;
  // Why this cluster is not ours to lead; empty where it is.
  std::string foreign() const;
  const TopicFacts* topic(std::string_view name) const;
  // delete.topic.enable of the brokers: off where one living broker has it off.
  bool delete_topic_enable() const;
  bool unclean_leader_election_enable() const;

 private:
  void note_topic(std::string_view rest, const tree::Change& change, Dirty& dirty,
                  Touched& touched) const;
  void note_own(std::string_view rest, Dirty& dirty) const;
  void read_head(const tree::TreeState& tree);
  void read_brokers(const tree::TreeState& tree);
  void read_broker_configs(const tree::TreeState& tree);
  void read_deleted(const tree::TreeState& tree);
  void read_chores(const tree::TreeState& tree);
  void read_topic(const tree::TreeState& tree, const std::string& name);
  void read_state(const tree::TreeState& tree, const std::string& name, int32_t index,
                  PartitionFacts& facts);
  void read_config(const tree::TreeState& tree, const std::string& name, TopicFacts& facts);
  void read_ledger(const tree::TreeState& tree, const std::string& name, TopicFacts& facts);
  void read_marker(const tree::TreeState& tree, const std::string& name, TopicFacts& facts);

  metadata::ClusterPaths paths_;
};

}  // namespace odradek::coordinator::controller
