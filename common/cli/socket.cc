#include "common/cli/socket.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "common/clock.h"

namespace odradek::cli {
namespace {

Error lost(const std::string& why) { return Error(Errc::unavailable, why); }
Error late() { return Error(Errc::timed_out, "no answer in time"); }

// True when the descriptor is ready before the deadline.
bool wait_for(int fd, short events, int64_t deadline_ms) {
  while (true) {
    int64_t left = deadline_ms - now_ms();
    if (left < 0) return false;
    pollfd ready{fd, events, 0};
    int found = poll(&ready, 1, static_cast<int>(std::min<int64_t>(left + 1, 3'600'000)));
    if (found > 0) return true;
    if (found < 0 && errno != EINTR) return false;
  }
}

// A connected socket, or -1 with errno.
int connect_to(const addrinfo& address, int64_t deadline_ms) {
  int fd = socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  int error = 0;
  if (connect(fd, address.ai_addr, address.ai_addrlen) != 0) {
    error = errno;
    if (error == EINPROGRESS) {
      socklen_t size = sizeof error;
      if (!wait_for(fd, POLLOUT, deadline_ms))
        error = ETIMEDOUT;
      else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        error = errno;
    }
  }
  if (error == 0) return fd;
  close(fd);
  errno = error;
  return -1;
}

}  // namespace

int64_t now_ms() { return SystemClock().monotonic_ms(); }

void sleep_ms(int64_t ms) {
  if (ms <= 0) return;
  timespec time{ms / 1000, (ms % 1000) * 1'000'000};
  nanosleep(&time, nullptr);
}

Result<Socket> Socket::connect(const std::string& host, int port, int64_t deadline_ms) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_family = AF_UNSPEC;
  addrinfo* found = nullptr;
  if (int error = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
      error != 0) {
    return lost("cannot resolve " + host + ": " + gai_strerror(error));
  }
  std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(found, freeaddrinfo);
  int error = ECONNREFUSED;
  for (int family : {AF_INET, AF_INET6}) {
    for (const addrinfo* at = found; at; at = at->ai_next) {
      if (at->ai_family != family) continue;
      int fd = connect_to(*at, deadline_ms);
      if (fd >= 0) return Socket(fd);
      error = errno;
    }
  }
  return lost(std::strerror(error));
}

Socket::Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

Socket& Socket::operator=(Socket&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

Socket::~Socket() {
  if (fd_ >= 0) close(fd_);
}

Result<void> Socket::send(ByteView bytes, int64_t deadline_ms) {
  size_t at = 0;
  while (at < bytes.size()) {
    ssize_t sent = ::send(fd_, bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL);
    if (sent > 0) {
      at += static_cast<size_t>(sent);
    } else if (sent < 0 && (errno == EAGAIN || errno == EINTR)) {
      if (!wait_for(fd_, POLLOUT, deadline_ms)) return late();
    } else {
      return lost("the connection broke while a request was sent");
    }
  }
  return {};
}

Result<Bytes> Socket::receive(size_t size, int64_t deadline_ms) {
  Bytes bytes(size, '\0');
  size_t at = 0;
  while (at < size) {
    ssize_t got = recv(fd_, bytes.data() + at, size - at, 0);
    if (got > 0) {
      at += static_cast<size_t>(got);
    } else if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
      if (!wait_for(fd_, POLLIN, deadline_ms)) return late();
    } else {
      return lost("the server closed the connection");
    }
  }
  return bytes;
}

Result<Bytes> Socket::receive_frame(size_t max, int64_t deadline_ms) {
  auto length = receive(4, deadline_ms);
  if (!length) return length.error();
  int32_t size = ByteReader(*length).i32();
  if (size < 0 || static_cast<size_t>(size) > max) {
    return lost("what answers there speaks another protocol (a frame of " + std::to_string(size) +
                " bytes)");
  }
  return receive(static_cast<size_t>(size), deadline_ms);
}

bool Socket::readable() const {
  pollfd ready{fd_, POLLIN, 0};
  return poll(&ready, 1, 0) > 0;
}

}  // namespace odradek::cli
