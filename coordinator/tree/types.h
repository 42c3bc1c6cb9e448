#pragma once
// Znodes and their stats as the tree knows them. Plain values: they belong to whoever holds them.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/bytes/byte_writer.h"
#include "common/ids.h"

namespace odradek::coordinator::tree {

// Permission bits of an ACL entry (ZooKeeper 3.x).
inline constexpr int32_t kPermRead = 1;
inline constexpr int32_t kPermWrite = 2;
inline constexpr int32_t kPermCreate = 4;
inline constexpr int32_t kPermDelete = 8;
inline constexpr int32_t kPermAdmin = 16;
inline constexpr int32_t kPermAll = 31;

// Who somebody is: an authenticated identity of a connection, or whom an ACL entry names.
struct Identity {
  Identity() = default;
  Identity(std::string scheme_in, std::string id_in)
      : scheme(std::move(scheme_in)), id(std::move(id_in)) {}
  std::string scheme;  // world, digest, ip, auth, super
  std::string id;
  bool operator==(const Identity&) const = default;
};

struct AclEntry {
  AclEntry() = default;
  AclEntry(int32_t perms_in, Identity who_in) : perms(perms_in), who(std::move(who_in)) {}
  int32_t perms = 0;
  Identity who;
  bool operator==(const AclEntry&) const = default;
};

using Acl = std::vector<AclEntry>;
// Few distinct ACLs stand on many znodes: they are shared. Never null in a znode.
using AclRef = std::shared_ptr<const Acl>;

// world:anyone with all permissions.
const AclRef& open_acl();

enum class NodeKind : uint8_t { persistent, ephemeral, container, ttl };

// The stat of a znode. All but `kind`, `ttl_ms` and `created_children` is what clients see.
struct Stat {
  Zxid czxid;  // of the create
  Zxid mzxid;  // of the last setData
  Zxid pzxid;  // of the last create or delete of a child; czxid before any
  int64_t ctime_ms = 0;
  int64_t mtime_ms = 0;
  int32_t version = 0;  // setData's
  int32_t cversion =
      0;  // creates and deletes of children; always 2 * created_children - num_children
  int32_t aversion = 0;  // setACL's
  int32_t data_length = 0;
  int32_t num_children = 0;
  int32_t created_children = 0;  // creates only: the next sequential suffix
  NodeKind kind = NodeKind::persistent;
  SessionId ephemeral_owner;  // 0 unless ephemeral
  int64_t ttl_ms = 0;         // of kind ttl
  bool operator==(const Stat&) const = default;
};

struct Znode {
  Stat stat;
  std::optional<Bytes> data;  // null and empty are different things to a ZooKeeper client
  AclRef acl = open_acl();

  // The data, a null as empty.
  ByteView bytes() const { return data ? ByteView(*data) : ByteView(); }
};

// A znode in one of its states, which all who look at it share. Null where there is no znode.
using ZnodeRef = std::shared_ptr<const Znode>;

// For tables by path that are asked by views of paths.
struct PathHash {
  using is_transparent = void;
  size_t operator()(std::string_view path) const { return std::hash<std::string_view>()(path); }
};

}  // namespace odradek::coordinator::tree
