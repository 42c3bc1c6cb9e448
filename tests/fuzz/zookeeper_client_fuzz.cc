// What three ZooKeeper clients may send and do to a coordinator, bytes, order and timing included:
// frames, pieces of frames, broken connections, time that passes, a power loss. Sockets, handshake,
// requests, pipeline and watches are the real ones; the store is in memory and commits when told.
//
// The input is a list of steps: a byte (action + 16 * client; the highest bit of the first one sets
// SASL up), and what the action takes. After it
// every reply must have answered its request in order with its own record, the tree must be whole,
// and nothing may be left of connections that went.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <deque>
#include <memory>
#include <optional>

#include "common/check.h"
#include "common/log/log.h"
#include "coordinator/pipeline/pipeline.h"
#include "coordinator/server/client_connection.h"
#include "coordinator/server/clients.h"
#include "coordinator/store/memory_store.h"
#include "proto/zookeeper/opcodes.h"
#include "proto/zookeeper/records.h"
#include "tests/support/coordinator/tree_invariants.h"

namespace {

using namespace odradek;
using namespace odradek::coordinator;
using zookeeper::OpCode;

constexpr size_t kClients = 3;

template <typename Record>
void must_be(ByteReader& in) {
  CHECK(Record::decode(in).ok());
}

void check_part(int32_t type, ByteReader& in) {
  switch (static_cast<OpCode>(type)) {
    case OpCode::kCreate:
      return must_be<zookeeper::CreateResponse>(in);
    case OpCode::kCreate2:
    case OpCode::kCreateContainer:
    case OpCode::kCreateTTL:
      return must_be<zookeeper::Create2Response>(in);
    case OpCode::kExists:
    case OpCode::kSetData:
    case OpCode::kSetACL:
      return must_be<zookeeper::Stat>(in);
    case OpCode::kGetData:
      return must_be<zookeeper::GetDataResponse>(in);
    case OpCode::kGetACL:
      return must_be<zookeeper::GetACLResponse>(in);
    case OpCode::kGetChildren:
      return must_be<zookeeper::GetChildrenResponse>(in);
    case OpCode::kGetChildren2:
      return must_be<zookeeper::GetChildren2Response>(in);
    case OpCode::kGetEphemerals:
      return must_be<zookeeper::GetEphemeralsResponse>(in);
    case OpCode::kGetAllChildrenNumber:
      return must_be<zookeeper::GetAllChildrenNumberResponse>(in);
    case OpCode::kSync:
      return must_be<zookeeper::SyncResponse>(in);
    case OpCode::kSasl:
      return must_be<zookeeper::SetSASLResponse>(in);
    default:
      return;
  }
}

void check_multi(ByteReader& in) {
  for (;;) {
    auto header = zookeeper::MultiHeader::decode(in);
    CHECK(header.ok());
    if (header->done) return;
    if (header->type == -1) {
      CHECK(in.i32() == header->err && in.ok());
    } else {
      check_part(header->type, in);
    }
  }
}

bool is(int32_t type, OpCode op) { return type == static_cast<int32_t>(op); }

// Numbers that stand for no request of a client.
bool is_foreign(int32_t type) {
  return is(type, OpCode::kNotification) || is(type, OpCode::kError) ||
         is(type, OpCode::kCreateSession);
}

// The body of a successful reply is its record and nothing behind it.
void check_body(int32_t type, ByteReader in) {
  switch (static_cast<OpCode>(type)) {
    case OpCode::kMulti:
    case OpCode::kMultiRead:
      check_multi(in);
      break;
    case OpCode::kWhoAmI:
      must_be<zookeeper::WhoAmIResponse>(in);
      break;
    case OpCode::kAddWatch:
      must_be<zookeeper::ErrorResponse>(in);
      break;
    default:
      check_part(type, in);
  }
  CHECK(in.remaining() == 0);
}

// The client's end of one connection.
class Client {
 public:
  explicit Client(int fd) : fd_(fd) {}
  ~Client() { ::close(fd_); }
  Client(const Client&) = delete;

  // False where the server takes nothing any more.
  bool send(std::string_view bytes) {
    return ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT) ==
           static_cast<ssize_t>(bytes.size());
  }
  bool send_frame(std::string_view frame) {
    ByteWriter out;
    out.i32(static_cast<int32_t>(frame.size()));
    out.bytes(frame);
    if (connect_sent_) {
      ByteReader in(frame);
      int32_t xid = in.i32();
      int32_t type = in.i32();
      if (is(type, OpCode::kPing)) xid = zookeeper::Xid::kPing;  // whatever it was asked with
      asked_.push_back({xid, type});
      // the reply to such a request cannot be told from an event
      if (xid == zookeeper::Xid::kNotification) lose_track();
    }
    connect_sent_ = true;
    return send(out.buffer());
  }
  // From here on nobody knows which replies are to come.
  void lose_track() { tracked_ = false; }

  void receive() {
    char chunk[16384];
    for (ssize_t got; (got = ::recv(fd_, chunk, sizeof chunk, MSG_DONTWAIT)) > 0;) {
      received_.append(chunk, static_cast<size_t>(got));
    }
    for (;;) {
      ByteReader in(received_);
      int32_t size = in.i32();
      if (!in.ok()) return;
      CHECK(size >= 0);
      if (in.remaining() < static_cast<size_t>(size)) return;
      take(std::string_view(received_).substr(4, static_cast<size_t>(size)));
      received_.erase(0, 4 + static_cast<size_t>(size));
    }
  }

  int64_t session = 0;
  Bytes password = Bytes(16, '\0');

 private:
  struct Asked {
    int32_t xid;
    int32_t type;
  };

  void take(std::string_view frame) {
    ByteReader in(frame);
    if (!connected_) {
      auto response = zookeeper::ConnectResponse::decode(in);
      CHECK(response.ok() && in.remaining() == 0 && response->passwd->size() == 16);
      connected_ = true;
      session = response->session_id;
      password = *response->passwd;
      return;
    }
    auto header = zookeeper::ReplyHeader::decode(in);
    CHECK(header.ok());
    if (header->xid == zookeeper::Xid::kNotification) {
      if (!tracked_) return;
      CHECK(header->err == 0);
      must_be<zookeeper::WatcherEvent>(in);
      CHECK(in.remaining() == 0);
      return;
    }
    // 0 or -1 where it is about who the client is, or about an operation that there is not
    if (header->zxid > 0) {
      CHECK(header->zxid >= zxid_);
      zxid_ = header->zxid;
    }
    if (!tracked_) return;
    CHECK(!asked_.empty() && asked_.front().xid == header->xid);
    const int32_t type = asked_.front().type;
    asked_.pop_front();
    const bool about_identity = is(type, OpCode::kAuth) || is(type, OpCode::kSasl);
    CHECK(header->zxid > 0 || about_identity || !zookeeper::find_op_code(type) ||
          is_foreign(type));
    if (header->err == 0 || is(type, OpCode::kSasl)) {
      check_body(type, in);
    } else {
      CHECK(in.remaining() == 0);
    }
  }
  const int fd_;
  bool connect_sent_ = false;
  bool connected_ = false;
  bool tracked_ = true;
  int64_t zxid_ = 0;
  std::deque<Asked> asked_;
  Bytes received_;
};

class World {
 public:
  explicit World(bool with_sasl) {
    settings_.global_outstanding_limit = 8;
    settings_.auth.sasl = with_sasl;
    settings_.auth.sasl_users = {{"bob", "bobs secret"}};
    start();
  }
  ~World() { stop(); }

  void step(ByteReader& in) {
    const uint8_t byte = static_cast<uint8_t>(in.i8());
    const size_t who = byte / 16 % kClients;
    const int action = byte % 16;
    switch (action) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4:
      case 5:
      case 6:
        return send(who, action, in);
      case 7:
        return settle();
      case 8:
        committer_.step();
        return poll();
      case 9:
        clients_[who].reset();
        return poll();
      case 10:
        return open(who);
      case 11:
      case 12:
        return connect(who, action == 12);
      case 13:
        return pass_time(in.i8() & 0x3f);
      case 14:
        return lose_power();
      default:
        clock_.jump_wall_ms(int64_t{60'000} * in.i8());
        return check_tree();
    }
  }

  void end() {
    settle();
    check_tree();
    for (auto& client : clients_) client.reset();
    settle();
    CHECK(served_->size() == 0);
    CHECK(pipeline_->watches().watch_count() == 0 && pipeline_->watches().path_count() == 0);
    CHECK(pipeline_->watches().watcher_count() == 0);
    lose_power();
    // nobody comes back: every session ends, and its ephemerals with it
    for (int i = 0; i < 4; ++i) pass_time(0x3f);
    CHECK(pipeline_->sessions().size() == 0);
    CHECK(pipeline_->applied_store().totals()->ephemerals == 0);
    check_tree();
  }

 private:
  void start() {
    pipeline::PipelineOptions options;
    options.tick_ms = 2000;
    options.min_session_timeout_ms = 4000;
    options.max_session_timeout_ms = 40000;
    options.rules.extended_types = true;
    options.new_password = [] { return tree::Password(); };
    auto opened = pipeline::Pipeline::open(options, clock_, store_, committer_);
    CHECK(opened.ok());
    pipeline_ = *std::move(opened);
    served_ =
        std::make_unique<server::Clients>(context_.get_executor(), *pipeline_, settings_);
  }
  void stop() {
    for (auto& client : clients_) client.reset();
    served_->close_all();
    poll();
    served_.reset();
    pipeline_.reset();
    committer_ = pipeline::ManualCommitter();
  }
  void lose_power() {
    auto before = tree_dump(*store_.snapshot());
    stop();
    store_.crash();
    // before the start, which may count quotas anew
    CHECK(tree_dump(*store_.snapshot()) == before);
    start();
  }

  void open(size_t who) {
    int ends[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
    clients_[who] = std::make_unique<Client>(ends[0]);
    net::Accepted accepted;
    accepted.fd = ends[1];
    accepted.address = "127.0.0.1";
    served_->serve(std::move(accepted), [] {});
    poll();
  }
  void connect(size_t who, bool again) {
    zookeeper::ConnectRequest request;
    request.time_out = 10000;
    request.passwd = Bytes(16, '\0');
    if (again && clients_[who]) {
      request.session_id = clients_[who]->session;
      request.passwd = clients_[who]->password;
    }
    open(who);
    ByteWriter out;
    request.encode(out);
    clients_[who]->send_frame(out.buffer());
    settle();
  }
  void send(size_t who, int action, ByteReader& in) {
    const size_t size = std::min<size_t>(in.u16(), in.remaining());
    std::string_view bytes = in.bytes(in.ok() ? size : 0);
    if (!clients_[who]) return;
    if (action == 6) clients_[who]->lose_track();
    bool taken = action == 6 ? clients_[who]->send(bytes) : clients_[who]->send_frame(bytes);
    if (!taken) clients_[who].reset();
    if (action < 4) return settle();
    if (action != 5) poll();
  }
  void pass_time(int halves) {
    for (int i = 0; i < halves; ++i) {
      clock_.advance_ms(500);
      pipeline_->tick();
      settle();
    }
  }

  void poll() {
    context_.restart();
    context_.poll();
    for (auto& client : clients_) {
      if (client) client->receive();
    }
  }
  void settle() {
    do {
      poll();
    } while (committer_.step() || context_.poll() > 0);
    poll();
    CHECK(pipeline_->writes_in_flight() == 0);
    CHECK(served_->outstanding() == 0);
  }
  void check_tree() {
    auto problems = tree_problems(*store_.snapshot());
    for (const std::string& problem : problems) std::fprintf(stderr, "%s\n", problem.c_str());
    CHECK(problems.empty());
  }

  boost::asio::io_context context_;
  ManualClock clock_;
  store::MemoryStore store_;
  pipeline::ManualCommitter committer_;
  server::ServerSettings settings_;
  std::unique_ptr<pipeline::Pipeline> pipeline_;
  std::unique_ptr<server::Clients> served_;
  std::unique_ptr<Client> clients_[kClients];
};

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  LogOptions log;
  log.level = LogLevel::off;
  log.to_stdout = false;
  log_open(log);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ByteReader in(ByteView(reinterpret_cast<const char*>(data), size));
  World world(size > 0 && (data[0] & 0x80));
  while (in.remaining() > 0) world.step(in);
  world.end();
  return 0;
}
