#include "coordinator/exchange/replay.h"

#include <algorithm>

#include "coordinator/exchange/owner.h"
#include "coordinator/tree/path.h"

namespace odradek::coordinator::exchange {

namespace {

// The counters of a parent only ever rise: what is there may have seen later creates.
void raise_creates(tree::Stat& parent, int32_t creates, Zxid zxid) {
  if (creates == -1) creates = parent.created_children + 1;
  if (creates <= parent.created_children) return;
  parent.created_children = creates;
  parent.pzxid = zxid;
}

class Replay {
 public:
  Replay(const LoggedTxn& txn, ImportTree& tree) : txn_(txn), tree_(tree) {}

  void operator()(const LoggedCreate& step);
  void operator()(const LoggedDelete& step) { delete_as_of(step.path, txn_.zxid, tree_); }
  void operator()(const LoggedSetData& step);
  void operator()(const LoggedSetAcl& step);
  void operator()(const LoggedSession& step) { tree_.put_session(txn_.session, step.timeout_ms); }
  void operator()(const LoggedSessionEnd& step);

 private:
  const LoggedTxn& txn_;
  ImportTree& tree_;
};

void Replay::operator()(const LoggedCreate& step) {
  tree::Znode* parent = tree_.edit(tree::parent_of(step.path));
  if (parent == nullptr) return;
  if (tree::Znode* there = tree_.edit(step.path)) {
    there->acl = step.acl;
    raise_creates(parent->stat, step.parent_creates, txn_.zxid);
    return;
  }
  tree::Znode node;
  node.data = step.data;
  node.acl = step.acl;
  node.stat.czxid = node.stat.mzxid = node.stat.pzxid = txn_.zxid;
  node.stat.ctime_ms = node.stat.mtime_ms = txn_.time_ms;
  node.stat.data_length = static_cast<int32_t>(node.bytes().size());
  bool owner_is_session = step.ephemeral_owner == txn_.session.value();
  set_owner(step.ephemeral_owner, owner_is_session, node.stat);
  tree_.add(step.path, std::move(node));
  parent->stat.num_children += 1;
  raise_creates(parent->stat, step.parent_creates, txn_.zxid);
}

void Replay::operator()(const LoggedSetData& step) {
  tree::Znode* node = tree_.edit(step.path);
  if (node == nullptr) return;
  tree_.set_data(*node, step.data);
  node->stat.mzxid = txn_.zxid;
  node->stat.mtime_ms = txn_.time_ms;
  node->stat.version = step.version;
}

void Replay::operator()(const LoggedSetAcl& step) {
  tree::Znode* node = tree_.edit(step.path);
  if (node == nullptr) return;
  node->acl = step.acl;
  node->stat.aversion = step.aversion;
}

void Replay::operator()(const LoggedSessionEnd& step) {
  tree_.remove_session(txn_.session);
  std::vector<std::string> own = tree_.ephemerals(txn_.session);
  own.insert(own.end(), step.paths.begin(), step.paths.end());
  std::sort(own.begin(), own.end());
  own.erase(std::unique(own.begin(), own.end()), own.end());
  for (const std::string& path : own) delete_as_of(path, txn_.zxid, tree_);
}

}  // namespace

void delete_as_of(const std::string& path, Zxid zxid, ImportTree& tree) {
  tree::Znode* parent = tree.edit(tree::parent_of(path));
  if (parent == nullptr) return;
  parent->stat.pzxid = std::max(parent->stat.pzxid, zxid);
  if (tree.find(path) == nullptr) return;
  // every parent stands in the list before its children
  std::vector<std::string> paths{path};
  for (size_t i = 0; i < paths.size(); ++i) {
    if (tree.find(paths[i])->stat.num_children == 0) continue;
    for (const std::string& name : tree.children(paths[i])) {
      paths.push_back(tree::join_path(paths[i], name));
    }
  }
  for (size_t i = paths.size(); i-- > 0;) tree.remove(paths[i]);
  parent->stat.num_children -= 1;
}

void replay(const LoggedTxn& txn, ImportTree& tree) {
  Replay steps(txn, tree);
  for (const LoggedStep& step : txn.steps) std::visit(steps, step);
}

}  // namespace odradek::coordinator::exchange
