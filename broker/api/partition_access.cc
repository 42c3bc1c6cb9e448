#include "broker/api/partition_access.h"

namespace odradek::broker::api {

LeaderHint leader_hint(const metadata::Image& image, const TopicPartition& id) {
  const metadata::Partition* partition = image.partition(id.topic, id.partition);
  if (partition == nullptr) return {};
  return {partition->leader.value(), partition->leader_epoch.value()};
}

bool wants_hint(int16_t error) {
  return error == wire(ErrorCode::not_leader_or_follower) ||
         error == wire(ErrorCode::fenced_leader_epoch);
}

}  // namespace odradek::broker::api
