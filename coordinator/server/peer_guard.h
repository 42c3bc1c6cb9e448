#pragma once
// Who is at the other end of a connection from this machine: the system's tables of sockets tell the
// user whose process opened it.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/result.h"

namespace odradek::coordinator::server {

struct PeerAddress {
  std::string bytes;  // 4 or 16, in network order; a v4 address in v6 clothes has 4
  uint16_t port = 0;
  bool loopback() const;
};

// gRPC's words: "ipv4:127.0.0.1:4711", "ipv6:[::1]:4711" (brackets perhaps as %5B and %5D).
std::optional<PeerAddress> parse_peer(std::string_view peer);

// The user of an established connection from the peer to our port, in a table as /proc/net/tcp and
// tcp6 are written; nothing where it is not in there. (A closed one that still stands in the table
// belongs to nobody, which is written as 0.)
std::optional<uint32_t> owner_in_table(std::string_view table, const PeerAddress& peer,
                                       uint16_t our_port);

// Passes a process on this machine that belongs to root or to our own user. permission_denied with a
// reason for everybody else.
Result<void> allow_admin(std::string_view peer, uint16_t our_port);

}  // namespace odradek::coordinator::server
