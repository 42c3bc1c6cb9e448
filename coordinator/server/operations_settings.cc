#include "coordinator/server/operations_settings.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "common/config/settings.h"

namespace odradek::coordinator::server {

namespace {

// What ZooKeeper's own configuration takes; every other key becomes a system property of its JVM.
const std::set<std::string_view> kNoProperties = {
    "dataDir", "dataLogDir", "clientPort", "localSessionsEnabled", "localSessionsUpgradingEnabled",
    "clientPortAddress", "secureClientPort", "secureClientPortAddress", "observerMasterPort",
    "clientPortListenBacklog", "tickTime", "maxClientCnxns", "minSessionTimeout",
    "maxSessionTimeout", "initLimit", "syncLimit", "connectToLearnerMasterLimit", "electionAlg",
    "quorumListenOnAllIPs", "peerType", "syncEnabled", "dynamicConfigFile",
    "autopurge.snapRetainCount", "autopurge.purgeInterval", "standaloneEnabled", "reconfigEnabled",
    "sslQuorum", "portUnification", "sslQuorumReloadCertFiles", "quorum.cnxn.threads.size",
    "multiAddress.enabled", "multiAddress.reachabilityCheckTimeoutMs",
    "multiAddress.reachabilityCheckEnabled", "oraclePath", "version"};
constexpr std::string_view kNoPropertyPrefixes[] = {"server.", "group.", "weight.",
                                                    "metricsProvider.", "odradek."};

bool is_property(std::string_view key) {
  bool prefixed = std::any_of(std::begin(kNoPropertyPrefixes), std::end(kNoPropertyPrefixes),
                              [&](std::string_view prefix) { return key.starts_with(prefix); });
  return !prefixed && !kNoProperties.contains(key);
}

// "0.0.0.0" and nothing are the same to a listener, but the former leaves IPv6 out.
std::string listen_address(const config::Settings& settings, std::string_view key) {
  return settings.is_set(key) ? settings.find_string(key).value_or("") : "";
}

Result<AdminSettings> admin_settings(const config::Settings& settings) {
  AdminSettings admin;
  admin.enabled = settings.get_bool("admin.enableServer");
  admin.address = listen_address(settings, "admin.serverAddress");
  admin.port = static_cast<uint16_t>(settings.get_int("admin.serverPort"));
  admin.command_url = settings.get_string("admin.commandURL");
  if (!admin.command_url.starts_with('/') ||
      admin.command_url.find_first_of(" ?#%*\"<>") != std::string::npos) {
    return settings.refuse("admin.commandURL",
                           "expected the path of an URL, for example /commands");
  }
  while (admin.command_url.ends_with('/')) admin.command_url.pop_back();
  admin.idle_ms = settings.get_int("admin.idleTimeout");
  admin.max_connections = settings.get_int("odradek.admin.max.connections");
  for (const auto& [key, value] : settings.shown()) {
    admin.initial_configuration.append(key).append("=").append(value).append("\n");
    if (!is_property(key)) continue;
    admin.system_properties[key.starts_with("zookeeper.") ? key : "zookeeper." + key] = value;
  }
  return admin;
}

Result<MetricsSettings> metrics_settings(const config::Settings& settings) {
  constexpr std::string_view kPackage = "org.apache.zookeeper.metrics.";
  MetricsSettings metrics;
  std::string name = settings.get_string("metricsProvider.className");
  std::string_view shorter = name;
  if (shorter.starts_with(kPackage)) shorter.remove_prefix(kPackage.size());
  if (shorter == "impl.DefaultMetricsProvider") {
    metrics.provider = MetricsProvider::standard;
  } else if (shorter == "prometheus.PrometheusMetricsProvider") {
    metrics.provider = MetricsProvider::prometheus;
  } else if (shorter == "impl.NullMetricsProvider") {
    metrics.provider = MetricsProvider::null;
  } else {
    return settings.refuse(
        "metricsProvider.className",
        "no class can be loaded here; expected one of ZooKeeper's own, in "
        "org.apache.zookeeper.metrics: impl.DefaultMetricsProvider, "
        "prometheus.PrometheusMetricsProvider or impl.NullMetricsProvider");
  }
  metrics.address = listen_address(settings, "metricsProvider.httpHost");
  metrics.port = static_cast<uint16_t>(settings.get_int("metricsProvider.httpPort"));
  metrics.export_process = settings.get_bool("metricsProvider.exportJvmInfo");
  return metrics;
}

MemoryLimits memory_limits(const config::Settings& settings, size_t budget) {
  auto or_share = [&](std::string_view key, size_t share) {
    int64_t value = settings.get_long(key);
    return value < 0 ? share : static_cast<size_t>(value);
  };
  MemoryLimits limits;
  // a place takes up to half a kilobyte with its path
  limits.watches = or_share("odradek.watches.max", budget / 1024);
  limits.watches_of_connection =
      or_share("odradek.watches.max.per.connection", limits.watches / 2);
  limits.request_bytes = or_share("odradek.requests.max.bytes", budget / 8);
  limits.outgoing_bytes = or_share("odradek.outgoing.max.bytes", budget / 4);
  limits.grpc_connections = settings.get_int("odradek.grpc.max.connections");
  return limits;
}

ConnectionThrottleSettings connection_throttle(const config::Settings& settings) {
  ConnectionThrottleSettings throttle;
  throttle.max_tokens = settings.get_int("connectionMaxTokens");
  throttle.fill_time_ms = settings.get_int("connectionTokenFillTime");
  throttle.fill_count = settings.get_int("connectionTokenFillCount");
  throttle.freeze_time_ms = settings.get_int("connectionFreezeTime");
  throttle.drop_increase = settings.get_double("connectionDropIncrease");
  throttle.drop_decrease = settings.get_double("connectionDropDecrease");
  throttle.decrease_ratio = settings.get_double("connectionDecreaseRatio");
  return throttle;
}

}  // namespace

Result<OperationsSettings> operations_settings(const config::Settings& settings,
                                               size_t memory_budget_bytes) {
  OperationsSettings out;
  auto admin = admin_settings(settings);
  if (!admin) return admin.error();
  auto metrics = metrics_settings(settings);
  if (!metrics) return metrics.error();
  out.admin = *std::move(admin);
  out.metrics = *std::move(metrics);
  out.memory = memory_limits(settings, memory_budget_bytes);
  out.connection_throttle = connection_throttle(settings);
  out.request_throttle_limit = settings.get_int("requestThrottleLimit");
  out.audit = settings.get_bool("audit.enable");
  return out;
}

}  // namespace odradek::coordinator::server
