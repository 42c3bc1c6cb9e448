#pragma once
// ZooKeeper's records and the tree: ACLs, and which paths there can be.

#include <string_view>
#include <vector>

#include "coordinator/tree/types.h"
#include "proto/zookeeper/records.h"

namespace odradek::coordinator::exchange {

// A list that is missing or empty lets everybody pass, in ZooKeeper as here.
tree::AclRef acl_of(std::vector<zookeeper::ACL> wire);
std::vector<zookeeper::ACL> wire_acl(const tree::Acl& acl);

// Whether our keys can hold the path of a znode (but the root's); what characters it has is not asked.
bool is_path(std::string_view path);

}  // namespace odradek::coordinator::exchange
