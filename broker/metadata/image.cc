#include "broker/metadata/image.h"

#include <algorithm>

namespace odradek::broker::metadata {

const Endpoint* Broker::endpoint(std::string_view listener) const {
  auto found = std::find_if(endpoints.begin(), endpoints.end(), [&](const Endpoint& endpoint) {
    return endpoint.listener == listener;
  });
  return found == endpoints.end() ? nullptr : &*found;
}

bool Partition::is_replica(BrokerId id) const {
  return std::find(replicas.begin(), replicas.end(), id) != replicas.end();
}

const Topic* Image::topic(std::string_view name) const {
  auto found = topics.find(name);
  return found == topics.end() ? nullptr : found->second.get();
}

std::shared_ptr<const Topic> Image::shared_topic(std::string_view name) const {
  auto found = topics.find(name);
  return found == topics.end() ? nullptr : found->second;
}

const Topic* Image::topic(const Uuid& id) const {
  auto found = topic_names.find(id);
  return found == topic_names.end() ? nullptr : topic(found->second);
}

const Partition* Image::partition(std::string_view name, PartitionId id) const {
  const Topic* found = topic(name);
  return found == nullptr ? nullptr : found->partition(id);
}

const Broker* Image::broker(BrokerId id) const {
  auto found = brokers.find(id);
  return found == brokers.end() ? nullptr : &found->second;
}

std::vector<BrokerId> Image::offline_replicas(const Partition& partition) const {
  std::vector<BrokerId> offline;
  for (BrokerId replica : partition.replicas) {
    if (!is_alive(replica)) offline.push_back(replica);
  }
  return offline;
}

std::vector<const Broker*> Image::brokers_with(std::string_view listener) const {
  std::vector<const Broker*> found;
  for (const auto& [id, broker] : brokers) {
    if (broker.endpoint(listener) != nullptr) found.push_back(&broker);
  }
  return found;
}

const DeletedTopic* Image::deleted(const Uuid& id) const {
  if (id.is_zero()) return nullptr;
  auto found = std::find_if(deleted_topics.begin(), deleted_topics.end(),
                            [&](const DeletedTopic& record) { return record.id == id; });
  return found == deleted_topics.end() ? nullptr : &*found;
}

ImageChange difference(const Image* before, const Image& after, bool snapshot) {
  static const Image kNone;
  const Image& old = before == nullptr ? kNone : *before;
  ImageChange change;
  change.snapshot = snapshot;
  for (const auto& [name, topic] : after.topics) {
    auto was = old.topics.find(name);
    if (was == old.topics.end() || was->second->id != topic->id) {
      change.made.push_back(name);
      continue;
    }
    if (was->second == topic) continue;
    if (was->second->partitions != topic->partitions) change.changed.push_back(name);
    if (was->second->configs != topic->configs) change.configs_changed.push_back(name);
  }
  // Records that the broker has not seen yet. With a snapshot these may name topics that it never
  // had in an image, but has on its disk.
  Zxid seen = old.zxid;
  for (const DeletedTopic& record : after.deleted_topics) {
    if (record.zxid > seen) change.deleted.push_back(record);
  }
  for (const auto& [name, topic] : old.topics) {
    auto now = after.topics.find(name);
    if (now != after.topics.end() && now->second->id == topic->id) continue;
    bool recorded = std::any_of(
        change.deleted.begin(), change.deleted.end(),
        [&](const DeletedTopic& record) { return record.name == name && record.id == topic->id; });
    if (!recorded) change.vanished.push_back(name);
  }
  change.brokers_changed = old.brokers != after.brokers;
  change.controller_changed = old.controller != after.controller;
  change.broker_configs_changed = old.broker_configs != after.broker_configs ||
                                  old.default_broker_config != after.default_broker_config;
  return change;
}

}  // namespace odradek::broker::metadata
