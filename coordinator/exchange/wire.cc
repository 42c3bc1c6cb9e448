#include "coordinator/exchange/wire.h"

#include "coordinator/tree/path.h"

namespace odradek::coordinator::exchange {

tree::AclRef acl_of(std::vector<zookeeper::ACL> wire) {
  auto acl = std::make_shared<tree::Acl>();
  acl->reserve(wire.size());
  for (zookeeper::ACL& one : wire) {
    acl->emplace_back(one.perms, tree::Identity(std::move(one.id.scheme), std::move(one.id.id)));
  }
  if (acl->empty() || *acl == *tree::open_acl()) return tree::open_acl();
  return acl;
}

std::vector<zookeeper::ACL> wire_acl(const tree::Acl& acl) {
  std::vector<zookeeper::ACL> wire;
  wire.reserve(acl.size());
  for (const tree::AclEntry& entry : acl) {
    zookeeper::ACL& one = wire.emplace_back();
    one.perms = entry.perms;
    one.id.scheme = entry.who.scheme;
    one.id.id = entry.who.id;
  }
  return wire;
}

bool is_path(std::string_view path) {
  return path.starts_with('/') && !path.ends_with('/') && path.find("//") == path.npos &&
         path.find('\0') == path.npos && tree::depth_of(path) <= 0xffff;
}

}  // namespace odradek::coordinator::exchange
