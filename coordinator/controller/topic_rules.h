#pragma once
// What Kafka asks of a new topic, of more partitions and of assignments given by hand, with its
// messages (3.5). Pure.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "coordinator/controller/facts.h"
#include "coordinator/controller/world.h"

namespace odradek::coordinator::controller {

using Assignments = std::vector<std::vector<BrokerId>>;

// The name alone (KIP: 1 to 249 of ASCII letters, digits, '.', '_' and '-'; not "." nor "..").
Result<void> check_topic_name(std::string_view name);
// '.' and '_' are the same letter in metric names: a topic that differs by them only is refused.
Result<void> check_collision(std::string_view name, const ClusterFacts& facts);

// The replicas of a new topic: given by hand (`manual` not empty, counts -1), or placed.
Result<Assignments> assign_new_topic(int32_t partitions, int32_t replication_factor,
                                     const std::map<int32_t, std::vector<BrokerId>>& manual,
                                     const ClusterFacts& facts, const Settings& settings,
                                     Environment& environment);

// The replicas of partitions that are added up to `total`.
Result<Assignments> assign_more_partitions(const TopicFacts& topic, int32_t total,
                                           const Assignments& manual, const ClusterFacts& facts,
                                           const Settings& settings, Environment& environment);

}  // namespace odradek::coordinator::controller
