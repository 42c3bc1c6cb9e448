#include "coordinator/server/port.h"

#include <sys/socket.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <cstring>

#include "common/format.h"
#include "common/log/log.h"
#include "common/net/frame_assembler.h"
#include "coordinator/server/four_letter_words.h"

namespace odradek::coordinator::server {

namespace {

namespace asio = boost::asio;

constexpr std::string_view kHttp2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
constexpr int64_t kDeadlineMs = 10'000;
// Some bytes are there but not enough to tell: the socket stays readable, so it is looked at again
// by time.
constexpr int64_t kFirstPauseMs = 2;
constexpr int64_t kLastPauseMs = 100;

net::ConnectionLimits limits_of(const ServerSettings& settings) {
  net::ConnectionLimits limits;
  if (settings.max_client_connections > 0) limits.per_address = settings.max_client_connections;
  if (settings.max_connections > 0) limits.total = settings.max_connections;
  return limits;
}

}  // namespace

// A connection of which the first bytes are not seen yet.
class Port::Visitor : public std::enable_shared_from_this<Port::Visitor> {
 public:
  Visitor(Port& port, net::Accepted accepted)
      : port_(&port),
        accepted_(std::move(accepted)),
        socket_(port.executor_),
        timer_(port.executor_),
        deadline_(port.executor_) {
    bool v6 = accepted_.address.find(':') != std::string::npos;
    socket_.assign(v6 ? asio::ip::tcp::v6() : asio::ip::tcp::v4(), accepted_.fd);
  }

  void start() {
    deadline_.expires_after(std::chrono::milliseconds(kDeadlineMs));
    deadline_.async_wait([self = shared_from_this()](boost::system::error_code error) {
      if (!error && self->port_) {
        ++self->port_->clients_.stats().sessionless_expired;
        self->say_closing("it said nothing that is understood here in 10 s");
        self->leave();
      }
    });
    wait();
  }

  // Closes the socket, if it is still here, and gives the place in the count back.
  void leave() {
    if (!port_) return;
    forget();
    boost::system::error_code ignored;
    socket_.close(ignored);
    port_->count_.leave(accepted_.address);
    port_ = nullptr;
  }

 private:
  void forget() {
    port_->visitors_.erase(this);
    timer_.cancel();
    deadline_.cancel();
  }

  void wait() {
    socket_.async_wait(asio::socket_base::wait_read,
                       [self = shared_from_this()](boost::system::error_code error) {
                         if (!error && self->port_) self->look();
                       });
  }

  void look_again_soon() {
    timer_.expires_after(std::chrono::milliseconds(pause_ms_));
    pause_ms_ = std::min(2 * pause_ms_, kLastPauseMs);
    timer_.async_wait([self = shared_from_this()](boost::system::error_code error) {
      if (!error && self->port_) self->look();
    });
  }

  void look() {
    char bytes[kHttp2Preface.size()];
    ssize_t got = ::recv(socket_.native_handle(), bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return wait();
    if (got <= 0) return leave();
    std::string_view first(bytes, static_cast<size_t>(got));
    if (kHttp2Preface.starts_with(first)) {
      return first.size() == kHttp2Preface.size() ? hand_to_grpc() : look_again_soon();
    }
    if (first.size() < 4) return look_again_soon();
    if (is_four_letter_word(first.substr(0, 4))) return answer(std::string(first.substr(0, 4)));
    int32_t length = ByteReader(first).i32();
    if (length > 0 && static_cast<size_t>(length) <= port_->clients_.settings().jute_max_buffer) {
      return hand_to_zookeeper();
    }
    refuse(first);
  }

  void hand_to_zookeeper() {
    Port& port = *port_;
    forget();
    boost::system::error_code error;
    accepted_.fd = socket_.release(error);
    port_ = nullptr;
    if (error) return;
    std::string address = accepted_.address;
    port.clients_.serve(std::move(accepted_), [&port, address] { port.count_.leave(address); });
  }

  void hand_to_grpc() {
    if (port_->clients_.settings().auth.enforce) {
      say_closing(
          "it speaks gRPC, which cannot authenticate here, and every client must (enforce.auth, "
          "requireClientAuthScheme)");
      return leave();
    }
    Port& port = *port_;
    forget();
    port_ = nullptr;
    port.count_.leave(accepted_.address);  // gRPC has limits of its own
    boost::system::error_code error;
    int fd = socket_.release(error);
    if (!error) port.on_grpc_(fd, accepted_.peer());
  }

  void answer(const std::string& word) {
    // the word is taken, so that closing does not reset the connection before the answer is read
    char taken[512];
    while (::recv(socket_.native_handle(), taken, sizeof taken, MSG_DONTWAIT) > 0) {
    }
    LOG_DEBUG("zookeeper", "Processing {} command from /{}", word, accepted_.peer());
    text_ = answer_word(word, accepted_.peer(), port_->clients_);
    send_text();
  }

  void send_text() {
    while (sent_ < text_.size()) {
      ssize_t sent = ::send(socket_.native_handle(), text_.data() + sent_, text_.size() - sent_,
                            MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent < 0 && errno == EAGAIN) {
        socket_.async_wait(asio::socket_base::wait_write,
                           [self = shared_from_this()](boost::system::error_code error) {
                             if (!error && self->port_) self->send_text();
                           });
        return;
      }
      if (sent < 0) break;
      sent_ += static_cast<size_t>(sent);
    }
    leave();
  }

  void say_closing(const std::string& reason) {
    port_->clients_.peer_log().warn(
        accepted_.address,
        odradek::format("Closing connection of /{}: {}", accepted_.peer(), reason));
  }

  void refuse(std::string_view first) {
    std::string reason = net::foreign_protocol(first);
    // "it speaks HTTP; …": what is expected here is not what that sentence says
    reason = reason.substr(0, reason.find(';'));
    if (reason.empty()) {
      reason = odradek::format("its first four bytes, 0x{:08x}, are no length of a ZooKeeper request",
                           ByteReader(first).u32());
    }
    say_closing(reason);
    ++port_->clients_.stats().connections_rejected;
    leave();
  }

  Port* port_;  // null once it is handed on or gone
  net::Accepted accepted_;
  asio::ip::tcp::socket socket_;
  asio::steady_timer timer_;
  asio::steady_timer deadline_;
  int64_t pause_ms_ = kFirstPauseMs;
  std::string text_;
  size_t sent_ = 0;
};

Port::Port(runtime::Executor executor, Clients& clients, OnGrpc on_grpc)
    : executor_(executor),
      clients_(clients),
      on_grpc_(std::move(on_grpc)),
      count_(limits_of(clients.settings())) {}

Port::~Port() { stop(); }

Result<void> Port::open() {
  const ServerSettings& settings = clients_.settings();
  auto listener = net::Listener::open(
      executor_, settings.client_port_address, settings.client_port,
      settings.client_port_address.empty() ? "clientPort" : "clientPort and clientPortAddress");
  if (!listener) return listener.error();
  listener_ = *std::move(listener);
  return {};
}

Result<void> Port::start() {
  int backlog = clients_.settings().backlog > 0 ? clients_.settings().backlog : SOMAXCONN;
  return listener_->start(backlog,
                          [this](net::Accepted accepted) { this->accepted(std::move(accepted)); });
}

void Port::stop() {
  if (listener_) listener_->stop();
  for (auto visitors = visitors_; Visitor * visitor : visitors) visitor->leave();
}

void Port::accepted(net::Accepted accepted) {
  if (auto entered = count_.enter(accepted.address); !entered) {
    ++clients_.stats().connections_rejected;
    LOG_WARN("zookeeper",
             "Too many connections from /{}: {}; maxClientCnxns and maxCnxns say how many may be",
             accepted.address, entered.error().what());
    asio::ip::tcp::socket closes(executor_);
    closes.assign(
        accepted.address.find(':') == std::string::npos ? asio::ip::tcp::v4() : asio::ip::tcp::v6(),
        accepted.fd);
    return;
  }
  auto visitor = std::make_shared<Visitor>(*this, std::move(accepted));
  visitors_.insert(visitor.get());
  visitor->start();
}

}  // namespace odradek::coordinator::server
