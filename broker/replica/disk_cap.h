#pragma once
// log.dirs.max.bytes: a bound for all segments of one log directory together, which retention.bytes
// of single partitions cannot be. Where a directory holds more, its oldest closed segments go first,
// whichever partition they are of. What is never taken: segments that are written to, those above a
// high watermark, topics that are compacted and do not delete.

#include <cstdint>
#include <span>
#include <vector>

#include "common/ids.h"

namespace odradek::broker::replica {

// A closed segment that may be taken away.
struct CapCandidate {
  TopicPartition id;
  Offset base_offset{0};
  uint64_t size = 0;  // bytes of its .log file
  int64_t largest_timestamp_ms = -1;
};

// Which of them make room for `excess` bytes: of each partition its first ones only, the oldest of
// all first. `candidates` has each partition's in the order of their offsets. The last row of a
// partition in the result says how far it is to be cut. Fewer bytes than asked for where there are
// no more.
std::vector<CapCandidate> segments_to_remove(std::span<const CapCandidate> candidates,
                                             uint64_t excess);

}  // namespace odradek::broker::replica
