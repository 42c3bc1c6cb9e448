#include "coordinator/server/report.h"

#include <pwd.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <unordered_set>

#include "coordinator/server/client_connection.h"

namespace odradek::coordinator::server {

namespace {

// Every watcher of the table that is not a client belongs to the service itself.
void for_each_data_watch(
    Clients& clients,
    const std::function<void(const std::string& path, const ClientConnection& who)>& visit) {
  clients.pipeline().watches().for_each(
      [&](const std::string& path, tree::Watcher* watcher, uint8_t kinds) {
        if ((kinds & tree::kWatchAnyData) == 0) return;
        if (auto* client = dynamic_cast<ClientConnection*>(watcher)) visit(path, *client);
      });
}

ConnectionReport report_of(const ClientConnection& connection, const session::SessionTable& table) {
  const auto& about = connection.statistics();
  ConnectionReport report;
  report.peer = connection.peer();
  report.interest_ops = connection.interest_ops();
  report.queued = connection.queued();
  report.received = about.received;
  report.sent = about.sent;
  report.session = connection.session();
  report.last_op = about.last_op;
  report.since_wall_ms = about.since_wall_ms;
  report.timeout_ms = about.timeout_ms;
  report.last_xid = about.last_xid;
  report.last_zxid = about.last_zxid;
  report.last_response_ms = about.last_response_ms;
  report.last_latency_ms = about.last_latency_ms;
  report.latency = about.latency;
  const session::Session* session = table.find(report.session);
  report.expires_ms = session ? session->expires_ms : connection.since_ms() + kSessionlessMs;
  return report;
}

std::string machine_name(const utsname& system) {
  std::string name = system.machine;
  return name == "x86_64" ? "amd64" : name;  // as Java calls it
}

}  // namespace

std::vector<ConnectionReport> report_connections(Clients& clients, const std::string& asker) {
  std::vector<ConnectionReport> reports;
  reports.reserve(clients.alive_connections());
  for (const auto& connection : clients.connections()) {
    reports.push_back(report_of(*connection, clients.pipeline().sessions()));
  }
  if (clients.visitors() == nullptr) return reports;
  int64_t to_wall_ms = clients.clock().wall_ms() - clients.clock().monotonic_ms();
  clients.visitors()->for_each([&](const std::string& peer, int64_t since_ms) {
    ConnectionReport report;
    report.peer = peer;
    report.interest_ops = peer == asker ? 0 : 1;
    report.received = peer == asker ? 1 : 0;
    report.since_wall_ms = since_ms + to_wall_ms;
    report.expires_ms = since_ms + kSessionlessMs;
    reports.push_back(std::move(report));
  });
  return reports;
}

std::map<SessionId, std::vector<std::string>> report_ephemerals(Clients& clients) {
  std::map<SessionId, std::vector<std::string>> all;
  for (SessionId id : clients.pipeline().sessions().ids()) {
    auto paths = clients.pipeline().applied_store().ephemerals(id);
    if (!paths.empty()) all.emplace(id, std::move(paths));
  }
  return all;
}

WatchSummary summarize_watches(Clients& clients) {
  WatchSummary summary;
  std::unordered_set<const ClientConnection*> connections;
  const std::string* last = nullptr;  // the watchers of one path come one after another
  for_each_data_watch(clients, [&](const std::string& path, const ClientConnection& who) {
    connections.insert(&who);
    summary.paths += std::exchange(last, &path) == &path ? 0 : 1;
    ++summary.watches;
  });
  summary.connections = connections.size();
  return summary;
}

std::map<SessionId, std::vector<std::string_view>> watches_by_session(Clients& clients) {
  std::map<SessionId, std::vector<std::string_view>> all;
  for_each_data_watch(clients, [&](const std::string& path, const ClientConnection& who) {
    all[who.session()].push_back(path);
  });
  for (auto& [session, paths] : all) std::sort(paths.begin(), paths.end());
  return all;
}

std::map<std::string_view, std::vector<SessionId>> watches_by_path(Clients& clients) {
  std::map<std::string_view, std::vector<SessionId>> all;
  for_each_data_watch(clients, [&](const std::string& path, const ClientConnection& who) {
    all[path].push_back(who.session());
  });
  for (auto& [path, sessions] : all) std::sort(sessions.begin(), sessions.end());
  return all;
}

std::vector<std::pair<std::string, std::string>> report_environment() {
  utsname system{};
  uname(&system);
  char host[256] = "";
  gethostname(host, sizeof host - 1);
  std::error_code error;
  const passwd* user = getpwuid(geteuid());
  return {{"zookeeper.version", std::string(kVersion)},
          {"host.name", host},
          {"os.name", system.sysname},
          {"os.arch", machine_name(system)},
          {"os.version", system.release},
          {"user.name", user ? user->pw_name : std::to_string(geteuid())},
          {"user.home", user ? user->pw_dir : ""},
          {"user.dir", std::filesystem::current_path(error).string()}};
}

int64_t store_bytes(Clients& clients) {
  int64_t bytes = 0;
  std::error_code error;
  std::filesystem::recursive_directory_iterator end;
  for (auto at = std::filesystem::recursive_directory_iterator(clients.settings().store_dir(), error);
       !error && at != end; at.increment(error)) {
    std::error_code gone;  // RocksDB drops files while we look
    auto size = at->file_size(gone);
    if (!gone) bytes += static_cast<int64_t>(size);
  }
  return bytes;
}

}  // namespace odradek::coordinator::server
