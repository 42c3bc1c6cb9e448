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
  using Nodes = std::unordered_map<std::string, InFlightZnode, PathHash, std::equal_to<>>;
  // By path, so that what stands below a path is found by range.
  using Ordered = std::map<std::string_view, const InFlightZnode*>;
  struct SessionEntry {
    Zxid zxid;
    std::optional<SessionRecord> state;
  };

  void add(Txn& txn);
  // The transaction is applied: what it wrote last is in the snapshot now.
  void retire(const Txn& txn);

  // Null where nothing in flight touches it.
  const InFlightZnode* node(std::string_view path) const;
  const SessionEntry* session(SessionId session) const;
  const Nodes& nodes() const { return nodes_; }
  const Ordered& ordered_nodes() const;
  bool empty() const { return nodes_.empty() && sessions_.empty(); }

 private:
  Nodes nodes_;
  // Few operations ask for it, and then many times: kept from the first time on until nothing is in
  // flight.
  mutable Ordered ordered_;
  mutable bool keeps_order_ = false;
  std::unordered_map<SessionId, SessionEntry> sessions_;
};

}  // namespace odradek::coordinator::tree
