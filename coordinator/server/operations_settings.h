#pragma once
// What zookeeper.properties says about running and watching the server: the admin server, metrics,
// the audit log, and the limits that bound memory.

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "common/result.h"
#include "coordinator/server/connection_throttle.h"

namespace odradek::config {
class Settings;
}

namespace odradek::coordinator::server {

inline constexpr size_t kDefaultMemoryBudget = 512u << 20;

// The HTTP server of /commands.
struct AdminSettings {
  bool enabled = false;
  std::string address;  // empty: every address
  uint16_t port = 8080;
  std::string command_url = "/commands";  // without a "/" at its end
  int64_t idle_ms = 30'000;
  int32_t max_connections = 100;
  // What it shows of the file: its assignments, and those of them that ZooKeeper hands to its JVM as
  // system properties. Secrets are hidden.
  std::string initial_configuration;
  std::map<std::string, std::string> system_properties;
};

// The class that metricsProvider.className names: DefaultMetricsProvider shows metrics in mntr,
// PrometheusMetricsProvider by HTTP and in mntr, NullMetricsProvider nowhere.
enum class MetricsProvider { standard, prometheus, null };

struct MetricsSettings {
  MetricsProvider provider = MetricsProvider::standard;
  std::string address;  // empty: every address
  uint16_t port = 7000;
  bool export_process = true;  // metricsProvider.exportJvmInfo
};

// Of all clients together, unless it says otherwise.
struct MemoryLimits {
  size_t watches = SIZE_MAX;  // places, see tree::WatchLimits
  size_t watches_of_connection = SIZE_MAX;
  size_t request_bytes = 64u << 20;    // of requests that wait; once more for half-arrived ones
  size_t outgoing_bytes = 128u << 20;  // of replies and events that clients have not taken
  int32_t grpc_connections = 1000;
};

struct OperationsSettings {
  AdminSettings admin;
  MetricsSettings metrics;
  MemoryLimits memory;
  ConnectionThrottleSettings connection_throttle;
  int32_t request_throttle_limit = 0;  // of requests in work; 0: none
  bool audit = false;
};

// Limits that the file leaves open follow from the budget. bad_setting: an unknown metrics provider,
// a command URL that is no path.
Result<OperationsSettings> operations_settings(const config::Settings& settings,
                                               size_t memory_budget_bytes);

}  // namespace odradek::coordinator::server
