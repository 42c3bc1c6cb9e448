#include "coordinator/server/client_connection.h"

#include <fmt/core.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstring>

#include "common/log/log.h"
#include "coordinator/server/auth.h"
#include "coordinator/server/read_requests.h"
#include "coordinator/server/write_requests.h"

namespace odradek::coordinator::server {

namespace {

using zookeeper::ErrorCode;
using zookeeper::OpCode;
namespace asio = boost::asio;

constexpr size_t kReadBytes = 64 << 10;
// So much of one connection is read before others have their turn.
constexpr int kReadsInTurn = 4;
// From here on the client is not read from until it has taken its replies.
constexpr size_t kPauseOutgoingBytes = 1 << 20;
// Events come without being asked for: a client that does not take them is cut here.
constexpr size_t kMaxOutgoingBytes = 64 << 20;
constexpr size_t kMaxRequests = 1000;
// An empty buffer larger than this is given back.
constexpr size_t kKeepBytes = 16 << 10;

bool wants_close(OpCode op) { return op == OpCode::kSasl || op == OpCode::kDeleteContainer; }

}  // namespace

ClientConnection::ClientConnection(runtime::Executor executor, net::Accepted accepted,
                                   Clients& clients, std::function<void()> on_closed)
    : executor_(executor),
      socket_(executor),
      clients_(clients),
      pipeline_(clients.pipeline()),
      address_(accepted.address),
      peer_(accepted.peer()),
      since_ms_(clients.clock().monotonic_ms()),
      on_closed_(std::move(on_closed)),
      assembler_(clients.settings().jute_max_buffer) {
  socket_.assign(
      address_.find(':') == std::string::npos ? asio::ip::tcp::v4() : asio::ip::tcp::v6(),
      accepted.fd);
  auth_.identities.emplace_back("ip", address_);
  statistics_.since_wall_ms = clients.clock().wall_ms();
}

ClientConnection::~ClientConnection() = default;

void ClientConnection::start() { on_readable(); }

void ClientConnection::close(const std::string& why) {
  if (state_ == State::closed) return;
  auto self = shared_from_this();
  state_ = State::closed;
  if (!why.empty()) {
    LOG_WARN("zookeeper", "Closing connection of /{} (session 0x{:x}): {}", peer_, session_.value(),
             why);
  }
  pipeline_.watches().remove_all(this);
  if (session_.value() != 0) pipeline_.detach_session(session_, this);
  boost::system::error_code ignored;
  socket_.close(ignored);
  size_t dropped = held_.size();
  held_.clear();
  out_ = Bytes();
  clients_.removed(self);
  for (size_t i = 0; i < dropped; ++i) clients_.end_request();
  if (on_closed_) std::exchange(on_closed_, nullptr)();
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
  schedule_flush();
}

// ---- reading

bool ClientConnection::paused() {
  if (state_ != State::connecting && state_ != State::open) return true;
  if (out_.size() - out_at_ > kPauseOutgoingBytes) return true;
  if (held_.size() + outstanding_ >= kMaxRequests) return true;
  if (state_ == State::open && clients_.throttled()) {
    if (!waits_for_room_) clients_.wait_for_room(weak_from_this());
    waits_for_room_ = true;
    return true;
  }
  return false;
}

void ClientConnection::room_again() {
  waits_for_room_ = false;
  // not inside of somebody else's reply
  asio::post(executor_, [self = shared_from_this()] { self->carry_on(); });
}

void ClientConnection::wait_readable() {
  if (reading_ || state_ == State::closed) return;
  // one whose session is being made, or that is to be closed, is still watched for its end
  if (paused() && state_ != State::establishing) return;
  reading_ = true;
  socket_.async_wait(asio::socket_base::wait_read,
                     [self = shared_from_this()](boost::system::error_code error) {
                       self->reading_ = false;
                       if (!error && self->state_ != State::closed) self->on_readable();
                     });
}

void ClientConnection::on_readable() {
  static thread_local char scratch[kReadBytes];
  if (state_ == State::establishing) return;  // read on when the session is there
  for (int turn = 0; turn < kReadsInTurn && !paused(); ++turn) {
    size_t size = 0;
    char* direct = assembler_.direct_space(size);
    ssize_t got = ::recv(socket_.native_handle(), direct ? direct : scratch,
                         direct ? size : sizeof scratch, MSG_DONTWAIT);
    if (got == 0) return close();
    if (got < 0) {
      if (errno == EAGAIN || errno == EINTR) break;
      return close();
    }
    clients_.stats().bytes_received += got;
    if (direct) {
      assembler_.direct_add(static_cast<size_t>(got));
    } else {
      assembler_.feed(ByteView(scratch, static_cast<size_t>(got)));
    }
    process_frames();
    if (state_ == State::closed) return;
    if (!direct && static_cast<size_t>(got) < sizeof scratch) break;
  }
  wait_readable();
}

void ClientConnection::process_frames() {
  while (!paused()) {
    auto frame = assembler_.next();
    if (!frame) {
      ++clients_.stats().large_requests_rejected;
      return close(frame.error().what());
    }
    if (!*frame) return;
    if (state_ == State::connecting) {
      on_connect(**frame);
    } else {
      on_request(std::move(**frame));
    }
    if (state_ == State::closed) return;
  }
}

// ---- handshake

void ClientConnection::on_connect(const net::Buffer& frame) {
  ByteReader in(frame.view());
  auto request = zookeeper::ConnectRequest::decode(in);
  if (!request) return close("the first frame is no ConnectRequest: " + request.error().what());
  Zxid seen(request->last_zxid_seen);
  if (seen > pipeline_.last_zxid()) {
    return close(
        fmt::format("the client has seen zxid 0x{:x}, our last is 0x{:x}: it spoke to "
                    "another server, or this one was set back",
                    seen.value(), pipeline_.last_zxid().value()));
  }
  has_read_only_ = request->read_only.has_value();
  ++statistics_.received;
  ++clients_.stats().packets_received;
  pipeline::Pipeline::SessionRequest wanted;
  wanted.timeout_ms = request->time_out;
  wanted.owner = weak_from_this();
  state_ = State::establishing;
  if (request->session_id == 0) {
    pipeline_.create_session(wanted, [self = shared_from_this()](auto grant) {
      // the reply leaves in this step, further requests are read behind it
      self->on_session(std::move(grant));
    });
    return;
  }
  tree::Password password{};
  if (request->passwd && request->passwd->size() == password.size()) {
    std::memcpy(password.data(), request->passwd->data(), password.size());
    on_session(pipeline_.attach_session(SessionId(request->session_id), password, wanted));
  } else {
    on_session(Error(Errc::session_expired, "no password"));
  }
}

void ClientConnection::on_session(Result<pipeline::Pipeline::SessionGrant> grant) {
  if (state_ == State::closed) {
    // nobody knows of this session
    if (grant) pipeline_.close_session(grant->session, [](pipeline::WriteReply) {});
    return;
  }
  zookeeper::ConnectResponse response;
  response.passwd = std::string(sizeof(tree::Password), '\0');
  if (has_read_only_) response.read_only = false;
  if (grant) {
    session_ = grant->session;
    statistics_.timeout_ms = grant->timeout_ms;
    response.time_out = grant->timeout_ms;
    response.session_id = session_.value();
    std::memcpy(response.passwd->data(), grant->password.data(), grant->password.size());
  }
  ByteWriter out;
  out.i32(0);
  response.encode(out);
  out.patch_i32(0, static_cast<int32_t>(out.buffer_size() - 4));
  put_out(out.take());
  ++statistics_.sent;
  ++clients_.stats().packets_sent;
  statistics_.last_op = "SESS";
  if (!grant) {
    LOG_INFO("zookeeper", "/{} asked for a session that is gone, or with a wrong password", peer_);
    return close_when_flushed();
  }
  state_ = State::open;
  LOG_DEBUG("zookeeper", "Session 0x{:x} of /{} with a time-out of {} ms", session_.value(), peer_,
            grant->timeout_ms);
  if (!carrying_on_) {
    carrying_on_ = true;
    pipeline_.after_step([self = shared_from_this()] { self->carry_on(); });
  }
}

// ---- requests

void ClientConnection::on_request(net::Buffer frame) {
  ByteReader in(frame.view());
  Request request;
  request.xid = in.i32();
  request.type = in.i32();
  if (!in.ok()) return close("a request without a header");
  request.begin_ms = clients_.clock().monotonic_ms();
  request.frame = std::move(frame);
  ++statistics_.received;
  ++clients_.stats().packets_received;
  pipeline_.touch(session_);
  clients_.begin_request();
  if (!held_.empty() || !try_start(request)) held_.push_back(std::move(request));
}

// False where the request has to wait for those before it.
bool ClientConnection::try_start(Request& request) {
  if (syncing_) return false;
  auto op = zookeeper::find_op_code(request.type);
  if (op && is_write(*op)) {
    submit_write(request, *op);
    return true;
  }
  if (op == OpCode::kCloseSession) {
    submit_close(request);
    return true;
  }
  if (outstanding_ > 0) return false;
  if (op == OpCode::kSync) {
    submit_sync(request);
  } else {
    answer_now(request, op);
  }
  return true;
}

void ClientConnection::submit_write(Request& request, OpCode op) {
  Ticket ticket{request.xid, request.type, request.begin_ms};
  auto operations = decode_write(op, request.body());
  if (operations && op == OpCode::kCreateTTL && !clients_.settings().extended_types) {
    operations->assign(1,
                       tree::RefusedOp(Error(Errc::unimplemented, "TTL znodes are not enabled")));
  }
  if (!operations) {
    // it takes its place, and a zxid, among the writes
    std::vector<tree::Operation> refused;
    refused.emplace_back(tree::RefusedOp(Error(Errc::malformed, operations.error().what())));
    operations = std::move(refused);
    op = OpCode::kDelete;  // answered by its error alone
  }
  std::vector<int32_t> parts;
  if (op == OpCode::kMulti) parts = multi_ops(request.body());
  ++outstanding_;
  pipeline::Write write(session_, auth_, *std::move(operations), op == OpCode::kMulti);
  pipeline_.write(std::move(write), [self = shared_from_this(), ticket, op,
                                     parts = std::move(parts)](pipeline::WriteReply reply) {
    if (self->state_ != State::closed) {
      self->finish(ticket, reply.zxid, encode_write_reply(op, parts, reply));
    }
    self->write_ended();
  });
}

void ClientConnection::submit_close(const Request& request) {
  Ticket ticket{request.xid, request.type, request.begin_ms};
  ++outstanding_;
  pipeline_.close_session(session_,
                          [self = shared_from_this(), ticket](pipeline::WriteReply reply) {
                            if (self->state_ != State::closed) {
                              self->finish(ticket, reply.zxid, Answer());
                              self->close_when_flushed();
                            }
                            self->write_ended();
                          });
}

void ClientConnection::submit_sync(Request& request) {
  ByteReader in(request.body());
  auto sync = zookeeper::SyncRequest::decode(in);
  Ticket ticket{request.xid, request.type, request.begin_ms};
  if (!sync) {
    finish(ticket, pipeline_.last_zxid(), ErrorCode::kMarshallingError);
    return clients_.end_request();
  }
  syncing_ = true;
  ++outstanding_;
  pipeline_.barrier([self = shared_from_this(), ticket, path = std::move(sync->path)] {
    self->syncing_ = false;
    if (self->state_ != State::closed) {
      zookeeper::SyncResponse response;
      response.path = path;
      self->finish(ticket, self->pipeline_.last_zxid(), Answer::of(response));
    }
    self->write_ended();
  });
}

void ClientConnection::answer_now(const Request& request, std::optional<OpCode> op) {
  Ticket ticket{request.xid, request.type, request.begin_ms};
  Answer answer = ErrorCode::kUnimplemented;
  bool ends = !op || wants_close(*op);
  if (op == OpCode::kPing) {
    answer = Answer();
  } else if (op == OpCode::kAuth) {
    answer = add_identity(request);
    ends = answer.error != ErrorCode::kOk;
  } else if (op == OpCode::kReconfig) {
    answer = ErrorCode::kReconfigDisabled;
  } else if (op && !ends) {
    answer = answer_read(*op, request.body(), ReadContext{pipeline_, auth_, session_, this});
  }
  finish(ticket, pipeline_.last_zxid(), answer);
  if (ends) close_when_flushed();
  clients_.end_request();
}

Answer ClientConnection::add_identity(const Request& request) {
  ByteReader in(request.body());
  auto packet = zookeeper::AuthPacket::decode(in);
  if (!packet) return ErrorCode::kAuthFailed;
  auto identities =
      authenticate(packet->scheme, packet->auth ? ByteView(*packet->auth) : ByteView(), address_,
                   clients_.settings().super_digest);
  if (!identities) {
    ++clients_.stats().auth_failed;
    LOG_WARN("zookeeper", "/{} (session 0x{:x}) failed to authenticate by scheme {}", peer_,
             session_.value(), packet->scheme.substr(0, 64));
    return ErrorCode::kAuthFailed;
  }
  for (tree::Identity& identity : *identities) {
    auto& known = auth_.identities;
    if (std::find(known.begin(), known.end(), identity) == known.end()) {
      known.push_back(std::move(identity));
    }
  }
  return Answer();
}

void ClientConnection::finish(const Ticket& ticket, Zxid zxid, const Answer& answer) {
  ReplyFrame frame(ticket.xid, zxid, answer.error);
  if (answer.error == ErrorCode::kOk) frame.body().bytes(answer.body);
  put_out(frame.take());
  int64_t now_ms = clients_.clock().monotonic_ms();
  int64_t latency_ms = now_ms - ticket.begin_ms;
  ++statistics_.sent;
  auto op = zookeeper::find_op_code(ticket.type);
  statistics_.last_op = op ? std::string(name_of(*op)) : fmt::format("OP:{}", ticket.type);
  if (ticket.xid > 0) statistics_.last_xid = ticket.xid;
  statistics_.last_zxid = zxid;
  statistics_.last_response_ms = now_ms;
  statistics_.last_latency_ms = latency_ms;
  statistics_.latency.add(latency_ms);
  ++clients_.stats().packets_sent;
  clients_.stats().latency.add(latency_ms);
}

void ClientConnection::write_ended() {
  --outstanding_;
  clients_.end_request();
  if (state_ == State::closing) schedule_flush();  // it may have waited for this one
  if (state_ != State::open || carrying_on_) return;
  carrying_on_ = true;
  // a read that waited may not see the rest of this step before its events are out
  pipeline_.after_step([self = shared_from_this()] { self->carry_on(); });
}

// Starts what waited, then reads on.
void ClientConnection::carry_on() {
  carrying_on_ = false;
  while (state_ == State::open && !held_.empty() && out_.size() - out_at_ <= kPauseOutgoingBytes) {
    // answering may end the connection, which drops what is held
    Request request = std::move(held_.front());
    held_.pop_front();
    if (!try_start(request)) {
      held_.push_front(std::move(request));
      break;
    }
  }
  process_frames();
  if (state_ != State::closed) wait_readable();
}

// ---- writing

void ClientConnection::on_watch_event(tree::EventType type, const std::string& path, Zxid zxid) {
  if (state_ != State::open) return;
  ReplyFrame frame(zookeeper::Xid::kNotification, zxid, ErrorCode::kOk);
  zookeeper::WatcherEvent event;
  event.type = static_cast<int32_t>(type);
  event.state = static_cast<int32_t>(zookeeper::KeeperState::kSyncConnected);
  event.path = path;
  event.encode(frame.body());
  put_out(frame.take());
  ++statistics_.sent;
  ++clients_.stats().packets_sent;
  if (out_.size() - out_at_ > kMaxOutgoingBytes) {
    // the watch table is being walked: not now
    asio::post(executor_,
               [self = shared_from_this()] { self->close("it does not take its watch events"); });
  }
}

void ClientConnection::put_out(Bytes bytes) {
  if (state_ == State::closed) return;
  if (out_at_ == out_.size()) {
    out_at_ = 0;
    out_ = std::move(bytes);
  } else {
    out_ += bytes;
  }
  schedule_flush();
}

void ClientConnection::schedule_flush() {
  if (flush_scheduled_ || writing_) return;
  flush_scheduled_ = true;
  asio::post(executor_, [self = shared_from_this()] {
    self->flush_scheduled_ = false;
    self->flush();
  });
}

void ClientConnection::flush() {
  if (state_ == State::closed) return;
  bool was_paused = out_.size() - out_at_ > kPauseOutgoingBytes;
  while (out_at_ < out_.size()) {
    ssize_t sent = ::send(socket_.native_handle(), out_.data() + out_at_, out_.size() - out_at_,
                          MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN) return close();
      break;
    }
    out_at_ += static_cast<size_t>(sent);
  }
  if (out_at_ == out_.size()) {
    out_.clear();
    out_at_ = 0;
    if (out_.capacity() > kKeepBytes) out_.shrink_to_fit();
    if (state_ == State::closing && outstanding_ == 0) return close();
  } else {
    if (out_at_ > kPauseOutgoingBytes) {
      out_.erase(0, out_at_);
      out_at_ = 0;
    }
    writing_ = true;
    socket_.async_wait(asio::socket_base::wait_write,
                       [self = shared_from_this()](boost::system::error_code error) {
                         self->writing_ = false;
                         if (error) return self->close();
                         self->flush();
                       });
  }
  if (was_paused && out_.size() - out_at_ <= kPauseOutgoingBytes) carry_on();
}

void ClientConnection::reset_statistics() {
  statistics_.received = statistics_.sent = 0;
  statistics_.last_op = "NA";
  statistics_.last_latency_ms = 0;
  statistics_.latency = LatencyStats();
}

}  // namespace odradek::coordinator::server
