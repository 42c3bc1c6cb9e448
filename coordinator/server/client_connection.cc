#include "coordinator/server/client_connection.h"

#include "common/format.h"
#include "common/log/log.h"
#include "coordinator/tree/acl.h"

namespace odradek::coordinator::server {

namespace {

using zookeeper::ErrorCode;

// From here on the client is not read from until it has taken its replies.
constexpr size_t kPauseOutgoingBytes = 1 << 20;
// Events come without being asked for: a client that does not take them is cut here.
constexpr size_t kMaxOutgoingBytes = 64 << 20;
constexpr size_t kMaxRequests = 1000;
// A part of a request that is smaller is not counted: it belongs to what a connection costs.
constexpr size_t kSmallFrameBytes = 1 << 10;
// An empty buffer larger than this is given back.
constexpr size_t kKeepBytes = 16 << 10;

}  // namespace

ClientConnection::ClientConnection(std::string address, std::string peer, Clients& clients,
                                   std::function<void()> on_closed)
    : clients_(clients),
      pipeline_(clients.pipeline()),
      address_(std::move(address)),
      peer_(std::move(peer)),
      since_ms_(clients.clock().monotonic_ms()),
      on_closed_(std::move(on_closed)),
      assembler_(clients.settings().jute_max_buffer) {
  tree::AuthInfo auth;
  auth.identities.emplace_back("ip", address_);
  auth_ = std::make_shared<const tree::AuthInfo>(std::move(auth));
  statistics_.since_wall_ms = clients.clock().wall_ms();
}

ClientConnection::~ClientConnection() = default;

void ClientConnection::close(const std::string& why) {
  if (state_ == State::closed) return;
  auto self = shared_from_this();
  state_ = State::closed;
  if (!why.empty()) {
    clients_.peer_log().warn(address_, odradek::format("Closing connection of /{} (session 0x{:x}): {}",
                                                       peer_, session_.value(), why));
  }
  pipeline_.watches().remove_all(this);
  if (session_.value() != 0) pipeline_.detach_session(session_, this);
  hang_up();
  out_ = Bytes();
  out_at_ = 0;
  count_outgoing();
  clients_.frames_changed(-std::exchange(counted_frame_, 0));
  clients_.removed(self);
  drop_held();
  if (on_closed_) std::exchange(on_closed_, nullptr)();
}

void ClientConnection::drop_held() {
  std::deque<Request> dropped = std::exchange(held_, {});
  for (const Request& request : dropped) {
    clients_.waiting_changed(-static_cast<int64_t>(request.frame.size()));
    clients_.end_request();
  }
}

void ClientConnection::warn(const std::string& what) {
  clients_.peer_log().warn(
      address_, odradek::format("/{} (session 0x{:x}) {}", peer_, session_.value(), what));
}

void ClientConnection::session_ended(SessionId) { close_when_flushed(); }

void ClientConnection::session_moved(SessionId) {
  LOG_INFO("zookeeper", "Session 0x{:x} of /{} goes on with another connection", session_.value(),
           peer_);
  close();
}

void ClientConnection::close_when_flushed() {
  if (state_ == State::closed || state_ == State::closing) return;
  state_ = State::closing;
  closing_since_ms_ = clients_.clock().monotonic_ms();
  flush_soon();
}

// ---- reading

bool ClientConnection::outgoing_full() const { return outgoing_bytes() > kPauseOutgoingBytes; }

bool ClientConnection::paused() {
  if (state_ != State::connecting && state_ != State::open) return true;
  if (outgoing_full()) return true;
  if (held_.size() + outstanding_ >= kMaxRequests) return true;
  if (state_ == State::open && (clients_.full() || (clients_.throttled() && queued() > 0))) {
    if (!waits_for_room_) clients_.wait_for_room(weak_from_this());
    waits_for_room_ = true;
    return true;
  }
  return false;
}

// True where it is in the middle of a request for which there is no memory now.
bool ClientConnection::waits_for_memory() {
  if (counted_frame_ == 0 || clients_.may_read_on(this)) return false;
  if (!waits_for_memory_) clients_.wait_to_read(weak_from_this());
  waits_for_memory_ = true;
  return true;
}

void ClientConnection::count_frame() {
  size_t held = assembler_.memory();
  int64_t now = held > kSmallFrameBytes ? static_cast<int64_t>(held) : 0;
  clients_.frames_changed(now - std::exchange(counted_frame_, now));
}

void ClientConnection::count_outgoing() {
  int64_t now = static_cast<int64_t>(outgoing_bytes());
  clients_.outgoing_changed(now - std::exchange(counted_outgoing_, now));
}

void ClientConnection::room_again() {
  waits_for_room_ = waits_for_memory_ = false;
  // not inside of somebody else's reply
  post([self = shared_from_this()] { self->carry_on(); });
}

void ClientConnection::received() {
  last_byte_ms_ = clients_.clock().monotonic_ms();
  process_frames();
  if (state_ != State::closed) count_frame();
}

void ClientConnection::lost() {
  clients_.metrics().connections_dropped.add();
  close();
}

void ClientConnection::process_frames() {
  while (!paused()) {
    auto frame = assembler_.next();
    if (!frame) {
      clients_.metrics().large_requests_rejected.add();
      return close(frame.error().what());
    }
    if (!*frame) return;
    if (counted_frame_ > 0) clients_.frame_ended(this);
    ++statistics_.received;
    ++clients_.stats().packets_received;
    clients_.metrics().bytes_received.add(static_cast<int64_t>((*frame)->size()) + kLengthBytes);
    if (state_ == State::connecting) {
      on_connect(**frame);
    } else {
      on_request(std::move(**frame));
    }
    if (state_ == State::closed) return;
  }
}

// ---- writing

bool ClientConnection::may_hear(const tree::Acl& acl) const {
  const tree::Rules& rules = pipeline_.options().rules;
  return rules.skip_acl || tree::allowed(acl, tree::kPermRead, *auth_, rules.schemes);
}

void ClientConnection::on_watch_event(tree::EventType type, const std::string& path, Zxid zxid) {
  if (state_ != State::open) return;
  ReplyFrame frame(zookeeper::Xid::kNotification, zxid, ErrorCode::kOk);
  zookeeper::WatcherEvent event;
  event.type = static_cast<int32_t>(type);
  event.state = static_cast<int32_t>(zookeeper::KeeperState::kSyncConnected);
  event.path = path;
  event.encode(frame.body());
  Bytes bytes = frame.take();
  clients_.metrics().watch_bytes.add(static_cast<int64_t>(bytes.size()) - kLengthBytes);
  put_out(std::move(bytes));
  if (outgoing_bytes() > kMaxOutgoingBytes) {
    // the watch table is being walked: not now
    post([self = shared_from_this()] { self->close("it does not take its watch events"); });
  }
}

void ClientConnection::put_out(Bytes bytes) {
  if (state_ == State::closed) return;
  ++statistics_.sent;
  ++clients_.stats().packets_sent;
  clients_.stats().responses.add(static_cast<int64_t>(bytes.size()) - kLengthBytes);
  if (out_at_ == out_.size()) {
    out_at_ = 0;
    out_ = std::move(bytes);
  } else {
    out_ += bytes;
  }
  count_outgoing();
  flush_soon();
}

void ClientConnection::sent(size_t bytes) {
  if (state_ == State::closed) return;
  bool was_full = outgoing_full();
  out_at_ += bytes;
  if (out_at_ == out_.size()) {
    out_.clear();
    out_at_ = 0;
    if (out_.capacity() > kKeepBytes) out_.shrink_to_fit();
    if (state_ == State::closing && outstanding_ == 0) return close();
  } else if (out_at_ > kPauseOutgoingBytes) {
    out_.erase(0, out_at_);
    out_at_ = 0;
  }
  count_outgoing();
  if (was_full && !outgoing_full()) carry_on();
}

void ClientConnection::reset_statistics() {
  statistics_.received = statistics_.sent = 0;
  statistics_.last_op = "NA";
  statistics_.last_xid = -1;
  statistics_.last_zxid = Zxid(-1);
  statistics_.last_response_ms = 0;
  statistics_.last_latency_ms = 0;
  statistics_.latency = LatencyStats();
}

}  // namespace odradek::coordinator::server
