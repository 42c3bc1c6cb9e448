#include "coordinator/tree/overlay.h"

#include <algorithm>

namespace odradek::coordinator::tree {

size_t Txn::data_size(std::string_view path) const {
  auto at = std::lower_bound(nodes.begin(), nodes.end(), path,
                             [](const NodeWrite& node, std::string_view wanted) {
                               return std::string_view(node.path) < wanted;
                             });
  bool found = at != nodes.end() && at->path == path && at->after;
  return found ? at->after->bytes().size() : 0;
}

size_t Txn::bytes() const {
  size_t bytes = 256;
  for (const NodeWrite& write : nodes) {
    bytes += 256 + 2 * write.path.size();
    if (write.after && write.after->data) bytes += write.after->data->size();
  }
  return bytes + 128 * sessions.size();
}

void Overlay::add(Txn& txn) {
  for (Txn::NodeWrite& write : txn.nodes) {
    auto [at, is_new] = nodes_.try_emplace(write.path);
    at->second.zxid = txn.zxid();
    at->second.state = write.after;
    write.in_flight = &at->second;
    if (is_new && keeps_order_) ordered_.emplace(at->first, &at->second);
  }
  for (const Txn::SessionWrite& write : txn.sessions) {
    sessions_[write.session] = {txn.zxid(), write.after};
  }
}

void Overlay::retire(const Txn& txn) {
  for (const Txn::NodeWrite& write : txn.nodes) {
    if (write.in_flight->zxid != txn.zxid()) continue;
    auto at = nodes_.find(write.path);
    if (keeps_order_) ordered_.erase(at->first);
    nodes_.erase(at);
  }
  if (nodes_.empty()) keeps_order_ = false;
  for (const Txn::SessionWrite& write : txn.sessions) {
    auto at = sessions_.find(write.session);
    if (at != sessions_.end() && at->second.zxid == txn.zxid()) sessions_.erase(at);
  }
}

const InFlightZnode* Overlay::node(std::string_view path) const {
  auto at = nodes_.find(path);
  return at == nodes_.end() ? nullptr : &at->second;
}

const Overlay::Ordered& Overlay::ordered_nodes() const {
  if (!keeps_order_) {
    for (const auto& [path, node] : nodes_) ordered_.emplace(path, &node);
    keeps_order_ = true;
  }
  return ordered_;
}

const Overlay::SessionEntry* Overlay::session(SessionId session) const {
  auto at = sessions_.find(session);
  return at == sessions_.end() ? nullptr : &at->second;
}

}  // namespace odradek::coordinator::tree
