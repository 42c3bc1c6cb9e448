#include "broker/server/server.h"

#include <malloc.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

#include "common/log/log.h"
#include "common/runtime/owner.h"
#include "common/runtime/shards.h"

namespace odradek::broker::server {

namespace asio = boost::asio;

namespace {
constexpr size_t kMaxWarned = 1000;
constexpr int64_t kLongestSweepMs = 10000;
}  // namespace

Server::Server(ServerSettings settings, api::Services& services)
    : settings_(std::move(settings)),
      services_(services),
      count_(settings_.limits),
      frame_memory_(settings_.frame_memory_bytes),
      shards_(services.shards->size()) {}

Server::~Server() = default;

Result<void> Server::bind() {
  for (const ListenAddress& address : settings_.listeners) {
    auto listener = net::Listener::open(services_.shards->executor(0), address.host, address.port);
    if (!listener) return listener.error();
    listeners_.push_back(std::move(*listener));
  }
  return {};
}

Result<void> Server::start() {
  for (size_t i = 0; i < listeners_.size(); ++i) {
    std::string name = settings_.listeners[i].name;
    auto started = listeners_[i]->start(settings_.backlog, [this, name](net::Accepted accepted) {
      take(name, std::move(accepted));
    });
    if (!started) return started;
  }
  for (size_t i = 0; i < shards_.size(); ++i) {
    if (settings_.connection.max_idle_ms < 0) break;
    auto executor = services_.shards->executor(i);
    asio::post(executor, [this, i, executor] {
      shards_[i].sweeper =
          std::make_unique<runtime::RepeatingTimer>(executor, [this, i] { return sweep(i); });
      shards_[i].sweeper->start(
          std::min(kLongestSweepMs, settings_.connection.max_idle_ms / 4 + 1));
    });
  }
  return {};
}

void Server::stop_accepting() {
  for (auto& listener : listeners_) listener->stop();
}

// On the first shard.
void Server::take(const std::string& listener, net::Accepted accepted) {
  auto entered = count_.enter(accepted.address);
  if (!entered) {
    if (warned_.size() < kMaxWarned && warned_.insert(accepted.address).second) {
      LOG_WARN(
          "server",
          "Connection of {} is closed: {}; later ones of this address are closed without a line",
          accepted.peer(), entered.error().what());
    }
    ::close(accepted.fd);
    return;
  }
  net::set_socket_buffers(accepted.fd, settings_.connection.send_buffer_bytes,
                          settings_.connection.receive_buffer_bytes);
  size_t shard = next_shard_;
  next_shard_ = (next_shard_ + 1) % shards_.size();
  if (shard == 0) return open(shard, listener, std::move(accepted));
  asio::post(services_.shards->executor(shard),
             [this, shard, listener, accepted = std::move(accepted)]() mutable {
               open(shard, listener, std::move(accepted));
             });
}

void Server::open(size_t shard, const std::string& listener, net::Accepted accepted) {
  auto executor = services_.shards->executor(shard);
  auto connection = std::make_shared<Connection>(executor, std::move(accepted), listener,
                                                 settings_.connection, services_, frame_memory_);
  shards_[shard].connections.insert(connection);
  auto ended = [this, shard, connection](std::exception_ptr) {  // run() throws nothing
    count_.leave(connection->address());
    shards_[shard].connections.erase(connection);
  };
  asio::co_spawn(executor, connection->run(), std::move(ended));
}

int64_t Server::sweep(size_t shard) {
  const int64_t now = services_.clock->monotonic_ms();
  const int64_t max_idle = settings_.connection.max_idle_ms;
  bool any_active = false;
  for (const auto& connection : shards_[shard].connections) {
    if (connection->is_idle(now, max_idle)) {
      connection->close();
    } else if (!connection->is_idle(now, kLongestSweepMs)) {
      any_active = true;
    }
  }
  // between loads the heap's free pages go back to the system
  if (!any_active && !shards_[shard].trimmed) {
    net::FramedConnection::drop_spare();
    ::malloc_trim(0);
  }
  shards_[shard].trimmed = !any_active;
  return std::min(kLongestSweepMs, max_idle / 4 + 1);
}

runtime::awaitable<void> Server::close_all() {
  for (size_t i = 0; i < shards_.size(); ++i) {
    auto close = [this, i] {
      shards_[i].sweeper.reset();
      for (const auto& connection : shards_[i].connections) connection->close();
    };
    co_await runtime::run_on(services_.shards->executor(i), std::move(close));
  }
}

}  // namespace odradek::broker::server
