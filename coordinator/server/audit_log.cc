#include "coordinator/server/audit_log.h"

#include <pwd.h>
#include <unistd.h>

#include "common/format.h"
#include "common/log/log.h"
#include "coordinator/server/codec.h"

namespace odradek::coordinator::server {

namespace {

using zookeeper::OpCode;

constexpr const char* kLogger = "zookeeper_audit";
// A path may be a megabyte, of a refused request it may be anything.
constexpr size_t kMaxShown = 8192;
constexpr std::string_view kSuccess = "success";
constexpr std::string_view kFailure = "failure";
constexpr std::string_view kWithSession = "ephemeralZNodeDeletionOnSessionCloseOrExpire";

std::string user_of_process() {
  const passwd* user = getpwuid(geteuid());
  return user ? user->pw_name : std::to_string(geteuid());
}

std::string escaped(std::string_view text) {
  std::string out;
  for (char c : text.substr(0, kMaxShown)) {
    bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    out += control ? odradek::format("\\u{:04x}", static_cast<unsigned>(c)) : std::string(1, c);
  }
  if (text.size() > kMaxShown) out += odradek::format("... ({} bytes)", text.size());
  return out;
}

std::string permissions(int32_t perms) {
  std::string out;
  for (auto [bit, letter] : {std::pair{tree::kPermCreate, 'c'}, {tree::kPermDelete, 'd'},
                             {tree::kPermRead, 'r'}, {tree::kPermWrite, 'w'},
                             {tree::kPermAdmin, 'a'}}) {
    if (perms & bit) out += letter;
  }
  return out;
}

// Entries without anything between them, as ZooKeeper writes them.
std::string shown_acl(const tree::Acl& acl) {
  std::string out;
  for (const tree::AclEntry& entry : acl) {
    out += entry.who.scheme + ":" + entry.who.id + ":" + permissions(entry.perms);
  }
  return out;
}

std::string_view type_of(const tree::CreateOp& create) {
  switch (create.kind) {
    case tree::NodeKind::persistent:
      return create.sequential ? "persistent_sequential" : "persistent";
    case tree::NodeKind::ephemeral:
      return create.sequential ? "ephemeral_sequential" : "ephemeral";
    case tree::NodeKind::container:
      return "container";
    case tree::NodeKind::ttl:
      break;
  }
  return create.sequential ? "persistent_sequential_with_ttl" : "persistent_with_ttl";
}

// The line goes by the flags; what is made goes by the op code, which makes a container of
// createContainer alone. Empty where the flags say neither.
std::string_view type_by_flags(std::string_view body) {
  ByteReader in(body);
  auto request = zookeeper::CreateRequest::decode(in);
  if (!request) return "";
  auto mode = zookeeper::find_create_mode(request->flags);
  if (mode == zookeeper::CreateMode::kContainer) return "container";
  return mode == zookeeper::CreateMode::kPersistent ? "persistent" : "";
}

std::string_view name_of_request(OpCode op) {
  switch (op) {
    case OpCode::kCreate:
    case OpCode::kCreate2:
    case OpCode::kCreateContainer:
    case OpCode::kCreateTTL:
      return "create";
    case OpCode::kDelete:
    case OpCode::kDeleteContainer:
      return "delete";
    case OpCode::kSetData:
      return "setData";
    case OpCode::kSetACL:
      return "setAcl";
    case OpCode::kReconfig:
      return "reconfig";
    default:
      return "multiOperation";
  }
}

struct Describe {
  AuditedOperation operator()(const tree::CreateOp& op) {
    return {"create", op.path, type_of(op), ""};
  }
  AuditedOperation operator()(const tree::DeleteOp& op) { return {"delete", op.path, "", ""}; }
  AuditedOperation operator()(const tree::SetDataOp& op) { return {"setData", op.path, "", ""}; }
  AuditedOperation operator()(const tree::SetAclOp& op) {
    return {"setAcl", op.path, "", shown_acl(op.acl)};
  }
  template <typename Other>  // a check, or an operation that no client has
  AuditedOperation operator()(const Other&) {
    return {};
  }
};

AuditEvent of_client(SessionId session, const tree::AuthInfo& auth) {
  AuditEvent event;
  event.session = session;
  event.user = audit_users(auth);
  for (const tree::Identity& identity : auth.identities) {
    if (identity.scheme == "ip" && event.ip.empty()) event.ip = identity.id;
  }
  return event;
}

std::string_view name_of_change(tree::Change::Kind kind) {
  switch (kind) {
    case tree::Change::Kind::created:
      return "create";
    case tree::Change::Kind::deleted:
      return "delete";
    case tree::Change::Kind::data_changed:
      return "setData";
    case tree::Change::Kind::acl_changed:
      break;
  }
  return "setAcl";
}

}  // namespace

std::string audit_line(const AuditEvent& event) {
  std::string line;
  auto put = [&](std::string_view key, std::string_view value) {
    if (value.empty()) return;
    if (!line.empty()) line += '\t';
    line.append(key).append("=").append(escaped(value));
  };
  if (event.session.value() != 0) put("session", odradek::format("0x{:x}", event.session.value()));
  put("user", event.user);
  put("ip", event.ip);
  put("operation", event.operation);
  put("znode", event.znode);
  put("znode_type", event.znode_type);
  put("acl", event.acl);
  put("result", event.result);
  return line;
}

std::string audit_users(const tree::AuthInfo& auth) {
  std::string names;
  std::string addresses;
  for (const tree::Identity& identity : auth.identities) {
    // the name of a digest; its hash is a secret
    std::string name = identity.scheme == "digest" ? identity.id.substr(0, identity.id.find(':'))
                                                   : identity.id;
    if (name.empty() || identity.scheme == "super") continue;
    std::string& list = identity.scheme == "ip" ? addresses : names;
    list += list.empty() ? name : "," + name;
  }
  return names.empty() || addresses.empty() ? names + addresses : names + "," + addresses;
}

std::vector<AuditedOperation> audited(OpCode op, std::string_view body,
                                      const std::vector<tree::Operation>& operations) {
  std::vector<AuditedOperation> out;
  out.reserve(operations.size());
  for (const tree::Operation& operation : operations) {
    out.push_back(std::visit(Describe(), operation));
    // one that was found wrong while it was decoded
    if (op != OpCode::kMulti && out.back().operation.empty()) {
      out.back().operation = name_of_request(op);
    }
  }
  if (op == OpCode::kCreate || op == OpCode::kCreate2 || op == OpCode::kCreateContainer) {
    std::string_view type = type_by_flags(body);
    if (!type.empty()) out.front().znode_type = type;
  }
  return out;
}

AuditLog::AuditLog(pipeline::Pipeline& pipeline)
    : pipeline_(pipeline), server_user_(user_of_process()) {
  pipeline_.observe(this);
}

AuditLog::~AuditLog() { pipeline_.unobserve(this); }

void AuditLog::write(const AuditEvent& event) {
  if (event.result == kFailure) {
    LOG_ERROR(kLogger, "{}", audit_line(event));
  } else {
    LOG_INFO(kLogger, "{}", audit_line(event));
  }
}

AuditEvent AuditLog::of_server(std::string_view operation, std::string_view result) const {
  AuditEvent event;
  event.user = server_user_;
  event.operation = operation;
  event.result = result;
  return event;
}

void AuditLog::server_started() { write(of_server("serverStart", kSuccess)); }
void AuditLog::server_start_failed() { write(of_server("serverStart", kFailure)); }
void AuditLog::server_stopped() { write(of_server("serverStop", "invoked")); }

void AuditLog::client_write(SessionId session, const tree::AuthInfo& auth, OpCode op,
                            const std::vector<AuditedOperation>& operations,
                            const pipeline::WriteReply& reply) {
  client_zxid_ = reply.zxid;
  AuditEvent event = of_client(session, auth);
  if (!reply.ok() && op == OpCode::kMulti) {
    event.operation = name_of_request(op);
    event.result = kFailure;
    return write(event);
  }
  for (size_t i = 0; i < operations.size(); ++i) {
    const AuditedOperation& each = operations[i];
    if (each.operation.empty()) continue;
    bool made = reply.ok() && each.operation == "create";
    event.operation = each.operation;
    event.znode = made ? reply.results[i].path : each.path;
    event.znode_type = each.znode_type;
    event.acl = each.acl;
    event.result = reply.ok() ? kSuccess : kFailure;
    write(event);
  }
}

void AuditLog::on_commit(const tree::Commit& commit) {
  if (commit.zxid == client_zxid_) return;  // has its lines
  for (const tree::Change& change : commit.changes) {
    bool with_session =
        change.kind == tree::Change::Kind::deleted && !commit.closed_sessions.empty();
    AuditEvent event = of_server(with_session ? kWithSession : name_of_change(change.kind), kSuccess);
    if (with_session) event.session = commit.closed_sessions.front();
    event.znode = change.path;
    write(event);
  }
}

}  // namespace odradek::coordinator::server
