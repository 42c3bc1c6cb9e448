#include "coordinator/server/settings.h"

#include <netdb.h>

#include <algorithm>

#include "common/config/settings.h"
#include "coordinator/server/members.h"

namespace odradek::coordinator::server {

namespace {

bool says_yes(const config::Settings& settings, std::string_view key) {
  std::string text = settings.get_string(key);
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(tolower(c)); });
  return text == "yes" || text == "true";
}

bool resolves(const std::string& host) {
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), nullptr, nullptr, &found) != 0) return false;
  freeaddrinfo(found);
  return true;
}

}  // namespace

Result<ServerSettings> server_settings(const config::Settings& settings,
                                       size_t memory_budget_bytes) {
  ServerSettings server;
  auto members = read_members(settings);
  if (!members) return members.error();
  if (!settings.has("dataDir")) {
    return settings.refuse("dataDir",
                           "dataDir is not set: name the directory that keeps the tree, for "
                           "example dataDir=/var/lib/zookeeper");
  }
  if (!settings.has("clientPort") && !members->client_port) {
    return settings.refuse("clientPort",
                           "clientPort is not set: name the port, for example clientPort=2181");
  }
  server.data_dir = settings.get_string("dataDir");
  server.data_log_dir = settings.find_string("dataLogDir").value_or(server.data_dir);
  server.client_port = members->client_port ? *members->client_port
                                            : static_cast<uint16_t>(settings.get_int("clientPort"));
  server.client_port_address =
      settings.find_string("clientPortAddress").value_or(members->client_address);
  if (!server.client_port_address.empty() && !resolves(server.client_port_address)) {
    return settings.refuse(
        "clientPortAddress",
        "no known host; allowed: an address or name of this machine, or nothing for every address");
  }
  server.backlog = settings.get_int("clientPortListenBacklog");
  server.tick_ms = settings.get_int("tickTime");
  // in 64 bits: twenty ticks may not fit into 32
  int64_t shortest = settings.get_int("minSessionTimeout");
  int64_t longest = settings.get_int("maxSessionTimeout");
  if (shortest < 0) shortest = int64_t{2} * server.tick_ms;
  if (longest < 0) longest = int64_t{20} * server.tick_ms;
  server.min_session_timeout_ms = static_cast<int32_t>(std::min<int64_t>(shortest, INT32_MAX));
  server.max_session_timeout_ms = static_cast<int32_t>(std::min<int64_t>(longest, INT32_MAX));
  if (server.min_session_timeout_ms > server.max_session_timeout_ms) {
    return settings.refuse(
        settings.is_set("minSessionTimeout") ? "minSessionTimeout" : "maxSessionTimeout",
        "minSessionTimeout must not be larger than maxSessionTimeout");
  }
  server.max_client_connections = settings.get_int("maxClientCnxns");
  server.max_connections = settings.get_int("maxCnxns");
  server.jute_max_buffer = static_cast<size_t>(settings.get_int("jute.maxbuffer"));
  server.global_outstanding_limit = settings.get_int("globalOutstandingLimit");
  server.four_letter_words.clear();
  for (const std::string& word : settings.get_list("4lw.commands.whitelist")) {
    if (!word.empty()) server.four_letter_words.insert(word);
  }
  server.four_letter_words.insert("srvr");  // as ZooKeeper: its own scripts ask it
  if (settings.get_bool("readonlymode.enabled")) server.four_letter_words.insert("isro");
  server.single_member = members->single;
  auto operations = operations_settings(settings, memory_budget_bytes);
  if (!operations) return operations.error();
  server.operations = *std::move(operations);
  server.trust_empty_snapshot = settings.get_bool("snapshot.trust.empty");
  server.rules.skip_acl = says_yes(settings, "skipACL");
  server.rules.extended_types = settings.get_bool("extendedTypesEnabled");
  server.rules.enforce_quota = settings.get_bool("enforceQuota");
  server.rules.reconfig_enabled = settings.get_bool("reconfigEnabled");
  server.containers.check_interval_ms = settings.get_int("znode.container.checkIntervalMs");
  server.containers.max_per_minute = settings.get_int("znode.container.maxPerMinute");
  server.containers.max_never_used_ms = settings.get_long("znode.container.maxNeverUsedIntervalMs");
  server.peer_log_lines = settings.get_int("odradek.peer.log.lines");
  server.broker_grace_ms = settings.get_long("odradek.broker.grace.ms");
  server.topic_settle_ms = settings.get_long("odradek.topic.settle.ms");
  server.fsync_warning_ms = settings.get_long("fsync.warningthresholdms");
  return server;
}

Result<ServerSettings> server_settings(const config::Settings& settings,
                                       const std::vector<config::JavaProperty>& java,
                                       fs::FileSystem& file_system, size_t memory_budget_bytes) {
  auto server = server_settings(settings, memory_budget_bytes);
  if (!server) return server.error();
  auto auth = auth_settings(settings, java, file_system);
  if (!auth) return auth.error();
  server->auth = *std::move(auth);
  server->rules.schemes = server->auth.schemes;
  return server;
}

}  // namespace odradek::coordinator::server
