#pragma once
// Listener: one listening socket. It lives on the executor given to it; what it accepts it hands
// over as a plain descriptor (non-blocking, closed on exec, no delay), so that the receiver can put
// it on any shard.

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "common/result.h"

namespace odradek::net {

struct Accepted {
  int fd = -1;          // the receiver owns it
  std::string address;  // "127.0.0.1", "::1"
  uint16_t port = 0;
  std::string peer() const;  // "127.0.0.1:50122", "[::1]:50122"
};

class Listener {
 public:
  using OnAccept = std::function<void(Accepted)>;

  // Binds: the port is ours, but who connects is refused until start(). `host` empty: every address
  // (IPv6 and IPv4 where there is IPv6). The error is one line with cause and remedy: port in use,
  // no right to a low port, no such address. `setting` names where a person corrects it.
  static Result<std::unique_ptr<Listener>> open(boost::asio::any_io_executor executor,
                                                const std::string& host, uint16_t port,
                                                const std::string& setting = "listeners");
  ~Listener();

  uint16_t port() const;
  // Lets clients in, at most `backlog` of them waiting. Accepts until stop(); on_accept runs on the
  // executor.
  Result<void> start(int backlog, OnAccept on_accept);
  // On the executor. Nothing is accepted any more when it returns.
  void stop();

 private:
  class Impl;
  explicit Listener(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<Impl> impl_;
};

// Sizes of socket.send.buffer.bytes and socket.receive.buffer.bytes; -1 leaves the system's.
void set_socket_buffers(int fd, int send_bytes, int receive_bytes);

}  // namespace odradek::net
