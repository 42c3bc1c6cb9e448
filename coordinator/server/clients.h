#pragma once
// Clients: all ZooKeeper connections of the port, what they share (limits, counters), and the sweep
// over those that never opened a session or hold memory without going on. Tree thread.
//
// Memory: besides what each connection bounds for itself (client_connection.h), three sums are
// bounded here: half-arrived requests, requests that wait, and what clients have not taken yet.

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <unordered_set>
#include <vector>

#include "common/net/listener.h"
#include "common/runtime/executor.h"
#include "common/runtime/timer.h"
#include "coordinator/pipeline/pipeline.h"
#include "coordinator/server/connection_throttle.h"
#include "coordinator/server/peer_log.h"
#include "coordinator/server/server_metrics.h"
#include "coordinator/server/server_stats.h"
#include "coordinator/server/settings.h"

namespace odradek::coordinator::server {

class AuditLog;
class ClientConnection;

// zookeeper.nio.sessionlessCnxnTimeout: a connection that has not asked for a session ends then.
inline constexpr int64_t kSessionlessMs = 10'000;

// Of so many idle connections that end in the same second the log names the peer; of more the
// number.
inline constexpr size_t kSaidInSweep = 5;

// Connections of the port that have not shown what they are.
class Visitors {
 public:
  virtual ~Visitors() = default;
  virtual size_t size() const = 0;
  virtual void for_each(
      const std::function<void(const std::string& peer, int64_t since_ms)>& visit) const = 0;
};

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
  bool throttled() const {
    return outstanding_ >= settings_.global_outstanding_limit || request_throttled();
  }
  // More bytes are on the way than memory should hold: nobody reads on.
  bool full() const;
  void wait_for_room(std::weak_ptr<ClientConnection> connection);
  // False where a ConnectRequest has to be refused.
  bool admit_session();
  void begin_request();
  void end_request();
  void removed(const std::shared_ptr<ClientConnection>& connection);
  // Whether one that holds part of a request may read on. Where all together may hold no more, one
  // at a time still may, so that they do not wait for each other; the others wait_to_read.
  bool may_read_on(const ClientConnection* connection);
  void wait_to_read(std::weak_ptr<ClientConnection> connection) {
    waiting_to_read_.push_back(std::move(connection));
  }
  // By how much the sums have changed: of requests that wait, of those that have arrived in part, of
  // what is not sent yet.
  void waiting_changed(int64_t bytes) { waiting_bytes_ += bytes; }
  void frames_changed(int64_t bytes) { frame_bytes_ += bytes; }
  void outgoing_changed(int64_t bytes);
  // It has a whole request now, or is gone.
  void frame_ended(const ClientConnection* connection);
  // Says, at most once in ten seconds, that a client wanted more watches than it may have.
  void watch_refused(const ClientConnection& connection);

  size_t size() const { return connections_.size(); }
  const std::unordered_set<std::shared_ptr<ClientConnection>>& connections() const {
    return connections_;
  }
  void set_visitors(const Visitors* visitors) { visitors_ = visitors; }
  const Visitors* visitors() const { return visitors_; }
  // TCP connections of clients, also those that are not sessions yet.
  size_t alive_connections() const { return size() + (visitors_ ? visitors_->size() : 0); }
  int64_t outstanding() const { return outstanding_; }

  ServerStats& stats() { return stats_; }
  PeerLog& peer_log() { return peer_log_; }
  ServerMetrics& metrics() { return metrics_; }
  // All metrics, under ZooKeeper's names.
  const metrics::Registry& registry() const { return registry_; }
  // As ZooKeeper counts: its root stands in the tree under two names, "" and "/".
  store::Totals totals() const {
    store::Totals totals = pipeline_.applied_store().totals().value_or(store::Totals());
    ++totals.nodes;
    return totals;
  }
  double connection_drop_chance() const { return throttle_.drop_chance(); }
  double average_latency_ms() const;  // with four decimals
  // srst: what ZooKeeper's ServerStats holds, and the metrics where the provider can be reset.
  void reset_stats();
  // ZooTrace's mask. Nothing is traced here; tools read back what they set.
  int64_t trace_mask() const { return trace_mask_; }
  void set_trace_mask(int64_t mask) { trace_mask_ = mask; }

  // Null where audit.enable is false.
  AuditLog* audit() { return audit_; }
  void set_audit(AuditLog* audit) { audit_ = audit; }

  pipeline::Pipeline& pipeline() { return pipeline_; }
  const ServerSettings& settings() const { return settings_; }
  const Clock& clock() const { return pipeline_.clock(); }
  int64_t uptime_ms() const { return clock().monotonic_ms() - started_ms_; }
  int64_t started_wall_ms() const { return started_wall_ms_; }
  // Ends those that ask for no session, stall where memory is short, or do not take their last
  // bytes; its own timer calls it.
  void sweep();

 private:
  bool request_throttled() const {
    int32_t limit = settings_.operations.request_throttle_limit;
    return limit > 0 && outstanding_ >= limit;
  }
  void close_overdue(int64_t now_ms);
  void close_largest_outgoing();
  void wake(std::vector<std::weak_ptr<ClientConnection>>& waiting);

  runtime::Executor executor_;
  pipeline::Pipeline& pipeline_;
  const ServerSettings& settings_;
  const int64_t started_ms_;
  const int64_t started_wall_ms_;
  ServerStats stats_;
  PeerLog peer_log_;
  ServerMetrics metrics_;
  metrics::Registry registry_;
  ConnectionThrottle throttle_;
  const Visitors* visitors_ = nullptr;
  AuditLog* audit_ = nullptr;
  int64_t trace_mask_ = 306;
  int64_t outstanding_ = 0;
  int64_t waiting_bytes_ = 0;   // of requests that have arrived
  int64_t frame_bytes_ = 0;     // of requests that have arrived in part
  int64_t outgoing_bytes_ = 0;  // of replies and events that are not taken
  bool cutting_ = false;        // close_largest_outgoing is on the way
  int64_t aged_ms_;
  int64_t watch_warned_ms_ = INT64_MIN / 2;
  std::unordered_set<std::shared_ptr<ClientConnection>> connections_;  // it owns them
  std::vector<std::weak_ptr<ClientConnection>> waiting_;               // for room
  std::vector<std::weak_ptr<ClientConnection>> waiting_to_read_;       // for the frames' memory
  const ClientConnection* senior_ = nullptr;  // reads on beyond that memory
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  runtime::RepeatingTimer sweeper_;
};

}  // namespace odradek::coordinator::server
