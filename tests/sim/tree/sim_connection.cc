#include "tests/sim/tree/sim_connection.h"

#include <algorithm>

#include "common/format.h"
#include "coordinator/server/read_requests.h"

namespace odradek::sim {

using coordinator::server::Answer;
using coordinator::server::ClientConnection;
using zookeeper::OpCode;

namespace {

constexpr size_t kMaxFrame = 1 << 20;
constexpr int64_t kSweepMs = 1000;

std::string framed(std::string_view body) {
  ByteWriter out;
  out.i32(static_cast<int32_t>(body.size()));
  out.bytes(body);
  return std::string(out.take());
}

}  // namespace

// ---- SimConnection

SimConnection::SimConnection(SimPort& port, std::shared_ptr<Wire> wire)
    : ClientConnection(wire->address(), wire->address() + ":1", port.clients(), nullptr),
      port_(port),
      wire_(std::move(wire)),
      coming_(kMaxFrame),
      going_(64 << 20) {}

void SimConnection::post(std::function<void()> fn) {
  port_.coordinator().node().after(0, std::move(fn));
}

void SimConnection::accepted() {
  accepted_ = true;
  read_on();
}

void SimConnection::arrived(std::string bytes, int frames) {
  if (closed()) return;
  inbox_ += bytes;
  if (frames > 0) {
    if (asked_ms_ == 0) asked_ms_ = port_.coordinator().world().now_ms();
    if (session().value() != 0) port_.journal().heard(session().value());
  }
  read_on();
}

void SimConnection::peer_finished() {
  finished_ = true;
  read_on();
}

void SimConnection::read_on() {
  if (reading_ || !accepted_ || closed()) return;
  reading_ = true;
  post([self = self()] {
    self->reading_ = false;
    self->read();
  });
}

void SimConnection::read() {
  if (!watched() || establishing()) return;
  if (!inbox_.empty()) {
    std::string bytes = std::exchange(inbox_, {});
    if (port_.planted() == Planted::none) {
      assembler().feed(bytes);
    } else {
      coming_.feed(bytes);
      while (auto frame = *coming_.next()) let_in(frame->view());
    }
    received();
  }
  if (!closed() && inbox_.empty() && finished_ && watched() && !establishing()) close();
}

void SimConnection::flush_soon() {
  if (flushing_) return;
  flushing_ = true;
  post([self = self()] {
    self->flushing_ = false;
    self->flush();
  });
}

void SimConnection::flush() {
  if (closed()) return;
  World& world = port_.coordinator().world();
  ByteView left = outgoing();
  size_t size = world.chance(10) ? world.below(left.size() + 1) : left.size();
  going_.feed(left.substr(0, size));
  while (auto frame = *going_.next()) let_out(framed(frame->view()));
  if (size < left.size()) flush_soon();
  sent(size);
}

void SimConnection::hang_up() {
  if (port_.dying()) return;
  if (port_.planted() == Planted::ephemeral_before_expiry && session().value() != 0) {
    port_.coordinator().pipeline().close_session(session(),
                                                 [](coordinator::pipeline::WriteReply) {});
  }
  port_.hang_up_soon(wire_);
}

void SimConnection::on_watch_event(coordinator::tree::EventType type, const std::string& path,
                                   Zxid zxid) {
  World& world = port_.coordinator().world();
  if (port_.planted() == Planted::event_lost && world.chance(3)) return;
  if (port_.planted() == Planted::event_twice && world.chance(3)) {
    ClientConnection::on_watch_event(type, path, zxid);
  }
  if (port_.planted() == Planted::event_after_reply && zxid.value() > 0) {
    port_.coordinator().pipeline().after_step([self = self(), type, path, zxid] {
      self->ClientConnection::on_watch_event(type, path, zxid);
    });
    return;
  }
  ClientConnection::on_watch_event(type, path, zxid);
}

// What goes out is what the simulation holds the coordinator to.
void SimConnection::let_out(std::string frame) {
  ByteReader in(ByteView(frame).substr(4));
  if (!std::exchange(answered_connect_, true)) {
    auto response = zookeeper::ConnectResponse::decode(in);
    if (response && response->session_id != 0) {
      port_.journal().granted(response->session_id, response->time_out, asked_ms_);
    }
    return wire_->to_client->write(frame);
  }
  int32_t xid = in.i32();
  int64_t zxid = in.i64();
  if (auto early = early_.find(xid); early != early_.end()) {
    coordinator::server::ReplyFrame changed(xid, Zxid(zxid), early->second.error);
    if (early->second.error == zookeeper::ErrorCode::kOk) changed.body().bytes(early->second.body);
    frame = std::string(changed.take());
    early_.erase(early);
  }
  port_.journal().let_out(zxid);
  wire_->to_client->write(frame);
}

void SimConnection::let_in(std::string_view frame) {
  if (!std::exchange(connect_came_, true)) return assembler().feed(framed(frame));
  ByteReader in(frame);
  int32_t xid = in.i32();
  int32_t type = in.i32();
  bool sets_watches = type == static_cast<int32_t>(OpCode::kSetWatches2);
  if (port_.planted() == Planted::watch_lost_at_reconnect && sets_watches) {
    auto watches = zookeeper::SetWatches2::decode(in);
    if (!watches->data_watches.empty()) watches->data_watches.pop_back();
    if (!watches->child_watches.empty()) watches->child_watches.pop_back();
    ByteWriter out;
    out.i32(xid);
    out.i32(type);
    watches->encode(out);
    return assembler().feed(framed(out.buffer()));
  }
  if (port_.planted() == Planted::read_overtakes_write && queued() > 0) read_early(frame);
  assembler().feed(framed(frame));
}

// The answer that the read would get if it did not wait; it is put into the reply's place.
void SimConnection::read_early(std::string_view frame) {
  ByteReader in(frame);
  int32_t xid = in.i32();
  auto op = zookeeper::find_op_code(in.i32());
  if (op != OpCode::kGetData && op != OpCode::kExists && op != OpCode::kGetChildren2) return;
  std::string body(frame.substr(8));
  body.back() = 0;  // no watch
  coordinator::tree::AuthInfo auth;
  early_[xid] = coordinator::server::answer_read(
      *op, body, {port_.coordinator().pipeline(), auth, session(), this, port_.clients().metrics()});
}

// ---- SimPort

SimPort::SimPort(SimCoordinator& coordinator, Journal& journal, Planted planted)
    : coordinator_(coordinator),
      journal_(journal),
      planted_(planted),
      clients_(idle_.get_executor(), coordinator.pipeline(), settings_) {
  journal_.started(coordinator.pipeline().last_zxid().value());
  sweep();
}

SimPort::~SimPort() {
  dying_ = true;
  for (auto& [number, weak] : connections_) {
    auto connection = weak.lock();
    if (!connection) continue;
    // a process that ends resets its connections; a machine that goes down says nothing
    World& world = coordinator_.world();
    int64_t heard_after_ms = world.chance(70) ? world.between(0, 20) : -1;
    connection->wire()->to_server->cut(-1);
    connection->wire()->to_client->cut(heard_after_ms);
  }
}

void SimPort::connect(std::shared_ptr<Wire> wire) {
  auto connection = std::make_shared<SimConnection>(*this, wire);
  std::erase_if(connections_, [](const auto& each) { return each.second.expired(); });
  connections_[wire->number] = connection;
  wire->to_server->on_bytes = [weak = connection->weak_from_this()](std::string bytes, int frames) {
    if (auto shared = weak.lock()) {
      std::static_pointer_cast<SimConnection>(shared)->arrived(std::move(bytes), frames);
    }
  };
  wire->to_server->on_end = [weak = connection->weak_from_this()] {
    if (auto shared = weak.lock()) std::static_pointer_cast<SimConnection>(shared)->peer_finished();
  };
  coordinator_.node().after(0, [this, connection] {
    clients_.add(connection);
    connection->accepted();
  });
}

void SimPort::hang_up_soon(std::shared_ptr<Wire> wire) {
  hung_up_.push_back(std::move(wire));
  if (hung_up_.size() > 1) return;
  coordinator_.node().after(0, [this] {
    auto hung_up = std::exchange(hung_up_, {});
    std::sort(hung_up.begin(), hung_up.end(),
              [](const auto& a, const auto& b) { return a->number < b->number; });
    for (auto& wire : hung_up) {
      wire->to_server->cut(-1);
      wire->to_client->finish();
    }
  });
}

void SimPort::sweep() {
  clients_.sweep();
  coordinator_.node().after(kSweepMs, [this] { sweep(); });
}

}  // namespace odradek::sim
