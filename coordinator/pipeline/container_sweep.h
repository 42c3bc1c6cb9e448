#pragma once
// ContainerSweep: which containers and TTL znodes are over, and when each may go. Pure but for what
// it reads; it lives on the tree thread with the pipeline, which deletes what it names.

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "coordinator/store/store_tree.h"

namespace odradek::coordinator::pipeline {

struct ContainerSweepOptions {
  int64_t check_interval_ms = 60'000;  // znode.container.checkIntervalMs
  int64_t max_per_minute = 10'000;     // znode.container.maxPerMinute: deletions are spread out
  // znode.container.maxNeverUsedIntervalMs: a container that never had a child goes too when it is
  // that old; 0: it stays.
  int64_t max_never_used_ms = 0;
};

class ContainerSweep {
 public:
  ContainerSweep(ContainerSweepOptions options, int64_t now_ms)
      : options_(options), next_check_ms_(now_ms + options.check_interval_ms) {}

  // Monotonic: when due() has something to do.
  int64_t next_ms() const { return queue_.empty() ? next_check_ms_ : next_delete_ms_; }

  // The paths that may go now: empty containers that had a child, TTL znodes without children
  // whose data did not change for that long (wall clock, as their mtime).
  std::vector<std::string> due(const store::StoreTree& tree, int64_t now_ms, int64_t wall_ms);

 private:
  bool over(const tree::Stat& stat, int64_t wall_ms) const;

  const ContainerSweepOptions options_;
  int64_t next_check_ms_;
  int64_t next_delete_ms_ = 0;
  std::deque<std::string> queue_;
};

}  // namespace odradek::coordinator::pipeline
