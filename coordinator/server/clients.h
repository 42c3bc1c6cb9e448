#pragma once
// Clients: all ZooKeeper connections of the port, what they share (limits, counters), and the sweep
// over those that never opened a session. Tree thread.

#include <memory>
#include <set>
#include <string>
#include <unordered_set>
#include <vector>

#include "common/net/listener.h"
#include "common/runtime/executor.h"
#include "common/runtime/timer.h"
#include "coordinator/pipeline/pipeline.h"
#include "coordinator/server/peer_log.h"
#include "coordinator/server/server_stats.h"
#include "coordinator/server/settings.h"

namespace odradek::coordinator::server {

class ClientConnection;

class Clients {
 public:
  Clients(runtime::Executor executor, pipeline::Pipeline& pipeline, const ServerSettings& settings);
  ~Clients();
  Clients(const Clients&) = delete;
  Clients& operator=(const Clients&) = delete;

  // A connection whose first bytes look like ZooKeeper's. `on_closed` runs once when it is gone.
  void serve(net::Accepted accepted, std::function<void()> on_closed);
  void add(std::shared_ptr<ClientConnection> connection);
  void close_all();

  // Of the connections:
  // More requests than globalOutstandingLimit are on the way: who has one among them does not read
  // on. Everybody else may have one, so that nobody waits for the busy ones (as ZooKeeper).
  bool throttled() const { return outstanding_ >= settings_.global_outstanding_limit; }
  // More bytes are on the way than memory should hold: nobody reads on.
  bool full() const;
  void wait_for_room(std::weak_ptr<ClientConnection> connection);
  void begin_request() { ++outstanding_; }
  void end_request();
  void removed(const std::shared_ptr<ClientConnection>& connection);

  size_t size() const { return connections_.size(); }
  const std::unordered_set<std::shared_ptr<ClientConnection>>& connections() const {
    return connections_;
  }
  int64_t outstanding() const { return outstanding_; }
  ServerStats& stats() { return stats_; }
  PeerLog& peer_log() { return peer_log_; }
  const ServerStats& stats() const { return stats_; }
  pipeline::Pipeline& pipeline() { return pipeline_; }
  const ServerSettings& settings() const { return settings_; }
  const Clock& clock() const { return pipeline_.clock(); }
  int64_t uptime_ms() const { return clock().monotonic_ms() - started_ms_; }
  // Ends those that ask for no session, or do not take their last bytes; its own timer calls it.
  void sweep();

 private:
  runtime::Executor executor_;
  pipeline::Pipeline& pipeline_;
  const ServerSettings& settings_;
  const int64_t started_ms_;
  ServerStats stats_;
  PeerLog peer_log_;
  int64_t outstanding_ = 0;
  std::unordered_set<std::shared_ptr<ClientConnection>> connections_;  // it owns them
  std::vector<std::weak_ptr<ClientConnection>> waiting_;               // for room
  runtime::RepeatingTimer sweeper_;
};

}  // namespace odradek::coordinator::server
