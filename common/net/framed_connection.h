#pragma once
// FramedConnection: one accepted TCP connection that carries frames of an int32 length and a body.
// It owns the socket and what has arrived of the next frame; it lives on one executor (a shard) and
// is touched there only. Reads and writes try the system call first and wait for readiness only
// when it would block. An idle connection holds no buffer.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/net/frame_assembler.h"
#include "common/net/listener.h"
#include "common/net/memory_budget.h"
#include "common/net/piece.h"
#include "common/result.h"

namespace odradek::runtime {
class Background;
}

namespace odradek::net {

class FramedConnection {
 public:
  // `background` reads file ranges that are not in the page cache before they are sent; `budget`
  // bounds the memory of large frames. Both may be null.
  FramedConnection(boost::asio::any_io_executor executor, Accepted accepted, size_t max_frame_bytes,
                   const Clock& clock, runtime::Background* background, MemoryBudget* budget);
  ~FramedConnection();
  FramedConnection(const FramedConnection&) = delete;
  FramedConnection& operator=(const FramedConnection&) = delete;

  // The next frame without its length (the one before is to be freed by then: its share of the
  // budget goes back); nullopt: the peer has closed between two frames. Errors: malformed (bad
  // length, another protocol, closed in the middle: the text says why), unavailable (reset, close()
  // was called).
  boost::asio::awaitable<Result<std::optional<Buffer>>> read_frame();

  // Sends all pieces one after another. One send at a time. Errors: unavailable (the peer went),
  // io_error (a file range could not be read: the connection must be closed, since a part of the
  // frame is out).
  boost::asio::awaitable<Result<void>> send(std::vector<Piece> pieces);

  // A frame that is done with: its memory serves the next large frame of this thread. drop_spare
  // gives it back.
  static void recycle(Buffer frame);
  static void drop_spare();

  // Ends waiting reads and writes with errors.
  void close();
  bool closed() const { return !socket_.is_open(); }

  const std::string& peer() const { return peer_; }
  const std::string& address() const { return address_; }
  // Clock::monotonic_ms of the last byte in either direction.
  int64_t last_active_ms() const { return last_active_ms_; }
  size_t memory() const { return assembler_.memory(); }

 private:
  boost::asio::awaitable<bool> wait_until(boost::asio::socket_base::wait_type what);
  // The same for reading, with an end for the one that holds memory beyond the budget. Errors:
  // unavailable, malformed.
  boost::asio::awaitable<Result<void>> wait_for_bytes();
  boost::asio::awaitable<bool> take_memory(size_t bytes);
  // Receives once; the bytes go to the assembler. 0: the peer closed. -1: errno.
  ssize_t receive_some();
  boost::asio::awaitable<Result<void>> send_bytes(const std::vector<Piece>& pieces, size_t first,
                                                  size_t last, bool more_follows);
  boost::asio::awaitable<Result<void>> send_file(const FileRange& range);

  boost::asio::ip::tcp::socket socket_;
  std::string peer_;
  std::string address_;
  FrameAssembler assembler_;
  const Clock& clock_;
  runtime::Background* background_;
  MemoryBudget* budget_;
  MemoryBudget::Share share_;
  int64_t last_active_ms_;
};

}  // namespace odradek::net
