#pragma once
// TreeReader: what the tree's own code reads znodes through. The store implements it on a snapshot,
// prepare on a snapshot with what is in flight laid over it, tests on a map. Paths are absolute; ""
// is read as "/".

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "coordinator/tree/operation.h"
#include "coordinator/tree/quota.h"
#include "coordinator/tree/types.h"

namespace odradek::coordinator::tree {

class TreeReader {
 public:
  virtual ~TreeReader() = default;
  virtual std::optional<Znode> get(std::string_view path) const = 0;
  // The stat alone: spares the copy of the data.
  virtual std::optional<Stat> stat(std::string_view path) const = 0;
  // Names (not paths) in byte order; nothing where the znode does not exist.
  virtual std::optional<std::vector<std::string>> children(std::string_view path) const = 0;
};

struct SessionRecord {
  int32_t timeout_ms = 0;
  Password password{};
};

// The whole state that transactions change: znodes and the durable part of sessions.
class TreeState : public TreeReader {
 public:
  // As get, shared instead of copied.
  virtual ZnodeRef find(std::string_view path) const = 0;
  virtual std::optional<SessionRecord> session(SessionId session) const = 0;
  // Paths of the session's ephemerals, in byte order.
  virtual std::vector<std::string> ephemerals(SessionId session) const = 0;
  // Of the path and all below it; nothing where it does not exist.
  virtual SubtreeTotals subtree(std::string_view path) const = 0;
};

}  // namespace odradek::coordinator::tree
