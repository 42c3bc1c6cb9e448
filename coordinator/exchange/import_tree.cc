#include "coordinator/exchange/import_tree.h"

#include <algorithm>

#include "common/bytes/byte_writer.h"
#include "coordinator/exchange/owner.h"
#include "coordinator/tree/path.h"

namespace odradek::coordinator::exchange {

namespace {

constexpr size_t kEntryBytes = 300;  // of a znode in the cache, beside path and data

const tree::AclRef& missing_acl() {
  static const tree::AclRef acl = std::make_shared<const tree::Acl>();
  return acl;
}

}  // namespace

ImportTree::ImportTree(store::BulkStore& store, size_t cache_bytes)
    : store_(store), cache_bytes_(cache_bytes), acls_{tree::open_acl()} {}

Result<void> ImportTree::status() const {
  if (failure_) return *failure_;
  return {};
}

void ImportTree::note(const Result<void>& outcome) {
  if (!outcome && !failure_) failure_ = outcome.error();
}

// ---- znodes

ImportTree::Entry& ImportTree::entry(std::string_view path) {
  std::string key(path.empty() ? std::string_view("/") : path);
  if (auto at = cache_.find(key); at != cache_.end()) return at->second;
  Entry found;
  if (!failure_) {
    auto value = store_.get(store::node_key(key));
    if (!value) {
      note(value.error());
    } else if (*value) {
      uint32_t number = 0;
      auto node = store::decode_node(**value, number, true);
      if (!node) {
        note(node.error());
      } else {
        found.node = *std::move(node);
        found.node->acl = acl_of_number(number);
        cached_bytes_ += found.node->bytes().size();
      }
    }
  }
  cached_bytes_ += kEntryBytes + 2 * key.size();
  return cache_.emplace(std::move(key), std::move(found)).first->second;
}

const tree::Znode* ImportTree::find(std::string_view path) {
  Entry& known = entry(path);
  return known.node ? &*known.node : nullptr;
}

tree::Znode* ImportTree::edit(std::string_view path) {
  Entry& known = entry(path);
  if (!known.node) return nullptr;
  known.changed = true;
  return &*known.node;
}

void ImportTree::set_data(tree::Znode& node, std::optional<Bytes> data) {
  auto before = static_cast<int64_t>(node.bytes().size());
  node.data = std::move(data);
  node.stat.data_length = static_cast<int32_t>(node.bytes().size());
  totals_.data_bytes += node.stat.data_length - before;
  cached_bytes_ += node.bytes().size();
}

void ImportTree::add(const std::string& path, tree::Znode node) {
  count(path, node, 1);
  write_side_keys(path, node.stat, true);
  cached_bytes_ += node.bytes().size();
  Entry& known = entry(path);
  known.node = std::move(node);
  known.changed = true;
}

void ImportTree::remove(const std::string& path) {
  Entry& known = entry(path);
  if (!known.node) return;
  count(path, *known.node, -1);
  write_side_keys(path, known.node->stat, false);
  known.node.reset();
  known.changed = true;
}

std::vector<std::string> ImportTree::children(const std::string& path) {
  write_changed();
  std::vector<std::string> names;
  std::string prefix = store::children_prefix(path);
  if (failure_) return names;
  note(store_.scan(prefix, [&](std::string_view key, std::string_view) {
    names.emplace_back(store::name_in_key(key, prefix));
    return true;
  }));
  return names;
}

// Level by level: everything below stands in one range of each depth.
ImportTree::Extent ImportTree::extent_of(const std::string& path) {
  write_changed();
  Extent extent;
  const tree::Znode* top = find(path);
  if (top == nullptr) return extent;
  extent = {1, static_cast<int64_t>(top->bytes().size())};
  size_t depth = tree::depth_of(path) + 1;
  std::string prefix = store::children_prefix(path);
  for (int64_t before = 0; before != extent.nodes && !failure_;) {
    before = extent.nodes;
    note(store_.scan(prefix, [&](std::string_view, std::string_view value) {
      uint32_t number = 0;
      auto node = store::decode_node(value, number, false);
      extent.nodes += 1;
      extent.data_bytes += node ? node->stat.data_length : 0;
      return true;
    }));
    prefix = store::level_prefix_below(++depth, path == "/" ? "" : path);
  }
  return extent;
}

void ImportTree::settle() {
  if (cached_bytes_ < cache_bytes_) return;
  write_changed();
  cache_.clear();
  cached_bytes_ = 0;
}

void ImportTree::write_changed() {
  for (auto& [path, known] : cache_) {
    if (!std::exchange(known.changed, false) || failure_) continue;
    std::string key = store::node_key(path);
    if (known.node) {
      note(store_.put(key, store::encode_node(*known.node, number_of(known.node->acl))));
    } else {
      note(store_.remove(key));
    }
  }
}

void ImportTree::count(const std::string& path, const tree::Znode& node, int sign) {
  totals_.nodes += sign;
  totals_.data_bytes += sign * static_cast<int64_t>(path.size() + node.bytes().size());
  if (node.stat.kind == tree::NodeKind::ephemeral) totals_.ephemerals += sign;
}

void ImportTree::write_side_keys(const std::string& path, const tree::Stat& stat, bool there) {
  std::string key;
  switch (stat.kind) {
    case tree::NodeKind::persistent:
      return;
    case tree::NodeKind::ephemeral:
      key = store::ephemeral_key(stat.ephemeral_owner, path);
      break;
    case tree::NodeKind::container:
    case tree::NodeKind::ttl:
      key = store::swept_key(path);
      break;
  }
  if (!failure_) note(there ? store_.put(key, "") : store_.remove(key));
}

void ImportTree::load(const std::string& path, const tree::Znode& node, uint32_t acl_number) {
  count(path, node, 1);
  write_side_keys(path, node.stat, true);
  missing_acls_ += acl_number == kMissingAcl;
  greatest_zxid_ =
      std::max({greatest_zxid_, node.stat.czxid, node.stat.mzxid, node.stat.pzxid});
  if (!failure_) note(store_.put(store::node_key(path), store::encode_node(node, acl_number)));
}

bool ImportTree::add_loaded_children(const std::string& path, int32_t children) {
  tree::Znode* node = edit(path);
  if (node == nullptr) return false;
  node->stat.num_children += children;
  settle();
  return true;
}

// ---- ACLs

uint32_t ImportTree::number_of(const tree::AclRef& acl) {
  if (acl == missing_acl()) return kMissingAcl;
  if (acl == tree::open_acl() || *acl == *tree::open_acl()) return 0;
  std::string encoded = store::encode_acl(*acl);
  auto [at, fresh] = acl_numbers_.emplace(encoded, 0);
  if (!fresh) return at->second;
  at->second = ++totals_.last_acl;
  acls_.push_back(acl);
  ByteWriter number;
  number.u32(at->second);
  if (!failure_) note(store_.put(store::acl_key(at->second), encoded));
  if (!failure_) note(store_.put(store::acl_content_key(encoded), number.buffer()));
  return at->second;
}

tree::AclRef ImportTree::acl_of_number(uint32_t number) const {
  return number < acls_.size() ? acls_[number] : missing_acl();
}

std::optional<std::string> ImportTree::without_acl() {
  if (missing_acls_ == 0 || failure_) return std::nullopt;
  write_changed();
  std::optional<std::string> found;
  note(store_.scan(store::all_nodes_prefix(), [&](std::string_view key, std::string_view value) {
    uint32_t number = 0;
    auto node = store::decode_node(value, number, false);
    if (node && number == kMissingAcl) found = store::path_in_key(key);
    return !found;
  }));
  return found;
}

// ---- sessions

std::vector<std::string> ImportTree::ephemerals(SessionId session) {
  std::vector<std::string> paths;
  std::string prefix = store::ephemerals_prefix(session);
  if (failure_) return paths;
  note(store_.scan(prefix, [&](std::string_view key, std::string_view) {
    paths.emplace_back(store::name_in_key(key, prefix));
    return true;
  }));
  return paths;
}

std::vector<SessionId> ImportTree::owners() {
  std::vector<SessionId> found;
  if (failure_) return found;
  note(store_.scan(store::all_ephemerals_prefix(), [&](std::string_view key, std::string_view) {
    SessionId session = store::session_in_key(key);
    if (found.empty() || found.back() != session) found.push_back(session);
    return true;
  }));
  return found;
}

Result<store::Totals> ImportTree::finish(Zxid last_zxid, SessionId last_session) {
  write_changed();
  for (const auto& [session, timeout_ms] : sessions_) {
    tree::SessionRecord record{timeout_ms, zookeeper_password(session)};
    if (!failure_) note(store_.put(store::session_key(session), store::encode_session(record)));
  }
  totals_.last_zxid = last_zxid;
  totals_.last_session = last_session;
  if (!failure_) note(store_.put(store::totals_key(), store::encode_totals(totals_)));
  if (failure_) return *failure_;
  return totals_;
}

}  // namespace odradek::coordinator::exchange
