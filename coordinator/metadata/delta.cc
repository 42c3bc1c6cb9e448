#include "coordinator/metadata/delta.h"

#include <algorithm>

namespace odradek::coordinator::metadata {

namespace {

std::optional<TopicDelta> topic_difference(const Topic* before, const Topic& after) {
  TopicDelta delta;
  delta.name = after.name;
  delta.id = after.id;
  // A topic that lost partitions (edited by hand) is sent anew as well: a delta only adds and
  // replaces.
  delta.whole = before == nullptr || before->id != after.id ||
                before->partitions.size() > after.partitions.size();
  for (size_t i = 0; i < after.partitions.size(); ++i) {
    if (!delta.whole && i < before->partitions.size() &&
        before->partitions[i] == after.partitions[i])
      continue;
    delta.partitions.emplace_back(PartitionId(static_cast<int32_t>(i)), after.partitions[i]);
  }
  if (delta.whole || before->configs != after.configs) delta.configs = after.configs;
  if (!delta.whole && delta.partitions.empty() && !delta.configs) return std::nullopt;
  return delta;
}

}  // namespace

bool Delta::empty() const {
  return !controller && brokers.empty() && brokers_gone.empty() && topics_gone.empty() &&
         topics.empty() && broker_configs.empty() && deleted_topics.empty() &&
         deleted_kept_from == Zxid();
}

size_t Delta::size() const {
  size_t bytes = 64 + brokers.size() * 128 + topics_gone.size() * 64 + deleted_topics.size() * 96;
  for (const TopicDelta& topic : topics) {
    bytes += topic.name.size() + 64;
    for (const auto& [id, partition] : topic.partitions) {
      bytes += 32 + 4 * (partition.replicas.size() + partition.isr.size());
    }
    if (topic.configs) {
      for (const auto& [key, value] : *topic.configs) bytes += key.size() + value.size() + 16;
    }
  }
  for (const auto& [id, configs] : broker_configs) {
    for (const auto& [key, value] : configs) bytes += key.size() + value.size() + 16;
  }
  return bytes;
}

Delta difference(const ClusterImage& before, const ClusterImage& after) {
  Delta delta;
  delta.before_zxid = before.zxid;
  delta.zxid = after.zxid;
  if (before.controller != after.controller) delta.controller = after.controller;
  for (const auto& [id, broker] : after.brokers) {
    auto was = before.brokers.find(id);
    if (was == before.brokers.end() || was->second != broker) delta.brokers.push_back(broker);
  }
  for (const auto& [id, broker] : before.brokers) {
    if (!after.brokers.contains(id)) delta.brokers_gone.push_back(id);
  }
  // Both maps are ordered by name: one walk.
  auto was = before.topics.begin();
  for (const auto& [name, topic] : after.topics) {
    while (was != before.topics.end() && was->first < name)
      delta.topics_gone.push_back((was++)->first);
    const Topic* old = nullptr;
    if (was != before.topics.end() && was->first == name) {
      old = was->second.get();
      ++was;
    }
    if (old == topic.get()) continue;
    if (auto change = topic_difference(old, *topic)) delta.topics.push_back(std::move(*change));
  }
  for (; was != before.topics.end(); ++was) delta.topics_gone.push_back(was->first);
  for (const auto& [id, configs] : after.broker_configs) {
    auto old = before.broker_configs.find(id);
    if (old == before.broker_configs.end() || old->second != configs)
      delta.broker_configs.emplace_back(id, configs);
  }
  for (const auto& [id, configs] : before.broker_configs) {
    if (!after.broker_configs.contains(id)) delta.broker_configs.emplace_back(id, ConfigMap());
  }
  if (before.default_broker_config != after.default_broker_config) {
    delta.broker_configs.emplace_back(BrokerId(-1), after.default_broker_config);
  }
  Zxid newest = before.deleted_topics.empty() ? Zxid(0) : before.deleted_topics.back().zxid;
  for (const DeletedTopic& record : after.deleted_topics) {
    if (record.zxid > newest) delta.deleted_topics.push_back(record);
  }
  Zxid oldest = after.deleted_topics.empty() ? after.zxid : after.deleted_topics.front().zxid;
  if (!before.deleted_topics.empty() && before.deleted_topics.front().zxid < oldest)
    delta.deleted_kept_from = oldest;
  return delta;
}

ClusterImage apply(const ClusterImage& before, const Delta& delta) {
  ClusterImage after = before;
  after.zxid = delta.zxid;
  if (delta.controller) after.controller = *delta.controller;
  for (const Broker& broker : delta.brokers) after.brokers[broker.id] = broker;
  for (BrokerId id : delta.brokers_gone) after.brokers.erase(id);
  for (const std::string& name : delta.topics_gone) after.topics.erase(name);
  for (const TopicDelta& change : delta.topics) {
    auto topic = std::make_shared<Topic>();
    auto was = after.topics.find(change.name);
    if (!change.whole && was != after.topics.end()) *topic = *was->second;
    topic->name = change.name;
    topic->id = change.id;
    for (const auto& [id, partition] : change.partitions) {
      size_t index = static_cast<size_t>(id.value());
      if (topic->partitions.size() <= index) topic->partitions.resize(index + 1);
      topic->partitions[index] = partition;
    }
    if (change.configs) topic->configs = *change.configs;
    after.topics[change.name] = std::move(topic);
  }
  for (const auto& [id, configs] : delta.broker_configs) {
    if (id == BrokerId(-1)) {
      after.default_broker_config = configs;
    } else if (configs.empty()) {
      after.broker_configs.erase(id);
    } else {
      after.broker_configs[id] = configs;
    }
  }
  std::erase_if(after.deleted_topics,
                [&](const DeletedTopic& record) { return record.zxid < delta.deleted_kept_from; });
  after.deleted_topics.insert(after.deleted_topics.end(), delta.deleted_topics.begin(),
                              delta.deleted_topics.end());
  return after;
}

void History::add(std::shared_ptr<const Delta> delta) {
  bytes_ += delta->size();
  deltas_.push_back(std::move(delta));
  while (deltas_.size() > max_deltas_ || (bytes_ > max_bytes_ && !deltas_.empty())) {
    bytes_ -= deltas_.front()->size();
    deltas_.pop_front();
  }
}

std::optional<std::vector<std::shared_ptr<const Delta>>> History::since(Zxid zxid, Zxid now) const {
  std::vector<std::shared_ptr<const Delta>> found;
  if (zxid == now) return found;
  auto first =
      std::lower_bound(deltas_.begin(), deltas_.end(), zxid,
                       [](const auto& delta, Zxid wanted) { return delta->before_zxid < wanted; });
  if (first == deltas_.end() || (*first)->before_zxid != zxid) return std::nullopt;
  found.assign(first, deltas_.end());
  return found;
}

void History::clear() {
  deltas_.clear();
  bytes_ = 0;
}

}  // namespace odradek::coordinator::metadata
