#pragma once
// Counters that srst sets back whatever the metrics provider; server_metrics.h has the others. Tree
// thread.

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

// Of replies and watch events, without the length in front; -1 before there was one.
struct ResponseSizes {
  int64_t last = -1;
  int64_t min = -1;
  int64_t max = -1;

  void add(int64_t bytes) {
    last = bytes;
    min = min < 0 ? bytes : std::min(min, bytes);
    max = std::max(max, bytes);
  }
};

struct ServerStats {
  int64_t packets_received = 0;
  int64_t packets_sent = 0;
  LatencyStats latency;
  ResponseSizes responses;
};

}  // namespace odradek::coordinator::server
