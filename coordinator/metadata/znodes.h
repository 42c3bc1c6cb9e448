#pragma once
// Kafka's znodes of one cluster: their paths below a chroot, and their JSON as Kafka 2.5 and 3.5
// write and read it. Encoders give 3.5's layout (key order included). Decoders take every version
// that either release writes, and give nothing where the data is not that.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/bytes/byte_reader.h"
#include "common/ids.h"
#include "coordinator/metadata/cluster_image.h"

namespace odradek::coordinator::metadata {

// More partitions than this in one topic are refused; it bounds what a hand-written number can make
// us allocate.
inline constexpr int32_t kMaxPartitions = 100'000;

class ClusterPaths {
 public:
  // `chroot` is "" or "/a/b".
  explicit ClusterPaths(std::string chroot) : chroot_(std::move(chroot)) {}
  const std::string& chroot() const { return chroot_; }
  std::string at(std::string_view path) const { return chroot_ + std::string(path); }

  std::string controller() const { return at("/controller"); }
  std::string controller_epoch() const { return at("/controller_epoch"); }
  std::string cluster_id() const { return at("/cluster/id"); }
  std::string broker_ids() const { return at("/brokers/ids"); }
  std::string broker(BrokerId id) const { return at("/brokers/ids/" + std::to_string(id.value())); }
  std::string seqid() const { return at("/brokers/seqid"); }
  std::string topics() const { return at("/brokers/topics"); }
  std::string topic(std::string_view name) const { return topics() + "/" + std::string(name); }
  std::string partitions(std::string_view topic_name) const {
    return topic(topic_name) + "/partitions";
  }
  std::string partition(std::string_view topic_name, PartitionId id) const {
    return partitions(topic_name) + "/" + std::to_string(id.value());
  }
  std::string state(std::string_view topic_name, PartitionId id) const {
    return partition(topic_name, id) + "/state";
  }
  std::string topic_configs() const { return at("/config/topics"); }
  std::string topic_config(std::string_view name) const {
    return topic_configs() + "/" + std::string(name);
  }
  std::string broker_configs() const { return at("/config/brokers"); }
  // -1: the cluster-wide default.
  std::string broker_config(BrokerId id) const {
    return broker_configs() + "/" + (id == BrokerId(-1) ? "<default>" : std::to_string(id.value()));
  }
  std::string config_changes() const { return at("/config/changes"); }
  std::string delete_topics() const { return at("/admin/delete_topics"); }
  std::string delete_topic(std::string_view name) const {
    return delete_topics() + "/" + std::string(name);
  }
  std::string preferred_election() const { return at("/admin/preferred_replica_election"); }
  std::string reassign_partitions() const { return at("/admin/reassign_partitions"); }
  std::string isr_changes() const { return at("/isr_change_notification"); }
  std::string log_dir_events() const { return at("/log_dir_event_notification"); }
  std::string producer_ids() const { return at("/latest_producer_id_block"); }

  // Our own records of this cluster. They stand below /zookeeper, which every ensemble has, so that
  // `ls` of Kafka's paths shows Kafka's znodes only, and a chroot that is wiped by hand leaves the
  // records of what it held.
  static std::string own_root() { return "/zookeeper/odradek"; }
  static std::string own_clusters() { return own_root() + "/clusters"; }
  static std::string name_of_chroot(std::string_view chroot);  // percent-encoded
  std::string own() const { return own_clusters() + "/" + name_of_chroot(chroot_); }
  std::string own_brokers() const { return own() + "/brokers"; }
  std::string own_broker(BrokerId id) const {
    return own_brokers() + "/" + std::to_string(id.value());
  }
  std::string own_topics() const { return own() + "/topics"; }
  std::string own_topic(std::string_view name) const {
    return own_topics() + "/" + std::string(name);
  }
  std::string own_deleted() const { return own() + "/deleted"; }

 private:
  std::string chroot_;
};

// What the persistent znodes of a new cluster are, parents first: path below the chroot and data.
const std::vector<std::pair<std::string, std::optional<std::string>>>& persistent_znodes();

struct TopicZnode {
  std::optional<Uuid> id;
  struct Assignment {
    std::vector<BrokerId> replicas;
    std::vector<BrokerId> adding;
    std::vector<BrokerId> removing;
    bool operator==(const Assignment&) const = default;
  };
  std::map<int32_t, Assignment> partitions;
};

struct StateZnode {
  int32_t controller_epoch = 0;
  BrokerId leader{-1};
  LeaderEpoch leader_epoch{0};
  std::vector<BrokerId> isr;
};

struct ControllerZnode {
  BrokerId broker{-1};
};

struct ProducerIdsZnode {
  BrokerId broker{-1};
  int64_t first = 0;
  int64_t last = 0;  // inclusive
};

std::string encode_topic(const TopicZnode& topic);
std::optional<TopicZnode> decode_topic(ByteView data);
std::string encode_state(const StateZnode& state);
std::optional<StateZnode> decode_state(ByteView data);
std::string encode_broker(const Broker& broker, int32_t jmx_port, int64_t time_ms);
// The epoch and id are not in the data.
std::optional<Broker> decode_broker(ByteView data);
std::string encode_controller(BrokerId broker, int64_t time_ms);
std::optional<ControllerZnode> decode_controller(ByteView data);
std::string encode_cluster_id(const std::string& id);
std::optional<std::string> decode_cluster_id(ByteView data);
std::string encode_configs(const ConfigMap& configs);
std::optional<ConfigMap> decode_configs(ByteView data);
// `entity_path` is "topics/NAME" or "brokers/N".
std::string encode_config_change(const std::string& entity_path);
std::string encode_producer_ids(const ProducerIdsZnode& block);
std::optional<ProducerIdsZnode> decode_producer_ids(ByteView data);
// /admin/preferred_replica_election and isr change notifications.
std::optional<std::vector<TopicPartition>> decode_partition_list(ByteView data);
// /admin/reassign_partitions
using Reassignment = std::vector<std::pair<TopicPartition, std::vector<BrokerId>>>;
std::string encode_reassignment(const Reassignment& reassignment);
std::optional<Reassignment> decode_reassignment(ByteView data);

// ---- our own records ----

// Of a topic that exists or existed: what must be known when its znodes are gone.
struct TopicLedger {
  Uuid id;
  Zxid czxid;  // of the topic's znode; 0: made in the same transaction as this record
  std::vector<int32_t> epochs;  // the highest leader epoch that each partition had; -1: none
};
std::string encode_ledger(const TopicLedger& ledger);
std::optional<TopicLedger> decode_ledger(ByteView data);

struct DeletedRecord {
  std::string name;
  Uuid id;
  Zxid czxid;
};
std::string encode_deleted(const DeletedRecord& record);
std::optional<DeletedRecord> decode_deleted(ByteView data);

// Of a broker that registered by gRPC, written with its znode.
struct BrokerIdentity {
  std::vector<Uuid> directories;
  Uuid incarnation;
  SessionId session;
  bool delete_topic_enable = true;
  bool unclean_leader_election_enable = false;
};
std::string encode_identity(const BrokerIdentity& identity);
std::optional<BrokerIdentity> decode_identity(ByteView data);

// Of the cluster: the session that owns /controller; 0: none.
struct OwnRecord {
  std::string chroot;
  SessionId controller_session;
};
std::string encode_own(const OwnRecord& record);
std::optional<OwnRecord> decode_own(ByteView data);

}  // namespace odradek::coordinator::metadata
