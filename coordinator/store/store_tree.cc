#include "coordinator/store/store_tree.h"

#include "common/format.h"
#include "coordinator/store/fatal.h"
#include "coordinator/tree/path.h"

namespace odradek::coordinator::store {

namespace {

constexpr size_t kMaxCachedAcls = 4096;

std::string_view rooted(std::string_view path) {
  return path.empty() ? std::string_view("/") : path;
}

template <typename T>
T must(Result<T> result, std::string_view where) {
  if (!result) {
    fatal(
        odradek::format("the store is damaged at {}: {}; restore the data directory from a "
                        "backup (coordinator-admin restore)",
                        where, result.error().what()));
  }
  return *std::move(result);
}

}  // namespace

std::optional<tree::Znode> StoreTree::read(std::string_view path, bool with_data,
                                           bool with_acl) const {
  // a path without its slash is nobody's: its key would be the root's
  if (path.front() != '/') return std::nullopt;
  auto value = snapshot_->get(node_key(path));
  if (!value) return std::nullopt;
  uint32_t acl_number = 0;
  auto node = must(decode_node(*value, acl_number, with_data), path);
  if (with_acl) node.acl = acl_by_number(acl_number);
  return node;
}

// Those who are about to write ask so: what they ask for is worth keeping.
tree::ZnodeRef StoreTree::find(std::string_view path) const {
  path = rooted(path);
  if (tree::ZnodeRef known = znodes_.find(path)) return known;
  auto node = read(path, true, true);
  if (!node) return nullptr;
  auto shared = std::make_shared<const tree::Znode>(*std::move(node));
  znodes_.add(path, shared);
  return shared;
}

std::optional<tree::Znode> StoreTree::get(std::string_view path) const {
  path = rooted(path);
  if (tree::ZnodeRef known = znodes_.find(path)) return *known;
  return read(path, true, true);
}

std::optional<tree::Stat> StoreTree::stat(std::string_view path) const {
  path = rooted(path);
  if (tree::ZnodeRef known = znodes_.find(path)) return known->stat;
  auto node = read(path, false, false);
  if (!node) return std::nullopt;
  return node->stat;
}

tree::AclRef StoreTree::acl(std::string_view path) const {
  path = rooted(path);
  if (tree::ZnodeRef known = znodes_.find(path)) return known->acl;
  auto node = read(path, false, true);
  return node ? node->acl : nullptr;
}

void StoreTree::move_to(SnapshotRef snapshot, const std::vector<const tree::Txn*>& applied) {
  snapshot_ = std::move(snapshot);
  for (const tree::Txn* txn : applied) {
    for (const auto& write : txn->nodes) znodes_.update(write.path, write.after);
  }
}

std::optional<std::vector<std::string>> StoreTree::children(std::string_view path) const {
  auto found = stat(path);
  if (!found) return std::nullopt;
  std::vector<std::string> names;
  if (found->num_children == 0) return names;
  names.reserve(static_cast<size_t>(found->num_children));
  std::string prefix = children_prefix(rooted(path));
  snapshot_->scan(prefix, [&](std::string_view key, std::string_view) {
    names.emplace_back(name_in_key(key, prefix));
    return true;
  });
  return names;
}

std::optional<tree::SessionRecord> StoreTree::session(SessionId session) const {
  auto value = snapshot_->get(session_key(session));
  if (!value) return std::nullopt;
  return must(decode_session(*value), "a session");
}

std::vector<std::string> StoreTree::ephemerals(SessionId session) const {
  std::vector<std::string> paths;
  std::string prefix = ephemerals_prefix(session);
  snapshot_->scan(prefix, [&](std::string_view key, std::string_view) {
    paths.emplace_back(name_in_key(key, prefix));
    return true;
  });
  return paths;
}

// Level by level: everything below stands in one range of each depth.
void StoreTree::for_each_below(std::string_view path,
                               const std::function<void(std::string_view)>& visit) const {
  for (size_t depth = tree::depth_of(path) + 1;; ++depth) {
    int64_t level = 0;
    auto count = [&](std::string_view, std::string_view value) {
      visit(value);
      ++level;
      return true;
    };
    // the children themselves, then whatever has a parent inside
    if (depth == tree::depth_of(path) + 1) {
      snapshot_->scan(children_prefix(path), count);
    } else {
      snapshot_->scan(level_prefix_below(depth, path == "/" ? "" : path), count);
    }
    if (level == 0) return;
  }
}

int64_t StoreTree::count_below(std::string_view path) const {
  path = rooted(path);
  auto found = stat(path);
  if (!found || found->num_children == 0) return 0;
  int64_t total = 0;
  for_each_below(path, [&](std::string_view) { ++total; });
  return total;
}

tree::SubtreeTotals StoreTree::subtree(std::string_view path) const {
  path = rooted(path);
  tree::SubtreeTotals totals;
  auto found = stat(path);
  if (!found) return totals;
  totals.count = 1;
  totals.bytes = found->data_length;
  if (found->num_children == 0) return totals;
  for_each_below(path, [&](std::string_view value) {
    uint32_t acl_number = 0;
    totals.count += 1;
    totals.bytes += must(decode_node(value, acl_number, false), path).stat.data_length;
  });
  return totals;
}

std::optional<Totals> StoreTree::totals() const {
  auto value = snapshot_->get(totals_key());
  if (!value) return std::nullopt;
  return must(decode_totals(*value), "the totals");
}

void StoreTree::for_each_session(
    const std::function<void(SessionId, const tree::SessionRecord&)>& visit) const {
  snapshot_->scan(all_sessions_prefix(), [&](std::string_view key, std::string_view value) {
    visit(session_in_key(key), must(decode_session(value), "a session"));
    return true;
  });
}

void StoreTree::for_each_swept(const std::function<void(std::string_view)>& visit) const {
  std::string_view prefix = all_swept_prefix();
  snapshot_->scan(prefix, [&](std::string_view key, std::string_view) {
    visit(name_in_key(key, prefix));
    return true;
  });
}

tree::AclRef StoreTree::acl_by_number(uint32_t number) const {
  if (number == 0) return tree::open_acl();
  if (auto at = acls_.find(number); at != acls_.end()) return at->second;
  auto value = snapshot_->get(acl_key(number));
  if (!value) fatal(odradek::format("the store is damaged: ACL {} is missing", number));
  auto acl = std::make_shared<const tree::Acl>(must(decode_acl(*value), "an ACL"));
  if (acls_.size() >= kMaxCachedAcls) acls_.clear();
  acls_.emplace(number, acl);
  return acl;
}

uint32_t StoreTree::intern(const tree::AclRef& acl, Totals& totals, Batch& batch) {
  if (acl == tree::open_acl() || *acl == *tree::open_acl()) return 0;
  std::string encoded = encode_acl(*acl);
  if (auto at = acl_numbers_.find(encoded); at != acl_numbers_.end()) return at->second;
  uint32_t number = 0;
  if (auto value = snapshot_->get(acl_content_key(encoded)); value && value->size() == 4) {
    number = ByteReader(*value).u32();
  } else {
    number = ++totals.last_acl;
    ByteWriter stored;
    stored.u32(number);
    batch.put(acl_key(number), encoded);
    batch.put(acl_content_key(encoded), stored.take());
  }
  if (acl_numbers_.size() >= kMaxCachedAcls) acl_numbers_.clear();
  acl_numbers_.emplace(std::move(encoded), number);
  return number;
}

void StoreTree::encode(const std::vector<const tree::Txn*>& txns, Totals& totals, Batch& batch) {
  for (const tree::Txn* txn : txns) {
    for (const auto& write : txn->nodes) {
      if (write.in_flight) write.in_flight->last_of_batch = txn;
    }
  }
  for (const tree::Txn* txn : txns) {
    for (const auto& write : txn->nodes) {
      if (write.owner_before.value() != 0 && write.owner_before != write.owner_after) {
        batch.remove(ephemeral_key(write.owner_before, write.path));
      }
      if (write.owner_after.value() != 0 && write.owner_after != write.owner_before) {
        batch.put(ephemeral_key(write.owner_after, write.path), "");
      }
      if (write.swept_before != write.swept_after) {
        if (write.swept_after) {
          batch.put(swept_key(write.path), "");
        } else {
          batch.remove(swept_key(write.path));
        }
      }
      if (write.in_flight && write.in_flight->last_of_batch != txn) continue;
      if (write.after) {
        batch.put(node_key(write.path),
                  encode_node(*write.after, intern(write.after->acl, totals, batch)));
      } else {
        batch.remove(node_key(write.path));
      }
    }
    for (const auto& write : txn->sessions) {
      if (write.after) {
        batch.put(session_key(write.session), encode_session(*write.after));
      } else {
        batch.remove(session_key(write.session));
      }
    }
  }
}

}  // namespace odradek::coordinator::store
