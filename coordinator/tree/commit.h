#pragma once
// Commit: one applied transaction as those who react to it see it (watches, the controller).

#include <string>
#include <vector>

#include "common/ids.h"
#include "coordinator/tree/types.h"

namespace odradek::coordinator::tree {

struct Change {
  enum class Kind : uint8_t { created, deleted, data_changed, acl_changed };
  Kind kind = Kind::created;
  std::string path;
  Zxid czxid;                 // of the znode; for deleted: of the one that went
  SessionId ephemeral_owner;  // 0 unless ephemeral
  // Of the znode (of the one that went) and, for created and deleted, of its parent: who may not
  // read hears nothing of it. Null lets everybody hear.
  AclRef acl;
  AclRef parent_acl;
};

struct Commit {
  Zxid zxid;
  int64_t time_ms = 0;          // wall clock of prepare; what ctime and mtime show
  SessionId session;            // whose write it was; 0: the service's own
  std::vector<Change> changes;  // in the order of the operations
  std::vector<SessionId> created_sessions;
  std::vector<SessionId> closed_sessions;
};

// Called on the tree thread, once for each applied transaction, in zxid order. TreeReader `applied`
// of the pipeline may by then already show later transactions of the same group commit. May call
// Pipeline::write.
class CommitObserver {
 public:
  virtual ~CommitObserver() = default;
  virtual void on_commit(const Commit& commit) = 0;
};

}  // namespace odradek::coordinator::tree
