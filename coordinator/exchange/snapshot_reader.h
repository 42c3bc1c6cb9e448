#pragma once
// read_snapshot: a snapshot file of ZooKeeper 3.4 to 3.9 from front to end, record by record.
//
//   FileHeader, count of sessions, SnapshotSession…, count of ACLs, SnapshotAcl…,
//   SnapshotNode… (parents in front of children), path "/", SnapshotSeal
//   since 3.6 [SnapshotDigest, SnapshotSeal], since 3.9 [zxid, SnapshotSeal]

#include "coordinator/exchange/record_stream.h"
#include "proto/zookeeper/records.h"

namespace odradek::coordinator::exchange {

class SnapshotVisitor {
 public:
  virtual ~SnapshotVisitor() = default;
  // In this order. An error ends the reading.
  virtual Result<void> on_session(const zookeeper::SnapshotSession& session) = 0;
  virtual Result<void> on_acl(zookeeper::SnapshotAcl acl) = 0;
  virtual Result<void> on_node(zookeeper::SnapshotNode node) = 0;
};

// malformed, with name and offset, where the file is damaged or cut; what was visited before counts
// for nothing then: only the seals at the end tell.
Result<void> read_snapshot(RecordStream& in, SnapshotVisitor& visitor);

// Whether the file ends as an uncompressed snapshot does: a cheap look that tells one whose writer
// died.
Result<bool> looks_complete(fs::FileSystem& files, const std::string& path);

}  // namespace odradek::coordinator::exchange
