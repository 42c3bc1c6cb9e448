#include "coordinator/server/clients.h"

#include <boost/asio/post.hpp>
#include <cmath>
#include <random>

#include "common/log/log.h"
#include "common/metrics/process.h"
#include "coordinator/server/client_socket.h"

namespace odradek::coordinator::server {

namespace {
constexpr int64_t kSweepMs = 1000;
// Writes that wait for the disk; 1000 requests of a megabyte each would be a gigabyte.
constexpr size_t kMaxBytesInFlight = 32u << 20;
// Where memory for half-arrived requests is short, one that sends nothing more for so long ends.
constexpr int64_t kStalledMs = 5000;
// Five ages are the ten minutes that recent quantiles are of.
constexpr int64_t kAgeMs = 120'000;
constexpr int64_t kWarnEveryMs = 10'000;

double random_share() {
  static thread_local std::mt19937 generator{std::random_device{}()};
  return std::uniform_real_distribution<double>()(generator);
}
}  // namespace

Clients::Clients(runtime::Executor executor, pipeline::Pipeline& pipeline,
                 const ServerSettings& settings)
    : executor_(executor),
      pipeline_(pipeline),
      settings_(settings),
      started_ms_(pipeline.clock().monotonic_ms()),
      started_wall_ms_(pipeline.clock().wall_ms()),
      peer_log_(pipeline.clock(), settings.peer_log_lines),
      throttle_(settings.operations.connection_throttle, started_ms_, random_share),
      aged_ms_(started_ms_),
      sweeper_(executor, [this] {
        sweep();
        return kSweepMs;
      }) {
  pipeline_.watches().set_limits({settings.operations.memory.watches,
                                  settings.operations.memory.watches_of_connection});
  register_metrics(*this, registry_);
  const MetricsSettings& metrics = settings.operations.metrics;
  if (metrics.provider == MetricsProvider::prometheus && metrics.export_process) {
    metrics::add_process_metrics(registry_, started_wall_ms_);
  }
  sweeper_.start(kSweepMs);
}

Clients::~Clients() { close_all(); }

void Clients::serve(net::Accepted accepted, std::function<void()> on_closed) {
  auto connection =
      std::make_shared<ClientSocket>(executor_, std::move(accepted), *this, std::move(on_closed));
  add(connection);
  connection->start();
}

void Clients::add(std::shared_ptr<ClientConnection> connection) {
  connections_.insert(std::move(connection));
}

void Clients::close_all() {
  for (auto all = connections_; auto& connection : all) connection->close();
}

// ---- requests

bool Clients::admit_session() {
  bool admitted = throttle_.admit(clock().monotonic_ms());
  if (!admitted) {
    metrics_.connections_rejected.add();
    return false;
  }
  metrics_.token_deficit.observe(throttle_.deficit());
  metrics_.connection_requests.add();
  return true;
}

bool Clients::full() const {
  return pipeline_.bytes_in_flight() > kMaxBytesInFlight ||
         waiting_bytes_ > static_cast<int64_t>(settings_.operations.memory.request_bytes);
}

void Clients::wait_for_room(std::weak_ptr<ClientConnection> connection) {
  waiting_.push_back(std::move(connection));
  if (request_throttled()) metrics_.throttle_waits.add();
}

void Clients::begin_request() {
  ++outstanding_;
  metrics_.requests_queued.add();
}

void Clients::end_request() {
  --outstanding_;
  if (!waiting_.empty() && !throttled() && !full()) wake(waiting_);
}

void Clients::wake(std::vector<std::weak_ptr<ClientConnection>>& waiting) {
  for (auto& each : std::exchange(waiting, {})) {
    if (auto connection = each.lock()) connection->room_again();
  }
}

bool Clients::may_read_on(const ClientConnection* connection) {
  if (frame_bytes_ < static_cast<int64_t>(settings_.operations.memory.request_bytes)) return true;
  if (senior_ == nullptr) senior_ = connection;
  return senior_ == connection;
}

void Clients::frame_ended(const ClientConnection* connection) {
  if (senior_ == connection) senior_ = nullptr;
  if (waiting_to_read_.empty()) return;
  if (senior_ == nullptr || frame_bytes_ < static_cast<int64_t>(settings_.operations.memory.request_bytes)) {
    wake(waiting_to_read_);
  }
}

// ---- replies and events

void Clients::outgoing_changed(int64_t bytes) {
  outgoing_bytes_ += bytes;
  if (cutting_ || outgoing_bytes_ <= static_cast<int64_t>(settings_.operations.memory.outgoing_bytes)) return;
  cutting_ = true;
  // not inside of somebody's reply or event
  boost::asio::post(executor_, [this, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;
    cutting_ = false;
    close_largest_outgoing();
  });
}

void Clients::close_largest_outgoing() {
  while (outgoing_bytes_ > static_cast<int64_t>(settings_.operations.memory.outgoing_bytes)) {
    std::shared_ptr<ClientConnection> largest;
    for (const auto& connection : connections_) {
      if (!largest || connection->outgoing_bytes() > largest->outgoing_bytes()) {
        largest = connection;
      }
    }
    if (!largest || largest->outgoing_bytes() == 0) return;
    largest->close(
        "it takes its replies and events so slowly that memory for them is used up "
        "(odradek.outgoing.max.bytes)");
  }
}

void Clients::watch_refused(const ClientConnection& connection) {
  int64_t now_ms = clock().monotonic_ms();
  if (now_ms - watch_warned_ms_ < kWarnEveryMs) return;
  watch_warned_ms_ = now_ms;
  const tree::WatchLimits& limits = pipeline_.watches().limits();
  LOG_WARN("zookeeper",
           "/{} (session 0x{:x}) may set no more watches: of {} that one connection may have it has "
           "{}, of {} in all there are {} (odradek.watches.max.per.connection, "
           "odradek.watches.max)",
           connection.peer(), connection.session().value(), limits.of_one_watcher,
           pipeline_.watches().places_of(&connection),
           limits.total, pipeline_.watches().places());
}

// ---- the rest

void Clients::removed(const std::shared_ptr<ClientConnection>& connection) {
  connections_.erase(connection);
  frame_ended(connection.get());
}

double Clients::average_latency_ms() const {
  return std::round(stats_.latency.average() * 1e4) / 1e4;
}

void Clients::reset_stats() {
  stats_ = ServerStats();
  // ZooKeeper's Prometheus provider cannot be reset
  if (settings_.operations.metrics.provider == MetricsProvider::prometheus) return;
  metrics_.reset();
  pipeline_.metrics().reset();
}

void Clients::sweep() {
  int64_t now_ms = clock().monotonic_ms();
  close_overdue(now_ms);
  if (now_ms - aged_ms_ < kAgeMs) return;
  aged_ms_ = now_ms;
  metrics_.age();
  pipeline_.metrics().age();
}

void Clients::close_overdue(int64_t now_ms) {
  std::vector<std::shared_ptr<ClientConnection>> idle;
  std::vector<std::shared_ptr<ClientConnection>> overdue;
  std::vector<std::shared_ptr<ClientConnection>> stalled;
  bool memory_is_short = !waiting_to_read_.empty();
  for (const auto& connection : connections_) {
    if (connection->sessionless() && now_ms - connection->since_ms() >= kSessionlessMs) {
      idle.push_back(connection);
    } else if (memory_is_short && connection->stalled_ms(now_ms) >= kStalledMs) {
      stalled.push_back(connection);
    }
    if (connection->overdue(now_ms)) overdue.push_back(connection);
  }
  peer_log_.sweep();
  for (auto& connection : overdue) connection->close("it does not take the last replies");
  for (auto& connection : stalled) {
    connection->close("memory is short, and the rest of its large request does not come");
  }
  size_t said = 0;
  for (auto& connection : idle) {
    metrics_.sessionless_expired.add();
    connection->close(++said <= kSaidInSweep ? "no session was asked for in 10 s" : "");
  }
  if (said <= kSaidInSweep) return;
  LOG_WARN("zookeeper", "{} more connections asked for no session in 10 s: closed",
           said - kSaidInSweep);
}

}  // namespace odradek::coordinator::server
