#pragma once
// Rules: what the settings decide about operations on the tree.

#include "coordinator/tree/acl.h"

namespace odradek::coordinator::tree {

struct Rules {
  bool skip_acl = false;        // nobody's permissions are looked at
  bool extended_types = false;  // TTL znodes may be made
  bool enforce_quota = false;   // a hard limit refuses, it is not only said
  bool reconfig_enabled = false;  // reconfig is then unimplemented, of a single server, not disabled
  Schemes schemes;
};

}  // namespace odradek::coordinator::tree
