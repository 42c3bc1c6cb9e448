#pragma once
// write_snapshot: our tree as a snapshot file from which a real ZooKeeper starts (3.4 to 3.9; TTL
// znodes want 3.5.4 with zookeeper.extendedTypesEnabled=true). Any thread; of the tree no more than a
// piece is in memory.

#include <functional>

#include "common/bytes/byte_reader.h"
#include "common/ids.h"
#include "common/result.h"
#include "coordinator/store/store.h"

namespace odradek::coordinator::exchange {

struct SnapshotFacts {
  Zxid zxid;  // the file's name has to say it: snapshot.<zxid in hex>
  int64_t znodes = 0;
  int64_t sessions = 0;
  int64_t ttl_znodes = 0;
};

// Takes the next bytes of the file; an error ends the writing.
using ByteSink = std::function<Result<void>(ByteView)>;

// store_damaged for a store without a tree, and where a stored value does not decode. A session that
// the coordinator holds itself (for /controller) gets a short time-out, as nobody comes back for it.
Result<SnapshotFacts> write_snapshot(const store::Snapshot& store, const ByteSink& sink);

// "snapshot.1f"
std::string snapshot_name(Zxid zxid);

}  // namespace odradek::coordinator::exchange
