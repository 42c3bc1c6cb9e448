#pragma once
// The server.N lines of zookeeper.properties (and of dynamicConfigFile): the members of an ensemble.
// This release is one server, so more than one member stops the start. A single member is that one
// server, as in ZooKeeper, which says so and goes on alone.

#include <cstdint>
#include <optional>
#include <string>

#include "common/result.h"

namespace odradek::config {
class Settings;
}

namespace odradek::coordinator::server {

// What a single member's line says besides ("server.1=host:2888:3888;2181").
struct Members {
  std::optional<uint16_t> client_port;
  std::string client_address;  // empty where it is not named
  bool single = false;         // there is such a line: worth a warning
};

// bad_setting, one line: several members, a line that is none, a client port that is not
// clientPort's.
Result<Members> read_members(const config::Settings& settings);

}  // namespace odradek::coordinator::server
