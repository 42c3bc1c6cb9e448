#pragma once
// Authentication by the auth packet: digest (user:password in clear) and ip.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "coordinator/tree/types.h"

namespace odradek::coordinator::server {

// "user:password" → "user:base64(sha1(user:password))", as ZooKeeper's ACLs hold it.
std::string digest_id(std::string_view user_and_password);

// The identities that the packet adds; nothing where the scheme is unknown or the data are not its.
// `super_digest` (user:hash, empty for none) makes its user pass every ACL.
std::optional<std::vector<tree::Identity>> authenticate(const std::string& scheme,
                                                        const std::optional<Bytes>& data,
                                                        const std::string& peer_address,
                                                        const std::string& super_digest);

}  // namespace odradek::coordinator::server
