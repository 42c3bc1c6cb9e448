#pragma once
// ClientSocket: a ClientConnection on a TCP socket: it moves the bytes and decides nothing. Tree
// thread.

#include <boost/asio/ip/tcp.hpp>
#include <memory>

#include "common/net/listener.h"
#include "common/runtime/executor.h"
#include "coordinator/server/client_connection.h"

namespace odradek::coordinator::server {

class ClientSocket final : public ClientConnection {
 public:
  ClientSocket(runtime::Executor executor, net::Accepted accepted, Clients& clients,
               std::function<void()> on_closed);

  void start() { on_readable(); }
  int interest_ops() const override { return (reading_ ? 1 : 0) + (writing_ ? 4 : 0); }

 private:
  void flush_soon() override;
  void read_on() override;
  void hang_up() override;
  void post(std::function<void()> fn) override;
  void on_readable();
  void flush();
  std::shared_ptr<ClientSocket> self() {
    return std::static_pointer_cast<ClientSocket>(shared_from_this());
  }

  runtime::Executor executor_;
  boost::asio::ip::tcp::socket socket_;
  bool reading_ = false;
  bool writing_ = false;
  bool flush_scheduled_ = false;
};

}  // namespace odradek::coordinator::server
