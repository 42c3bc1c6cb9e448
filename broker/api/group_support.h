#pragma once
// What the group APIs share: how a group's place follows the cluster image, and its errors as
// Kafka's numbers.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/api/error_map.h"
#include "broker/api/handler.h"
#include "broker/group/group_manager.h"
#include "broker/metadata/image.h"

namespace odradek::broker::api {

// The groups of this broker, told of the number of partitions that groups are spread over in the
// request's image.
inline group::GroupManager& groups_for(Services& services, const RequestContext& context) {
  if (const metadata::Topic* topic = context.image->topic(group::kOffsetsTopic)) {
    if (!topic->partitions.empty())
      services.groups->set_partition_count(static_cast<int32_t>(topic->partitions.size()));
  }
  return *services.groups;
}

inline int16_t error_number(const std::optional<Errc>& error) {
  return error ? wire(to_kafka(*error)) : int16_t{0};
}

inline bool has_partition(const metadata::Topic* topic, int32_t partition) {
  return topic != nullptr && topic->partition(PartitionId(partition)) != nullptr;
}

// Kafka's words from 4.x where a group is not there.
inline std::string group_not_found(std::string_view group_id) {
  return "Group " + std::string(group_id) + " not found.";
}

}  // namespace odradek::broker::api
