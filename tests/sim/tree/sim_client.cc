#include "tests/sim/tree/sim_client.h"

#include "common/format.h"
#include "tests/sim/tree/sim_connection.h"

namespace odradek::sim {

using zookeeper::ErrorCode;
using zookeeper::EventType;
using zookeeper::OpCode;

namespace {

constexpr size_t kMostWaiting = 8;
constexpr size_t kMaxFrame = 64 << 20;
constexpr size_t kPasswordBytes = 16;

}  // namespace

SimClient::SimClient(World& world, SimCoordinator& coordinator, Journal& journal, Network& network,
                     int number)
    : world_(world),
      coordinator_(coordinator),
      journal_(journal),
      network_(network),
      name_("client " + std::to_string(number)),
      timeout_ms_(world.between(1000, 6000)),
      view_(world, journal, name_),
      workload_(world, std::to_string(number)) {}

SimClient::~SimClient() {
  if (!wire_) return;
  wire_->to_client->on_bytes = nullptr;
  wire_->to_client->on_end = nullptr;
}

// ---- connections

void SimClient::connect(int64_t delay_ms) {
  uint64_t life = ++life_;
  state_ = State::connecting;
  world_.after(delay_ms, [this, life] {
    if (life != life_) return;
    if (!coordinator_.up()) return connect(world_.between(1, 300));
    open_wire();
    keep_alive(life);
  });
}

void SimClient::open_wire() {
  wire_ = std::make_shared<Wire>(world_, network_);
  assembler_ = std::make_unique<net::FrameAssembler>(kMaxFrame);
  received_ms_ = sent_ms_ = world_.now_ms();
  wire_->to_client->on_bytes = [this](std::string bytes, int) { received(bytes); };
  wire_->to_client->on_end = [this] { wire_ended(); };
  coordinator_.part<SimPort>()->connect(wire_);
  zookeeper::ConnectRequest wanted;
  wanted.last_zxid_seen = last_zxid_;
  wanted.time_out = static_cast<int32_t>(timeout_ms_);
  wanted.session_id = session_;
  wanted.passwd = session_ ? password_ : std::string(kPasswordBytes, '\0');
  wanted.read_only = false;
  ByteWriter out;
  out.i32(0);
  wanted.encode(out);
  out.patch_i32(0, static_cast<int32_t>(out.buffer_size() - 4));
  wire_->to_server->write(out.buffer());
}

// Nothing that still comes on it is heard.
void SimClient::drop_wire() {
  if (!wire_) return;
  wire_->to_client->on_bytes = nullptr;
  wire_->to_client->on_end = nullptr;
  wire_.reset();
  view_.disconnected();
}

void SimClient::wire_ended() {
  world_.trace(name_ + "'s connection ends");
  if (state_ == State::closing) forget_session();
  drop_wire();
  connect(world_.between(1, 300));
}

void SimClient::lose_connection() {
  if (!wire_) return;
  world_.trace(name_ + " loses its connection");
  auto learns = [this] { return world_.chance(60) ? world_.between(0, 2000) : -1; };
  wire_->to_server->cut(learns());
  wire_->to_client->cut(learns());
}

void SimClient::leave_connection() {
  if (!wire_) return;
  world_.trace(name_ + " leaves its connection");
  if (world_.chance(50)) wire_->to_server->finish();
  if (state_ == State::closing) forget_session();
  drop_wire();
  connect(world_.between(0, 20));
}

void SimClient::crash() {
  world_.trace(name_ + " crashes");
  if (wire_) {
    wire_->to_server->cut(world_.chance(50) ? world_.between(0, 1000) : -1);
    wire_->to_client->cut(-1);
  }
  drop_wire();
  forget_session();
  connect(world_.between(1, 4000));
}

void SimClient::forget_session() {
  session_ = last_zxid_ = 0;
  data_.clear();
  exist_.clear();
  child_.clear();
  persistent_.clear();
  recursive_.clear();
}

// ---- what comes

void SimClient::received(std::string_view bytes) {
  received_ms_ = world_.now_ms();
  uint64_t life = life_;
  assembler_->feed(bytes);
  while (life == life_ && world_.breaches().empty()) {
    auto frame = assembler_->next();
    if (!frame) return world_.breach(name_ + ": bytes that are no frame");
    if (!*frame) return;
    if (state_ == State::connecting) {
      on_connected((*frame)->view());
    } else {
      on_frame((*frame)->view());
    }
  }
}

void SimClient::on_connected(std::string_view frame) {
  ByteReader in(frame);
  auto response = zookeeper::ConnectResponse::decode(in);
  if (!response || !response->passwd) return world_.breach(name_ + ": a wrong ConnectResponse");
  if (response->session_id == 0) {
    if (journal_.history().session_open(session_, journal_.history().last())) {
      return world_.breach(
          odradek::format("{}: is told that session {:x} is gone", name_, session_));
    }
    world_.trace(name_ + "'s session expired");
    ++expired_;
    forget_session();
    drop_wire();
    return connect(world_.between(1, 300));
  }
  if (session_ != 0 && response->session_id != session_) {
    return world_.breach(name_ + ": resumes one session and gets another");
  }
  if (response->time_out != timeout_ms_) return world_.breach(name_ + ": gets another time-out");
  if (session_ == 0) ++sessions_;
  session_ = response->session_id;
  password_ = *response->passwd;
  state_ = State::connected;
  world_.trace(odradek::format("{} has session {:x}", name_, session_));
  view_.connected(session_);
  bring_watches();
  work(life_);
}

void SimClient::on_frame(std::string_view frame) {
  ByteReader in(frame);
  auto header = zookeeper::ReplyHeader::decode(in);
  if (!header) return world_.breach(name_ + ": a reply without a header");
  std::string_view body = frame.substr(16);
  if (header->xid == zookeeper::Xid::kNotification) return on_event(body, header->zxid);
  auto error = static_cast<ErrorCode>(header->err);
  if (auto request = view_.reply(header->xid, header->zxid, error, body)) {
    last_zxid_ = header->zxid;
    on_reply(*request, header->zxid, error);
  }
}

void SimClient::on_event(std::string_view body, int64_t zxid) {
  ByteReader in(body);
  auto event = zookeeper::WatcherEvent::decode(in);
  if (!event || event->state != static_cast<int32_t>(zookeeper::KeeperState::kSyncConnected)) {
    return world_.breach(name_ + ": a wrong event");
  }
  auto type = static_cast<EventType>(event->type);
  view_.event({type, event->path, zxid});
  if (type != EventType::kNodeChildrenChanged) {
    data_.erase(event->path);
    exist_.erase(event->path);
  }
  if (type == EventType::kNodeChildrenChanged || type == EventType::kNodeDeleted) {
    child_.erase(event->path);
  }
}

void SimClient::on_reply(const Request& request, int64_t zxid, ErrorCode error) {
  if (request.op == OpCode::kCloseSession || error == ErrorCode::kSessionExpired) {
    if (error == ErrorCode::kSessionExpired) ++expired_;
    forget_session();
    drop_wire();
    return connect(world_.between(1, 300));
  }
  remember_watches(request, error);
  if (error == ErrorCode::kOk) learn(request, zxid);
}

void SimClient::remember_watches(const Request& request, ErrorCode error) {
  bool ok = error == ErrorCode::kOk;
  if (request.watch) {
    const std::string& path = request.paths.front();
    bool children = request.op == OpCode::kGetChildren || request.op == OpCode::kGetChildren2;
    if (ok) (children ? child_ : data_).insert(path);
    if (request.op == OpCode::kExists && error == ErrorCode::kNoNode) exist_.insert(path);
  }
  if (request.op == OpCode::kAddWatch && ok) {
    (request.kind == WatchKind::recursive ? recursive_ : persistent_).insert(request.paths.front());
  }
  if (request.op == OpCode::kRemoveWatches && ok) {
    const std::string& path = request.paths.front();
    if (request.removes != zookeeper::WatcherType::kData) child_.erase(path);
    if (request.removes != zookeeper::WatcherType::kChildren) {
      data_.erase(path);
      exist_.erase(path);
    }
    if (request.removes == zookeeper::WatcherType::kAny) {
      persistent_.erase(path);
      recursive_.erase(path);
    }
  }
}

// The reply was as the history says, so that says what it told.
void SimClient::learn(const Request& request, int64_t zxid) {
  const History& history = journal_.history();
  if (request.is_write()) {
    for (const History::Answer& answer : history.step(zxid).answers) {
      if (!answer.path.empty()) workload_.saw_child(answer.path);
    }
    return;
  }
  if (request.paths.empty()) return;
  const std::string& path = request.paths.front();
  const ModelNode* node = history.node(path, zxid);
  if (!node) return;
  workload_.saw_version(path, node->stat.version);
  if (request.op == OpCode::kGetChildren || request.op == OpCode::kGetChildren2) {
    for (const std::string& name : history.children(path, zxid)) {
      if (path != "/") workload_.saw_child(path + "/" + name);
    }
  }
}

// ---- what goes

void SimClient::send(Request request) {
  request.order = ++last_order_;
  request.session = session_;
  // a sync waits for all that the coordinator has begun
  request.floor = request.op == OpCode::kSync ? journal_.history().last() : journal_.told();
  if (request.xid == 0) request.xid = ++last_xid_;
  if (request.is_write()) {
    request.sent = std::make_shared<SentWrite>();
    request.sent->order = request.order;
    request.sent->session = session_;
    request.sent->text = to_text(request.writes);
    ++request.floor;  // its own zxid is behind all that was told
    journal_.sent_write(wire_->address(), request.sent);
  }
  sent_ms_ = world_.now_ms();
  wire_->to_server->write(request.encode());
  view_.sent(std::move(request));
}

void SimClient::bring_watches() {
  if (data_.empty() && exist_.empty() && child_.empty() && persistent_.empty() &&
      recursive_.empty()) {
    return;
  }
  Request request;
  request.op = OpCode::kSetWatches2;
  request.xid = zookeeper::Xid::kSetWatches;
  request.watches.relative_zxid = last_zxid_;
  request.watches.data_watches.assign(data_.begin(), data_.end());
  request.watches.exist_watches.assign(exist_.begin(), exist_.end());
  request.watches.child_watches.assign(child_.begin(), child_.end());
  request.watches.persistent_watches.assign(persistent_.begin(), persistent_.end());
  request.watches.persistent_recursive_watches.assign(recursive_.begin(), recursive_.end());
  send(std::move(request));
}

void SimClient::keep_alive(uint64_t life) {
  if (life != life_ || !wire_) return;
  int64_t now_ms = world_.now_ms();
  if (now_ms - received_ms_ > timeout_ms_ * 2 / 3) {
    world_.trace(name_ + " hears nothing");
    wire_->to_server->finish();
    return wire_ended();
  }
  if (state_ == State::connected && now_ms - sent_ms_ >= timeout_ms_ / 3) {
    Request ping;
    ping.op = OpCode::kPing;
    ping.xid = zookeeper::Xid::kPing;
    send(std::move(ping));
  }
  world_.after(timeout_ms_ / 8, [this, life] { keep_alive(life); });
}

void SimClient::work(uint64_t life) {
  if (life != life_ || state_ != State::connected || resting_) return;
  if (world_.chance(1) && world_.chance(50)) {
    Request close;
    close.op = OpCode::kCloseSession;
    journal_.asked_to_close(session_);
    send(std::move(close));
    state_ = State::closing;
    return;
  }
  for (uint64_t burst = 1 + world_.below(4); burst > 0 && view_.waiting().size() < kMostWaiting;
       --burst) {
    send(workload_.next(watched_paths()));
  }
  int64_t pause_ms = world_.chance(10) ? world_.between(100, 3000) : world_.between(0, 150);
  world_.after(pause_ms, [this, life] { work(life); });
}

std::vector<std::string> SimClient::watched_paths() const {
  std::vector<std::string> paths;
  for (const auto* set : {&data_, &exist_, &child_, &persistent_, &recursive_}) {
    paths.insert(paths.end(), set->begin(), set->end());
  }
  return paths;
}

}  // namespace odradek::sim
