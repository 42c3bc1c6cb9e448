#include "coordinator/store/layout.h"

#include <algorithm>

#include "common/bytes/byte_reader.h"
#include "common/bytes/byte_writer.h"
#include "coordinator/tree/path.h"

namespace odradek::coordinator::store {

namespace {

constexpr int8_t kVersion = 1;
constexpr uint8_t kNullData = 0x80;

std::string level_prefix(size_t depth, std::string_view parent) {
  ByteWriter key;
  key.reserve(4 + parent.size());
  key.i8('n');
  key.u16(static_cast<uint16_t>(depth));
  key.bytes(parent == "/" ? std::string_view() : parent);
  key.i8(0);
  return key.take();
}

void put_text(ByteWriter& out, std::string_view text) {
  out.i32(static_cast<int32_t>(text.size()));
  out.bytes(text);
}

std::string get_text(ByteReader& in) {
  int32_t size = in.i32();
  if (size < 0) in.fail();
  return std::string(in.bytes(in.ok() ? static_cast<size_t>(size) : 0));
}

Error damaged(const char* what) {
  return Error(Errc::store_damaged, std::string("a stored ") + what + " does not decode");
}

}  // namespace

std::string node_key(std::string_view path) {
  size_t depth = tree::depth_of(path);
  std::string key = level_prefix(depth, tree::parent_of(path));
  if (depth > 0) key += tree::name_of_path(path);
  return key;
}

std::string children_prefix(std::string_view path) {
  return level_prefix(tree::depth_of(path) + 1, path);
}

std::string level_prefix_below(size_t depth, std::string_view path) {
  std::string prefix = level_prefix(depth, path);
  prefix.back() = '/';
  return prefix;
}

std::string_view all_nodes_prefix() { return "n"; }

std::string path_in_key(std::string_view key) {
  std::string_view rest = key.substr(std::min<size_t>(3, key.size()));
  size_t end = rest.find('\0');
  if (end == std::string_view::npos) return std::string();
  return tree::join_path(rest.substr(0, end), rest.substr(end + 1));
}

std::string_view name_in_key(std::string_view key, std::string_view prefix) {
  return key.substr(prefix.size());
}

std::string session_key(SessionId session) {
  ByteWriter key;
  key.i8('s');
  key.i64(session.value());
  return key.take();
}

std::string_view all_sessions_prefix() { return "s"; }

SessionId session_in_key(std::string_view key) {
  ByteReader in(key.substr(1));
  return SessionId(in.i64());
}

std::string ephemerals_prefix(SessionId session) {
  ByteWriter key;
  key.i8('e');
  key.i64(session.value());
  return key.take();
}

std::string ephemeral_key(SessionId session, std::string_view path) {
  return ephemerals_prefix(session).append(path);
}

std::string swept_key(std::string_view path) { return std::string("c").append(path); }
std::string_view all_swept_prefix() { return "c"; }
std::string_view all_ephemerals_prefix() { return "e"; }
std::string_view all_acls_prefix() { return "a"; }

std::string acl_key(uint32_t number) {
  ByteWriter key;
  key.i8('a');
  key.u32(number);
  return key.take();
}

std::string acl_content_key(std::string_view encoded) { return std::string("A").append(encoded); }

std::string_view totals_key() { return "mtotals"; }
std::string_view fence_key() { return "mfence"; }
std::string_view chain_key() { return "mchain"; }
std::string_view imported_key() { return "mimported"; }
std::string_view restored_key() { return "mrestored"; }

std::string encode_node(const tree::Znode& node, uint32_t acl_number) {
  const tree::Stat& stat = node.stat;
  ByteWriter out;
  out.reserve(70 + node.bytes().size());
  out.i8(kVersion);
  out.i8(static_cast<int8_t>(static_cast<uint8_t>(stat.kind) | (node.data ? 0 : kNullData)));
  out.i64(stat.czxid.value());
  out.i64(stat.mzxid.value());
  out.i64(stat.pzxid.value());
  out.i64(stat.ctime_ms);
  out.i64(stat.mtime_ms);
  out.i32(stat.version);
  out.i32(stat.aversion);
  out.i32(stat.created_children);
  out.i32(stat.num_children);
  out.i64(stat.kind == tree::NodeKind::ttl ? stat.ttl_ms : stat.ephemeral_owner.value());
  out.u32(acl_number);
  out.bytes(node.bytes());
  return out.take();
}

Result<tree::Znode> decode_node(std::string_view value, uint32_t& acl_number, bool with_data) {
  ByteReader in(value);
  tree::Znode node;
  tree::Stat& stat = node.stat;
  int8_t version = in.i8();
  uint8_t kind = static_cast<uint8_t>(in.i8());
  stat.czxid = Zxid(in.i64());
  stat.mzxid = Zxid(in.i64());
  stat.pzxid = Zxid(in.i64());
  stat.ctime_ms = in.i64();
  stat.mtime_ms = in.i64();
  stat.version = in.i32();
  stat.aversion = in.i32();
  stat.created_children = in.i32();
  stat.num_children = in.i32();
  int64_t owner = in.i64();
  acl_number = in.u32();
  uint8_t plain_kind = kind & static_cast<uint8_t>(~kNullData);
  if (!in.ok() || version != kVersion || plain_kind > 3) return damaged("znode");
  stat.kind = static_cast<tree::NodeKind>(plain_kind);
  if (stat.kind == tree::NodeKind::ephemeral) stat.ephemeral_owner = SessionId(owner);
  if (stat.kind == tree::NodeKind::ttl) stat.ttl_ms = owner;
  stat.cversion = static_cast<int32_t>(2 * static_cast<uint32_t>(stat.created_children) -
                                       static_cast<uint32_t>(stat.num_children));
  stat.data_length = static_cast<int32_t>(in.remaining());
  if (with_data && !(kind & kNullData)) node.data = Bytes(in.rest());
  return node;
}

std::string encode_session(const tree::SessionRecord& record) {
  ByteWriter out;
  out.i8(kVersion);
  out.i32(record.timeout_ms);
  out.bytes(
      ByteView(reinterpret_cast<const char*>(record.password.data()), record.password.size()));
  return out.take();
}

Result<tree::SessionRecord> decode_session(std::string_view value) {
  ByteReader in(value);
  tree::SessionRecord record;
  int8_t version = in.i8();
  record.timeout_ms = in.i32();
  for (uint8_t& byte : record.password) byte = static_cast<uint8_t>(in.i8());
  if (!in.ok() || version != kVersion || in.remaining() > 0) return damaged("session");
  return record;
}

std::string encode_acl(const tree::Acl& acl) {
  ByteWriter out;
  out.i32(static_cast<int32_t>(acl.size()));
  for (const tree::AclEntry& entry : acl) {
    out.i32(entry.perms);
    put_text(out, entry.who.scheme);
    put_text(out, entry.who.id);
  }
  return out.take();
}

Result<tree::Acl> decode_acl(std::string_view value) {
  ByteReader in(value);
  tree::Acl acl;
  int32_t count = in.i32();
  for (int32_t i = 0; i < count && in.ok(); ++i) {
    int32_t perms = in.i32();
    std::string scheme = get_text(in);
    std::string id = get_text(in);
    acl.emplace_back(perms, tree::Identity(std::move(scheme), std::move(id)));
  }
  if (!in.ok() || in.remaining() > 0) return damaged("ACL");
  return acl;
}

std::string encode_totals(const Totals& totals) {
  ByteWriter out;
  out.i8(kVersion);
  out.i64(totals.last_zxid.value());
  out.i64(totals.nodes);
  out.i64(totals.data_bytes);
  out.i64(totals.ephemerals);
  out.i64(totals.last_session.value());
  out.u32(totals.last_acl);
  return out.take();
}

Result<Totals> decode_totals(std::string_view value) {
  ByteReader in(value);
  Totals totals;
  int8_t version = in.i8();
  totals.last_zxid = Zxid(in.i64());
  totals.nodes = in.i64();
  totals.data_bytes = in.i64();
  totals.ephemerals = in.i64();
  totals.last_session = SessionId(in.i64());
  totals.last_acl = in.u32();
  if (!in.ok() || version != kVersion || in.remaining() > 0) return damaged("table of totals");
  return totals;
}

std::string encode_zxid(Zxid zxid) {
  ByteWriter out;
  out.i64(zxid.value());
  return out.take();
}

Result<Zxid> decode_zxid(std::string_view value) {
  ByteReader in(value);
  Zxid zxid(in.i64());
  if (!in.ok() || in.remaining() > 0) return damaged("zxid");
  return zxid;
}

}  // namespace odradek::coordinator::store
