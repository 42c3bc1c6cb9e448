#pragma once
// Image: the cluster as this broker knows it, at one zxid of the coordinator's tree. It is
// immutable and shared: take the pointer once per request and use that one. A delta makes the next
// image, which shares every topic that did not change. Nothing here survives a restart: the
// coordinator sends it anew.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/ids.h"

namespace odradek::broker::metadata {

struct Endpoint {
  std::string listener;  // "PLAINTEXT", "INTERNAL": the listener's name
  std::string host;
  int32_t port = 0;
  std::string security_protocol;  // "PLAINTEXT", "SSL", ...
  bool operator==(const Endpoint&) const = default;
};

struct Broker {
  BrokerId id{-1};
  std::optional<std::string> rack;
  std::vector<Endpoint> endpoints;
  int64_t epoch = -1;  // czxid of /brokers/ids/N
  // nullptr where this broker does not have that listener.
  const Endpoint* endpoint(std::string_view listener) const;
  bool operator==(const Broker&) const = default;
};

struct Partition {
  BrokerId leader{-1};  // -1: none
  LeaderEpoch leader_epoch{-1};
  int32_t partition_epoch =
      -1;  // data version of the state znode (KIP-497); -1: the state is not made yet
  std::vector<BrokerId> replicas;  // in order of preference
  std::vector<BrokerId> isr;
  std::vector<BrokerId> adding_replicas;  // KIP-455
  std::vector<BrokerId> removing_replicas;
  bool is_replica(BrokerId id) const;
  bool operator==(const Partition&) const = default;
};

using ConfigMap = std::map<std::string, std::string, std::less<>>;

struct Topic {
  std::string name;
  Uuid id;
  std::vector<Partition> partitions;  // by partition number
  ConfigMap configs;                  // overrides, as in /config/topics/NAME
  // nullptr where there is no such partition.
  const Partition* partition(PartitionId id) const {
    if (id.value() < 0 || static_cast<size_t>(id.value()) >= partitions.size()) return nullptr;
    return &partitions[static_cast<size_t>(id.value())];
  }
  bool operator==(const Topic&) const = default;
};

// A record that a topic was deleted: the only reason to remove its files (absence is never
// deletion). The coordinator keeps these for a time, so that a broker that was away learns them.
struct DeletedTopic {
  std::string name;
  Uuid id;
  Zxid czxid;  // of the topic's znode; a log whose topic id is not known is compared by this
  Zxid zxid;   // of the deletion
  bool operator==(const DeletedTopic&) const = default;
};

class Image {
 public:
  Zxid zxid;
  std::string cluster_id;
  BrokerId controller{-1};             // the live broker that Metadata names; -1: none
  std::map<BrokerId, Broker> brokers;  // alive ones
  // Ordered by name, as Kafka's tools print.
  std::map<std::string, std::shared_ptr<const Topic>, std::less<>> topics;
  std::unordered_map<Uuid, std::string> topic_names;  // by id
  std::map<BrokerId, ConfigMap> broker_configs;       // overrides of /config/brokers/N
  ConfigMap default_broker_config;                    // of /config/brokers/<default>
  std::vector<DeletedTopic> deleted_topics;           // oldest first

  // All return nullptr where there is no such thing.
  const Topic* topic(std::string_view name) const;
  std::shared_ptr<const Topic> shared_topic(std::string_view name) const;
  const Topic* topic(const Uuid& id) const;
  const Partition* partition(std::string_view topic, PartitionId id) const;
  const Broker* broker(BrokerId id) const;
  bool is_alive(BrokerId id) const { return brokers.contains(id); }
  // Replicas whose broker is not alive.
  std::vector<BrokerId> offline_replicas(const Partition& partition) const;
  // The brokers that have this listener, by id.
  std::vector<const Broker*> brokers_with(std::string_view listener) const;
  // The record that this topic is deleted, nullptr where there is none.
  const DeletedTopic* deleted(const Uuid& id) const;
};

using ImagePtr = std::shared_ptr<const Image>;

// What is different in an image from the one before it. A topic that was deleted and made again
// under its name is in `deleted` and in `made`.
struct ImageChange {
  bool snapshot = false;  // the image came whole (first one, or after a long absence); the lists
                          // hold all the same
  std::vector<std::string> made;
  std::vector<std::string> changed;          // partitions, replicas, leaders, ISR
  std::vector<std::string> configs_changed;  // topics whose overrides changed
  std::vector<DeletedTopic> deleted;         // by record: files go
  std::vector<std::string> vanished;         // gone without a record: files are set aside as -stray
  bool brokers_changed = false;
  bool controller_changed = false;
  bool broker_configs_changed = false;  // of any broker, or the default
};

// What differs; `before` may be null.
ImageChange difference(const Image* before, const Image& after, bool snapshot);

}  // namespace odradek::broker::metadata
