#include "coordinator/server/clients.h"

#include "coordinator/server/client_socket.h"

namespace odradek::coordinator::server {

namespace {
constexpr int64_t kSweepMs = 1000;
// zookeeper.nio.sessionlessCnxnTimeout
constexpr int64_t kSessionlessMs = 10'000;
// Writes that wait for the disk; 1000 requests of a megabyte each would be a gigabyte.
constexpr size_t kMaxBytesInFlight = 32u << 20;
}  // namespace

Clients::Clients(runtime::Executor executor, pipeline::Pipeline& pipeline,
                 const ServerSettings& settings)
    : executor_(executor),
      pipeline_(pipeline),
      settings_(settings),
      started_ms_(pipeline.clock().monotonic_ms()),
      peer_log_(pipeline.clock(), settings.peer_log_lines),
      sweeper_(executor, [this] {
        sweep();
        return kSweepMs;
      }) {
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
  ++stats_.connections_made;
}

void Clients::close_all() {
  for (auto all = connections_; auto& connection : all) connection->close();
}

bool Clients::full() const { return pipeline_.bytes_in_flight() > kMaxBytesInFlight; }

void Clients::wait_for_room(std::weak_ptr<ClientConnection> connection) {
  waiting_.push_back(std::move(connection));
}

void Clients::end_request() {
  --outstanding_;
  if (waiting_.empty() || throttled() || full()) return;
  auto waiting = std::exchange(waiting_, {});
  for (auto& each : waiting) {
    if (auto connection = each.lock()) connection->room_again();
  }
}

void Clients::removed(const std::shared_ptr<ClientConnection>& connection) {
  connections_.erase(connection);
  ++stats_.connections_dropped;
}

void Clients::sweep() {
  int64_t now_ms = clock().monotonic_ms();
  std::vector<std::shared_ptr<ClientConnection>> idle;
  std::vector<std::shared_ptr<ClientConnection>> overdue;
  for (const auto& connection : connections_) {
    if (connection->sessionless() && now_ms - connection->since_ms() >= kSessionlessMs) {
      idle.push_back(connection);
    }
    if (connection->overdue(now_ms)) overdue.push_back(connection);
  }
  peer_log_.sweep();
  for (auto& connection : overdue) connection->close("it does not take the last replies");
  for (auto& connection : idle) {
    ++stats_.sessionless_expired;
    connection->close("no session was asked for in 10 s");
  }
}

}  // namespace odradek::coordinator::server
