#include "coordinator/server/four_letter_words.h"

#include <dirent.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <system_error>

#include "common/format.h"
#include "coordinator/server/client_connection.h"

namespace odradek::coordinator::server {

namespace {

constexpr std::array<std::string_view, 18> kWords = {
    "ruok", "srvr", "stat", "mntr", "conf", "cons", "crst", "srst", "dump",
    "envi", "wchs", "wchc", "wchp", "dirs", "isro", "gtmk", "stmk", "hash"};

// As Java prints a double with at most four decimals: 0.0, 1.8232.
std::string decimal(double value) {
  std::string text = odradek::format("{:.4f}", value);
  while (text.back() == '0' && text[text.size() - 2] != '.') text.pop_back();
  return text;
}

std::string java_date(int64_t wall_ms) {
  time_t seconds = static_cast<time_t>(wall_ms / 1000);
  tm utc{};
  gmtime_r(&seconds, &utc);
  char text[64];
  size_t size = strftime(text, sizeof text, "%a %b %d %H:%M:%S UTC %Y", &utc);
  return std::string(text, size);
}

int64_t folder_bytes(const std::string& folder) {
  int64_t bytes = 0;
  std::error_code error;
  for (auto at = std::filesystem::recursive_directory_iterator(folder, error);
       !error && at != std::filesystem::recursive_directory_iterator(); at.increment(error)) {
    std::error_code gone;  // RocksDB drops files while we look
    auto size = at->file_size(gone);
    if (!gone) bytes += static_cast<int64_t>(size);
  }
  return bytes;
}

int64_t open_descriptors() {
  DIR* dir = opendir("/proc/self/fd");
  if (!dir) return -1;
  int64_t count = -3;  // ".", ".." and the listing itself
  while (readdir(dir)) ++count;
  closedir(dir);
  return count;
}

// One question, one answer.
class Words {
 public:
  Words(const std::string& peer, Clients& clients)
      : peer_(peer), clients_(clients), pipeline_(clients.pipeline()) {}

  std::string answer(std::string_view word);

 private:
  void server_lines();
  void stat();
  void mntr();
  void conf();
  void cons();
  void dump();
  void envi();
  void watches_by(bool session);
  void dirs();
  void put(std::string_view key, auto value) { out_ += odradek::format("zk_{}\t{}\n", key, value); }
  store::Totals totals() { return pipeline_.applied_store().totals().value_or(store::Totals()); }
  std::string asking_line() const {
    return odradek::format(" /{}[0](queued=0,recved=1,sent=0)\n", peer_);
  }
  size_t connections() const { return clients_.size() + 1; }  // with the one that asks

  const std::string& peer_;
  Clients& clients_;
  pipeline::Pipeline& pipeline_;
  std::string out_;
};

void Words::server_lines() {
  const ServerStats& stats = clients_.stats();
  out_ += odradek::format("Latency min/avg/max: {}/{}/{}\n", stats.latency.min_ms,
                          decimal(stats.latency.average()), stats.latency.max_ms);
  out_ += odradek::format("Received: {}\nSent: {}\nConnections: {}\nOutstanding: {}\n",
                          stats.packets_received, stats.packets_sent, connections(),
                          clients_.outstanding());
  out_ += odradek::format("Zxid: 0x{:x}\nMode: standalone\nNode count: {}\n",
                          pipeline_.last_zxid().value(), totals().nodes);
}

void Words::stat() {
  out_ += "Clients:\n";
  for (const auto& each : clients_.connections()) {
    const auto& about = each->statistics();
    out_ += odradek::format(" /{}[1](queued={},recved={},sent={})\n", each->peer(), each->queued(),
                            about.received, about.sent);
  }
  out_ += asking_line() + "\n";
  server_lines();
}

void Words::mntr() {
  const ServerStats& stats = clients_.stats();
  store::Totals totals = this->totals();
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  put("version", kVersion);
  put("server_state", "standalone");
  put("avg_latency", decimal(stats.latency.average()));
  put("max_latency", stats.latency.max_ms);
  put("min_latency", stats.latency.min_ms);
  put("packets_received", stats.packets_received);
  put("packets_sent", stats.packets_sent);
  put("bytes_received_count", stats.bytes_received);
  put("num_alive_connections", connections());
  put("outstanding_requests", clients_.outstanding());
  put("znode_count", totals.nodes);
  put("watch_count", pipeline_.watches().watch_count());
  put("ephemerals_count", totals.ephemerals);
  put("approximate_data_size", totals.data_bytes);
  put("open_file_descriptor_count", open_descriptors());
  put("max_file_descriptor_count", files.rlim_cur);
  put("global_sessions", pipeline_.sessions().size());
  put("local_sessions", 0);
  put("connection_request_count", stats.connections_made);
  put("connection_drop_count", stats.connections_dropped);
  put("connection_rejected", stats.connections_rejected);
  put("auth_failed_count", stats.auth_failed);
  put("large_requests_rejected", stats.large_requests_rejected);
  put("sessionless_connections_expired", stats.sessionless_expired);
  put("uptime", clients_.uptime_ms());
}

void Words::conf() {
  const ServerSettings& settings = clients_.settings();
  std::string data = settings.store_dir();
  const std::string& log = data;
  out_ += odradek::format("clientPort={}\nsecureClientPort=-1\n", settings.client_port);
  out_ += odradek::format("dataDir={}\ndataDirSize={}\ndataLogDir={}\ndataLogSize={}\n", data,
                          folder_bytes(data), log, folder_bytes(log));
  out_ += odradek::format(
      "tickTime={}\nmaxClientCnxns={}\nminSessionTimeout={}\nmaxSessionTimeout={}\n",
      settings.tick_ms, settings.max_client_connections, settings.min_session_timeout_ms,
      settings.max_session_timeout_ms);
  out_ += odradek::format("clientPortListenBacklog={}\nserverId={}\n", settings.backlog,
                          settings.server_id);
}

void Words::cons() {
  for (const auto& each : clients_.connections()) {
    const auto& about = each->statistics();
    out_ += odradek::format(" /{}[1](queued={},recved={},sent={}", each->peer(), each->queued(),
                            about.received, about.sent);
    if (each->session().value() != 0) {
      std::string op = about.last_op;
      std::transform(op.begin(), op.end(), op.begin(), [](unsigned char c) { return toupper(c); });
      out_ += odradek::format(
          ",sid=0x{:x},lop={},est={},to={},lcxid=0x{:x},lzxid=0x{:x},lresp={},llat={},minlat={},"
          "avglat={},maxlat={}",
          each->session().value(), op, about.since_wall_ms, about.timeout_ms,
          static_cast<uint32_t>(about.last_xid), about.last_zxid.value(), about.last_response_ms,
          about.last_latency_ms, about.latency.min_ms,
          static_cast<int64_t>(about.latency.average()), about.latency.max_ms);
    }
    out_ += ")\n";
  }
  out_ += asking_line() + "\n";
}

void Words::dump() {
  const auto& sessions = pipeline_.sessions();
  // expiry times are monotonic inside: shown as dates
  int64_t to_wall_ms = clients_.clock().wall_ms() - clients_.clock().monotonic_ms();
  out_ += odradek::format("SessionTracker dump:\nSession Sets ({})/({}):\n",
                          sessions.buckets().size(), sessions.size());
  for (const auto& [expires_ms, ids] : sessions.buckets()) {
    out_ += odradek::format("{} expire at {}:\n", ids.size(), java_date(expires_ms + to_wall_ms));
    for (SessionId id : ids) out_ += odradek::format("\t0x{:x}\n", id.value());
  }
  std::string ephemerals;
  size_t owners = 0;
  for (SessionId id : sessions.ids()) {
    auto paths = pipeline_.applied_store().ephemerals(id);
    if (paths.empty()) continue;
    ++owners;
    ephemerals += odradek::format("0x{:x}:\n", id.value());
    for (const std::string& path : paths) ephemerals += "\t" + path + "\n";
  }
  out_ += odradek::format("ephemeral nodes dump:\nSessions with Ephemerals ({}):\n{}", owners,
                          ephemerals);
  out_ += odradek::format("Connections dump:\nConnections Sets (1)/({}):\n{} connections:\n",
                          clients_.size(), clients_.size());
  for (const auto& each : clients_.connections()) {
    out_ += odradek::format("\tip: /{} sessionId: 0x{:x}\n", each->peer(), each->session().value());
  }
}

void Words::envi() {
  utsname system{};
  uname(&system);
  char host[256] = "";
  gethostname(host, sizeof host - 1);
  std::error_code error;
  out_ += odradek::format("Environment:\nzookeeper.version={}\nhost.name={}\n", kVersion, host);
  out_ += odradek::format("os.name={}\nos.arch={}\nos.version={}\nuser.dir={}\n", system.sysname,
                          system.machine, system.release,
                          std::filesystem::current_path(error).string());
}

void Words::watches_by(bool session) {
  std::map<std::string, std::set<std::string>> groups;
  pipeline_.watches().for_each([&](const std::string& path, tree::Watcher* watcher, uint8_t) {
    // every watcher of this table that is not one of ours belongs to the service itself
    auto* client = dynamic_cast<ClientConnection*>(watcher);
    if (!client) return;
    std::string id = odradek::format("0x{:x}", client->session().value());
    groups[session ? id : path].insert(session ? path : id);
  });
  for (const auto& [head, members] : groups) {
    out_ += head + "\n";
    for (const std::string& member : members) out_ += "\t" + member + "\n";
  }
  out_ += "\n";
}

void Words::dirs() {
  const ServerSettings& settings = clients_.settings();
  int64_t bytes = folder_bytes(settings.store_dir());
  out_ += odradek::format("datadir_size: {}\nlogdir_size: {}\n", bytes, bytes);
}

std::string Words::answer(std::string_view word) {
  if (word == "ruok") return "imok";
  if (word == "isro") return "rw";
  if (word == "gtmk") return "306";
  if (word == "stmk") return "306";  // there is nothing to trace
  if (word == "srvr" || word == "stat") {
    out_ += odradek::format("Zookeeper version: {}\n", kVersion);
    word == "srvr" ? server_lines() : stat();
  } else if (word == "mntr") {
    mntr();
  } else if (word == "conf") {
    conf();
  } else if (word == "cons") {
    cons();
  } else if (word == "dump") {
    dump();
  } else if (word == "envi") {
    envi();
  } else if (word == "dirs") {
    dirs();
  } else if (word == "wchs") {
    const tree::WatchTable& watches = pipeline_.watches();
    out_ = odradek::format("{} connections watching {} paths\nTotal watches:{}\n",
                           watches.watcher_count(), watches.path_count(), watches.watch_count());
  } else if (word == "wchc" || word == "wchp") {
    watches_by(word == "wchc");
  } else if (word == "crst") {
    for (const auto& each : clients_.connections()) each->reset_statistics();
    out_ = "Connection stats reset.\n";
  } else if (word == "srst") {
    clients_.stats() = ServerStats();
    out_ = "Server stats reset.\n";
  }
  // "hash" has no digests to show, as ZooKeeper 3.5
  return out_;
}

}  // namespace

bool is_four_letter_word(std::string_view word) {
  return std::find(kWords.begin(), kWords.end(), word) != kWords.end();
}

std::string answer_word(std::string_view word, const std::string& peer, Clients& clients) {
  const auto& allowed = clients.settings().four_letter_words;
  if (!allowed.contains("*") && !allowed.contains(std::string(word))) {
    return odradek::format("{} is not executed because it is not in the whitelist.\n", word);
  }
  return Words(peer, clients).answer(word);
}

}  // namespace odradek::coordinator::server
