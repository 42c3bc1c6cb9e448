#include "coordinator/server/client_socket.h"

#include <sys/socket.h>

#include <boost/asio/post.hpp>
#include <cerrno>

namespace odradek::coordinator::server {

namespace {

namespace asio = boost::asio;

constexpr size_t kReadBytes = 64 << 10;
// So much of one connection is read before others have their turn.
constexpr int kReadsInTurn = 4;

}  // namespace

ClientSocket::ClientSocket(runtime::Executor executor, net::Accepted accepted, Clients& clients,
                           std::function<void()> on_closed)
    : ClientConnection(accepted.address, accepted.peer(), clients, std::move(on_closed)),
      executor_(executor),
      socket_(executor) {
  bool version_6 = accepted.address.find(':') != std::string::npos;
  socket_.assign(version_6 ? asio::ip::tcp::v6() : asio::ip::tcp::v4(), accepted.fd);
}

void ClientSocket::post(std::function<void()> fn) { asio::post(executor_, std::move(fn)); }

void ClientSocket::hang_up() {
  boost::system::error_code ignored;
  socket_.close(ignored);
}

// ---- reading

void ClientSocket::read_on() {
  if (reading_ || !watched()) return;
  reading_ = true;
  socket_.async_wait(asio::socket_base::wait_read,
                     [self = self()](boost::system::error_code error) {
                       self->reading_ = false;
                       if (!error && !self->closed()) self->on_readable();
                     });
}

void ClientSocket::on_readable() {
  static thread_local char scratch[kReadBytes];
  if (establishing()) return;  // read on when the session is there
  for (int turn = 0; turn < kReadsInTurn && !paused(); ++turn) {
    if (waits_for_memory()) return;
    size_t size = 0;
    char* direct = assembler().direct_space(size);
    ssize_t got = ::recv(socket_.native_handle(), direct ? direct : scratch,
                         direct ? size : sizeof scratch, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) break;
    if (got <= 0) return lost();
    if (direct) {
      assembler().direct_add(static_cast<size_t>(got));
    } else {
      assembler().feed(ByteView(scratch, static_cast<size_t>(got)));
    }
    received();
    if (closed()) return;
    if (!direct && static_cast<size_t>(got) < sizeof scratch) break;
  }
  read_on();
}

// ---- writing

void ClientSocket::flush_soon() {
  if (flush_scheduled_ || writing_) return;
  flush_scheduled_ = true;
  asio::post(executor_, [self = self()] {
    self->flush_scheduled_ = false;
    self->flush();
  });
}

void ClientSocket::flush() {
  if (closed()) return;
  ByteView left = outgoing();
  size_t taken = 0;
  while (taken < left.size()) {
    ssize_t got = ::send(socket_.native_handle(), left.data() + taken, left.size() - taken,
                         MSG_DONTWAIT | MSG_NOSIGNAL);
    if (got < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN) return close();
      break;
    }
    taken += static_cast<size_t>(got);
  }
  if (taken < left.size()) {
    writing_ = true;
    socket_.async_wait(asio::socket_base::wait_write,
                       [self = self()](boost::system::error_code error) {
                         self->writing_ = false;
                         if (error) return self->close();
                         self->flush();
                       });
  }
  sent(taken);
}

}  // namespace odradek::coordinator::server
