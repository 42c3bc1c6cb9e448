#pragma once
// Connection: one client. It owns the socket and the answers under way, and lives on one shard.
//
// Requests of a connection take effect in order: the next one starts when the handler of the one
// before has ended, that is when its appends have their offsets. An answer that comes later
// (Answer::later) holds a place in the queue, so that answers leave in request order. With
// kMaxWaiting places taken, or with max_waiting_bytes of finished answers behind one that is not,
// nothing is read, and TCP pushes back.

#include <algorithm>
#include <boost/asio/cancellation_signal.hpp>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <string>

#include "broker/api/handler.h"
#include "broker/server/dispatch.h"
#include "common/net/framed_connection.h"
#include "common/runtime/executor.h"
#include "common/runtime/timer.h"

namespace odradek::broker::server {

struct ConnectionSettings {
  size_t max_request_bytes = 104857600;  // socket.request.max.bytes
  size_t max_waiting_bytes = 1048576;    // odradek.connection.max.waiting.bytes
  int64_t max_idle_ms = 600000;          // connections.max.idle.ms
  int send_buffer_bytes = 102400;        // socket.send.buffer.bytes
  int receive_buffer_bytes = 102400;     // socket.receive.buffer.bytes
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  static constexpr size_t kMaxWaiting = 64;

  Connection(runtime::Executor executor, net::Accepted accepted, std::string listener,
             const ConnectionSettings& settings, api::Services& services,
             net::MemoryBudget& frame_memory,
             const ApiRow* (*find_api)(int16_t api_key) = server::find_api);

  // Serves until the peer goes, breaks the protocol, or close() is called.
  runtime::awaitable<void> run();
  // On the shard. Ends what waits for the socket, and the answers that end with the connection; a
  // handler that runs ends by itself.
  void close();

  const std::string& address() const { return socket_.address(); }
  // True where the peer has neither sent nor taken a byte for so long that it may be dropped: also
  // in the middle of an answer that it does not read. While a handler runs, silence is no fault of
  // the peer's: Kafka would drop a Fetch that waits for records longer than the limit, we do not.
  // As there, a JoinGroup that waits so long is dropped.
  bool is_idle(int64_t now_ms, int64_t max_idle_ms) const {
    if (handling_ && !sending_) return false;
    return now_ms - std::max(socket_.last_active_ms(), send_began_ms_) > max_idle_ms;
  }

 private:
  struct Place {
    bool done = false;
    api::Answer answer;
    size_t cost = 0;  // of the answer, once it is there
    boost::asio::cancellation_signal gone;  // for an answer that ends with the connection
  };

  runtime::awaitable<void> serve_frames();
  runtime::awaitable<bool> serve(ByteView frame);
  runtime::awaitable<bool> give(api::Answer answer);
  runtime::awaitable<bool> send(api::Answer answer);
  runtime::awaitable<void> write_in_order();
  runtime::awaitable<void> write_answers();
  runtime::awaitable<void> finish_place(std::shared_ptr<Place> place, api::Answer later);
  void fill(Place& place, api::Answer answer);
  bool is_full() const {
    return waiting_.size() >= kMaxWaiting || waiting_bytes_ >= settings_.max_waiting_bytes;
  }
  void refuse(const std::string& reason);
  // One of this connection's coroutines has thrown: the connection ends, nobody else does.
  void fail(const std::exception_ptr& thrown);

  runtime::Executor executor_;
  net::FramedConnection socket_;
  const std::string listener_;
  const ConnectionSettings& settings_;
  api::Services& services_;
  const ApiRow* (*const find_api_)(int16_t api_key);
  std::deque<std::shared_ptr<Place>>
      waiting_;  // answers in request order, where one of them comes later
  size_t waiting_bytes_ = 0;  // what the finished ones among them cost
  bool writer_runs_ = false;
  bool broken_ = false;
  bool handling_ = false;  // a handler runs
  bool sending_ = false;
  int64_t send_began_ms_ = INT64_MIN;
  runtime::Signal place_done_;
  runtime::Signal place_free_;
};

}  // namespace odradek::broker::server
