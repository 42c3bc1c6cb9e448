#include "coordinator/cli/zk_client.h"

#include <algorithm>
#include <map>

#include "common/cli/text.h"

namespace odradek::coordinator::cli {
namespace {

using odradek::cli::now_ms;
using zookeeper::ErrorCode;
using zookeeper::KeeperState;
using zookeeper::OpCode;
using zookeeper::Xid;

constexpr size_t kMaxAnswerBytes = 64 << 20;
constexpr int kDefaultPort = 2181;
constexpr int64_t kConnectMs = 10'000;
constexpr int64_t kRetryMs = 1000;

Errc errc_of(int32_t code) {
  switch (static_cast<ErrorCode>(code)) {
    case ErrorCode::kNoNode:
      return Errc::no_node;
    case ErrorCode::kNodeExists:
      return Errc::node_exists;
    case ErrorCode::kNotEmpty:
      return Errc::not_empty;
    case ErrorCode::kBadVersion:
      return Errc::bad_version;
    case ErrorCode::kNoAuth:
      return Errc::no_auth;
    case ErrorCode::kInvalidAcl:
      return Errc::invalid_acl;
    case ErrorCode::kNoChildrenForEphemerals:
      return Errc::no_children_for_ephemerals;
    case ErrorCode::kAuthFailed:
      return Errc::auth_failed;
    case ErrorCode::kBadArguments:
      return Errc::bad_path;
    case ErrorCode::kUnimplemented:
      return Errc::unimplemented;
    case ErrorCode::kSessionExpired:
      return Errc::session_expired;
    case ErrorCode::kSessionMoved:
      return Errc::session_moved;
    case ErrorCode::kNoWatcher:
      return Errc::no_watcher;
    case ErrorCode::kQuotaExceeded:
      return Errc::quota_exceeded;
    case ErrorCode::kConnectionLoss:
      return Errc::unavailable;
    default:
      return Errc::internal;
  }
}

Error keeper_error(int32_t code, const std::string& path) {
  return Error(errc_of(code), "KeeperErrorCode = " + keeper_error_name(code) +
                                  (path.empty() ? "" : " for " + path));
}

}  // namespace

std::string keeper_error_name(int32_t code) {
  static const std::map<int32_t, std::string> irregular = {
      {-114, "InvalidACL"},          {-119, "Not a read-only call"}, {-111, "Directory not empty"},
      {-112, "Session expired"},     {-118, "Session moved"},        {-121, "No such watcher"},
      {-123, "Reconfig is disabled"}, {-125, "Quota has exceeded"},
      {-124, "Session closed because client failed to authenticate"}};
  if (auto found = irregular.find(code); found != irregular.end()) return found->second;
  auto known = zookeeper::find_error_code(code);
  return known ? std::string(zookeeper::name_of(*known)) : "Unknown error " + std::to_string(code);
}

Error connection_loss(const std::string& path) {
  return keeper_error(static_cast<int32_t>(ErrorCode::kConnectionLoss), path);
}

std::vector<ACL> open_acl() {
  ACL acl;
  acl.perms = zookeeper::Permission::kAll;
  acl.id = {"world", "anyone"};
  return {acl};
}

std::string path_problem(const std::string& path, bool sequential) {
  std::string checked = sequential ? path + "1" : path;
  auto invalid = [&](const std::string& why, size_t at) {
    return "Invalid path string \"" + checked + "\" caused by " + why + " @" + std::to_string(at);
  };
  if (checked.empty()) return "Path length must be > 0";
  if (checked[0] != '/') return "Path must start with / character";
  if (checked.size() == 1) return {};
  if (checked.back() == '/') return "Path must not end with / character";
  size_t from = 1;
  for (size_t i = 1; i <= checked.size(); ++i) {
    bool end = i == checked.size();
    if (!end && checked[i] == '\0') return invalid("null character not allowed", i);
    if (end || checked[i] == '/') {
      std::string_view part = std::string_view(checked).substr(from, i - from);
      if (part.empty()) return invalid("empty node name specified", i);
      if (part == "." || part == "..") return invalid("relative paths not allowed", i - 1);
      from = i + 1;
      continue;
    }
    auto byte = static_cast<unsigned char>(checked[i]);
    if (byte < 0x20 || byte == 0x7f) return invalid("invalid character", i);
  }
  return {};
}

ZkClient::ZkClient(Settings settings, EventHandler on_event)
    : settings_(std::move(settings)), on_event_(std::move(on_event)) {
  std::string hosts = settings_.connect;
  if (size_t slash = hosts.find('/'); slash != std::string::npos) {
    chroot_ = hosts.substr(slash);
    hosts.resize(slash);
    while (chroot_.size() > 1 && chroot_.back() == '/') chroot_.pop_back();
    if (chroot_ == "/") chroot_.clear();
  }
  for (const auto& part : odradek::cli::split(hosts, ',')) {
    std::string host(odradek::cli::trim(part));
    if (host.empty()) continue;
    int port = kDefaultPort;
    size_t colon = host.rfind(':');
    if (colon != std::string::npos && (host.find(':') == colon || host.find(']') < colon)) {
      if (auto number = odradek::cli::parse_int(std::string_view(host).substr(colon + 1))) {
        port = static_cast<int>(*number);
      }
      host.resize(colon);
    }
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    servers_.push_back({host, port});
  }
}

ZkClient::~ZkClient() { close(); }

void ZkClient::fire(KeeperState state) {
  zookeeper::WatcherEvent event;
  event.type = static_cast<int32_t>(zookeeper::EventType::kNone);
  event.state = static_cast<int32_t>(state);
  if (on_event_) on_event_(event);
}

Result<void> ZkClient::handshake(const Server& server, int64_t deadline_ms) {
  auto socket = odradek::cli::Socket::connect(server.host, server.port, deadline_ms);
  if (!socket) return socket.error();
  zookeeper::ConnectRequest request;
  request.last_zxid_seen = last_zxid_;
  request.time_out = settings_.session_timeout_ms;
  request.session_id = session_id_;
  request.passwd = password_.empty() ? std::string(16, '\0') : password_;
  request.read_only = settings_.read_only;
  ByteWriter out;
  out.i32(0);
  request.encode(out);
  out.patch_i32(0, static_cast<int32_t>(out.buffer_size() - 4));
  if (auto sent = socket->send(out.buffer(), deadline_ms); !sent) return sent.error();
  auto frame = socket->receive_frame(kMaxAnswerBytes, deadline_ms);
  if (!frame) return frame.error();
  ByteReader in(*frame);
  auto answer = zookeeper::ConnectResponse::decode(in);
  if (!answer) return answer.error();
  if (answer->time_out <= 0) {
    state_ = State::expired;
    fire(KeeperState::kExpired);
    return Error(Errc::session_expired, "the session has expired");
  }
  socket_ = std::move(*socket);
  session_id_ = answer->session_id;
  password_ = answer->passwd.value_or("");
  timeout_ms_ = answer->time_out;
  last_sent_ms_ = now_ms();
  bool read_only = answer->read_only.value_or(false);
  state_ = read_only ? State::read_only : State::connected;
  fire(read_only ? KeeperState::kConnectedReadOnly : KeeperState::kSyncConnected);
  auto known = std::move(auths_);
  auths_.clear();
  for (const auto& [scheme, auth] : known) {
    if (auto added = add_auth(scheme, auth); !added) return added.error();
  }
  return {};
}

Result<void> ZkClient::connect(int64_t wait_ms) {
  if (socket_) return {};
  if (state_ == State::closed) return Error(Errc::session_expired, "Not connected");
  if (state_ == State::expired)
    return keeper_error(static_cast<int32_t>(ErrorCode::kSessionExpired), "");
  int64_t until = now_ms() + wait_ms;
  Error last(Errc::unavailable, "no server is named");
  while (true) {
    for (const auto& server : servers_) {
      auto done =
          handshake(server, now_ms() + std::min<int64_t>(kConnectMs, settings_.session_timeout_ms));
      if (done) return {};
      last = done.error();
      if (last.code() == Errc::session_expired) return last;
      odradek::cli::log_line("WARN",
                             "Session 0x0 for server " + server.host + ":" +
                                 std::to_string(server.port) + ", no connection: " + last.what(),
                             "org.apache.zookeeper.ClientCnxn");
    }
    if (now_ms() + kRetryMs > until) return last;
    odradek::cli::sleep_ms(kRetryMs);
  }
}

void ZkClient::close() {
  if (socket_) {
    ByteWriter nothing;
    if (auto xid = submit(OpCode::kCloseSession, nothing)) (void)wait_for(*xid, "").ok();
    socket_.reset();
  }
  if (state_ == State::closed) return;
  bool had_session = session_id_ != 0;
  state_ = State::closed;
  session_id_ = 0;
  if (had_session && on_event_) {
    zookeeper::WatcherEvent event;
    event.type = static_cast<int32_t>(zookeeper::EventType::kNone);
    event.state = 7;  // Closed: known to clients alone
    on_event_(event);
  }
}

void ZkClient::close_quietly() {
  on_event_ = nullptr;
  close();
}

void ZkClient::disconnected() {
  socket_.reset();
  if (state_ == State::closed || state_ == State::expired) return;
  state_ = State::connecting;
  next_try_ms_ = now_ms() + kRetryMs;
  fire(KeeperState::kDisconnected);
}

int64_t ZkClient::answer_deadline() const { return now_ms() + std::max(timeout_ms_, 4000) * 2 / 3; }

int64_t ZkClient::ms_to_next_ping() const {
  if (state_ == State::closed || state_ == State::expired) return 3'600'000;
  int64_t due = socket_ ? last_sent_ms_ + timeout_ms_ / 3 : next_try_ms_;
  return std::max<int64_t>(0, due - now_ms());
}

void ZkClient::pump() {
  if (state_ == State::closed || state_ == State::expired) return;
  if (!socket_) {
    if (session_id_ != 0 && now_ms() >= next_try_ms_) {
      next_try_ms_ = now_ms() + kRetryMs;
      for (const auto& server : servers_) {
        if (auto done = handshake(server, now_ms() + kRetryMs); done || state_ == State::expired)
          break;
      }
    }
    return;
  }
  while (socket_ && socket_->readable()) {
    auto frame = socket_->receive_frame(kMaxAnswerBytes, answer_deadline());
    if (!frame) return disconnected();
    ByteReader in(*frame);
    auto header = zookeeper::ReplyHeader::decode(in);
    if (!header) return disconnected();
    take_unasked(header->xid, in);
  }
  if (socket_ && ms_to_next_ping() == 0) {
    zookeeper::RequestHeader header;
    header.xid = Xid::kPing;
    header.type = static_cast<int32_t>(OpCode::kPing);
    ByteWriter out;
    out.i32(8);
    header.encode(out);
    last_sent_ms_ = now_ms();
    if (!socket_->send(out.buffer(), answer_deadline())) disconnected();
  }
}

bool ZkClient::take_unasked(int32_t xid, ByteReader& in) {
  if (xid == Xid::kPing) return true;
  if (xid != Xid::kNotification) return false;
  auto event = zookeeper::WatcherEvent::decode(in);
  if (event && on_event_) {
    event->path = local(event->path);
    on_event_(*event);
  }
  return true;
}

Result<int32_t> ZkClient::submit(OpCode op, const ByteWriter& body) {
  if (!socket_) {
    if (auto done = connect(); !done) {
      if (done.error().code() == Errc::session_expired) return done.error();
      return Error(Errc::unavailable, done.error().what());
    }
  }
  zookeeper::RequestHeader header;
  header.xid = op == OpCode::kAuth ? static_cast<int32_t>(Xid::kAuth) : ++xid_;
  header.type = static_cast<int32_t>(op);
  ByteWriter out;
  out.i32(0);
  header.encode(out);
  out.bytes(body.buffer());
  out.patch_i32(0, static_cast<int32_t>(out.buffer_size() - 4));
  last_sent_ms_ = now_ms();
  if (auto sent = socket_->send(out.buffer(), answer_deadline()); !sent) {
    disconnected();
    return sent.error();
  }
  return header.xid;
}

Result<Bytes> ZkClient::wait_for(int32_t xid, const std::string& path) {
  int64_t deadline_ms = answer_deadline();
  while (socket_) {
    auto frame = socket_->receive_frame(kMaxAnswerBytes, deadline_ms);
    if (!frame) break;
    ByteReader in(*frame);
    auto header = zookeeper::ReplyHeader::decode(in);
    if (!header) break;
    if (header->xid != Xid::kNotification && header->zxid > last_zxid_) last_zxid_ = header->zxid;
    if (take_unasked(header->xid, in)) continue;
    if (header->xid != xid) break;
    if (header->err != 0) return keeper_error(header->err, path);
    return Bytes(in.rest());
  }
  disconnected();
  return connection_loss(path);
}

Result<Bytes> ZkClient::call(OpCode op, const ByteWriter& body, const std::string& path) {
  auto xid = submit(op, body);
  if (!xid) return xid.error().code() == Errc::unavailable ? connection_loss(path) : xid.error();
  return wait_for(*xid, path);
}

std::string ZkClient::full(const std::string& path) const {
  if (chroot_.empty()) return path;
  return path == "/" ? chroot_ : chroot_ + path;
}

std::string ZkClient::local(const std::string& path) const {
  if (chroot_.empty() || !path.starts_with(chroot_)) return path;
  return path.size() == chroot_.size() ? "/" : path.substr(chroot_.size());
}

}  // namespace odradek::coordinator::cli
