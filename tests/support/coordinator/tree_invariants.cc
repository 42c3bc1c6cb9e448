#include "tests/support/coordinator/tree_invariants.h"

#include <map>
#include <optional>
#include <set>

#include "common/bytes/byte_reader.h"
#include "common/format.h"
#include "coordinator/store/layout.h"

namespace odradek::coordinator {

namespace {

struct Node {
  tree::Znode znode;
  uint32_t acl = 0;
  int64_t children = 0;
};

class Check {
 public:
  explicit Check(const store::Snapshot& snapshot) {
    snapshot.scan("", [this](std::string_view key, std::string_view value) {
      take(key, value);
      return true;
    });
  }

  std::vector<std::string> run() {
    if (!totals_) {
      if (!nodes_.empty()) say("there are znodes, but no totals");
      return std::move(problems_);
    }
    if (!nodes_.contains("/")) say("there is no root");
    count_children();
    for (auto& [path, node] : nodes_) look_at(path, node);
    for (const auto& [session, path] : ephemerals_) {
      auto at = nodes_.find(path);
      if (at == nodes_.end() || at->second.znode.stat.ephemeral_owner.value() != session) {
        say(format("{} is listed as an ephemeral of 0x{:x}, which it is not", path, session));
      }
    }
    for (const std::string& path : swept_) {
      auto at = nodes_.find(path);
      if (at == nodes_.end() || !is_swept(at->second)) say(path + " is listed for the sweep");
    }
    for (int64_t session : sessions_) {
      if (session > totals_->last_session.value()) {
        say(format("session 0x{:x} is above the last one given out", session));
      }
    }
    compare("znodes", totals_->nodes, static_cast<int64_t>(nodes_.size()));
    compare("ephemerals", totals_->ephemerals, static_cast<int64_t>(ephemerals_.size()));
    compare("data bytes", totals_->data_bytes, data_bytes_);
    return std::move(problems_);
  }

 private:
  void say(std::string what) { problems_.push_back(std::move(what)); }
  void compare(const char* what, int64_t said, int64_t counted) {
    if (said != counted) say(format("the totals say {} {}, counted {}", said, what, counted));
  }
  static bool is_swept(const Node& node) {
    auto kind = node.znode.stat.kind;
    return kind == tree::NodeKind::container || kind == tree::NodeKind::ttl;
  }

  void take(std::string_view key, std::string_view value) {
    std::string_view rest = key.substr(1);
    switch (key[0]) {
      case 'n':
        return take_node(rest, value);
      case 's':
        if (rest.size() != 8 || !store::decode_session(value)) say("a session does not decode");
        sessions_.insert(ByteReader(rest).i64());
        return;
      case 'e':
        if (rest.size() < 9) return say("an ephemeral's key is cut");
        ephemerals_.emplace(ByteReader(rest).i64(), std::string(rest.substr(8)));
        return;
      case 'c':
        swept_.emplace(rest);
        return;
      case 'a':
        if (rest.size() != 4 || !store::decode_acl(value)) return say("an ACL does not decode");
        acls_.insert(ByteReader(rest).u32());
        return;
      case 'm':
        if (key != store::totals_key()) return;
        if (auto totals = store::decode_totals(value)) {
          totals_ = *totals;
        } else {
          say("the totals do not decode");
        }
        return;
      default:
        return;  // A: an ACL's number by its content; what a number stands for is looked at above
    }
  }

  void take_node(std::string_view rest, std::string_view value) {
    size_t end = rest.find('\0', 2);
    if (rest.size() < 3 || end == std::string_view::npos) return say("a znode's key is cut");
    std::string_view parent = rest.substr(2, end - 2);
    std::string_view name = rest.substr(end + 1);
    const uint16_t depth = ByteReader(rest).u16();
    std::string path = std::string(parent) + "/" + std::string(name);
    int slashes = 0;
    for (char c : path) slashes += c == '/';
    if (depth != (name.empty() ? 0 : slashes) || (name.empty() && !parent.empty())) {
      say(format("{} stands at depth {}", path, depth));
    }
    Node node;
    auto decoded = store::decode_node(value, node.acl, true);
    if (!decoded) return say(path + " does not decode");
    node.znode = *std::move(decoded);
    data_bytes_ += static_cast<int64_t>(path.size() + node.znode.bytes().size());
    nodes_.emplace(std::move(path), std::move(node));
  }

  void count_children() {
    for (auto& [path, node] : nodes_) {
      if (path == "/") continue;
      size_t slash = path.rfind('/');
      auto parent = nodes_.find(slash == 0 ? "/" : path.substr(0, slash));
      if (parent == nodes_.end()) {
        say(path + " has no parent");
        continue;
      }
      ++parent->second.children;
      if (parent->second.znode.stat.kind == tree::NodeKind::ephemeral) {
        say(path + " stands below an ephemeral");
      }
    }
  }

  void look_at(const std::string& path, const Node& node) {
    const tree::Stat& stat = node.znode.stat;
    if (stat.num_children != node.children) {
      say(format("{} says {} children and has {}", path, stat.num_children, node.children));
    }
    // what a new tree begins with was not counted as creates
    int32_t given = path == "/" ? 1 : path == "/zookeeper" ? 2 : 0;
    if (stat.created_children + given < node.children) {
      say(format("{} counts {} creates and has {} children", path, stat.created_children,
                 node.children));
    }
    if (stat.czxid > stat.mzxid || stat.czxid > stat.pzxid || stat.mzxid > totals_->last_zxid ||
        stat.pzxid > totals_->last_zxid || stat.czxid.value() < 0) {
      say(format("{} has zxids {}, {}, {}; the last one is {}", path, stat.czxid.value(),
                 stat.mzxid.value(), stat.pzxid.value(), totals_->last_zxid.value()));
    }
    if (node.acl != 0 && !acls_.contains(node.acl)) say(path + " has an ACL that is not there");
    if (is_swept(node) != swept_.contains(path)) say(path + " is not listed for the sweep");
    if (stat.kind == tree::NodeKind::ephemeral) {
      int64_t owner = stat.ephemeral_owner.value();
      if (!sessions_.contains(owner)) say(path + " is an ephemeral without a session");
      if (!ephemerals_.contains({owner, path})) say(path + " is not listed with its session");
    }
  }

  std::map<std::string, Node> nodes_;
  std::set<int64_t> sessions_;
  std::set<std::pair<int64_t, std::string>> ephemerals_;
  std::set<std::string> swept_;
  std::set<uint32_t> acls_;
  std::optional<store::Totals> totals_;
  int64_t data_bytes_ = 0;
  std::vector<std::string> problems_;
};

std::string hex(std::string_view bytes) {
  std::string text;
  for (unsigned char byte : bytes) text += format("{:02x}", byte);
  return text;
}

}  // namespace

std::vector<std::string> tree_problems(const store::Snapshot& snapshot) {
  return Check(snapshot).run();
}

std::vector<std::string> tree_dump(const store::Snapshot& snapshot) {
  std::vector<std::string> lines;
  snapshot.scan("", [&](std::string_view key, std::string_view value) {
    lines.push_back(hex(key) + " = " + hex(value));
    return true;
  });
  return lines;
}

}  // namespace odradek::coordinator
