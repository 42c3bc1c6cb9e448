#pragma once
// ACL rules: what a list at create or setACL becomes, and who passes it. Schemes: world, ip, auth
// and super always; digest and sasl where the server has their provider.

#include <string>

#include "common/result.h"
#include "coordinator/tree/operation.h"

namespace odradek::coordinator::tree {

// The authentication providers of a server. A scheme without its provider stands in no new ACL, and
// nobody passes an old one by it.
struct Schemes {
  bool digest = true;  // DigestAuthenticationProvider.enabled
  bool sasl = false;   // authProvider.N names SASLAuthenticationProvider
  // letAnySaslUserDoX: an ACL entry for this sasl id stands for every sasl identity; empty: none.
  std::string any_sasl_user;
};
const Schemes& default_schemes();

// Checks the entries, drops doubles and replaces scheme "auth" by the caller's authenticated
// identities. invalid_acl for an empty list, an unknown scheme, a malformed id, or "auth" without
// an identity.
Result<Acl> fix_acl(const Acl& acl, const AuthInfo& auth,
                    const Schemes& schemes = default_schemes());

// Whether the caller has one of the permissions (kPerm…). Internal hands and scheme super pass; an
// empty list lets everybody pass.
bool allowed(const Acl& acl, int32_t perms, const AuthInfo& auth,
             const Schemes& schemes = default_schemes());

// "127.0.0.1" against "127.0.0.0/8", "::1" against "::1"; false where either does not parse. IPv4
// and the bits are read as ZooKeeper reads them: "127.000.0.+1" is an address.
bool ip_matches(std::string_view address, std::string_view expression);
bool valid_ip_expression(std::string_view expression);

}  // namespace odradek::coordinator::tree
