#include "broker/replica/disk_cap.h"

#include <map>
#include <queue>

namespace odradek::broker::replica {

std::vector<CapCandidate> segments_to_remove(std::span<const CapCandidate> candidates,
                                             uint64_t excess) {
  std::map<TopicPartition, std::vector<const CapCandidate*>> by_partition;
  for (const CapCandidate& candidate : candidates) {
    by_partition[candidate.id].push_back(&candidate);
  }
  struct Next {
    const std::vector<const CapCandidate*>* segments;
    size_t at = 0;
    const CapCandidate& segment() const { return *(*segments)[at]; }
  };
  // the same moment: by name, so that what goes does not depend on an order of hash tables
  auto is_younger = [](const Next& left, const Next& right) {
    const CapCandidate &a = left.segment(), &b = right.segment();
    if (a.largest_timestamp_ms != b.largest_timestamp_ms) {
      return a.largest_timestamp_ms > b.largest_timestamp_ms;
    }
    return b.id < a.id;
  };
  std::priority_queue<Next, std::vector<Next>, decltype(is_younger)> oldest(is_younger);
  for (const auto& [id, segments] : by_partition) oldest.push({&segments});
  std::vector<CapCandidate> chosen;
  for (uint64_t freed = 0; freed < excess && !oldest.empty();) {
    Next next = oldest.top();
    oldest.pop();
    chosen.push_back(next.segment());
    freed += next.segment().size;
    if (++next.at < next.segments->size()) oldest.push(next);
  }
  return chosen;
}

}  // namespace odradek::broker::replica
