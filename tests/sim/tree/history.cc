#include "tests/sim/tree/history.h"

#include "common/check.h"
#include "common/format.h"

namespace odradek::sim {

using coordinator::tree::Acl;
using coordinator::tree::NodeKind;
using coordinator::tree::Operation;
using zookeeper::ErrorCode;
using zookeeper::EventType;
namespace tree = coordinator::tree;

namespace {

// Permission of ACLs that name only world:anyone, which is all that the simulator uses.
bool permits(const ModelNode& node, int32_t permission) {
  for (const auto& entry : node.acl) {
    if (entry.perms & permission) return true;
  }
  return false;
}

}  // namespace

std::string model_parent(std::string_view path) {
  size_t slash = path.rfind('/');
  return slash == 0 ? "/" : std::string(path.substr(0, slash));
}

// One write being tried: what it makes of each path, laid over the history.
class History::Attempt {
 public:
  Attempt(const History& history, Step& step)
      : history_(history), step_(step), zxid_(history.last() + 1) {}

  Answer run(const Operation& operation) {
    return std::visit([this](const auto& op) { return done(op); }, operation);
  }

  std::map<std::string, std::optional<ModelNode>> nodes;
  std::optional<int64_t> opened;
  std::optional<int64_t> closed;

 private:
  static Answer refuse(ErrorCode error) {
    Answer answer;
    answer.error = error;
    return answer;
  }
  ModelNode* find(const std::string& path) {
    auto at = nodes.find(path);
    if (at == nodes.end()) {
      const ModelNode* known = history_.node(path, zxid_);
      at = nodes.emplace(path, known ? std::optional(*known) : std::nullopt).first;
    }
    return at->second ? &*at->second : nullptr;
  }
  bool may(const ModelNode& node, int32_t permission) const {
    return step_.internal || permits(node, permission);
  }
  void child_changed(const std::string& path, int delta) {
    ModelNode& parent = *find(model_parent(path));
    parent.stat.num_children += delta;
    parent.stat.cversion += 1;
    parent.stat.pzxid = zxid_;
    if (delta > 0) parent.creates += 1;
  }
  // While the znode stands.
  void note(EventType type, const std::string& path) {
    Change change{type, path};
    change.heard = permits(*find(path), tree::kPermRead);
    change.parent_heard = path == "/" || permits(*find(model_parent(path)), tree::kPermRead);
    step_.changes.push_back(std::move(change));
  }
  void take_out(const std::string& path) {
    note(EventType::kNodeDeleted, path);
    nodes[path].reset();
    child_changed(path, -1);
  }

  Answer done(const tree::CreateOp& op) {
    ModelNode* parent = find(model_parent(op.path));
    if (!parent) return refuse(ErrorCode::kNoNode);
    if (!may(*parent, tree::kPermCreate)) return refuse(ErrorCode::kNoAuth);
    std::string path = op.path;
    if (op.sequential) path += odradek::format("{:010}", parent->creates);
    if (find(path)) return refuse(ErrorCode::kNodeExists);
    parent = find(model_parent(op.path));
    if (parent->kind == NodeKind::ephemeral) return refuse(ErrorCode::kNoChildrenForEphemerals);
    ModelNode node;
    node.data = op.data;
    node.kind = op.kind;
    node.ttl_ms = op.ttl_ms;
    node.acl = op.acl;
    node.stat.czxid = node.stat.mzxid = node.stat.pzxid = zxid_;
    node.stat.ctime = node.stat.mtime = step_.wall_ms;
    node.stat.ephemeral_owner = op.kind == NodeKind::ephemeral ? step_.session : 0;
    node.stat.data_length = static_cast<int32_t>(op.data ? op.data->size() : 0);
    Answer answer;
    answer.path = path;
    answer.stat = node.stat;
    nodes[path] = std::move(node);
    child_changed(path, 1);
    note(EventType::kNodeCreated, path);
    return answer;
  }

  Answer done(const tree::DeleteOp& op) {
    ModelNode* parent = find(model_parent(op.path));
    if (!parent) return refuse(ErrorCode::kNoNode);
    if (!may(*parent, tree::kPermDelete)) return refuse(ErrorCode::kNoAuth);
    ModelNode* node = find(op.path);
    if (!node) return refuse(ErrorCode::kNoNode);
    if (op.version != -1 && op.version != node->stat.version) return refuse(ErrorCode::kBadVersion);
    if (node->stat.num_children > 0) return refuse(ErrorCode::kNotEmpty);
    take_out(op.path);
    return Answer();
  }

  Answer done(const tree::SetDataOp& op) {
    ModelNode* node = find(op.path);
    if (!node) return refuse(ErrorCode::kNoNode);
    if (!may(*node, tree::kPermWrite)) return refuse(ErrorCode::kNoAuth);
    if (op.version != -1 && op.version != node->stat.version) return refuse(ErrorCode::kBadVersion);
    node->data = op.data;
    node->stat.data_length = static_cast<int32_t>(op.data ? op.data->size() : 0);
    node->stat.version += 1;
    node->stat.mzxid = zxid_;
    node->stat.mtime = step_.wall_ms;
    Answer answer;
    answer.stat = node->stat;
    note(EventType::kNodeDataChanged, op.path);
    return answer;
  }

  Answer done(const tree::SetAclOp& op) {
    ModelNode* node = find(op.path);
    if (!node) return refuse(ErrorCode::kNoNode);
    if (!may(*node, tree::kPermAdmin)) return refuse(ErrorCode::kNoAuth);
    if (op.version != -1 && op.version != node->stat.aversion)
      return refuse(ErrorCode::kBadVersion);
    node->acl = op.acl;
    node->stat.aversion += 1;
    Answer answer;
    answer.stat = node->stat;
    return answer;
  }

  Answer done(const tree::CheckOp& op) {
    ModelNode* node = find(op.path);
    if (!node) return refuse(ErrorCode::kNoNode);
    if (!may(*node, tree::kPermRead)) return refuse(ErrorCode::kNoAuth);
    if (op.version != -1 && op.version != node->stat.version) return refuse(ErrorCode::kBadVersion);
    if (op.czxid && op.czxid->value() != node->stat.czxid) return refuse(ErrorCode::kBadVersion);
    return Answer();
  }

  Answer done(const tree::CreateSessionOp& op) {
    opened = op.session.value();
    return Answer();
  }

  Answer done(const tree::CloseSessionOp& op) {
    int64_t session = op.session.value();
    if (!history_.session_open(session, zxid_)) return refuse(ErrorCode::kSessionExpired);
    for (const std::string& path : history_.ephemerals(session, zxid_)) take_out(path);
    closed = session;
    return Answer();
  }

  // No client of the simulator asks for the others.
  template <typename Other>
  Answer done(const Other&) {
    CHECK(false);
    return Answer();
  }

  const History& history_;
  Step& step_;
  const int64_t zxid_;
};

// What a new tree holds; ZooKeeper counts no creates for these.
History::History() {
  auto add = [this](const char* path, int32_t children, int32_t cversion) {
    ModelNode node;
    node.data = "";
    node.acl = *tree::open_acl();
    node.stat.num_children = children;
    node.stat.cversion = cversion;
    paths_[path].push_back({0, std::move(node)});
  };
  add("/", 1, -1);
  add("/zookeeper", 2, -2);
  add("/zookeeper/quota", 0, 0);
  add("/zookeeper/config", 0, 0);
  ModelNode& config = *paths_["/zookeeper/config"].back().node;
  config.acl = Acl{tree::AclEntry(tree::kPermRead, tree::Identity("world", "anyone"))};
  config.stat.aversion = -1;
}

const History::Step& History::append(int64_t session, bool internal,
                                     std::vector<Operation> operations, int64_t wall_ms) {
  Step step;
  step.zxid = last() + 1;
  step.session = session;
  step.internal = internal;
  step.wall_ms = wall_ms;
  step.operations = std::move(operations);
  Attempt attempt(*this, step);
  if (!internal && !session_open(session, step.zxid)) {
    step.answers.emplace_back();
    step.answers.back().error = ErrorCode::kSessionExpired;
  } else {
    for (const Operation& operation : step.operations) {
      step.answers.push_back(attempt.run(operation));
      if (step.failed()) break;
    }
  }
  if (step.failed()) {
    step.changes.clear();
  } else {
    for (auto& [path, node] : attempt.nodes) {
      auto& versions = paths_[path];
      bool stood = !versions.empty() && versions.back().node;
      if (node || stood) versions.push_back({step.zxid, std::move(node)});
    }
    if (attempt.opened) sessions_[*attempt.opened].opened = step.zxid;
    if (attempt.closed) sessions_.at(*attempt.closed).closed = step.zxid;
    step.closed = attempt.closed;
  }
  steps_.push_back(std::move(step));
  return steps_.back();
}

void History::forget_after(int64_t zxid) {
  CHECK(zxid <= last());
  steps_.resize(static_cast<size_t>(zxid));
  for (auto& [path, versions] : paths_) {
    while (!versions.empty() && versions.back().zxid > zxid) versions.pop_back();
  }
  std::erase_if(sessions_, [zxid](const auto& each) { return each.second.opened > zxid; });
  for (auto& [session, life] : sessions_) {
    if (life.closed > zxid) life.closed = 0;
  }
}

const ModelNode* History::node(std::string_view path, int64_t zxid) const {
  auto at = paths_.find(path);
  if (at == paths_.end()) return nullptr;
  const auto& versions = at->second;
  for (auto version = versions.rbegin(); version != versions.rend(); ++version) {
    if (version->zxid <= zxid) return version->node ? &*version->node : nullptr;
  }
  return nullptr;
}

std::vector<std::string> History::children(std::string_view path, int64_t zxid) const {
  std::vector<std::string> names;
  std::string prefix = path == "/" ? "/" : std::string(path) + "/";
  for (auto at = paths_.upper_bound(prefix); at != paths_.end() && at->first.starts_with(prefix);
       ++at) {
    std::string_view name = std::string_view(at->first).substr(prefix.size());
    if (name.find('/') == std::string_view::npos && node(at->first, zxid)) names.emplace_back(name);
  }
  return names;
}

std::vector<std::string> History::all_paths(int64_t zxid) const {
  std::vector<std::string> paths;
  for (const auto& [path, versions] : paths_) {
    if (node(path, zxid)) paths.push_back(path);
  }
  return paths;
}

std::vector<std::string> History::ephemerals(int64_t session, int64_t zxid) const {
  std::vector<std::string> paths;
  for (const auto& [path, versions] : paths_) {
    const ModelNode* found = node(path, zxid);
    if (found && found->stat.ephemeral_owner == session) paths.push_back(path);
  }
  return paths;
}

bool History::session_open(int64_t session, int64_t zxid) const {
  auto at = sessions_.find(session);
  if (at == sessions_.end() || at->second.opened > zxid) return false;
  return at->second.closed == 0 || at->second.closed > zxid;
}

std::vector<int64_t> History::open_sessions(int64_t zxid) const {
  std::vector<int64_t> open;
  for (const auto& [session, life] : sessions_) {
    if (session_open(session, zxid)) open.push_back(session);
  }
  return open;
}

}  // namespace odradek::sim
