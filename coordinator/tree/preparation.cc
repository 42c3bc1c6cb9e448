#include "coordinator/tree/preparation.h"

#include <set>

#include "common/check.h"
#include "coordinator/tree/path.h"

namespace odradek::coordinator::tree {

namespace {

std::string_view rooted(std::string_view path) {
  return path.empty() ? std::string_view("/") : path;
}

bool is_swept(const Stat& stat) {
  return stat.kind == NodeKind::container || stat.kind == NodeKind::ttl;
}

int64_t bytes_of(std::string_view path, const Znode& node) {
  return static_cast<int64_t>(path.size() + node.bytes().size());
}

// Lays the children of `path` that a map knows over a set of names. `exists` tells of an entry
// whether its znode is there.
template <typename Map, typename Exists>
void lay_children(const Map& map, std::string_view path, std::set<std::string>& names,
                  Exists exists) {
  std::string text = path == "/" ? "/" : std::string(path) + "/";
  std::string_view prefix = text;
  for (auto at = map.upper_bound(prefix); at != map.end() && at->first.starts_with(prefix); ++at) {
    std::string_view name = std::string_view(at->first).substr(prefix.size());
    if (name.find('/') != std::string_view::npos) continue;
    if (exists(at->second)) {
      names.emplace(name);
    } else {
      names.erase(std::string(name));
    }
  }
}

}  // namespace

Preparation::Preparation(const TreeState& applied, const Overlay& overlay, Zxid zxid,
                         int64_t time_ms, SessionId session, const QuotaPaths* quotas)
    : applied_(applied), overlay_(overlay), zxid_(zxid), time_ms_(time_ms), quotas_(quotas) {
  commit_.zxid = zxid;
  commit_.time_ms = time_ms;
  commit_.session = session;
}

const Znode* Preparation::peek(std::string_view path) const {
  return entry(rooted(path)).state.get();
}

ZnodeRef Preparation::find(std::string_view path) const { return entry(rooted(path)).state; }

std::optional<Znode> Preparation::get(std::string_view path) const {
  const Znode* node = peek(path);
  return node ? std::optional<Znode>(*node) : std::nullopt;
}

std::optional<Stat> Preparation::stat(std::string_view path) const {
  const Znode* node = peek(path);
  return node ? std::optional<Stat>(node->stat) : std::nullopt;
}

std::optional<std::vector<std::string>> Preparation::children(std::string_view path) const {
  path = rooted(path);
  if (!stat(path)) return std::nullopt;
  std::set<std::string> names;
  if (auto base = applied_.children(path)) names.insert(base->begin(), base->end());
  lay_children(overlay_.ordered_nodes(), path, names,
               [](const InFlightZnode* node) { return node->state != nullptr; });
  lay_children(nodes_, path, names, [](const Entry& entry) { return entry.state != nullptr; });
  return std::vector<std::string>(names.begin(), names.end());
}

std::optional<SessionRecord> Preparation::session(SessionId session) const {
  if (auto at = sessions_.find(session); at != sessions_.end()) return at->second;
  if (const auto* entry = overlay_.session(session)) return entry->state;
  return applied_.session(session);
}

std::vector<std::string> Preparation::ephemerals(SessionId session) const {
  std::set<std::string> paths;
  for (auto& path : applied_.ephemerals(session)) paths.insert(std::move(path));
  auto lay = [&](const auto& map) {
    for (const auto& [path, entry] : map) {
      if (entry.state && entry.state->stat.ephemeral_owner == session) {
        paths.emplace(path);
      } else {
        paths.erase(std::string(path));
      }
    }
  };
  lay(overlay_.nodes());
  lay(nodes_);
  return std::vector<std::string>(paths.begin(), paths.end());
}

bool Preparation::has_quota(std::string_view path) const {
  if (auto at = quota_changes_.find(path); at != quota_changes_.end()) return at->second;
  return quotas_ && quotas_->contains(path);
}

// What is applied, corrected by what is on the way.
SubtreeTotals Preparation::subtree(std::string_view path) const {
  path = rooted(path);
  SubtreeTotals totals = applied_.subtree(path);
  auto correct = [&](std::string_view at, const ZnodeRef& state) {
    if (auto before = applied_.stat(at)) {
      totals.count -= 1;
      totals.bytes -= before->data_length;
    }
    if (state) {
      totals.count += 1;
      totals.bytes += static_cast<int64_t>(state->bytes().size());
    }
  };
  auto each = [path](const auto& map, auto visit) {
    for (auto at = map.lower_bound(path); at != map.end() && at->first.starts_with(path); ++at) {
      if (is_at_or_below(at->first, path)) visit(at->first, at->second);
    }
  };
  each(nodes_, [&](std::string_view at, const Entry& entry) {
    if (entry.written) correct(at, entry.state);
  });
  each(overlay_.ordered_nodes(), [&](std::string_view at, const InFlightZnode* node) {
    auto own = nodes_.find(at);
    if (own == nodes_.end() || !own->second.written) correct(at, node->state);
  });
  return totals;
}

Preparation::Entry& Preparation::entry(std::string_view path) const {
  auto at = nodes_.find(path);
  if (at != nodes_.end()) return at->second;
  Entry entry;
  const auto* in_flight = overlay_.node(path);
  entry.state = in_flight ? in_flight->state : applied_.find(path);
  if (entry.state) {
    entry.existed = true;
    entry.owner_before = entry.state->stat.ephemeral_owner;
    entry.swept_before = is_swept(entry.state->stat);
    entry.bytes_before = bytes_of(path, *entry.state);
  }
  return nodes_.emplace(path, std::move(entry)).first->second;
}

void Preparation::put(std::string_view path, Znode node) {
  path = rooted(path);
  node.stat.data_length = static_cast<int32_t>(node.bytes().size());
  Entry& changed = entry(path);
  changed.state = changed.own = std::make_shared<Znode>(std::move(node));
  changed.written = true;
}

Znode& Preparation::edit(std::string_view path) {
  Entry& changed = entry(rooted(path));
  CHECK(changed.state);
  if (!changed.own) changed.state = changed.own = std::make_shared<Znode>(*changed.state);
  changed.written = true;
  return *changed.own;
}

void Preparation::remove(std::string_view path) {
  Entry& changed = entry(rooted(path));
  changed.state = changed.own = nullptr;
  changed.written = true;
}

void Preparation::put_session(SessionId session, const SessionRecord& record) {
  sessions_[session] = record;
  commit_.created_sessions.push_back(session);
}

void Preparation::remove_session(SessionId session) {
  sessions_[session] = std::nullopt;
  commit_.closed_sessions.push_back(session);
}

void Preparation::record(Change::Kind kind, std::string_view path, const Stat& stat) {
  Change change;
  change.kind = kind;
  change.path = rooted(path);
  change.czxid = stat.czxid;
  change.ephemeral_owner = stat.ephemeral_owner;
  if (const Znode* node = peek(path)) change.acl = node->acl;
  if (kind == Change::Kind::created || kind == Change::Kind::deleted) {
    if (const Znode* parent = peek(parent_of(path))) change.parent_acl = parent->acl;
  }
  commit_.changes.push_back(std::move(change));
}

Txn Preparation::take() {
  Txn txn;
  txn.commit = std::move(commit_);
  for (auto& [path, entry] : nodes_) {
    if (!entry.written) continue;
    Txn::NodeWrite write;
    write.path = std::string_view(path);
    write.owner_before = entry.owner_before;
    write.swept_before = entry.swept_before;
    int64_t bytes_after = 0;
    if (entry.state) {
      write.owner_after = entry.state->stat.ephemeral_owner;
      write.swept_after = is_swept(entry.state->stat);
      bytes_after = bytes_of(path, *entry.state);
    } else if (!entry.existed) {
      continue;  // made and deleted in one multi
    }
    txn.node_delta += (entry.state ? 1 : 0) - (entry.existed ? 1 : 0);
    txn.data_bytes_delta += bytes_after - entry.bytes_before;
    txn.ephemeral_delta += (write.owner_after.value() != 0) - (write.owner_before.value() != 0);
    write.after = std::move(entry.state);
    txn.nodes.push_back(std::move(write));
  }
  for (auto& [session, state] : sessions_) txn.sessions.push_back({session, state});
  txn.quotas.assign(quota_changes_.begin(), quota_changes_.end());
  return txn;
}

}  // namespace odradek::coordinator::tree
