#pragma once
// What one topic needs: the level-triggered heart of the controller. A pure function of the facts
// and the time; doing it twice does nothing the second time.

#include <optional>
#include <string>
#include <string_view>

#include "coordinator/controller/facts.h"
#include "coordinator/controller/transactions.h"
#include "coordinator/controller/world.h"

namespace odradek::coordinator::controller {

struct TopicMoment {
  int64_t now_ms = 0;
  // Before this nothing is put back below the topic: a client may be deleting it, bottom up.
  int64_t settled_ms = 0;
  // Before this no state is put back that the topic once had: after a start, deletes that were seen
  // before it are unknown.
  int64_t put_back_ms = 0;
  // Where the deletion of the topic's znode was seen: its zxid.
  std::optional<Zxid> gone;
};

struct TopicDecision {
  Operations operations;                 // empty: nothing to write now
  std::optional<int64_t> look_again_ms;  // something waits for this time
  std::string summary;                   // for the log, once it is done
};

TopicDecision decide_topic(std::string_view name, const ClusterFacts& facts,
                           const TopicMoment& moment, Environment& environment);

// The state that a partition should have: where it differs from the present one, with a higher
// leader epoch. `prefer_first`: the first replica leads where it can (preferred replica election);
// `leave`: this broker is about to go.
std::optional<metadata::StateZnode> elect(const PartitionFacts& partition,
                                          const ClusterFacts& facts, bool prefer_first = false,
                                          BrokerId leave = BrokerId(-1));

}  // namespace odradek::coordinator::controller
