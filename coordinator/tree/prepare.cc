#include "coordinator/tree/prepare.h"

#include "common/format.h"
#include "coordinator/tree/acl.h"
#include "coordinator/tree/path.h"
#include "coordinator/tree/quota.h"

namespace odradek::coordinator::tree {

namespace {

constexpr int64_t kMaxTtlMs = 0xffffffffff;

Error no_node(std::string_view path) {
  return Error(Errc::no_node, odradek::format("no znode at {}", path));
}

// One class, so that each operation reads as its list of checks.
class Prepare {
 public:
  Prepare(const PrepareContext& context, Preparation& tree) : context_(context), tree_(tree) {}

  Result<OperationResult> operator()(const CreateOp& op);
  Result<OperationResult> operator()(const DeleteOp& op);
  Result<OperationResult> operator()(const SetDataOp& op);
  Result<OperationResult> operator()(const SetAclOp& op);
  Result<OperationResult> operator()(const CheckOp& op);
  Result<OperationResult> operator()(const CheckAbsentOp& op);
  Result<OperationResult> operator()(const DeleteTreeOp& op);
  Result<OperationResult> operator()(const CreateSessionOp& op);
  Result<OperationResult> operator()(const CloseSessionOp& op);
  Result<OperationResult> operator()(const RefusedOp& op) { return op.error; }

 private:
  Result<void> check_acl(const Znode& node, int32_t perms, std::string_view path) const {
    const Rules& rules = context_.rules;
    if (rules.skip_acl || allowed(*node.acl, perms, context_.auth, rules.schemes)) return {};
    return Error(Errc::no_auth, odradek::format("not permitted at {}", path));
  }
  static Result<void> check_version(int32_t have, int32_t want, std::string_view path) {
    if (want == kAnyVersion || want == have) return {};
    return Error(Errc::bad_version, odradek::format("{} has version {}, not {}", path, have, want));
  }
  Result<void> internal_only() const {
    if (context_.auth.internal) return {};
    return Error(Errc::unimplemented, "an internal operation");
  }
  Result<void> check_quota(std::string_view path, int64_t bytes, int64_t count) {
    // our own hand keeps the stats right, but is not held up
    if (context_.auth.internal) return {};
    return tree::check_quota(tree_, context_.rules, path, bytes, count, context_.excesses);
  }
  // The znode goes, its parent's counters follow.
  void take_out(std::string_view path, const Stat& stat);

  const PrepareContext& context_;
  Preparation& tree_;
};

// ZooKeeper: 2 * creates - children, in 32 bits that wrap.
void refresh_cversion(Stat& stat) {
  stat.cversion = static_cast<int32_t>(2 * static_cast<uint32_t>(stat.created_children) -
                                       static_cast<uint32_t>(stat.num_children));
}

void Prepare::take_out(std::string_view path, const Stat& stat) {
  tree_.record(Change::Kind::deleted, path, stat);
  tree_.remove(path);
  Stat& parent = tree_.edit(parent_of(path)).stat;
  parent.num_children -= 1;
  parent.pzxid = tree_.zxid();
  refresh_cversion(parent);
  note_quota_node(tree_, path, false);
  count_in_quota(tree_, path, -stat.data_length, -1);
}

Result<OperationResult> Prepare::operator()(const CreateOp& op) {
  if (op.kind == NodeKind::ttl) {
    if (!context_.rules.extended_types) {
      return Error(Errc::unimplemented, "TTL znodes are not enabled (extendedTypesEnabled)");
    }
    if (op.ttl_ms < 1 || op.ttl_ms > kMaxTtlMs) {
      return Error(Errc::invalid_argument, "a TTL is 1 to 1099511627775 ms");
    }
  }
  size_t slash = op.path.rfind('/');
  if (slash == std::string::npos || op.path.find('\0') != std::string::npos) {
    return Error(Errc::bad_path, "not an absolute path");
  }
  // "/a//b" has the parent "/a/", which does not exist; "/" has the parent "", which is the root
  // itself
  std::string_view parent_path = std::string_view(op.path).substr(0, slash);
  auto acl = fix_acl(op.acl, context_.auth, context_.rules.schemes);
  if (!acl) return acl.error();
  const Znode* parent = tree_.peek(parent_path);
  if (!parent) return no_node(parent_path);
  if (auto ok = check_acl(*parent, kPermCreate, parent_path); !ok) return ok.error();
  std::string path = op.path;
  if (op.sequential) path += odradek::format("{:010}", parent->stat.created_children);
  if (auto ok = validate_path(path); !ok) return ok.error();
  if (tree_.peek(path)) return Error(Errc::node_exists, odradek::format("{} exists", path));
  if (parent->stat.kind == NodeKind::ephemeral) {
    return Error(Errc::no_children_for_ephemerals, odradek::format("{} is ephemeral", parent_path));
  }
  if (op.kind == NodeKind::ephemeral && !tree_.session(context_.session)) {
    return Error(Errc::session_expired, "an ephemeral wants a living session");
  }
  auto bytes = static_cast<int64_t>(op.data ? op.data->size() : 0);
  if (auto ok = check_quota(path, bytes, 1); !ok) return ok.error();

  Znode node;
  node.data = op.data;
  if (*acl != *node.acl) node.acl = std::make_shared<const Acl>(std::move(*acl));
  node.stat.czxid = node.stat.mzxid = node.stat.pzxid = tree_.zxid();
  node.stat.ctime_ms = node.stat.mtime_ms = tree_.time_ms();
  node.stat.kind = op.kind;
  if (op.kind == NodeKind::ephemeral) node.stat.ephemeral_owner = context_.session;
  if (op.kind == NodeKind::ttl) node.stat.ttl_ms = op.ttl_ms;
  node.stat.data_length = static_cast<int32_t>(node.bytes().size());
  OperationResult result{path, node.stat};
  tree_.put(path, std::move(node));
  tree_.record(Change::Kind::created, path, result.stat);

  Stat& above = tree_.edit(parent_path).stat;
  above.num_children += 1;
  above.created_children = static_cast<int32_t>(static_cast<uint32_t>(above.created_children) + 1);
  above.pzxid = tree_.zxid();
  refresh_cversion(above);
  note_quota_node(tree_, path, true);
  count_in_quota(tree_, path, bytes, 1);
  return result;
}

Result<OperationResult> Prepare::operator()(const DeleteOp& op) {
  if (op.path.find('/') == std::string::npos || op.path.find('\0') != std::string::npos ||
      is_special_path(op.path)) {
    return Error(Errc::bad_path, odradek::format("{} cannot be deleted", op.path));
  }
  std::string_view parent_path = std::string_view(op.path).substr(0, op.path.rfind('/'));
  const Znode* parent = tree_.peek(parent_path);
  if (!parent) return no_node(parent_path);
  if (auto ok = check_acl(*parent, kPermDelete, parent_path); !ok) return ok.error();
  auto stat = tree_.stat(op.path);
  if (!stat) return no_node(op.path);
  if (auto ok = check_version(stat->version, op.version, op.path); !ok) return ok.error();
  if (stat->num_children > 0) {
    return Error(Errc::not_empty, odradek::format("{} has children", op.path));
  }
  take_out(op.path, *stat);
  return OperationResult{};
}

Result<OperationResult> Prepare::operator()(const SetDataOp& op) {
  if (auto ok = validate_path(op.path); !ok) return ok.error();
  const Znode* found = tree_.peek(op.path);
  if (!found) return no_node(op.path);
  if (auto ok = check_acl(*found, kPermWrite, op.path); !ok) return ok.error();
  int64_t grown = static_cast<int64_t>(op.data ? op.data->size() : 0) - found->stat.data_length;
  if (auto ok = check_quota(op.path, grown, 0); !ok) return ok.error();
  if (auto ok = check_version(found->stat.version, op.version, op.path); !ok) return ok.error();
  Znode node;
  node.stat = found->stat;
  node.acl = found->acl;
  node.data = op.data;
  node.stat.mzxid = tree_.zxid();
  node.stat.mtime_ms = tree_.time_ms();
  node.stat.version = static_cast<int32_t>(static_cast<uint32_t>(node.stat.version) + 1);
  // -1 would mean "any version"
  if (node.stat.version == kAnyVersion) node.stat.version = 0;
  node.stat.data_length = static_cast<int32_t>(node.bytes().size());
  OperationResult result{{}, node.stat};
  tree_.put(op.path, std::move(node));
  tree_.record(Change::Kind::data_changed, op.path, result.stat);
  count_in_quota(tree_, op.path, grown, 0);
  return result;
}

Result<OperationResult> Prepare::operator()(const SetAclOp& op) {
  if (auto ok = validate_path(op.path); !ok) return ok.error();
  auto acl = fix_acl(op.acl, context_.auth, context_.rules.schemes);
  if (!acl) return acl.error();
  const Znode* found = tree_.peek(op.path);
  if (!found) return no_node(op.path);
  if (auto ok = check_acl(*found, kPermAdmin, op.path); !ok) return ok.error();
  if (auto ok = check_version(found->stat.aversion, op.version, op.path); !ok) return ok.error();
  Znode& node = tree_.edit(op.path);
  node.acl = *acl == *open_acl() ? open_acl() : std::make_shared<const Acl>(std::move(*acl));
  node.stat.aversion = static_cast<int32_t>(static_cast<uint32_t>(node.stat.aversion) + 1);
  OperationResult result{{}, node.stat};
  tree_.record(Change::Kind::acl_changed, op.path, result.stat);
  return result;
}

Result<OperationResult> Prepare::operator()(const CheckOp& op) {
  if (auto ok = validate_path(op.path); !ok) return ok.error();
  const Znode* node = tree_.peek(op.path);
  if (!node) return no_node(op.path);
  if (auto ok = check_acl(*node, kPermRead, op.path); !ok) return ok.error();
  if (auto ok = check_version(node->stat.version, op.version, op.path); !ok) return ok.error();
  if (op.czxid && *op.czxid != node->stat.czxid) {
    return Error(Errc::bad_version, odradek::format("{} was made anew", op.path));
  }
  return OperationResult{{}, node->stat};
}

Result<OperationResult> Prepare::operator()(const CheckAbsentOp& op) {
  if (auto ok = internal_only(); !ok) return ok.error();
  if (tree_.peek(op.path)) return Error(Errc::node_exists, odradek::format("{} exists", op.path));
  return OperationResult{};
}

Result<OperationResult> Prepare::operator()(const DeleteTreeOp& op) {
  if (auto ok = internal_only(); !ok) return ok.error();
  if (is_special_path(op.path)) {
    return Error(Errc::bad_path, odradek::format("{} cannot be deleted", op.path));
  }
  if (!tree_.stat(op.path)) return no_node(op.path);
  // every parent stands in the list before its children
  std::vector<std::string> paths{op.path};
  for (size_t i = 0; i < paths.size(); ++i) {
    auto stat = tree_.stat(paths[i]);
    if (!stat || stat->num_children == 0) continue;
    auto names = tree_.children(paths[i]);
    for (const std::string& name : *names) paths.push_back(join_path(paths[i], name));
  }
  for (size_t i = paths.size(); i-- > 0;) take_out(paths[i], *tree_.stat(paths[i]));
  return OperationResult{};
}

Result<OperationResult> Prepare::operator()(const CreateSessionOp& op) {
  if (auto ok = internal_only(); !ok) return ok.error();
  if (op.session.value() == 0 || tree_.session(op.session)) {
    return Error(Errc::already_exists,
                 odradek::format("session 0x{:x} exists", op.session.value()));
  }
  tree_.put_session(op.session, SessionRecord{op.timeout_ms, op.password});
  return OperationResult{};
}

Result<OperationResult> Prepare::operator()(const CloseSessionOp& op) {
  if (auto ok = internal_only(); !ok) return ok.error();
  if (!tree_.session(op.session)) {
    return Error(Errc::session_expired, odradek::format("no session 0x{:x}", op.session.value()));
  }
  for (const std::string& path : tree_.ephemerals(op.session)) {
    if (auto stat = tree_.stat(path)) take_out(path, *stat);
  }
  tree_.remove_session(op.session);
  return OperationResult{};
}

}  // namespace

Result<OperationResult> prepare(const Operation& operation, const PrepareContext& context,
                                Preparation& preparation) {
  return std::visit(Prepare(context, preparation), operation);
}

void prepare_new_tree(Preparation& preparation) {
  // ZooKeeper counts no creates for these: a new root has cversion -1
  auto add = [&](std::string_view path, int32_t children, AclRef acl, int32_t aversion) {
    Znode node;
    node.data = Bytes();
    node.acl = std::move(acl);
    node.stat.num_children = children;
    node.stat.aversion = aversion;
    refresh_cversion(node.stat);
    preparation.put(path, std::move(node));
  };
  add("/", 1, open_acl(), 0);
  add("/zookeeper", 2, open_acl(), 0);
  add("/zookeeper/quota", 0, open_acl(), 0);
  auto read_only =
      std::make_shared<const Acl>(Acl{AclEntry(kPermRead, Identity("world", "anyone"))});
  add("/zookeeper/config", 0, read_only, -1);
}

}  // namespace odradek::coordinator::tree
