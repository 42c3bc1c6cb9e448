#pragma once
// zookeeper.connect: "host:port[,host:port...][/chroot]". Ports default to 2181.

#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"

namespace odradek::broker::metadata {

struct ConnectString {
  std::vector<std::string> hosts;  // "host:port"; IPv6 addresses in brackets
  std::string chroot;              // "" or "/a/b"
};

Result<ConnectString> parse_connect_string(std::string_view text);

}  // namespace odradek::broker::metadata
