#include "tests/sim/tree/request.h"

#include "common/format.h"

namespace odradek::sim {

using coordinator::tree::NodeKind;
using coordinator::tree::Operation;
using zookeeper::ErrorCode;
using zookeeper::OpCode;
namespace tree = coordinator::tree;

namespace {

zookeeper::CreateMode mode_of(const tree::CreateOp& op) {
  using zookeeper::CreateMode;
  switch (op.kind) {
    case NodeKind::persistent:
      return op.sequential ? CreateMode::kPersistentSequential : CreateMode::kPersistent;
    case NodeKind::ephemeral:
      return op.sequential ? CreateMode::kEphemeralSequential : CreateMode::kEphemeral;
    case NodeKind::container:
      return CreateMode::kContainer;
    case NodeKind::ttl:
      return op.sequential ? CreateMode::kPersistentSequentialWithTtl
                           : CreateMode::kPersistentWithTtl;
  }
  return CreateMode::kPersistent;
}

std::vector<zookeeper::ACL> wire_acl(const tree::Acl& acl) {
  std::vector<zookeeper::ACL> wire;
  for (const auto& entry : acl) {
    zookeeper::ACL one;
    one.perms = entry.perms;
    one.id.scheme = entry.who.scheme;
    one.id.id = entry.who.id;
    wire.push_back(std::move(one));
  }
  return wire;
}

template <typename Record>
void fill_create(Record& record, const tree::CreateOp& op) {
  record.path = op.path;
  record.data = op.data;
  record.acl = wire_acl(op.acl);
  record.flags = static_cast<int32_t>(mode_of(op));
}

struct EncodeWrite {
  ByteWriter& out;

  void operator()(const tree::CreateOp& op) const {
    if (op.kind == NodeKind::ttl) {
      zookeeper::CreateTTLRequest record;
      fill_create(record, op);
      record.ttl = op.ttl_ms;
      record.encode(out);
    } else {
      zookeeper::CreateRequest record;
      fill_create(record, op);
      record.encode(out);
    }
  }
  void operator()(const tree::DeleteOp& op) const {
    zookeeper::DeleteRequest record;
    record.path = op.path;
    record.version = op.version;
    record.encode(out);
  }
  void operator()(const tree::SetDataOp& op) const {
    zookeeper::SetDataRequest record;
    record.path = op.path;
    record.data = op.data;
    record.version = op.version;
    record.encode(out);
  }
  void operator()(const tree::SetAclOp& op) const {
    zookeeper::SetACLRequest record;
    record.path = op.path;
    record.acl = wire_acl(op.acl);
    record.version = op.version;
    record.encode(out);
  }
  void operator()(const tree::CheckOp& op) const {
    zookeeper::CheckVersionRequest record;
    record.path = op.path;
    record.version = op.version;
    record.encode(out);
  }
  template <typename Other>
  void operator()(const Other&) const {}  // no client's
};

void put_multi_header(ByteWriter& out, int32_t type, bool done) {
  zookeeper::MultiHeader header;
  header.type = type;
  header.done = done;
  header.err = -1;
  header.encode(out);
}

template <typename Record>
void put_path(ByteWriter& out, const std::string& path, bool watch) {
  Record record;
  record.path = path;
  record.watch = watch;
  record.encode(out);
}

void encode_read(OpCode op, const std::string& path, bool watch, ByteWriter& out) {
  switch (op) {
    case OpCode::kExists:
      return put_path<zookeeper::ExistsRequest>(out, path, watch);
    case OpCode::kGetData:
      return put_path<zookeeper::GetDataRequest>(out, path, watch);
    case OpCode::kGetChildren:
      return put_path<zookeeper::GetChildrenRequest>(out, path, watch);
    case OpCode::kGetChildren2:
      return put_path<zookeeper::GetChildren2Request>(out, path, watch);
    default:  // a path alone: sync, getACL, getAllChildrenNumber, getEphemerals
      zookeeper::SyncRequest record;
      record.path = path;
      return record.encode(out);
  }
}

const char* kind_text(NodeKind kind) {
  switch (kind) {
    case NodeKind::persistent:
      return "persistent";
    case NodeKind::ephemeral:
      return "ephemeral";
    case NodeKind::container:
      return "container";
    case NodeKind::ttl:
      return "ttl";
  }
  return "";
}

struct WriteText {
  std::string operator()(const tree::CreateOp& op) const {
    return odradek::format(
        "create {}{} {}{} = {}", op.path, op.sequential ? "#" : "", kind_text(op.kind),
        op.ttl_ms ? odradek::format(" {} ms", op.ttl_ms) : "", op.data ? *op.data : "null");
  }
  std::string operator()(const tree::DeleteOp& op) const {
    return odradek::format("delete {} v{}", op.path, op.version);
  }
  std::string operator()(const tree::SetDataOp& op) const {
    return odradek::format("set {} v{} = {}", op.path, op.version, op.data ? *op.data : "null");
  }
  std::string operator()(const tree::SetAclOp& op) const {
    return odradek::format("setACL {} v{} = {}", op.path, op.version,
                           op.acl.empty() ? 0 : op.acl.front().perms);
  }
  std::string operator()(const tree::CheckOp& op) const {
    return odradek::format("check {} v{}{}", op.path, op.version,
                           op.czxid ? odradek::format(" c{}", op.czxid->value()) : "");
  }
  std::string operator()(const tree::CreateSessionOp& op) const {
    return odradek::format("open session {:x}", op.session.value());
  }
  std::string operator()(const tree::CloseSessionOp& op) const {
    return odradek::format("close session {:x}", op.session.value());
  }
  template <typename Other>
  std::string operator()(const Other&) const {
    return "something else";
  }
};

}  // namespace

std::string Request::encode() const {
  ByteWriter out;
  out.i32(0);
  out.i32(xid);
  out.i32(static_cast<int32_t>(op));
  if (op == OpCode::kMulti) {
    for (size_t i = 0; i < writes.size(); ++i) {
      put_multi_header(out, static_cast<int32_t>(parts[i]), false);
      std::visit(EncodeWrite{out}, writes[i]);
    }
    put_multi_header(out, -1, true);
  } else if (op == OpCode::kMultiRead) {
    for (size_t i = 0; i < paths.size(); ++i) {
      put_multi_header(out, static_cast<int32_t>(parts[i]), false);
      encode_read(parts[i], paths[i], false, out);
    }
    put_multi_header(out, -1, true);
  } else if (is_write()) {
    std::visit(EncodeWrite{out}, writes.front());
  } else if (op == OpCode::kSetWatches2) {
    watches.encode(out);
  } else if (op == OpCode::kAddWatch) {
    zookeeper::AddWatchRequest record;
    record.path = paths.front();
    record.mode = kind == WatchKind::recursive ? 1 : 0;
    record.encode(out);
  } else if (op == OpCode::kRemoveWatches || op == OpCode::kCheckWatches) {
    zookeeper::RemoveWatchesRequest record;
    record.path = paths.front();
    record.type = static_cast<int32_t>(removes);
    record.encode(out);
  } else if (!paths.empty()) {
    encode_read(op, paths.front(), watch, out);
  }
  out.patch_i32(0, static_cast<int32_t>(out.buffer_size() - 4));
  return std::string(out.take());
}

std::string Request::text() const {
  if (op == OpCode::kMulti) return "multi: " + to_text(writes);
  if (is_write()) return to_text(writes);
  std::string text(zookeeper::name_of(op));
  for (const std::string& path : paths) text += " " + path;
  if (watch) text += " with a watch";
  if (op == OpCode::kAddWatch) text += kind == WatchKind::recursive ? " recursive" : " persistent";
  if (op == OpCode::kSetWatches2) {
    text += odradek::format(" behind {}: {} data, {} exist, {} child, {} persistent, {} recursive",
                            watches.relative_zxid, watches.data_watches.size(),
                            watches.exist_watches.size(), watches.child_watches.size(),
                            watches.persistent_watches.size(),
                            watches.persistent_recursive_watches.size());
  }
  return text;
}

std::string to_text(const Operation& operation) { return std::visit(WriteText(), operation); }

std::string to_text(const std::vector<Operation>& operations) {
  std::string text;
  for (const Operation& operation : operations) {
    if (!text.empty()) text += "; ";
    text += to_text(operation);
  }
  return text;
}

std::string to_text(const zookeeper::Stat& stat) {
  return odradek::format("[c{} m{} p{} {}/{} ms v{} cv{} av{} owner {:x} {} bytes {} children]",
                         stat.czxid, stat.mzxid, stat.pzxid, stat.ctime, stat.mtime, stat.version,
                         stat.cversion, stat.aversion, stat.ephemeral_owner, stat.data_length,
                         stat.num_children);
}

}  // namespace odradek::sim
