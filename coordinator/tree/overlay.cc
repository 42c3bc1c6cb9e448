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

void Overlay::add(const Txn& txn) {
  for (const Txn::NodeWrite& write : txn.nodes) nodes_[write.path] = {txn.zxid(), write.after};
  for (const Txn::SessionWrite& write : txn.sessions) {
    sessions_[write.session] = {txn.zxid(), write.after};
  }
}

void Overlay::retire(const Txn& txn) {
  for (const Txn::NodeWrite& write : txn.nodes) {
    auto at = nodes_.find(write.path);
    if (at != nodes_.end() && at->second.zxid == txn.zxid()) nodes_.erase(at);
  }
  for (const Txn::SessionWrite& write : txn.sessions) {
    auto at = sessions_.find(write.session);
    if (at != sessions_.end() && at->second.zxid == txn.zxid()) sessions_.erase(at);
  }
}

const Overlay::NodeEntry* Overlay::node(std::string_view path) const {
  auto at = nodes_.find(path);
  return at == nodes_.end() ? nullptr : &at->second;
}

const Overlay::SessionEntry* Overlay::session(SessionId session) const {
  auto at = sessions_.find(session);
  return at == sessions_.end() ? nullptr : &at->second;
}

}  // namespace odradek::coordinator::tree
