#include "coordinator/tree/types.h"

namespace odradek::coordinator::tree {

const AclRef& open_acl() {
  static const AclRef acl =
      std::make_shared<const Acl>(Acl{AclEntry(kPermAll, Identity("world", "anyone"))});
  return acl;
}

}  // namespace odradek::coordinator::tree
