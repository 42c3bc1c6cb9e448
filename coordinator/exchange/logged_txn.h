#pragma once
// LoggedTxn: one transaction of ZooKeeper's log as what it does to the tree. The many records of the
// releases (create, create2, createTTL, multi, …) become a few kinds of step.

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/result.h"
#include "coordinator/tree/types.h"

namespace odradek::coordinator::exchange {

struct LoggedCreate {
  std::string path;
  std::optional<std::string> data;
  tree::AclRef acl;
  int64_t ephemeral_owner = 0;  // as a StatPersisted has it
  int32_t parent_creates = -1;  // of the parent after it; -1 where the log does not say (before 3.4)
};
struct LoggedDelete {
  std::string path;
};
struct LoggedSetData {
  std::string path;
  std::optional<std::string> data;
  int32_t version = 0;  // after it
};
struct LoggedSetAcl {
  std::string path;
  tree::AclRef acl;
  int32_t aversion = 0;  // after it
};
struct LoggedSession {
  int32_t timeout_ms = 0;
};
struct LoggedSessionEnd {
  std::vector<std::string> paths;  // its ephemerals; none in logs before 3.6
};
using LoggedStep = std::variant<LoggedCreate, LoggedDelete, LoggedSetData, LoggedSetAcl,
                                LoggedSession, LoggedSessionEnd>;

struct LoggedTxn {
  SessionId session;
  Zxid zxid;
  int64_t time_ms = 0;
  std::vector<LoggedStep> steps;  // none: it was refused, and took a zxid all the same
};

// One entry of the log, without its checksum. malformed where it does not decode, unsupported_version
// for a type that no release up to 3.9 writes.
Result<LoggedTxn> decode_logged_txn(ByteView entry);

}  // namespace odradek::coordinator::exchange
