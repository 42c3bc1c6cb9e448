#pragma once
// A blocking client of port 2181 that speaks in bytes and records, and a service on a folder of its
// own.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <string>

#include "common/bytes/byte_reader.h"
#include "common/bytes/byte_writer.h"
#include "common/format.h"
#include "coordinator/server/service.h"
#include "proto/zookeeper/opcodes.h"
#include "proto/zookeeper/records.h"
#include "tests/support/memory_folder.h"

namespace odradek::coordinator::server {

using zookeeper::ErrorCode;
using zookeeper::OpCode;

struct Reply {
  zookeeper::ReplyHeader header;
  std::string body;
  ErrorCode error() const { return static_cast<ErrorCode>(header.err); }
};

class RawClient {
 public:
  explicit RawClient(uint16_t port, bool v6 = false) {
    timeval patience{5, 0};
    fd_ = socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (v6) {
      sockaddr_in6 to{};
      to.sin6_family = AF_INET6;
      to.sin6_port = htons(port);
      to.sin6_addr = in6addr_loopback;
      EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
    } else {
      sockaddr_in to{};
      to.sin_family = AF_INET;
      to.sin_port = htons(port);
      to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
    }
  }
  ~RawClient() { close(); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

  // No more bytes come from here; answers are still read.
  void end_sending() { shutdown(fd_, SHUT_WR); }

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
  }
  // Nothing: the server closed (or reset) the connection.
  std::optional<std::string> receive(size_t size) {
    std::string bytes(size, '\0');
    for (size_t at = 0; at < size;) {
      ssize_t got = ::recv(fd_, bytes.data() + at, size - at, 0);
      if (got <= 0) {
        EXPECT_FALSE(got < 0 && errno == EAGAIN) << "the server says nothing";
        return std::nullopt;
      }
      at += static_cast<size_t>(got);
    }
    return bytes;
  }
  std::string receive_all() {
    std::string all;
    char chunk[4096];
    for (ssize_t got; (got = ::recv(fd_, chunk, sizeof chunk, 0)) > 0;)
      all.append(chunk, static_cast<size_t>(got));
    return all;
  }
  std::optional<std::string> receive_frame() {
    auto length = receive(4);
    if (!length) return std::nullopt;
    return receive(static_cast<size_t>(ByteReader(*length).i32()));
  }
  bool closed() { return !receive(1).has_value(); }

  static std::string framed(std::string_view body) {
    ByteWriter out;
    out.i32(static_cast<int32_t>(body.size()));
    out.bytes(body);
    return out.take();
  }
  template <typename Record>
  static std::string request(int32_t xid, OpCode op, const Record& record) {
    ByteWriter out;
    out.i32(xid);
    out.i32(static_cast<int32_t>(op));
    record.encode(out);
    return framed(out.buffer());
  }
  static std::string bare_request(int32_t xid, OpCode op) {
    ByteWriter out;
    out.i32(xid);
    out.i32(static_cast<int32_t>(op));
    return framed(out.buffer());
  }

  // Opens or resumes a session; the answer, or nothing where the server closed.
  std::optional<zookeeper::ConnectResponse> connect_session(
      int64_t session = 0, std::string password = std::string(16, '\0'), int32_t timeout = 10000,
      int64_t seen = 0) {
    zookeeper::ConnectRequest wanted;
    wanted.last_zxid_seen = seen;
    wanted.time_out = timeout;
    wanted.session_id = session;
    wanted.passwd = password;
    wanted.read_only = false;
    ByteWriter out;
    wanted.encode(out);
    send(framed(out.buffer()));
    auto frame = receive_frame();
    if (!frame) return std::nullopt;
    ByteReader in(*frame);
    auto response = zookeeper::ConnectResponse::decode(in);
    EXPECT_TRUE(response.ok());
    return *response;
  }

  std::optional<Reply> receive_reply() {
    auto frame = receive_frame();
    if (!frame) return std::nullopt;
    ByteReader in(*frame);
    Reply reply;
    reply.header = *zookeeper::ReplyHeader::decode(in);
    reply.body = std::string(in.rest());
    return reply;
  }
  template <typename Record>
  Reply call(OpCode op, const Record& record) {
    send(request(++xid_, op, record));
    auto reply = receive_reply();
    EXPECT_TRUE(reply);
    if (!reply) return Reply();
    EXPECT_EQ(reply->header.xid, xid_);
    return *reply;
  }

  static zookeeper::CreateRequest create_request(const std::string& path, int32_t flags = 0,
                                                 std::string data = "x") {
    zookeeper::CreateRequest create;
    create.path = path;
    create.data = std::move(data);
    create.flags = flags;
    zookeeper::ACL open;
    open.perms = 31;
    open.id.scheme = "world";
    open.id.id = "anyone";
    create.acl.push_back(open);
    return create;
  }
  Reply create(const std::string& path, int32_t flags = 0) {
    return call(OpCode::kCreate, create_request(path, flags));
  }
  Reply exists(const std::string& path, bool watch = false) {
    zookeeper::ExistsRequest exists;
    exists.path = path;
    exists.watch = watch;
    return call(OpCode::kExists, exists);
  }

 private:
  int fd_ = -1;
  int32_t xid_ = 0;
};

class ServiceFixture : public ::testing::Test {
 protected:
  ServiceFixture() : folder(memory_folder("service")) {
    options.settings.data_dir = options.settings.data_log_dir = folder;
    options.settings.client_port = 0;
    options.settings.tick_ms = 2000;
    options.settings.min_session_timeout_ms = 4000;
    options.settings.max_session_timeout_ms = 40000;
  }
  ~ServiceFixture() override {
    service.reset();
    std::filesystem::remove_all(folder);
  }
  void start() {
    auto started = Service::start(options);
    ASSERT_TRUE(started.ok()) << started.error().what();
    service = *std::move(started);
  }
  uint16_t port() const { return service->port(); }

  std::string folder;
  ServiceOptions options;
  std::unique_ptr<Service> service;
};

}  // namespace odradek::coordinator::server
