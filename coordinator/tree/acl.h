#pragma once
// ACL rules: what a list at create or setACL becomes, and who passes it. Schemes: world, ip,
// digest, auth, super.

#include "common/result.h"
#include "coordinator/tree/operation.h"

namespace odradek::coordinator::tree {

// Checks the entries, drops doubles and replaces scheme "auth" by the caller's authenticated
// identities. invalid_acl for an empty list, an unknown scheme, a malformed id, or "auth" without
// an identity.
Result<Acl> fix_acl(const Acl& acl, const AuthInfo& auth);

// Whether the caller has one of the permissions (kPerm…). Internal hands and scheme super pass.
bool allowed(const Acl& acl, int32_t perms, const AuthInfo& auth);

// "127.0.0.1" against "127.0.0.0/8", "::1" against "::1"; false where either does not parse.
bool ip_matches(std::string_view address, std::string_view expression);
bool valid_ip_expression(std::string_view expression);

}  // namespace odradek::coordinator::tree
