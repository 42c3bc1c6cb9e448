#pragma once
// ConnectionCount: how many connections there are, in all and by address, and whether one more may
// come (max.connections, max.connections.per.ip, max.connections.per.ip.overrides). Thread-safe.

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <unordered_map>

#include "common/result.h"

namespace odradek::net {

struct ConnectionLimits {
  int64_t total = INT32_MAX;
  int64_t per_address = INT32_MAX;
  std::map<std::string, int64_t> per_address_overrides;  // by address as text
};

class ConnectionCount {
 public:
  explicit ConnectionCount(ConnectionLimits limits) : limits_(std::move(limits)) {}

  // Counts the connection, or says by Errc::limit_exceeded which limit is reached.
  Result<void> enter(const std::string& address);
  void leave(const std::string& address);
  int64_t total() const;

 private:
  const ConnectionLimits limits_;
  mutable std::mutex mutex_;
  int64_t total_ = 0;
  std::unordered_map<std::string, int64_t> by_address_;
};

}  // namespace odradek::net
