#pragma once
// Which brokers a new partition's replicas stand on, as Kafka spreads them: round robin from a
// start broker; the second replica a shift behind the first, the shift growing by one each time
// round. With racks (KIP-36) the brokers are walked rack by rack in turn, and no rack is used twice
// while another is free. Pure.

#include <string>
#include <vector>

#include "common/result.h"
#include "coordinator/metadata/cluster_image.h"

namespace odradek::coordinator::controller {

struct PlacementStart {
  uint32_t first_broker = 0;    // index into the brokers by id
  uint32_t shift = 0;           // of the second replica
  int32_t first_partition = 0;  // above 0 where partitions are added to a topic
};

// One list of replicas a partition, the preferred leader first. `brokers` are by id, at least as
// many as the replication factor; invalid_replication_factor where only some of them have a rack.
Result<std::vector<std::vector<BrokerId>>> place(const std::vector<metadata::Broker>& brokers,
                                                 int32_t partitions, int32_t replication_factor,
                                                 PlacementStart start);

}  // namespace odradek::coordinator::controller
