#include "coordinator/metadata/cluster_image.h"

#include <algorithm>

namespace odradek::coordinator::metadata {

bool ClusterImage::same_content(const ClusterImage& other) const {
  auto same_topic = [](const auto& a, const auto& b) {
    return a.first == b.first && (a.second == b.second || *a.second == *b.second);
  };
  return cluster_id == other.cluster_id && controller == other.controller &&
         brokers == other.brokers && broker_configs == other.broker_configs &&
         default_broker_config == other.default_broker_config &&
         deleted_topics == other.deleted_topics &&
         std::equal(topics.begin(), topics.end(), other.topics.begin(), other.topics.end(),
                    same_topic);
}

}  // namespace odradek::coordinator::metadata
