#pragma once
// Replays one stretch of a __consumer_offsets log into a GroupSet. Used while loading, off the
// shard, by whoever owns the set at that time; plain functions.

#include <cstdint>

#include "broker/group/group_set.h"
#include "broker/log/record_batch.h"
#include "common/bytes/byte_reader.h"
#include "common/ids.h"

namespace odradek::broker::group {

struct ReplayedBatches {
  Offset next{0};  // behind the last whole batch
  uint64_t records = 0;
  uint64_t unreadable =
      0;  // records and batches that were passed over, each with a log line at first
};

// `bytes` holds whole batches, the first of which may begin below `from`: what lies below is left
// out. Batches of the formats before 0.11 are passed over.
ReplayedBatches replay_batches(ByteView bytes, Offset from, Now now, GroupSet& set);

}  // namespace odradek::broker::group
