#include "coordinator/server/admin_commands.h"

#include <charconv>
#include <filesystem>
#include <optional>

#include "common/format.h"
#include "common/http/json_writer.h"
#include "coordinator/server/client_connection.h"
#include "coordinator/server/monitor.h"
#include "coordinator/server/report.h"

namespace odradek::coordinator::server {

namespace {

using http::JsonWriter;

// One command: it puts members into an object; an error stands behind them.
class Command {
 public:
  Command(JsonWriter& out, const std::map<std::string, std::string>& arguments, Clients& clients)
      : out_(out), arguments_(arguments), clients_(clients) {}

  void configuration();
  void connection_stat_reset();
  void connections() { put_connections(false); }
  void dirs();
  void dump();
  void environment();
  void get_trace_mask() { number("tracemask", clients_.trace_mask()); }
  void hash();
  void initial_configuration();
  void is_read_only() { out_.key("read_only").boolean(false); }
  void last_snapshot();
  void leader() { error_ = "server is not initialized"; }  // what a standalone ZooKeeper says
  void monitor();
  void nothing() {}
  void observers();
  void server_stats();
  void set_trace_mask();
  void stat_reset() { clients_.reset_stats(); }
  void stats();
  void system_properties();
  void voting_view();
  void watch_summary();
  void watches();
  void watches_by_path();
  void zabstate();

  const std::optional<std::string>& error() const { return error_; }

 private:
  template <typename T>
  void number(std::string_view key, T value) {
    out_.key(key).number(value);
  }
  void string(std::string_view key, std::string_view value) { out_.key(key).string(value); }
  void put_connections(bool brief);
  void put_connection(const ConnectionReport& connection, bool brief);
  void put_response_sizes(std::string_view key);

  JsonWriter& out_;
  const std::map<std::string, std::string>& arguments_;
  Clients& clients_;
  std::optional<std::string> error_;
};

void Command::configuration() {
  const ServerSettings& settings = clients_.settings();
  number("client_port", settings.client_port);
  string("data_dir", settings.store_dir());
  string("data_log_dir", settings.store_dir());
  number("tick_time", settings.tick_ms);
  number("max_client_cnxns", settings.max_client_connections);
  number("min_session_timeout", settings.min_session_timeout_ms);
  number("max_session_timeout", settings.max_session_timeout_ms);
  number("server_id", settings.server_id);
  number("client_port_listen_backlog", settings.backlog);
}

void Command::connection_stat_reset() {
  for (const auto& each : clients_.connections()) each->reset_statistics();
}

void Command::put_connections(bool brief) {
  out_.key("connections").begin_array();
  for (const ConnectionReport& each : report_connections(clients_)) put_connection(each, brief);
  out_.end_array();
  out_.key("secure_connections").begin_array().end_array();
}

void Command::put_connection(const ConnectionReport& connection, bool brief) {
  out_.begin_object();
  string("remote_socket_address", connection.peer);
  number("interest_ops", connection.interest_ops);
  number("outstanding_requests", connection.queued);
  number("packets_received", connection.received);
  number("packets_sent", connection.sent);
  if (!brief) {
    number("session_id", connection.session.value());
    string("last_operation", connection.last_op);
    number("established", connection.since_wall_ms);
    number("session_timeout", connection.timeout_ms);
    number("last_cxid", connection.last_xid);
    number("last_zxid", connection.last_zxid.value());
    number("last_response_time", connection.last_response_ms);
    number("last_latency", connection.last_latency_ms);
    number("min_latency", connection.latency.min_ms);
    number("avg_latency", static_cast<int64_t>(connection.latency.average()));
    number("max_latency", connection.latency.max_ms);
  }
  out_.end_object();
}

void Command::dirs() {
  int64_t bytes = store_bytes(clients_);
  number("datadir_size", bytes);
  number("logdir_size", bytes);
}

void Command::dump() {
  out_.key("expiry_time_to_session_ids").begin_object();
  for (const auto& [expires_ms, ids] : clients_.pipeline().sessions().buckets()) {
    out_.key(std::to_string(expires_ms)).begin_array();
    for (SessionId id : ids) out_.number(id.value());
    out_.end_array();
  }
  out_.end_object();
  out_.key("session_id_to_ephemeral_paths").begin_object();
  for (const auto& [session, paths] : report_ephemerals(clients_)) {
    out_.key(std::to_string(session.value())).begin_array();
    for (const std::string& path : paths) out_.string(path);
    out_.end_array();
  }
  out_.end_object();
}

void Command::environment() {
  for (const auto& [key, value] : report_environment()) string(key, value);
}

void Command::hash() { out_.key("digests").begin_array().end_array(); }

void Command::initial_configuration() {
  string("initial_configuration", clients_.settings().operations.admin.initial_configuration);
}

// No snapshots are written: the store is the tree. What ZooKeeper says before there is one.
void Command::last_snapshot() {
  string("zxid", "ffffffffffffffff");
  number("timestamp", -1);
}

void Command::monitor() {
  for (const auto& [key, value] : monitor_values(clients_)) {
    out_.key(key);
    if (const auto* text = std::get_if<std::string>(&value)) {
      out_.string(*text);
    } else if (const auto* whole = std::get_if<int64_t>(&value)) {
      out_.number(*whole);
    } else {
      out_.number(std::get<double>(value));
    }
  }
}

void Command::observers() {
  number("synced_observers", 0);
  out_.key("observers").begin_array().end_array();
}

void Command::put_response_sizes(std::string_view key) {
  const ResponseSizes& sizes = clients_.stats().responses;
  out_.key(key).begin_object();
  number("last_buffer_size", sizes.last);
  number("min_buffer_size", sizes.min);
  number("max_buffer_size", sizes.max);
  out_.end_object();
}

void Command::server_stats() {
  const ServerStats& stats = clients_.stats();
  string("version", kVersion);
  out_.key("read_only").boolean(false);
  out_.key("server_stats").begin_object();
  number("packets_sent", stats.packets_sent);
  number("packets_received", stats.packets_received);
  number("fsync_threshold_exceed_count", clients_.metrics().slow_commits);
  put_response_sizes("client_response_stats");
  int64_t bytes = store_bytes(clients_);
  number("data_dir_size", bytes);
  number("log_dir_size", bytes);
  out_.key("provider_null").boolean(false);
  number("last_processed_zxid", clients_.pipeline().last_zxid().value());
  number("outstanding_requests", clients_.outstanding());
  string("server_state", "standalone");
  number("avg_latency", clients_.average_latency_ms());
  number("max_latency", stats.latency.max_ms);
  number("min_latency", stats.latency.min_ms);
  number("num_alive_client_connections", clients_.alive_connections());
  // of TLS handshakes, and of ports that speak both TLS and plain: neither is there
  number("auth_failed_count", 0);
  number("non_mtlsremote_conn_count", 0);
  number("non_mtlslocal_conn_count", 0);
  number("uptime", clients_.uptime_ms());
  out_.end_object();
  put_response_sizes("client_response");
  number("node_count", clients_.totals().nodes);
}

void Command::set_trace_mask() {
  auto at = arguments_.find("traceMask");
  if (at == arguments_.end()) {
    error_ = "setTraceMask requires long traceMask argument";
    return;
  }
  const std::string& text = at->second;
  int64_t mask = 0;
  // Java's Long.parseLong takes a plus sign too
  const char* begin = text.data() + (text.size() > 1 && text[0] == '+' && text[1] != '-' ? 1 : 0);
  auto [end, error] = std::from_chars(begin, text.data() + text.size(), mask);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
    error_ = "setTraceMask requires long traceMask argument, got " + text;
    return;
  }
  clients_.set_trace_mask(mask);
  number("tracemask", mask);
}

void Command::stats() {
  server_stats();
  put_connections(true);
}

// ZooKeeper's are its JVM's; of those that exist without one, and of zookeeper.properties, these.
void Command::system_properties() {
  std::map<std::string, std::string> all = clients_.settings().operations.admin.system_properties;
  for (const auto& [key, value] : report_environment()) {
    if (key.starts_with("os.") || key.starts_with("user.")) all.emplace(key, value);
  }
  all.emplace("file.separator", "/");
  all.emplace("path.separator", ":");
  all.emplace("line.separator", "\n");
  std::error_code error;
  all.emplace("java.io.tmpdir", std::filesystem::temp_directory_path(error).string());
  for (const auto& [key, value] : all) string(key, value);
}

void Command::voting_view() { out_.key("current_config").begin_object().end_object(); }

void Command::watch_summary() {
  WatchSummary summary = summarize_watches(clients_);
  number("num_connections", summary.connections);
  number("num_paths", summary.paths);
  number("num_total_watches", summary.watches);
}

void Command::watches() {
  out_.key("session_id_to_watched_paths").begin_object();
  for (const auto& [session, paths] : server::watches_by_session(clients_)) {
    out_.key(std::to_string(session.value())).begin_array();
    for (std::string_view path : paths) out_.string(path);
    out_.end_array();
  }
  out_.end_object();
}

void Command::watches_by_path() {
  out_.key("path_to_session_ids").begin_object();
  for (const auto& [path, sessions] : server::watches_by_path(clients_)) {
    out_.key(path).begin_array();
    for (SessionId session : sessions) out_.number(session.value());
    out_.end_array();
  }
  out_.end_object();
}

void Command::zabstate() {
  out_.key("voting").boolean(false);
  string("zabstate", "");
}

struct Row {
  std::string_view name;
  std::string_view other_names;  // separated by blanks
  void (Command::*run)();
};

constexpr Row kRows[] = {
    {"configuration", "conf config", &Command::configuration},
    {"connection_stat_reset", "crst", &Command::connection_stat_reset},
    {"connections", "cons", &Command::connections},
    {"dirs", "", &Command::dirs},
    {"dump", "", &Command::dump},
    {"environment", "env envi", &Command::environment},
    {"get_trace_mask", "gtmk", &Command::get_trace_mask},
    {"hash", "", &Command::hash},
    {"initial_configuration", "icfg", &Command::initial_configuration},
    {"is_read_only", "isro", &Command::is_read_only},
    {"last_snapshot", "lsnp", &Command::last_snapshot},
    {"leader", "lead", &Command::leader},
    {"monitor", "mntr", &Command::monitor},
    {"observer_connection_stat_reset", "orst", &Command::nothing},  // there are none
    {"observers", "obsr", &Command::observers},
    {"ruok", "", &Command::nothing},
    {"server_stats", "srvr", &Command::server_stats},
    {"set_trace_mask", "stmk", &Command::set_trace_mask},
    {"stat_reset", "srst", &Command::stat_reset},
    {"stats", "stat", &Command::stats},
    {"system_properties", "sysp", &Command::system_properties},
    {"voting_view", "", &Command::voting_view},
    {"watch_summary", "wchs", &Command::watch_summary},
    {"watches", "wchc", &Command::watches},
    {"watches_by_path", "wchp", &Command::watches_by_path},
    {"zabstate", "", &Command::zabstate}};

bool has_word(std::string_view words, std::string_view wanted) {
  while (!words.empty()) {
    std::string_view word = words.substr(0, words.find(' '));
    if (word == wanted) return true;
    words.remove_prefix(std::min(words.size(), word.size() + 1));
  }
  return false;
}

const Row* find_command(std::string_view name) {
  for (const Row& row : kRows) {
    if (row.name == name || has_word(row.other_names, name)) return &row;
  }
  return nullptr;
}

}  // namespace

std::string run_admin_command(std::string_view name,
                              const std::map<std::string, std::string>& arguments,
                              Clients& clients) {
  JsonWriter out;
  out.begin_object();
  const Row* row = find_command(name);
  if (row == nullptr) {
    out.key("command").string(name);
    out.key("error").string(odradek::format("Unknown command: {}", name));
  } else {
    Command command(out, arguments, clients);
    (command.*row->run)();
    if (command.error()) {
      out.key("error").string(*command.error());
      out.key("command").string(row->name);
    } else {
      out.key("command").string(row->name);
      out.key("error").null();
    }
  }
  out.end_object();
  return out.take();
}

std::string admin_command_links(const std::string& url) {
  std::string page;
  for (const Row& row : kRows) {
    page += odradek::format("<a href=\"{}/{}\">{}</a>\n<br/>\n", url, row.name, row.name);
  }
  return page;
}

}  // namespace odradek::coordinator::server
