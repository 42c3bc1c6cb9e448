#pragma once
// Counters that the four-letter words show. Tree thread.

#include <algorithm>
#include <cstdint>

namespace odradek::coordinator::server {

struct LatencyStats {
  int64_t count = 0;
  int64_t sum_ms = 0;
  int64_t min_ms = 0;
  int64_t max_ms = 0;

  void add(int64_t ms) {
    min_ms = count == 0 ? ms : std::min(min_ms, ms);
    max_ms = std::max(max_ms, ms);
    sum_ms += ms;
    ++count;
  }
  double average() const {
    return count == 0 ? 0.0 : static_cast<double>(sum_ms) / static_cast<double>(count);
  }
};

struct ServerStats {
  int64_t packets_received = 0;
  int64_t packets_sent = 0;
  int64_t bytes_received = 0;
  LatencyStats latency;
  int64_t connections_made = 0;
  int64_t connections_dropped = 0;
  int64_t connections_rejected = 0;
  int64_t auth_failed = 0;
  int64_t large_requests_rejected = 0;
  int64_t sessionless_expired = 0;
};

}  // namespace odradek::coordinator::server
