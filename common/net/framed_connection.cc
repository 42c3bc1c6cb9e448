#include "common/net/framed_connection.h"

#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "common/fs/file_system.h"
#include "common/net/page_cache.h"

namespace odradek::net {

namespace asio = boost::asio;

namespace {

// Shared by all connections of a thread: a read never suspends while it is in use.
thread_local std::array<char, FrameAssembler::kScratchBytes> scratch;

// One buffer a thread is kept for the next large frame: fresh memory costs a page fault every 4
// KiB.
thread_local Buffer spare_frame;
constexpr size_t kMinSpareBytes = 256 * 1024;
constexpr size_t kMaxSpareBytes = 2 << 20;

// sendfile takes a range in steps of this size, each looked up in the page cache first.
constexpr size_t kFileStepBytes = 1 << 20;
constexpr size_t kMaxVectors = 64;
constexpr auto kSeniorPatience = std::chrono::seconds(10);

Error gone(const char* what, int error) {
  return Error(Errc::unavailable, std::string(what) + ": " + std::strerror(error));
}

}  // namespace

FramedConnection::FramedConnection(asio::any_io_executor executor, Accepted accepted,
                                   size_t max_frame_bytes, const Clock& clock,
                                   runtime::Background* background, MemoryBudget* budget)
    : socket_(executor),
      peer_(accepted.peer()),
      address_(std::move(accepted.address)),
      assembler_(max_frame_bytes),
      clock_(clock),
      background_(background),
      budget_(budget),
      last_active_ms_(clock.monotonic_ms()) {
  boost::system::error_code error;
  socket_.assign(asio::ip::tcp::v6(), accepted.fd, error);
  if (error) ::close(accepted.fd);
}

FramedConnection::~FramedConnection() {
  close();
  if (budget_ != nullptr) budget_->give_back(share_);
}

void FramedConnection::close() {
  if (!socket_.is_open()) return;
  boost::system::error_code ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
  socket_.close(ignored);
}

void FramedConnection::recycle(Buffer frame) {
  bool fits = frame.capacity() >= kMinSpareBytes && frame.capacity() <= kMaxSpareBytes;
  if (fits && frame.capacity() > spare_frame.capacity()) spare_frame = std::move(frame);
}

void FramedConnection::drop_spare() { spare_frame.reset(); }

asio::awaitable<bool> FramedConnection::wait_until(asio::socket_base::wait_type what) {
  boost::system::error_code error;
  co_await socket_.async_wait(what, asio::redirect_error(asio::use_awaitable, error));
  co_return !error && socket_.is_open();
}

ssize_t FramedConnection::receive_some() {
  size_t size = 0;
  ssize_t received;
  if (spare_frame.capacity() > 0) assembler_.offer(spare_frame);
  if (char* space = assembler_.direct_space(size)) {
    received = ::recv(socket_.native_handle(), space, size, 0);
    if (received > 0) assembler_.direct_add(static_cast<size_t>(received));
  } else {
    received = ::recv(socket_.native_handle(), scratch.data(), scratch.size(), 0);
    if (received > 0) assembler_.feed(ByteView(scratch.data(), static_cast<size_t>(received)));
  }
  if (received > 0) last_active_ms_ = clock_.monotonic_ms();
  return received;
}

asio::awaitable<Result<std::optional<Buffer>>> FramedConnection::read_frame() {
  if (budget_ != nullptr && share_.bytes > 0 && !assembler_.in_frame()) budget_->give_back(share_);
  while (true) {
    auto frame = assembler_.next();
    if (!frame || frame->has_value()) co_return frame;
    if (size_t growth = assembler_.direct_growth(); growth > 0 && budget_ != nullptr) {
      bool taken = co_await take_memory(growth);
      if (!taken) co_return Error(Errc::unavailable, "closed by this side");
    }
    if (!socket_.is_open()) co_return Error(Errc::unavailable, "closed by this side");
    ssize_t received = receive_some();
    if (received == 0) {
      if (assembler_.in_frame())
        co_return Error(Errc::malformed, "its peer closed it in the middle of a frame");
      co_return std::optional<Buffer>();
    }
    if (received < 0) {
      int error = errno;
      if (error == EINTR) continue;
      if (error != EAGAIN && error != EWOULDBLOCK) co_return gone("receive", error);
      auto ready = co_await wait_for_bytes();
      if (!ready) co_return ready.error();
    }
  }
}

asio::awaitable<Result<void>> FramedConnection::wait_for_bytes() {
  if (!share_.senior) {
    bool ready = co_await wait_until(asio::socket_base::wait_read);
    if (!ready) co_return Error(Errc::unavailable, "closed by this side");
    co_return Result<void>();
  }
  // others wait for the memory that this one is let have: it has to go on
  asio::steady_timer timer(socket_.get_executor(), kSeniorPatience);
  bool late = false;
  timer.async_wait([this, &late](const boost::system::error_code& cancelled) {
    if (cancelled) return;
    late = true;
    boost::system::error_code ignored;
    socket_.cancel(ignored);
  });
  bool ready = co_await wait_until(asio::socket_base::wait_read);
  timer.cancel();
  // the handler that was cancelled, or has run already, refers to this frame: it comes before what
  // is posted now
  co_await asio::post(socket_.get_executor(), asio::use_awaitable);
  if (late)
    co_return Error(Errc::malformed,
                    "memory is short, and the rest of its large frame does not come");
  if (!ready) co_return Error(Errc::unavailable, "closed by this side");
  co_return Result<void>();
}

asio::awaitable<bool> FramedConnection::take_memory(size_t bytes) {
  auto executor = socket_.get_executor();
  auto initiate = [this, bytes, executor](auto handler) {
    auto resume = std::make_shared<decltype(handler)>(std::move(handler));
    auto granted = [executor, resume] { asio::post(executor, [resume] { (*resume)(); }); };
    if (budget_->take(share_, bytes, granted)) granted();
  };
  auto token = asio::use_awaitable;
  co_await asio::async_initiate<asio::use_awaitable_t<>, void()>(std::move(initiate), token);
  co_return socket_.is_open();
}

asio::awaitable<Result<void>> FramedConnection::send(std::vector<Piece> pieces) {
  size_t at = 0;
  while (at < pieces.size()) {
    if (const auto* range = std::get_if<FileRange>(&pieces[at])) {
      auto sent = co_await send_file(*range);
      if (!sent) co_return sent;
      ++at;
      continue;
    }
    size_t last = at;
    while (last < pieces.size() && last - at < kMaxVectors &&
           std::holds_alternative<Bytes>(pieces[last]))
      ++last;
    auto sent = co_await send_bytes(pieces, at, last, last < pieces.size());
    if (!sent) co_return sent;
    at = last;
  }
  co_return Result<void>();
}

asio::awaitable<Result<void>> FramedConnection::send_bytes(const std::vector<Piece>& pieces,
                                                           size_t first, size_t last,
                                                           bool more_follows) {
  std::array<iovec, kMaxVectors> vectors;
  size_t count = 0;
  size_t left = 0;
  for (size_t i = first; i < last; ++i) {
    const Bytes& bytes = std::get<Bytes>(pieces[i]);
    if (bytes.empty()) continue;
    vectors[count++] = {const_cast<char*>(bytes.data()), bytes.size()};
    left += bytes.size();
  }
  iovec* next = vectors.data();
  while (left > 0) {
    if (!socket_.is_open()) co_return Error(Errc::unavailable, "closed by this side");
    msghdr message{};
    message.msg_iov = next;
    message.msg_iovlen = count;
    ssize_t sent =
        ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL | (more_follows ? MSG_MORE : 0));
    if (sent < 0) {
      int error = errno;
      if (error == EINTR) continue;
      if (error != EAGAIN && error != EWOULDBLOCK) co_return gone("send", error);
      bool ready = co_await wait_until(asio::socket_base::wait_write);
      if (!ready) co_return Error(Errc::unavailable, "closed by this side");
      continue;
    }
    last_active_ms_ = clock_.monotonic_ms();
    size_t taken = static_cast<size_t>(sent);
    left -= taken;
    while (taken > 0) {
      size_t part = std::min(taken, next->iov_len);
      next->iov_base = static_cast<char*>(next->iov_base) + part;
      next->iov_len -= part;
      taken -= part;
      if (next->iov_len == 0) {
        ++next;
        --count;
      }
    }
  }
  co_return Result<void>();
}

asio::awaitable<Result<void>> FramedConnection::send_file(const FileRange& range) {
  off_t at = range.position;
  const off_t end = range.position + static_cast<off_t>(range.size);
  const int fd = range.file->fd();
  if (fd < 0) {  // not the operating system's file (tests): by memory
    Bytes bytes(range.size, '\0');
    auto read =
        range.file->pread_exact(bytes.data(), bytes.size(), static_cast<uint64_t>(range.position));
    if (!read) co_return read;
    std::vector<Piece> pieces;
    pieces.emplace_back(std::move(bytes));
    co_return co_await send_bytes(pieces, 0, 1, false);
  }
  off_t warm_until = at;
  while (at < end) {
    if (!socket_.is_open()) co_return Error(Errc::unavailable, "closed by this side");
    if (at >= warm_until) {
      warm_until = std::min<off_t>(end, at + static_cast<off_t>(kFileStepBytes));
      if (background_ != nullptr && !is_cached(fd, at, static_cast<size_t>(warm_until - at))) {
        co_await read_ahead(*background_, range.file, at, static_cast<size_t>(warm_until - at));
        continue;  // the socket may have been closed in between
      }
    }
    ssize_t sent =
        ::sendfile(socket_.native_handle(), fd, &at, static_cast<size_t>(warm_until - at));
    if (sent > 0) {
      last_active_ms_ = clock_.monotonic_ms();
      continue;
    }
    if (sent == 0) {
      co_return Error(Errc::io_error,
                      range.file->path() + " ends before position " + std::to_string(end));
    }
    int error = errno;
    if (error == EINTR) continue;
    if (error == EIO)
      co_return Error(Errc::io_error,
                      range.file->path() + " cannot be read: " + std::strerror(error));
    if (error != EAGAIN && error != EWOULDBLOCK) co_return gone("sendfile", error);
    bool ready = co_await wait_until(asio::socket_base::wait_write);
    if (!ready) co_return Error(Errc::unavailable, "closed by this side");
  }
  co_return Result<void>();
}

}  // namespace odradek::net
