#pragma once
// ClusterImage: what brokers are told of one cluster (one chroot): a function of its znodes.
// Immutable behind shared_ptr; the next image shares every topic that did not change. Lives on the
// tree thread, readable anywhere.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/ids.h"

namespace odradek::coordinator::metadata {

struct Endpoint {
  Endpoint() = default;
  Endpoint(std::string listener_in, std::string host_in, int32_t port_in, std::string protocol_in)
      : listener(std::move(listener_in)),
        host(std::move(host_in)),
        port(port_in),
        security_protocol(std::move(protocol_in)) {}
  std::string listener;
  std::string host;
  int32_t port = 0;
  std::string security_protocol;
  bool operator==(const Endpoint&) const = default;
};

struct Broker {
  BrokerId id{-1};
  std::optional<std::string> rack;
  std::vector<Endpoint> endpoints;
  int64_t epoch = -1;  // czxid of /brokers/ids/N
  bool operator==(const Broker&) const = default;
};

struct Partition {
  BrokerId leader{-1};
  LeaderEpoch leader_epoch{-1};
  int32_t partition_epoch = -1;  // data version of the state znode; -1: there is none
  std::vector<BrokerId> replicas;
  std::vector<BrokerId> isr;
  std::vector<BrokerId> adding_replicas;
  std::vector<BrokerId> removing_replicas;
  bool operator==(const Partition&) const = default;
};

using ConfigMap = std::map<std::string, std::string>;

struct Topic {
  std::string name;
  Uuid id;
  std::vector<Partition> partitions;
  ConfigMap configs;
  bool operator==(const Topic&) const = default;
};

// That a topic was deleted: the only reason for a broker to remove its files.
struct DeletedTopic {
  std::string name;
  Uuid id;
  Zxid czxid;  // of the topic's znode
  Zxid zxid;   // of the record
  bool operator==(const DeletedTopic&) const = default;
};

struct ClusterImage {
  Zxid zxid;
  std::string cluster_id;
  BrokerId controller{-1};
  std::map<BrokerId, Broker> brokers;
  std::map<std::string, std::shared_ptr<const Topic>, std::less<>> topics;
  std::map<BrokerId, ConfigMap> broker_configs;
  ConfigMap default_broker_config;
  std::vector<DeletedTopic> deleted_topics;  // oldest first

  // All but the zxid, topics compared by value.
  bool same_content(const ClusterImage& other) const;
};

using ImagePtr = std::shared_ptr<const ClusterImage>;

}  // namespace odradek::coordinator::metadata
