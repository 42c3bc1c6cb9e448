#include "coordinator/server/codec.h"

#include "common/bytes/utf8.h"

namespace odradek::coordinator::server {

zookeeper::Stat wire_stat(const tree::Stat& stat) {
  zookeeper::Stat wire;
  wire.czxid = stat.czxid.value();
  wire.mzxid = stat.mzxid.value();
  wire.ctime = stat.ctime_ms;
  wire.mtime = stat.mtime_ms;
  wire.version = stat.version;
  wire.cversion = stat.cversion;
  wire.aversion = stat.aversion;
  wire.ephemeral_owner = stat.ephemeral_owner.value();
  wire.data_length = stat.data_length;
  wire.num_children = stat.num_children;
  wire.pzxid = stat.pzxid.value();
  return wire;
}

std::vector<zookeeper::ACL> wire_acl(const tree::Acl& acl) {
  std::vector<zookeeper::ACL> wire;
  wire.reserve(acl.size());
  for (const tree::AclEntry& entry : acl) {
    zookeeper::ACL one;
    one.perms = entry.perms;
    one.id.scheme = entry.who.scheme;
    one.id.id = entry.who.id;
    wire.push_back(std::move(one));
  }
  return wire;
}

tree::Acl tree_acl(std::vector<zookeeper::ACL> acl) {
  tree::Acl entries;
  entries.reserve(acl.size());
  for (zookeeper::ACL& one : acl) {
    // what is no UTF-8 would come back to clients that cannot read it
    entries.emplace_back(one.perms, tree::Identity(replace_malformed(one.id.scheme),
                                                   replace_malformed(one.id.id)));
  }
  return entries;
}

ReplyFrame::ReplyFrame(int32_t xid, Zxid zxid, zookeeper::ErrorCode error) {
  out_.i32(0);
  out_.i32(xid);
  out_.i64(zxid.value());
  out_.i32(static_cast<int32_t>(error));
}

Bytes ReplyFrame::take() {
  out_.patch_i32(0, static_cast<int32_t>(out_.buffer_size() - 4));
  return out_.take();
}

}  // namespace odradek::coordinator::server
