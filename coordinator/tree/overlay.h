#pragma once
// Overlay: the final states of transactions that are prepared but not yet applied. Only prepare
// looks here; reads never do. Lives on the tree thread; empty after a restart, as nothing in it was
// answered.

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "coordinator/tree/txn.h"

namespace odradek::coordinator::tree {

class Overlay {
 public:
  struct NodeEntry {
    Zxid zxid;  // of the last transaction that wrote it
    std::optional<Znode> state;
  };
  struct SessionEntry {
    Zxid zxid;
    std::optional<SessionRecord> state;
  };

  void add(const Txn& txn);
  // The transaction is applied: what it wrote last is in the snapshot now.
  void retire(const Txn& txn);

  // Null where nothing in flight touches it.
  const NodeEntry* node(std::string_view path) const;
  const SessionEntry* session(SessionId session) const;
  const std::map<std::string, NodeEntry, std::less<>>& nodes() const { return nodes_; }
  bool empty() const { return nodes_.empty() && sessions_.empty(); }

 private:
  std::map<std::string, NodeEntry, std::less<>>
      nodes_;  // ordered: children of a path are found by range
  std::unordered_map<SessionId, SessionEntry> sessions_;
};

}  // namespace odradek::coordinator::tree
