#pragma once
// Authentication by the auth packet: digest (user:password in clear) and ip.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "coordinator/tree/types.h"

namespace odradek::coordinator::server {

struct AuthSettings;

// "user:password" → "user:base64(hash(user:password))", as ZooKeeper's ACLs hold it. The algorithm
// has Java's name: SHA1, SHA-256. Nothing where it is unknown.
std::optional<std::string> digest_id(std::string_view user_and_password,
                                     const std::string& algorithm = "SHA1");

// The identities that the packet adds; nothing where the scheme is unknown, not provided here, or
// the data are not its.
std::optional<std::vector<tree::Identity>> authenticate(const std::string& scheme,
                                                        const std::optional<std::string>& data,
                                                        const std::string& peer_address,
                                                        const AuthSettings& settings);

}  // namespace odradek::coordinator::server
