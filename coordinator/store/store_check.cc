#include "coordinator/store/store_check.h"

#include <algorithm>
#include <optional>
#include <set>

#include "common/bytes/byte_reader.h"
#include "common/format.h"
#include "coordinator/tree/path.h"

namespace odradek::coordinator::store {

namespace {

class Checker {
 public:
  Checker(const Snapshot& snapshot, const std::function<void(const std::string&)>& found)
      : snapshot_(snapshot), found_(found) {}

  CheckReport run();

 private:
  template <typename... Args>
  void wrong(fmt::format_string<Args...> text, Args&&... args) {
    ++report_.findings;
    found_(odradek::format(text, std::forward<Args>(args)...));
  }
  bool has(const std::string& key) const { return snapshot_.get(key).has_value(); }
  std::optional<tree::Znode> node_at(std::string_view path) const;

  void visit(std::string_view key, std::string_view value);
  void acl(std::string_view key, std::string_view value);
  void acl_content(std::string_view key, std::string_view value);
  void swept(std::string_view path);
  void ephemeral(std::string_view key);
  void session(std::string_view key, std::string_view value);
  void node(std::string_view key, std::string_view value);
  void node_references(const std::string& path, const tree::Stat& stat, uint32_t acl_number);
  void close_siblings();
  void childless_parents();
  void totals();

  const Snapshot& snapshot_;
  const std::function<void(const std::string&)>& found_;
  CheckReport report_;
  std::optional<Totals> totals_;
  std::set<uint32_t> acls_;
  // the znodes of one parent stand together
  std::string parent_;
  int32_t siblings_ = 0;
  int64_t claimed_ = 0;    // sum of numChildren of all znodes
  int64_t confirmed_ = 0;  // of those whose children were met
};

std::optional<tree::Znode> Checker::node_at(std::string_view path) const {
  auto value = snapshot_.get(node_key(path));
  if (!value) return std::nullopt;
  uint32_t acl_number = 0;
  auto node = decode_node(*value, acl_number, false);
  if (!node) return std::nullopt;
  return *std::move(node);
}

CheckReport Checker::run() {
  auto stored = snapshot_.get(totals_key());
  if (stored) {
    if (auto decoded = decode_totals(*stored)) totals_ = *decoded;
  }
  if (!totals_) wrong("the totals are missing or do not decode");
  if (totals_) report_.last_zxid = totals_->last_zxid;
  // in the order of the first byte: ACLs, then the lists, then znodes, then sessions
  snapshot_.scan("", [this](std::string_view key, std::string_view value) {
    visit(key, value);
    return true;
  });
  close_siblings();
  if (claimed_ != confirmed_) childless_parents();
  if (!has(node_key("/"))) wrong("there is no root");
  totals();
  return report_;
}

void Checker::visit(std::string_view key, std::string_view value) {
  switch (key.empty() ? '\0' : key.front()) {
    case 'A':
      return acl_content(key, value);
    case 'a':
      return acl(key, value);
    case 'c':
      return swept(key.substr(1));
    case 'e':
      return ephemeral(key);
    case 'm':
      return;
    case 'n':
      return node(key, value);
    case 's':
      return session(key, value);
    default:
      wrong("a key of an unknown kind: {}", key.substr(0, 40));
  }
}

void Checker::acl(std::string_view key, std::string_view value) {
  ByteReader in(key.substr(1));
  uint32_t number = in.u32();
  if (!in.ok() || in.remaining() > 0 || number == 0) {
    wrong("an ACL has no number");
    return;
  }
  ++report_.acls;
  acls_.insert(number);
  if (!decode_acl(value)) wrong("ACL {} does not decode", number);
  if (totals_ && number > totals_->last_acl) {
    wrong("ACL {} is beyond the last number that was given out, {}", number, totals_->last_acl);
  }
}

void Checker::acl_content(std::string_view key, std::string_view value) {
  ByteReader in(value);
  uint32_t number = in.u32();
  auto content = in.ok() && in.remaining() == 0 ? snapshot_.get(acl_key(number)) : std::nullopt;
  if (content != key.substr(1)) wrong("an ACL is listed as number {}, which is another", number);
}

void Checker::swept(std::string_view path) {
  auto node = node_at(path);
  if (!node || (node->stat.kind != tree::NodeKind::container &&
                node->stat.kind != tree::NodeKind::ttl)) {
    wrong("{} is listed as a container or TTL znode and is none", path);
  }
}

void Checker::ephemeral(std::string_view key) {
  std::string_view rest = key.substr(1);
  if (rest.size() < sizeof(int64_t)) {
    wrong("the list of ephemerals has a key that does not decode");
    return;
  }
  SessionId owner(ByteReader(rest).i64());
  std::string_view path = rest.substr(sizeof(int64_t));
  auto node = node_at(path);
  if (!node || node->stat.ephemeral_owner != owner) {
    wrong("{} is listed as an ephemeral of session 0x{:x} and is none", path,
          static_cast<uint64_t>(owner.value()));
  }
}

void Checker::session(std::string_view key, std::string_view value) {
  ++report_.sessions;
  auto record = decode_session(value);
  if (key.size() != 1 + sizeof(int64_t) || !record) {
    wrong("a session does not decode");
  } else if (session_in_key(key).value() == 0 || record->timeout_ms <= 0) {
    wrong("session 0x{:x} has a time-out of {} ms",
          static_cast<uint64_t>(session_in_key(key).value()), record->timeout_ms);
  }
}

void Checker::node(std::string_view key, std::string_view value) {
  ++report_.znodes;
  std::string path = path_in_key(key);
  if (path.empty() || node_key(path) != key) {
    wrong("a znode's key does not decode");
    return;
  }
  std::string_view parent = tree::parent_of(path);
  if (path != "/") {
    if (parent != parent_) {
      close_siblings();
      parent_ = parent;
    }
    ++siblings_;
  }
  uint32_t acl_number = 0;
  auto node = decode_node(value, acl_number, false);
  if (!node) {
    wrong("{}: the znode does not decode", path);
    return;
  }
  report_.data_bytes += static_cast<int64_t>(path.size()) + node->stat.data_length;
  node_references(path, node->stat, acl_number);
}

void Checker::node_references(const std::string& path, const tree::Stat& stat,
                              uint32_t acl_number) {
  claimed_ += stat.num_children;
  // ZooKeeper counts no creates for what it makes itself; below zero the count has wrapped
  bool has_uncounted = path == "/" || path == "/zookeeper";
  if (stat.created_children >= 0 && stat.created_children < stat.num_children && !has_uncounted) {
    wrong("{} has {} children and counts {} creates of them", path, stat.num_children,
          stat.created_children);
  }
  if (acl_number != 0 && !acls_.contains(acl_number)) {
    wrong("{}: its ACL, number {}, is missing", path, acl_number);
  }
  if (totals_ && std::max({stat.czxid, stat.mzxid, stat.pzxid}) > totals_->last_zxid) {
    wrong("{} has a zxid beyond the last one, 0x{:x}", path, totals_->last_zxid.value());
  }
  if (stat.kind == tree::NodeKind::ephemeral) {
    ++report_.ephemerals;
    auto owner = static_cast<uint64_t>(stat.ephemeral_owner.value());
    if (!has(session_key(stat.ephemeral_owner))) {
      wrong("{} is an ephemeral of session 0x{:x}, which is not there", path, owner);
    }
    if (!has(ephemeral_key(stat.ephemeral_owner, path))) {
      wrong("{} is not listed as an ephemeral of session 0x{:x}", path, owner);
    }
  } else if (stat.kind != tree::NodeKind::persistent && !has(swept_key(path))) {
    wrong("{} is not listed as a container or TTL znode", path);
  }
}

void Checker::close_siblings() {
  if (siblings_ == 0) return;
  auto parent = node_at(parent_);
  if (!parent) {
    wrong("{} znodes stand below {}, which is not there", siblings_, parent_);
  } else {
    confirmed_ += parent->stat.num_children;
    if (parent->stat.num_children != siblings_) {
      wrong("{} says that it has {} children, and {} are there", parent_,
            parent->stat.num_children, siblings_);
    }
    if (parent->stat.kind == tree::NodeKind::ephemeral) {
      wrong("{} is an ephemeral and has children", parent_);
    }
  }
  siblings_ = 0;
}

// Some say that they have children, of which none is there.
void Checker::childless_parents() {
  snapshot_.scan(all_nodes_prefix(), [this](std::string_view key, std::string_view value) {
    uint32_t acl_number = 0;
    auto node = decode_node(value, acl_number, false);
    if (!node || node->stat.num_children == 0) return true;
    std::string path = path_in_key(key);
    bool any = false;
    snapshot_.scan(children_prefix(path), [&](std::string_view, std::string_view) {
      any = true;
      return false;
    });
    if (!any) {
      wrong("{} says that it has {} children, and none is there", path, node->stat.num_children);
    }
    return true;
  });
}

void Checker::totals() {
  if (!totals_) return;
  auto compare = [this](const char* what, int64_t said, int64_t counted) {
    if (said != counted) wrong("the totals say {} {}, and {} were counted", said, what, counted);
  };
  compare("znodes", totals_->nodes, report_.znodes);
  compare("bytes of paths and data", totals_->data_bytes, report_.data_bytes);
  compare("ephemerals", totals_->ephemerals, report_.ephemerals);
}

}  // namespace

CheckReport check_contents(const Snapshot& snapshot,
                        const std::function<void(const std::string&)>& found) {
  return Checker(snapshot, found).run();
}

}  // namespace odradek::coordinator::store
