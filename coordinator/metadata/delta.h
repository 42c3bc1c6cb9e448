#pragma once
// Delta: what turns one image into the next, and History: the last deltas, so that a broker whose
// stream broke goes on where it was. Both plain values; a History lives on the tree thread and is
// empty after a restart.

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "coordinator/metadata/cluster_image.h"

namespace odradek::coordinator::metadata {

struct TopicDelta {
  std::string name;
  Uuid id;
  bool whole = false;  // the topic is new, or was replaced: all of it follows
  std::vector<std::pair<PartitionId, Partition>> partitions;
  std::optional<ConfigMap> configs;
  bool operator==(const TopicDelta&) const = default;
};

struct Delta {
  Zxid before_zxid;
  Zxid zxid;
  std::optional<BrokerId> controller;
  std::vector<Broker> brokers;
  std::vector<BrokerId> brokers_gone;
  std::vector<std::string> topics_gone;  // applied before `topics`
  std::vector<TopicDelta> topics;
  std::vector<std::pair<BrokerId, ConfigMap>> broker_configs;  // -1: the cluster-wide default
  std::vector<DeletedTopic> deleted_topics;                    // records made
  Zxid deleted_kept_from;  // records with a smaller zxid are forgotten; 0: none are

  bool empty() const;
  // About what it takes on the wire.
  size_t size() const;
};

Delta difference(const ClusterImage& before, const ClusterImage& after);
// The image that the delta leads to.
ClusterImage apply(const ClusterImage& before, const Delta& delta);

class History {
 public:
  History(size_t max_deltas, size_t max_bytes) : max_deltas_(max_deltas), max_bytes_(max_bytes) {}

  void add(std::shared_ptr<const Delta> delta);
  // The deltas from the image at `zxid` up to `now`; nothing where they are not known any more.
  // Empty where there is nothing to send.
  std::optional<std::vector<std::shared_ptr<const Delta>>> since(Zxid zxid, Zxid now) const;
  void clear();
  size_t size() const { return deltas_.size(); }

 private:
  size_t max_deltas_;
  size_t max_bytes_;
  size_t bytes_ = 0;
  std::deque<std::shared_ptr<const Delta>> deltas_;
};

}  // namespace odradek::coordinator::metadata
