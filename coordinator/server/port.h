#pragma once
// Port: the one port, 2181. It accepts, looks at the first bytes without taking them, and hands the
// connection on: to a ZooKeeper connection, to gRPC, or it answers a four-letter word. Anything
// else is closed with one log line. Tree thread.

#include <functional>
#include <memory>
#include <string>
#include <unordered_set>

#include "common/net/connection_count.h"
#include "common/net/listener.h"
#include "common/runtime/executor.h"
#include "coordinator/server/clients.h"

namespace odradek::coordinator::server {

class Port {
 public:
  // Takes the descriptor of a connection that begins with HTTP/2's preface, nothing of it read.
  using OnGrpc = std::function<void(int fd, const std::string& peer)>;

  Port(runtime::Executor executor, Clients& clients, OnGrpc on_grpc);
  ~Port();
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  // Binds the address and port of the settings; errors are one line with cause and remedy.
  Result<void> open();
  // Lets clients in.
  Result<void> start();
  void stop();
  // The one that is bound: of interest where the settings say 0.
  uint16_t number() const { return listener_->port(); }

 private:
  class Visitor;
  void accepted(net::Accepted accepted);

  runtime::Executor executor_;
  Clients& clients_;
  OnGrpc on_grpc_;
  net::ConnectionCount count_;
  std::unique_ptr<net::Listener> listener_;
  std::unordered_set<Visitor*> visitors_;  // not yet known what they are
};

}  // namespace odradek::coordinator::server
