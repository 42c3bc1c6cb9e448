#pragma once
// What can be asked of the tree, and what comes back. Paths are absolute ("/", "/a/b"), chroots are
// the client's matter.

#include <array>
#include <variant>
#include <vector>

#include "common/error.h"
#include "coordinator/tree/types.h"

namespace odradek::coordinator::tree {

// A version argument that is not looked at.
inline constexpr int32_t kAnyVersion = -1;

struct CreateOp {
  CreateOp() = default;
  explicit CreateOp(std::string path_in, std::optional<Bytes> data_in = std::nullopt,
                    NodeKind kind_in = NodeKind::persistent, bool sequential_in = false)
      : path(std::move(path_in)),
        data(std::move(data_in)),
        kind(kind_in),
        sequential(sequential_in) {}

  std::string path;
  std::optional<Bytes> data;
  Acl acl = *open_acl();
  NodeKind kind = NodeKind::persistent;
  bool sequential = false;  // ten digits of the parent's count of creates are appended
  int64_t ttl_ms = 0;       // of kind ttl: 1..0xffffffffff
};

struct DeleteOp {
  DeleteOp() = default;
  explicit DeleteOp(std::string path_in, int32_t version_in = kAnyVersion)
      : path(std::move(path_in)), version(version_in) {}
  std::string path;
  int32_t version = kAnyVersion;
};

struct SetDataOp {
  SetDataOp() = default;
  SetDataOp(std::string path_in, std::optional<Bytes> data_in, int32_t version_in = kAnyVersion)
      : path(std::move(path_in)), data(std::move(data_in)), version(version_in) {}
  std::string path;
  std::optional<Bytes> data;
  int32_t version = kAnyVersion;
};

struct SetAclOp {
  SetAclOp() = default;
  SetAclOp(std::string path_in, Acl acl_in, int32_t version_in = kAnyVersion)
      : path(std::move(path_in)), acl(std::move(acl_in)), version(version_in) {}
  std::string path;
  Acl acl;
  int32_t version = kAnyVersion;  // compared with aversion
};

// Succeeds where the znode exists with this version; changes nothing.
struct CheckOp {
  CheckOp() = default;
  explicit CheckOp(std::string path_in, int32_t version_in = kAnyVersion,
                   std::optional<Zxid> czxid_in = std::nullopt)
      : path(std::move(path_in)), version(version_in), czxid(czxid_in) {}
  std::string path;
  int32_t version = kAnyVersion;
  std::optional<Zxid>
      czxid;  // internal: also the same incarnation (broker epoch), else bad_version
};

// The ones below are internal: only a Write whose auth is internal may carry them.

// Succeeds where nothing stands at the path, else node_exists.
struct CheckAbsentOp {
  CheckAbsentOp() = default;
  explicit CheckAbsentOp(std::string path_in) : path(std::move(path_in)) {}
  std::string path;
};

// A znode with everything below it, ephemerals included; no_node where there is none.
struct DeleteTreeOp {
  DeleteTreeOp() = default;
  explicit DeleteTreeOp(std::string path_in) : path(std::move(path_in)) {}
  std::string path;
};

using Password = std::array<uint8_t, 16>;

// Makes a durable session. In a multi, operations behind it may make ephemerals of it.
struct CreateSessionOp {
  CreateSessionOp() = default;
  CreateSessionOp(SessionId session_in, int32_t timeout_ms_in, Password password_in)
      : session(session_in), timeout_ms(timeout_ms_in), password(password_in) {}
  SessionId session;
  int32_t timeout_ms = 0;
  Password password{};
};

// Ends a session and deletes its ephemerals, all in this transaction. session_expired where it is
// not there.
struct CloseSessionOp {
  CloseSessionOp() = default;
  explicit CloseSessionOp(SessionId session_in) : session(session_in) {}
  SessionId session;
};

// Always refused: a request that was found wrong while it was decoded takes its place in the order
// of writes.
struct RefusedOp {
  explicit RefusedOp(Error error_in) : error(std::move(error_in)) {}
  Error error;
};

using Operation = std::variant<CreateOp, DeleteOp, SetDataOp, SetAclOp, CheckOp, CheckAbsentOp,
                               DeleteTreeOp, CreateSessionOp, CloseSessionOp, RefusedOp>;

struct OperationResult {
  std::string path;  // of a create: as made, with its suffix
  Stat stat;         // of create, setData, setACL: after the operation
};

// Whose write it is: the identities of a connection (ip first, then what auth added), or the
// service's own hand.
struct AuthInfo {
  std::vector<Identity> identities;
  bool internal = false;  // passes every ACL and may use the internal operations

  static AuthInfo internal_hand() {
    AuthInfo auth;
    auth.internal = true;
    return auth;
  }
  static const std::shared_ptr<const AuthInfo>& nobody() {
    static const auto auth = std::make_shared<const AuthInfo>();
    return auth;
  }
};
// Of a connection and its writes. Never null.
using AuthRef = std::shared_ptr<const AuthInfo>;

}  // namespace odradek::coordinator::tree
