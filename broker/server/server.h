#pragma once
// Server: the listeners of this broker and all its connections, dealt round robin over the shards.
// A shard's set of connections is touched on that shard only.

#include <atomic>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "broker/api/handler.h"
#include "broker/server/connection.h"
#include "common/net/connection_count.h"
#include "common/net/listener.h"
#include "common/net/memory_budget.h"
#include "common/result.h"
#include "common/runtime/timer.h"

namespace odradek::broker::server {

struct ListenAddress {
  std::string name;  // of the listener, upper case
  std::string host;  // empty: all addresses
  uint16_t port = 9092;
};

struct ServerSettings {
  std::vector<ListenAddress> listeners;
  int backlog = 50;  // socket.listen.backlog.size
  net::ConnectionLimits limits;
  ConnectionSettings connection;
  size_t frame_memory_bytes = 256 << 20;  // what large requests that arrive may take together
};

class Server {
 public:
  Server(ServerSettings settings, api::Services& services);
  ~Server();

  // Binds every listener, so that a port in use is known before anything else happens; nobody is
  // let in yet. On any thread, before the shards of the listeners run or on the first shard.
  Result<void> bind();
  // The port of a listener, where 0 was asked for; in the order of the settings.
  uint16_t port(size_t listener) const { return listeners_[listener]->port(); }
  // On the first shard: lets clients in from now on.
  Result<void> start();
  // On the first shard: accepts nothing any more.
  void stop_accepting();
  // Closes every connection.
  runtime::awaitable<void> close_all();
  int64_t connections() const { return count_.total(); }

 private:
  struct Shard {
    std::unordered_set<std::shared_ptr<Connection>> connections;
    std::unique_ptr<runtime::RepeatingTimer> sweeper;
    bool trimmed = false;  // the heap gave back what it could since the last request
  };

  void take(const std::string& listener, net::Accepted accepted);
  void open(size_t shard, const std::string& listener, net::Accepted accepted);
  int64_t sweep(size_t shard);

  const ServerSettings settings_;
  api::Services& services_;
  net::ConnectionCount count_;
  net::MemoryBudget frame_memory_;
  std::vector<std::unique_ptr<net::Listener>> listeners_;
  std::vector<Shard> shards_;
  size_t next_shard_ = 0;
  std::unordered_set<std::string> warned_;  // addresses over a limit that were named in the log
};

}  // namespace odradek::broker::server
