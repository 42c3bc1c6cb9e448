#pragma once
// Port: the one port, 2181. It accepts, looks at the first bytes without taking them, and hands the
// connection on: to a ZooKeeper connection, to gRPC, or it answers a four-letter word. Anything
// else is closed with one log line. Tree thread.
//
// A connection that says nothing, or less than its first request (or 1 KiB of it), costs one small
// object and one system call, whatever it does: the kernel is told how many bytes are missing
// (SO_RCVLOWAT) and wakes us when they are there. After ten seconds it is closed.

#include <functional>
#include <list>
#include <memory>
#include <string>

#include "common/net/connection_count.h"
#include "common/net/listener.h"
#include "common/runtime/executor.h"
#include "common/runtime/timer.h"
#include "coordinator/server/clients.h"

namespace odradek::coordinator::server {

class Port final : public Visitors {
 public:
  // Takes the descriptor of a connection that begins with HTTP/2's preface, nothing of it read.
  using OnGrpc = std::function<void(int fd, const std::string& peer)>;

  Port(runtime::Executor executor, Clients& clients, OnGrpc on_grpc);
  ~Port() override;
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  // Binds the address and port of the settings; errors are one line with cause and remedy.
  Result<void> open();
  // Lets clients in.
  Result<void> start();
  void stop();
  // The one that is bound: of interest where the settings say 0.
  uint16_t number() const { return listener_->port(); }

  size_t size() const override { return visitors_.size(); }
  void for_each(const std::function<void(const std::string& peer, int64_t since_ms)>& visit)
      const override;

 private:
  class Visitor;
  using VisitorList = std::list<std::shared_ptr<Visitor>>;
  void accepted(net::Accepted accepted);
  void sweep();

  runtime::Executor executor_;
  Clients& clients_;
  OnGrpc on_grpc_;
  net::ConnectionCount count_;
  std::unique_ptr<net::Listener> listener_;
  VisitorList visitors_;         // not yet known what they are, the oldest first
  size_t answers_in_flight_ = 0;  // bytes of answers to words that are not taken yet
  int64_t refused_since_warning_ = 0;
  int64_t warned_ms_ = INT64_MIN / 2;
  runtime::RepeatingTimer sweeper_;
};

}  // namespace odradek::coordinator::server
