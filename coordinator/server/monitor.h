#pragma once
// The keys and values of mntr and of the admin server's `monitor`, which differ with the metrics
// provider as they do in ZooKeeper. Tree thread.

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace odradek::coordinator::server {

class Clients;

using MonitorValue = std::variant<std::string, int64_t, double>;

// version and server_state, then:
//   DefaultMetricsProvider     counters and gauges by their names; of a summary avg_, min_, max_,
//                              cnt_ and sum_, of those with percentiles p50_, p95_, p99_ and p999_ too
//   PrometheusMetricsProvider  what /metrics shows, all as doubles; labels in braces
//   NullMetricsProvider        nothing
std::vector<std::pair<std::string, MonitorValue>> monitor_values(Clients& clients);

// As Java prints it.
std::string shown(const MonitorValue& value);

}  // namespace odradek::coordinator::server
