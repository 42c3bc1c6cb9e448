#include "coordinator/server/four_letter_words.h"

#include <algorithm>
#include <array>
#include <ctime>

#include "common/bytes/byte_reader.h"
#include "common/format.h"
#include "common/metrics/number.h"
#include "coordinator/server/client_connection.h"
#include "coordinator/server/monitor.h"
#include "coordinator/server/report.h"

namespace odradek::coordinator::server {

namespace {

constexpr std::array<std::string_view, 18> kWords = {
    "ruok", "srvr", "stat", "mntr", "conf", "cons", "crst", "srst", "dump",
    "envi", "wchs", "wchc", "wchp", "dirs", "isro", "gtmk", "stmk", "hash"};

// Java's Date.toString.
std::string java_date(int64_t wall_ms) {
  time_t seconds = static_cast<time_t>(wall_ms / 1000);
  tm utc{};
  gmtime_r(&seconds, &utc);
  char text[64];
  size_t size = strftime(text, sizeof text, "%a %b %d %H:%M:%S UTC %Y", &utc);
  return std::string(text, size);
}

// One question, one answer.
class Words {
 public:
  Words(const std::string& peer, std::string_view argument, Clients& clients)
      : peer_(peer), argument_(argument), clients_(clients), pipeline_(clients.pipeline()) {}

  std::string answer(std::string_view word);

 private:
  void ruok() { out_ = "imok"; }
  void isro() { out_ = "rw"; }
  void srvr();
  void stat();
  void server_lines();
  void mntr();
  void conf();
  void cons();
  void crst();
  void srst();
  void dump();
  void dump_sessions(int64_t to_wall_ms);
  void dump_connections(int64_t to_wall_ms);
  void envi();
  void dirs();
  void wchs();
  void wchc();
  void wchp();
  void gtmk() { put("{}", clients_.trace_mask()); }
  void stmk();
  void hash() {}  // ZooKeeper's digests of the tree are not kept

  template <typename... Args>
  void put(fmt::format_string<Args...> text, Args&&... args) {
    out_ += odradek::format(text, std::forward<Args>(args)...);
  }
  void put_connection(const ConnectionReport& connection, bool brief);

  const std::string& peer_;
  std::string_view argument_;
  Clients& clients_;
  pipeline::Pipeline& pipeline_;
  std::string out_;
};

void Words::server_lines() {
  const ServerStats& stats = clients_.stats();
  put("Latency min/avg/max: {}/{}/{}\n", stats.latency.min_ms,
      metrics::java_double(clients_.average_latency_ms()), stats.latency.max_ms);
  put("Received: {}\nSent: {}\nConnections: {}\nOutstanding: {}\n", stats.packets_received,
      stats.packets_sent, clients_.alive_connections(), clients_.outstanding());
  put("Zxid: 0x{:x}\nMode: standalone\nNode count: {}\n", pipeline_.last_zxid().value(),
      clients_.totals().nodes);
}

void Words::srvr() {
  put("Zookeeper version: {}\n", kVersion);
  server_lines();
}

void Words::stat() {
  put("Zookeeper version: {}\nClients:\n", kVersion);
  for (const auto& each : report_connections(clients_, peer_)) put_connection(each, true);
  out_ += '\n';
  server_lines();
}

void Words::put_connection(const ConnectionReport& connection, bool brief) {
  put(" /{}[{:x}](queued={},recved={},sent={}", connection.peer, connection.interest_ops,
      connection.queued, connection.received, connection.sent);
  if (!brief && connection.session.value() != 0) {
    put(",sid=0x{:x},lop={},est={},to={}", connection.session.value(), connection.last_op,
        connection.since_wall_ms, connection.timeout_ms);
    if (connection.last_xid >= 0) put(",lcxid=0x{:x}", connection.last_xid);
    put(",lzxid=0x{:x},lresp={},llat={},minlat={},avglat={},maxlat={}",
        static_cast<uint64_t>(connection.last_zxid.value()), connection.last_response_ms,
        connection.last_latency_ms, connection.latency.min_ms,
        static_cast<int64_t>(connection.latency.average()), connection.latency.max_ms);
  }
  out_ += ")\n";
}

void Words::mntr() {
  for (const auto& [key, value] : monitor_values(clients_)) {
    put("zk_{}\t{}\n", key, shown(value));
  }
}

void Words::conf() {
  const ServerSettings& settings = clients_.settings();
  std::string data = settings.store_dir();
  int64_t bytes = store_bytes(clients_);
  put("clientPort={}\nsecureClientPort=-1\n", settings.client_port);
  put("dataDir={}\ndataDirSize={}\ndataLogDir={}\ndataLogSize={}\n", data, bytes, data, bytes);
  put("tickTime={}\nmaxClientCnxns={}\nminSessionTimeout={}\nmaxSessionTimeout={}\n",
      settings.tick_ms, settings.max_client_connections, settings.min_session_timeout_ms,
      settings.max_session_timeout_ms);
  put("clientPortListenBacklog={}\nserverId={}\n", settings.backlog, settings.server_id);
}

void Words::cons() {
  for (const auto& each : report_connections(clients_, peer_)) put_connection(each, false);
  out_ += '\n';
}

void Words::crst() {
  for (const auto& each : clients_.connections()) each->reset_statistics();
  out_ = "Connection stats reset.\n";
}

void Words::srst() {
  clients_.reset_stats();
  out_ = "Server stats reset.\n";
}

void Words::dump() {
  // expiry times are monotonic inside: shown as dates
  int64_t to_wall_ms = clients_.clock().wall_ms() - clients_.clock().monotonic_ms();
  dump_sessions(to_wall_ms);
  auto ephemerals = report_ephemerals(clients_);
  put("ephemeral nodes dump:\nSessions with Ephemerals ({}):\n", ephemerals.size());
  for (const auto& [session, paths] : ephemerals) {
    put("0x{:x}:\n", session.value());
    for (const std::string& path : paths) put("\t{}\n", path);
  }
  dump_connections(to_wall_ms);
}

void Words::dump_sessions(int64_t to_wall_ms) {
  const auto& sessions = pipeline_.sessions();
  put("SessionTracker dump:\nSession Sets ({})/({}):\n", sessions.buckets().size(),
      sessions.size());
  for (const auto& [expires_ms, ids] : sessions.buckets()) {
    put("{} expire at {}:\n", ids.size(), java_date(expires_ms + to_wall_ms));
    for (SessionId id : ids) put("\t0x{:x}\n", id.value());
  }
}

void Words::dump_connections(int64_t to_wall_ms) {
  auto connections = report_connections(clients_, peer_);
  std::map<int64_t, std::vector<const ConnectionReport*>> sets;
  for (const auto& each : connections) sets[each.expires_ms].push_back(&each);
  put("Connections dump:\nConnections Sets ({})/({}):\n", sets.size(), connections.size());
  for (const auto& [expires_ms, members] : sets) {
    put("{} expire at {}:\n", members.size(), java_date(expires_ms + to_wall_ms));
    for (const ConnectionReport* each : members) {
      put("\tip: /{} sessionId: 0x{:x}\n", each->peer, each->session.value());
    }
  }
}

void Words::envi() {
  out_ = "Environment:\n";
  for (const auto& [key, value] : report_environment()) put("{}={}\n", key, value);
}

void Words::dirs() {
  int64_t bytes = store_bytes(clients_);
  put("datadir_size: {}\nlogdir_size: {}\n", bytes, bytes);
}

void Words::wchs() {
  WatchSummary watches = summarize_watches(clients_);
  put("{} connections watching {} paths\nTotal watches:{}\n", watches.connections, watches.paths,
      watches.watches);
}

void Words::wchc() {
  for (const auto& [session, paths] : watches_by_session(clients_)) {
    put("0x{:x}\n", session.value());
    for (std::string_view path : paths) put("\t{}\n", path);
  }
  out_ += '\n';
}

void Words::wchp() {
  for (const auto& [path, sessions] : watches_by_path(clients_)) {
    put("{}\n", path);
    for (SessionId session : sessions) put("\t0x{:x}\n", session.value());
  }
  out_ += '\n';
}

void Words::stmk() {
  clients_.set_trace_mask(ByteReader(argument_).i64());
  put("{}", clients_.trace_mask());
}

std::string Words::answer(std::string_view word) {
  struct Row {
    std::string_view word;
    void (Words::*say)();
  };
  constexpr Row kRows[] = {
      {"ruok", &Words::ruok}, {"srvr", &Words::srvr}, {"stat", &Words::stat},
      {"mntr", &Words::mntr}, {"conf", &Words::conf}, {"cons", &Words::cons},
      {"crst", &Words::crst}, {"srst", &Words::srst}, {"dump", &Words::dump},
      {"envi", &Words::envi}, {"wchs", &Words::wchs}, {"wchc", &Words::wchc},
      {"wchp", &Words::wchp}, {"dirs", &Words::dirs}, {"isro", &Words::isro},
      {"gtmk", &Words::gtmk}, {"stmk", &Words::stmk}, {"hash", &Words::hash}};
  for (const Row& row : kRows) {
    if (row.word == word) (this->*row.say)();
  }
  return std::move(out_);
}

}  // namespace

bool is_four_letter_word(std::string_view word) {
  return std::find(kWords.begin(), kWords.end(), word) != kWords.end();
}

std::string answer_word(std::string_view word, std::string_view argument, const std::string& peer,
                        Clients& clients) {
  const auto& allowed = clients.settings().four_letter_words;
  if (!allowed.contains("*") && !allowed.contains(std::string(word))) {
    return odradek::format("{} is not executed because it is not in the whitelist.\n", word);
  }
  return Words(peer, argument, clients).answer(word);
}

}  // namespace odradek::coordinator::server
