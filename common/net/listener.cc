#include "common/net/listener.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <cstring>

#include "common/log/log.h"

namespace odradek::net {

namespace asio = boost::asio;

namespace {

std::string bind_failure(const std::string& host, uint16_t port, int error,
                         const std::string& setting) {
  std::string where = (host.empty() ? std::string("0.0.0.0") : host) + ":" + std::to_string(port);
  switch (error) {
    case EADDRINUSE:
      return "Port " + std::to_string(port) + " is in use by another program, so " + where +
             " cannot be listened on: stop that program ('ss -ltnp sport = :" +
             std::to_string(port) + "' names it) or choose another port in '" + setting + "'";
    case EACCES:
      return "No right to listen on " + where +
             ": ports below 1024 need CAP_NET_BIND_SERVICE; choose another port in '" + setting +
             "'";
    case EADDRNOTAVAIL:
      return "No network interface of this machine has the address of " + where + ": correct '" +
             setting + "'" +
             (setting == "listeners" ? " (advertised.listeners is what clients are told)" : "");
    default:
      return "Cannot listen on " + where + ": " + std::strerror(error);
  }
}

void read_address(const sockaddr_storage& from, Accepted& accepted) {
  char text[INET6_ADDRSTRLEN] = "?";
  if (from.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(from);
    inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
    accepted.port = ntohs(v4.sin_port);
  } else if (from.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(from);
    if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
      inet_ntop(AF_INET, reinterpret_cast<const char*>(&v6.sin6_addr) + 12, text, sizeof text);
    } else {
      inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
    }
    accepted.port = ntohs(v6.sin6_port);
  }
  accepted.address = text;
}

// One bound socket, or errno.
int try_bind(const addrinfo& at, int& error) {
  int fd = ::socket(at.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    error = errno;
    return -1;
  }
  int on = 1;
  int off = 0;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (at.ai_family == AF_INET6) ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  if (::bind(fd, at.ai_addr, at.ai_addrlen) != 0) {
    error = errno;
    ::close(fd);
    return -1;
  }
  return fd;
}

}  // namespace

std::string Accepted::peer() const {
  bool v6 = address.find(':') != std::string::npos;
  return (v6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

void set_socket_buffers(int fd, int send_bytes, int receive_bytes) {
  if (send_bytes > 0) ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send_bytes, sizeof send_bytes);
  if (receive_bytes > 0)
    ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
}

class Listener::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(asio::any_io_executor executor, int fd, bool v6, std::string host, uint16_t port,
       std::string setting)
      : acceptor_(executor),
        pause_(executor),
        host_(std::move(host)),
        asked_port_(port),
        setting_(std::move(setting)) {
    acceptor_.assign(v6 ? asio::ip::tcp::v6() : asio::ip::tcp::v4(), fd);
  }

  uint16_t port() const { return acceptor_.local_endpoint().port(); }

  Result<void> start(int backlog, OnAccept on_accept) {
    if (::listen(acceptor_.native_handle(), backlog) != 0) {
      return Error(Errc::unavailable, bind_failure(host_, asked_port_, errno, setting_));
    }
    on_accept_ = std::move(on_accept);
    wait();
    return {};
  }

  void stop() {
    stopped_ = true;
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    pause_.cancel();
    on_accept_ = nullptr;
  }

 private:
  void wait() {
    acceptor_.async_wait(asio::socket_base::wait_read,
                         [self = shared_from_this()](const boost::system::error_code& error) {
                           if (error || self->stopped_) return;
                           self->accept_waiting();
                         });
  }

  void accept_waiting() {
    while (!stopped_) {
      sockaddr_storage from{};
      socklen_t size = sizeof from;
      int fd = ::accept4(acceptor_.native_handle(), reinterpret_cast<sockaddr*>(&from), &size,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) {
        if (errno == EINTR || errno == ECONNABORTED) continue;
        if (errno == EAGAIN) break;
        return out_of_resources(errno);
      }
      warned_ = false;
      int on = 1;
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
      Accepted accepted;
      accepted.fd = fd;
      read_address(from, accepted);
      on_accept_(std::move(accepted));
    }
    if (!stopped_) wait();
  }

  // No descriptor is free: those who wait stay in the backlog; tried again after a moment.
  void out_of_resources(int error) {
    if (!warned_) {
      LOG_WARN("server",
               "Cannot accept connections: {}; raise the limit of open files (ulimit -n) or lower "
               "max.connections",
               std::strerror(error));
    }
    warned_ = true;
    pause_.expires_after(std::chrono::milliseconds(200));
    pause_.async_wait([self = shared_from_this()](const boost::system::error_code& cancelled) {
      if (!cancelled && !self->stopped_) self->accept_waiting();
    });
  }

  asio::ip::tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  const std::string host_;
  const uint16_t asked_port_;
  const std::string setting_;
  OnAccept on_accept_;
  bool stopped_ = false;
  bool warned_ = false;
};

Result<std::unique_ptr<Listener>> Listener::open(asio::any_io_executor executor,
                                                 const std::string& host, uint16_t port,
                                                 const std::string& setting) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  int resolved = ::getaddrinfo(host.empty() ? nullptr : host.c_str(), std::to_string(port).c_str(),
                               &hints, &found);
  if (resolved != 0) {
    return Error(Errc::invalid_argument, "The host '" + host + "' of '" + setting +
                                             "' is not known (" + ::gai_strerror(resolved) +
                                             "): write an address of this machine, or "
                                             "nothing for all of them");
  }
  std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned(found, ::freeaddrinfo);
  int error = EADDRNOTAVAIL;
  // every address: the IPv6 socket takes IPv4 as well, so it comes first where there is IPv6
  for (int pass = 0; pass < 2; ++pass) {
    for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
      bool first_pass = host.empty() ? at->ai_family == AF_INET6 : true;
      if (first_pass != (pass == 0)) continue;
      int fd = try_bind(*at, error);
      if (fd >= 0) {
        return std::unique_ptr<Listener>(new Listener(
            std::make_shared<Impl>(executor, fd, at->ai_family == AF_INET6, host, port, setting)));
      }
      if (error == EADDRINUSE) break;
    }
    if (error == EADDRINUSE) break;
  }
  return Error(Errc::unavailable, bind_failure(host, port, error, setting));
}

Listener::~Listener() = default;
uint16_t Listener::port() const { return impl_->port(); }
Result<void> Listener::start(int backlog, OnAccept on_accept) {
  return impl_->start(backlog, std::move(on_accept));
}
void Listener::stop() { impl_->stop(); }

}  // namespace odradek::net
