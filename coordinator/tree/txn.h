#pragma once
// Txn: what one accepted write does, as final states, so that a commit is a list of puts and
// deletes and applying it twice is the same as once.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "coordinator/tree/commit.h"
#include "coordinator/tree/tree_reader.h"

namespace odradek::coordinator::tree {

struct Txn;

// What prepare sees of a znode that transactions on the way write; Overlay's.
struct InFlightZnode {
  Zxid zxid;  // of the last transaction that wrote it
  ZnodeRef state;
  const Txn* last_of_batch = nullptr;  // a note of whoever encodes a batch
};

struct Txn {
  struct NodeWrite {
    std::string path;
    ZnodeRef after;          // null: deleted
    SessionId owner_before;  // whose ephemeral it was, 0 if nobody's
    SessionId owner_after;
    bool swept_before = false;  // a container or TTL znode: looked at by the sweep
    bool swept_after = false;
    // From Overlay::add until retire; null where the transaction never was in one.
    InFlightZnode* in_flight = nullptr;
  };
  struct SessionWrite {
    SessionId session;
    std::optional<SessionRecord> after;  // nothing: closed
  };

  Commit commit;                 // zxid, time and the changes in order
  std::vector<NodeWrite> nodes;  // one a path, sorted; parents whose counters moved are among them
  std::vector<SessionWrite> sessions;
  std::vector<std::pair<std::string, bool>> quotas;  // paths whose quota begins (true) or ends
  int64_t node_delta = 0;
  int64_t data_bytes_delta = 0;  // paths and data, as ZooKeeper's approximate data size
  int64_t ephemeral_delta = 0;
  bool refused = false;  // holds a zxid and nothing else

  Zxid zxid() const { return commit.zxid; }
  // About what it costs in memory and in the batch.
  size_t bytes() const;
  // Of the data that the znode has afterwards; 0 where it is not among `nodes`.
  size_t data_size(std::string_view path) const;
};

}  // namespace odradek::coordinator::tree
