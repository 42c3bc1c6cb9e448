#include "coordinator/exchange/snapshot_loader.h"

#include "common/format.h"
#include "coordinator/exchange/owner.h"
#include "coordinator/exchange/wire.h"
#include "coordinator/tree/path.h"

namespace odradek::coordinator::exchange {

namespace {

constexpr int64_t kOpenAcl = -1;
constexpr size_t kMaxLateChildren = 10'000;

tree::Znode znode_of(zookeeper::SnapshotNode& record, bool owner_is_session) {
  tree::Znode node;
  node.data = std::move(record.data);
  const zookeeper::StatPersisted& from = record.stat;
  tree::Stat& to = node.stat;
  to.czxid = Zxid(from.czxid);
  to.mzxid = Zxid(from.mzxid);
  to.pzxid = Zxid(from.pzxid);
  to.ctime_ms = from.ctime;
  to.mtime_ms = from.mtime;
  to.version = from.version;
  to.aversion = from.aversion;
  to.created_children = from.cversion;
  to.data_length = static_cast<int32_t>(node.bytes().size());
  set_owner(from.ephemeral_owner, owner_is_session, to);
  return node;
}

}  // namespace

Result<void> SnapshotLoader::on_session(const zookeeper::SnapshotSession& session) {
  tree_.put_session(SessionId(session.id), session.time_out);
  return {};
}

Result<void> SnapshotLoader::on_acl(zookeeper::SnapshotAcl acl) {
  acl_numbers_[acl.number] = tree_.number_of(acl_of(std::move(acl.acls)));
  return tree_.status();
}

uint32_t SnapshotLoader::acl_number_of(int64_t number) const {
  if (number == kOpenAcl) return 0;
  auto at = acl_numbers_.find(number);
  return at == acl_numbers_.end() ? ImportTree::kMissingAcl : at->second;
}

Result<void> SnapshotLoader::on_node(zookeeper::SnapshotNode record) {
  std::string path = record.path.empty() ? "/" : std::move(record.path);
  if (path == "/") {
    if (has_root_) return Error(Errc::malformed, "a second root");
    has_root_ = true;
  } else if (!is_path(path)) {
    return Error(Errc::malformed,
                 odradek::format("\"{}\" is no path of a znode", path.substr(0, 200)));
  } else {
    std::string_view parent = tree::parent_of(path);
    while (!way_.empty() && way_.back().path != parent) write_last();
    if (!way_.empty()) {
      ++way_.back().node.stat.num_children;
    } else {
      ++late_children_[std::string(parent)];
    }
  }
  bool owner_is_session = tree_.has_session(SessionId(record.stat.ephemeral_owner));
  uint32_t acl_number = acl_number_of(record.acl);
  way_.push_back({std::move(path), znode_of(record, owner_is_session), acl_number});
  if (late_children_.size() >= kMaxLateChildren) return write_counts();
  return tree_.status();
}

void SnapshotLoader::write_last() {
  const Waiting& last = way_.back();
  tree_.load(last.path, last.node, last.acl_number);
  way_.pop_back();
}

Result<void> SnapshotLoader::write_counts() {
  for (const auto& [path, children] : late_children_) {
    if (tree_.add_loaded_children(path, children)) continue;
    if (auto status = tree_.status(); !status) return status.error();
    return Error(Errc::malformed, odradek::format("{} has children and is not there", path));
  }
  late_children_.clear();
  return tree_.status();
}

Result<void> SnapshotLoader::finish() {
  if (!has_root_) return Error(Errc::malformed, "the tree has no root");
  while (!way_.empty()) write_last();
  return write_counts();
}

}  // namespace odradek::coordinator::exchange
