#pragma once
// check_contents: whether everything in a store fits together. It reads each key once, and what a key
// refers to; of the tree nothing is in memory. Any thread.

#include <functional>
#include <string>

#include "coordinator/store/layout.h"
#include "coordinator/store/store.h"

namespace odradek::coordinator::store {

struct CheckReport {
  int64_t znodes = 0;
  int64_t ephemerals = 0;
  int64_t sessions = 0;
  int64_t acls = 0;
  int64_t data_bytes = 0;  // paths and data
  int64_t findings = 0;
  Zxid last_zxid;
};

// Calls `found` with a sentence for each thing that is wrong:
// - a key or value that does not decode, or of a kind that is not known;
// - a znode without its parent, below an ephemeral, or under a path that cannot be;
// - numChildren other than the children that are there; fewer creates than children;
// - an ephemeral whose session is not there, or that its session's list does not have, and the other
//   way round; likewise containers and TTL znodes and the list of the sweep;
// - an ACL number without an ACL, or beyond the last that was given out;
// - totals other than what was counted; a zxid beyond the last one.
CheckReport check_contents(const Snapshot& snapshot,
                        const std::function<void(const std::string&)>& found);

}  // namespace odradek::coordinator::store
