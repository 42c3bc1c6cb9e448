#pragma once
// What the four-letter words and the admin server tell about a running server, before it is laid out
// as text or JSON. Tree thread.

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "coordinator/server/clients.h"

namespace odradek::coordinator::server {

// The version that clients see: ZooKeeper's whose behaviour is served, then ours.
inline constexpr std::string_view kVersion = "3.8.6-odradek-0.1.0, built on 2026-11-21 00:00 UTC";

struct ConnectionReport {
  std::string peer;  // "127.0.0.1:50122"
  int interest_ops = 0;
  size_t queued = 0;
  int64_t received = 0;
  int64_t sent = 0;
  SessionId session;  // 0: none yet; then the rest is as it is at first
  const char* last_op = "NA";
  int64_t since_wall_ms = 0;
  int32_t timeout_ms = 0;
  int64_t last_xid = -1;
  Zxid last_zxid{-1};
  int64_t last_response_ms = 0;  // monotonic
  int64_t last_latency_ms = 0;
  LatencyStats latency;
  int64_t expires_ms = 0;  // monotonic: when it is closed, or its session expires
};
// `asker` is the peer that asks by a four-letter word; empty where nobody does.
std::vector<ConnectionReport> report_connections(Clients& clients, const std::string& asker = "");

// By session, sorted; sessions without ephemerals are not among them.
std::map<SessionId, std::vector<std::string>> report_ephemerals(Clients& clients);

// Of the data watches (tree::kWatchAnyData), as ZooKeeper shows them.
struct WatchSummary {
  size_t connections = 0;
  size_t paths = 0;
  size_t watches = 0;
};
WatchSummary summarize_watches(Clients& clients);
// The paths are the watch table's own: good until it changes.
std::map<SessionId, std::vector<std::string_view>> watches_by_session(Clients& clients);
std::map<std::string_view, std::vector<SessionId>> watches_by_path(Clients& clients);

// ZooKeeper's names, without those of a JVM, which is not there: java.*, os.memory.*.
std::vector<std::pair<std::string, std::string>> report_environment();

// What the store takes on disk.
int64_t store_bytes(Clients& clients);

}  // namespace odradek::coordinator::server
