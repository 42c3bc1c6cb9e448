// What a client asks, and in which order it is done; client_connection.cc has its state and the
// bytes that come and go.

#include <algorithm>
#include <cstring>

#include "common/format.h"
#include "common/log/log.h"
#include "coordinator/server/audit_log.h"
#include "coordinator/server/client_connection.h"
#include "coordinator/server/read_requests.h"
#include "coordinator/server/write_requests.h"

namespace odradek::coordinator::server {

namespace {

using zookeeper::ErrorCode;
using zookeeper::OpCode;

// Opcodes that are not a client's to send.
bool is_foreign(OpCode op) {
  return op == OpCode::kNotification || op == OpCode::kError || op == OpCode::kCreateSession;
}

// What ZooKeeper calls the last operation of a connection. A write that was refused has no name.
const char* shown_name(OpCode op, bool refused) {
  if (refused && is_write(op) && op != OpCode::kMulti) return "NA";
  switch (op) {
    case OpCode::kCreate:
    case OpCode::kCreate2:
    case OpCode::kCreateTTL:
    case OpCode::kCreateContainer:
      return "CREA";
    case OpCode::kDelete:
      return "DELE";
    case OpCode::kSetData:
      return "SETD";
    case OpCode::kSetACL:
      return "SETA";
    case OpCode::kMulti:
      return "MULT";
    case OpCode::kMultiRead:
      return "MLTR";
    case OpCode::kCloseSession:
      return "CLOS";
    case OpCode::kSync:
      return "SYNC";
    case OpCode::kPing:
      return "PING";
    case OpCode::kExists:
      return "EXIS";
    case OpCode::kGetData:
      return "GETD";
    case OpCode::kGetACL:
      return "GETA";
    case OpCode::kGetChildren:
    case OpCode::kGetChildren2:
      return "GETC";
    case OpCode::kGetAllChildrenNumber:
      return "GETACN";
    case OpCode::kGetEphemerals:
      return "GETE";
    case OpCode::kSetWatches:
      return "SETW";
    case OpCode::kSetWatches2:
      return "STW2";
    case OpCode::kAddWatch:
      return "ADDW";
    case OpCode::kCheckWatches:
      return "CHKW";
    case OpCode::kRemoveWatches:
      return "REMW";
    case OpCode::kWhoAmI:
      return "HOMI";
    case OpCode::kReconfig:
      return "RECO";
    default:
      return "NA";
  }
}

}  // namespace

// ---- handshake

void ClientConnection::on_connect(const net::Buffer& frame) {
  ByteReader in(frame.view());
  auto request = zookeeper::ConnectRequest::decode(in);
  if (!request) return close("the first frame is no ConnectRequest: " + request.error().what());
  if (!clients_.admit_session()) return close("connectionMaxTokens lets no more sessions in now");
  Zxid seen(request->last_zxid_seen);
  if (seen > pipeline_.last_zxid()) {
    return close(
        odradek::format("the client has seen zxid 0x{:x}, our last is 0x{:x}: it spoke to "
                        "another server, or this one was set back",
                        seen.value(), pipeline_.last_zxid().value()));
  }
  has_read_only_ = request->read_only.has_value();
  connect_ms_ = clients_.clock().monotonic_ms();
  pipeline::Pipeline::SessionRequest wanted;
  wanted.timeout_ms = request->time_out;
  wanted.owner = weak_from_this();
  state_ = State::establishing;
  if (request->session_id == 0) {
    clients_.metrics().requests_queued.add();
    pipeline_.create_session(wanted, [self = shared_from_this()](auto grant) {
      // the reply leaves in this step, further requests are read behind it
      self->on_session(std::move(grant));
    });
    return;
  }
  clients_.metrics().connection_revalidations.add();
  tree::Password password{};
  if (!request->passwd || request->passwd->size() != password.size()) {
    return on_session(Error(Errc::session_expired, "no password"));
  }
  std::memcpy(password.data(), request->passwd->data(), password.size());
  auto grant = pipeline_.attach_session(SessionId(request->session_id), password, wanted);
  if (!grant) return on_session(std::move(grant));
  session_ = grant->session;
  // what the session sent over its former connection comes before all that it sends over this one
  pipeline_.barrier([self = shared_from_this(), grant = *grant] {
    if (self->state_ == State::closed) return;
    if (self->pipeline_.session_alive(grant.session)) return self->on_session(grant);
    self->session_ = SessionId();
    self->state_ = State::establishing;
    self->on_session(Error(Errc::session_expired, "its closing was on the way"));
  });
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
  statistics_.last_op = "SESS";
  statistics_.last_zxid = pipeline_.last_zxid();
  statistics_.last_response_ms = clients_.clock().monotonic_ms();
  count_latency(statistics_.last_response_ms - connect_ms_, true);
  if (!grant) {
    warn("asked for a session that is gone, or with a wrong password");
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
  pipeline_.touch(session_, request.begin_ms);
  clients_.begin_request();
  if (held_.empty() && try_start(request)) return;
  clients_.waiting_changed(static_cast<int64_t>(request.frame.size()));
  held_.push_back(std::move(request));
}

// False where the request has to wait for those before it.
bool ClientConnection::try_start(Request& request) {
  if (syncing_) return false;
  auto op = zookeeper::find_op_code(request.type);
  if (op == OpCode::kAuth || op == OpCode::kSasl) {
    if (outstanding_ > 0) return false;
    answer_about_identity(request, *op);
    return true;
  }
  if (!may_ask()) {
    // those before it were of somebody, or it is the first
    if (outstanding_ > 0) return false;
    Answer answer(ErrorCode::kSessionClosedRequireSaslAuth);
    answer.problem = "asked before it authenticated, as every client must";
    end_with({request.xid, request.type, request.begin_ms}, Zxid(0), answer);
    clients_.end_request();
    return true;
  }
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
  clients_.metrics().prep_queue_time.observe(clients_.clock().monotonic_ms() - request.begin_ms);
  auto decoded = decode_write(op, request.body(), pipeline_.options().rules);
  const OpCode asked = op;
  if (!decoded) {
    warn("sent a malformed request: " + decoded.error().what());
    // it takes its place, and a zxid, among the writes
    decoded = DecodedWrite();
    decoded->operations.emplace_back(tree::RefusedOp(Error(Errc::malformed, "malformed")));
    op = OpCode::kDelete;  // answered by its error alone
  }
  std::vector<AuditedOperation> audit;
  if (clients_.audit()) audit = audited(asked, request.body(), decoded->operations);
  ++outstanding_;
  pipeline::Write write(session_, auth_, std::move(decoded->operations), op == OpCode::kMulti);
  auto done = [self = shared_from_this(), ticket, op, asked,
               reply_ops = std::move(decoded->reply_ops),
               audit = std::move(audit)](pipeline::WriteReply reply) {
    if (AuditLog* log = self->clients_.audit()) {
      log->client_write(self->session_, *self->auth_, asked, audit, reply);
    }
    if (self->state_ != State::closed) {
      self->finish(ticket, reply.zxid, encode_write_reply(op, reply_ops, reply));
    } else {
      self->clients_.metrics().stale_replies.add();
    }
    self->write_ended();
  };
  pipeline_.write(std::move(write), std::move(done));
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
    warn("sent a malformed request: " + sync.error().what());
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
  if (!op || is_foreign(*op)) {
    Answer answer(ErrorCode::kUnimplemented);
    answer.problem = odradek::format("sent the unknown operation {}", request.type);
    end_with(ticket, Zxid(-1), answer);
  } else if (op == OpCode::kPing) {
    ticket.xid = zookeeper::Xid::kPing;
    finish(ticket, pipeline_.last_zxid(), Answer());
  } else {
    Answer answer = answer_read(*op, request.body(),
                                {pipeline_, *auth_, session_, this, clients_.metrics()});
    if (!answer.problem.empty()) warn("sent a malformed request: " + answer.problem);
    finish(ticket, pipeline_.last_zxid(), answer);
    if (answer.error == ErrorCode::kSystemError) {
      clients_.watch_refused(*this);
      // a client that comes back takes it for granted that its watches are set again
      if (op == OpCode::kSetWatches || op == OpCode::kSetWatches2) close_when_flushed();
    }
  }
  clients_.end_request();
}

// Answers about who somebody is carry no zxid.
void ClientConnection::answer_about_identity(const Request& request, OpCode op) {
  Ticket ticket{request.xid, request.type, request.begin_ms};
  auto answer = op == OpCode::kAuth ? answer_auth(request) : answer_sasl(request);
  if (answer && answer->error == ErrorCode::kOk) {
    if (!answer->problem.empty()) warn(answer->problem + "; it goes on as nobody");
    finish(ticket, Zxid(0), *answer);
  } else if (answer) {
    end_with(ticket, Zxid(0), *answer);
  }
  clients_.end_request();
}

// The last answer that this connection gets.
void ClientConnection::end_with(const Ticket& ticket, Zxid zxid, const Answer& answer) {
  warn(answer.problem + ": its connection is closed");
  finish(ticket, zxid, answer);
  close_when_flushed();
}

void ClientConnection::finish(const Ticket& ticket, Zxid zxid, const Answer& answer) {
  ReplyFrame frame(ticket.xid, zxid, answer.error);
  frame.body().bytes(answer.body);
  Bytes bytes = frame.take();
  clients_.metrics().response_bytes.add(static_cast<int64_t>(bytes.size()) - kLengthBytes);
  put_out(std::move(bytes));
  auto op = zookeeper::find_op_code(ticket.type);
  if (op == OpCode::kAuth || op == OpCode::kSasl) return;  // not counted as operations
  statistics_.last_op = op ? shown_name(*op, answer.error != ErrorCode::kOk) : "NA";
  if (ticket.xid >= 0) statistics_.last_xid = ticket.xid;
  statistics_.last_zxid = zxid;
  statistics_.last_response_ms = clients_.clock().monotonic_ms();
  count_latency(statistics_.last_response_ms - ticket.begin_ms,
                op && (is_write(*op) || op == OpCode::kCloseSession));
}

void ClientConnection::count_latency(int64_t latency_ms, bool update) {
  statistics_.last_latency_ms = latency_ms;
  statistics_.latency.add(latency_ms);
  clients_.stats().latency.add(latency_ms);
  ServerMetrics& metrics = clients_.metrics();
  (update ? metrics.update_latency : metrics.read_latency).observe(latency_ms);
}

void ClientConnection::write_ended() {
  --outstanding_;
  clients_.end_request();
  if (state_ == State::closing) flush_soon();  // it may have waited for this one
  if (state_ != State::open || carrying_on_) return;
  carrying_on_ = true;
  // a read that waited may not see the rest of this step before its events are out
  pipeline_.after_step([self = shared_from_this()] { self->carry_on(); });
}

// Starts what waited, then reads on.
void ClientConnection::carry_on() {
  carrying_on_ = false;
  while (state_ == State::open && !held_.empty() && !outgoing_full()) {
    // answering may end the connection, which drops what is held
    Request request = std::move(held_.front());
    held_.pop_front();
    if (!try_start(request)) {
      held_.push_front(std::move(request));
      break;
    }
    clients_.waiting_changed(-static_cast<int64_t>(request.frame.size()));
  }
  process_frames();
  if (state_ != State::closed) read_on();
}

}  // namespace odradek::coordinator::server
