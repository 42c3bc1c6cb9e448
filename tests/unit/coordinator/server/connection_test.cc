// ZooKeeper connections over real sockets: handshake, order, limits, bad input.
#include <thread>

#include "coordinator/server/auth.h"
#include "tests/unit/coordinator/server/raw_client.h"

namespace odradek::coordinator::server {
namespace {

class Connection : public ServiceFixture {
 protected:
  Connection() { start(); }
};

zookeeper::WatcherEvent event_of(const Reply& reply) {
  EXPECT_EQ(reply.header.xid, -1);
  ByteReader in(reply.body);
  auto event = zookeeper::WatcherEvent::decode(in);
  EXPECT_TRUE(event.ok());
  EXPECT_EQ(event->state, 3);
  return *event;
}

zookeeper::SetDataRequest set_request(const std::string& path, std::string data,
                                      int32_t version = -1) {
  zookeeper::SetDataRequest set;
  set.path = path;
  set.data = std::move(data);
  set.version = version;
  return set;
}

zookeeper::GetDataRequest get_request(const std::string& path, bool watch = false) {
  zookeeper::GetDataRequest get;
  get.path = path;
  get.watch = watch;
  return get;
}

TEST_F(Connection, HandshakeNegotiatesTheTimeout) {
  for (auto [wanted, granted] : {std::pair{1, 4000}, {5000, 5000}, {100000, 40000}}) {
    RawClient client(port());
    auto response = client.connect_session(0, std::string(16, '\0'), wanted);
    ASSERT_TRUE(response);
    EXPECT_EQ(response->time_out, granted);
    EXPECT_NE(response->session_id, 0);
    EXPECT_EQ(response->passwd->size(), 16u);
    EXPECT_TRUE(response->read_only.has_value());
  }
}

TEST_F(Connection, OldClientsWithoutReadOnlyGetAShorterAnswer) {
  RawClient client(port());
  ByteWriter out;
  out.i32(0);
  out.i64(0);
  out.i32(10000);
  out.i64(0);
  out.i32(16);
  out.bytes(std::string(16, '\0'));
  client.send(RawClient::framed(out.buffer()));
  EXPECT_EQ(client.receive_frame()->size(), 36u);
}

TEST_F(Connection, OverIPv6) {
  RawClient client(port(), true);
  EXPECT_TRUE(client.connect_session());
  EXPECT_EQ(client.create("/six").error(), ErrorCode::kOk);
}

TEST_F(Connection, ASessionMovesToTheConnectionThatHasItsPassword) {
  RawClient first(port());
  auto session = *first.connect_session();
  EXPECT_EQ(first.create("/e", 1).error(), ErrorCode::kOk);
  RawClient second(port());
  auto resumed = *second.connect_session(session.session_id, *session.passwd);
  EXPECT_EQ(resumed.session_id, session.session_id);
  EXPECT_TRUE(first.closed());
  EXPECT_EQ(second.exists("/e").error(), ErrorCode::kOk);
}

TEST_F(Connection, WrongPasswordAndUnknownSessionAreExpired) {
  RawClient first(port());
  auto session = *first.connect_session();
  for (auto [id, password] : {std::pair{session.session_id, std::string(16, 'w')},
                              {session.session_id, std::string("short")},
                              {session.session_id + 99, *session.passwd}}) {
    RawClient client(port());
    auto response = client.connect_session(id, password);
    ASSERT_TRUE(response);
    EXPECT_EQ(response->time_out, 0);
    EXPECT_EQ(response->session_id, 0);
    EXPECT_EQ(*response->passwd, std::string(16, '\0'));
    EXPECT_TRUE(client.closed());
  }
  EXPECT_EQ(first.create("/still").error(), ErrorCode::kOk);
}

TEST_F(Connection, AClientFromTheFutureIsClosed) {
  RawClient client(port());
  EXPECT_FALSE(client.connect_session(0, std::string(16, '\0'), 10000, 1LL << 60));
}

TEST_F(Connection, CloseSessionDeletesEphemeralsThenCloses) {
  RawClient watcher(port());
  watcher.connect_session();
  RawClient client(port());
  client.connect_session();
  client.create("/e", 1);
  EXPECT_EQ(watcher.exists("/e", true).error(), ErrorCode::kOk);
  client.send(RawClient::bare_request(9, OpCode::kCloseSession));
  auto reply = client.receive_reply();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->error(), ErrorCode::kOk);
  EXPECT_TRUE(client.closed());
  auto event = event_of(*watcher.receive_reply());
  EXPECT_EQ(event.type, 2);
  EXPECT_EQ(event.path, "/e");
  EXPECT_EQ(watcher.exists("/e").error(), ErrorCode::kNoNode);
}

TEST_F(Connection, ReadsSeeTheirSessionsEarlierWritesAndNoLaterOnes) {
  RawClient client(port());
  client.connect_session();
  client.create("/o");
  // one burst: write, read, write, read ... each read must see exactly the write before it
  std::string burst;
  int32_t xid = 100;
  constexpr int kRounds = 200;
  for (int i = 0; i < kRounds; ++i) {
    burst += RawClient::request(xid++, OpCode::kSetData, set_request("/o", std::to_string(i)));
    burst += RawClient::request(xid++, OpCode::kGetData, get_request("/o"));
    burst += RawClient::bare_request(-2, OpCode::kPing);
  }
  client.send(burst);
  xid = 100;
  for (int i = 0; i < kRounds; ++i) {
    EXPECT_EQ(client.receive_reply()->header.xid, xid++);
    auto read = client.receive_reply();
    EXPECT_EQ(read->header.xid, xid++);
    ByteReader in(read->body);
    EXPECT_EQ(*zookeeper::GetDataResponse::decode(in)->data, std::to_string(i));
    EXPECT_EQ(client.receive_reply()->header.xid, -2);
  }
}

TEST_F(Connection, TheEventComesBeforeTheReplyThatShowsTheChange) {
  RawClient watcher(port());
  watcher.connect_session();
  RawClient writer(port());
  writer.connect_session();
  writer.create("/w");
  for (int i = 0; i < 50; ++i) {
    ASSERT_EQ(watcher.call(OpCode::kGetData, get_request("/w", true)).error(), ErrorCode::kOk);
    writer.send(
        RawClient::request(1000 + i, OpCode::kSetData, set_request("/w", std::to_string(i))));
    // ask until the change shows: by then the event must have come
    bool told = false;
    for (int32_t xid = 5000;; ++xid) {
      watcher.send(RawClient::request(xid, OpCode::kGetData, get_request("/w")));
      auto reply = watcher.receive_reply();
      if (reply->header.xid == -1) {
        told = true;
        reply = watcher.receive_reply();
      }
      ByteReader in(reply->body);
      if (*zookeeper::GetDataResponse::decode(in)->data == std::to_string(i)) break;
      ASSERT_FALSE(told) << "the event came, but the read shows the old data";
    }
    EXPECT_TRUE(told);
    writer.receive_reply();
  }
}

TEST_F(Connection, MultiAnswersPartByPart) {
  RawClient client(port());
  client.connect_session();
  client.create("/m");
  auto part = [](ByteWriter& out, OpCode op, const auto& record) {
    zookeeper::MultiHeader header;
    header.type = static_cast<int32_t>(op);
    header.err = -1;
    header.encode(out);
    record.encode(out);
  };
  auto end = [](ByteWriter& out) {
    zookeeper::MultiHeader header;
    header.type = -1;
    header.done = true;
    header.err = -1;
    header.encode(out);
  };
  struct Raw {
    std::string bytes;
    void encode(ByteWriter& out) const { out.bytes(bytes); }
  };
  zookeeper::DeleteRequest gone;
  gone.path = "/m/none";
  gone.version = -1;
  ByteWriter bad;
  part(bad, OpCode::kCreate, RawClient::create_request("/m/a"));
  part(bad, OpCode::kDelete, gone);
  part(bad, OpCode::kCreate2, RawClient::create_request("/m/b"));
  end(bad);
  Reply refused = client.call(OpCode::kMulti, Raw{bad.take()});
  EXPECT_EQ(refused.error(), ErrorCode::kOk);
  ByteReader in(refused.body);
  for (int32_t expected : {0, -101, -2}) {
    auto header = *zookeeper::MultiHeader::decode(in);
    EXPECT_EQ(header.type, -1);
    EXPECT_FALSE(header.done);
    EXPECT_EQ(header.err, expected);
    EXPECT_EQ(in.i32(), expected);
  }
  EXPECT_TRUE(zookeeper::MultiHeader::decode(in)->done);
  EXPECT_EQ(in.remaining(), 0u);
  EXPECT_EQ(client.exists("/m/a").error(), ErrorCode::kNoNode);

  ByteWriter good;
  part(good, OpCode::kCreate, RawClient::create_request("/m/a"));
  part(good, OpCode::kSetData, set_request("/m/a", "2"));
  end(good);
  Reply done = client.call(OpCode::kMulti, Raw{good.take()});
  ByteReader out(done.body);
  EXPECT_EQ(zookeeper::MultiHeader::decode(out)->type, 1);
  EXPECT_EQ(zookeeper::CreateResponse::decode(out)->path, "/m/a");
  EXPECT_EQ(zookeeper::MultiHeader::decode(out)->type, 5);
  EXPECT_EQ(zookeeper::SetDataResponse::decode(out)->stat.version, 1);

  // a part that no multi may hold makes the whole malformed, and the connection goes on
  ByteWriter odd;
  part(odd, OpCode::kMulti, gone);
  EXPECT_EQ(client.call(OpCode::kMulti, Raw{odd.take()}).error(), ErrorCode::kMarshallingError);
  EXPECT_EQ(client.exists("/m/a").error(), ErrorCode::kOk);
}

TEST_F(Connection, SyncAnswersBehindWritesBeforeIt) {
  RawClient client(port());
  client.connect_session();
  zookeeper::SyncRequest sync;
  sync.path = "/s";
  client.send(RawClient::request(1, OpCode::kCreate, RawClient::create_request("/s")) +
              RawClient::request(2, OpCode::kSync, sync) +
              RawClient::request(3, OpCode::kSetData, set_request("/s", "1")) +
              RawClient::request(4, OpCode::kGetData, get_request("/s")));
  for (int32_t xid = 1; xid <= 4; ++xid) {
    auto reply = client.receive_reply();
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->header.xid, xid);
    EXPECT_EQ(reply->error(), ErrorCode::kOk);
  }
}

TEST_F(Connection, DigestAuthentication) {
  RawClient client(port());
  client.connect_session();
  zookeeper::AuthPacket packet;
  packet.scheme = "digest";
  packet.auth = "u:p";
  client.send(RawClient::request(-4, OpCode::kAuth, packet));
  auto reply = client.receive_reply();
  EXPECT_EQ(reply->header.xid, -4);
  EXPECT_EQ(reply->error(), ErrorCode::kOk);
  auto secret = RawClient::create_request("/sec");
  secret.acl[0].id.scheme = "auth";
  secret.acl[0].id.id = "";
  EXPECT_EQ(client.call(OpCode::kCreate, secret).error(), ErrorCode::kOk);
  RawClient other(port());
  other.connect_session();
  EXPECT_EQ(other.call(OpCode::kGetData, get_request("/sec")).error(), ErrorCode::kNoAuth);
  EXPECT_EQ(other.exists("/sec").error(), ErrorCode::kNoAuth);  // since 3.8.4
  packet.scheme = "nosuch";
  other.send(RawClient::request(-4, OpCode::kAuth, packet));
  EXPECT_EQ(other.receive_reply()->error(), ErrorCode::kAuthFailed);
  EXPECT_TRUE(other.closed());
}

TEST_F(Connection, SetWatchesTellsWhatWasMissed) {
  RawClient client(port());
  client.connect_session();
  client.create("/n");
  Reply last = client.create("/n/gone");
  int64_t seen = last.header.zxid;
  zookeeper::DeleteRequest gone;
  gone.path = "/n/gone";
  gone.version = -1;
  client.call(OpCode::kDelete, gone);
  client.call(OpCode::kSetData, set_request("/n", "new"));
  zookeeper::SetWatches watches;
  watches.relative_zxid = seen;
  watches.data_watches = {"/n", "/n/gone"};
  watches.exist_watches = {"/n", "/none"};
  watches.child_watches = {"/n", "/n/gone"};
  client.send(RawClient::request(-8, OpCode::kSetWatches, watches));
  for (auto [type, path] :
       {std::pair{3, "/n"}, {2, "/n/gone"}, {1, "/n"}, {4, "/n"}, {2, "/n/gone"}}) {
    auto event = event_of(*client.receive_reply());
    EXPECT_EQ(event.type, type);
    EXPECT_EQ(event.path, path);
  }
  EXPECT_EQ(client.receive_reply()->header.xid, -8);
  client.send(RawClient::request(50, OpCode::kCreate, RawClient::create_request("/none")));
  EXPECT_EQ(event_of(*client.receive_reply()).path, "/none");
  EXPECT_EQ(client.receive_reply()->header.xid, 50);
}

TEST_F(Connection, SessionsAndEphemeralsSurviveARestart) {
  RawClient client(port());
  auto session = *client.connect_session();
  client.create("/e", 1);
  int64_t zxid = client.create("/p").header.zxid;
  service.reset();
  EXPECT_TRUE(client.closed());
  start();
  RawClient again(port());
  auto resumed = again.connect_session(session.session_id, *session.passwd, 10000, zxid);
  ASSERT_TRUE(resumed);
  EXPECT_EQ(resumed->session_id, session.session_id);
  EXPECT_EQ(again.exists("/e").error(), ErrorCode::kOk);
  EXPECT_GT(again.create("/q").header.zxid, zxid);
}

// ---- bad input

TEST_F(Connection, UnknownOperationsAreAnsweredThenTheConnectionCloses) {
  RawClient client(port());
  client.connect_session();
  client.send(RawClient::bare_request(7, static_cast<OpCode>(999)));
  auto reply = client.receive_reply();
  EXPECT_EQ(reply->header.xid, 7);
  EXPECT_EQ(reply->error(), ErrorCode::kUnimplemented);
  EXPECT_TRUE(client.closed());
}

TEST_F(Connection, MalformedBodiesGetAnErrorAndTheConnectionGoesOn) {
  RawClient client(port());
  client.connect_session();
  for (OpCode op :
       {OpCode::kCreate, OpCode::kDelete, OpCode::kSetData, OpCode::kGetData, OpCode::kMulti,
        OpCode::kGetChildren, OpCode::kSetACL, OpCode::kSync, OpCode::kSetWatches}) {
    ByteWriter out;
    out.i32(3);
    out.i32(static_cast<int32_t>(op));
    out.i32(1 << 30);  // a string of a gigabyte, of which nothing comes
    client.send(RawClient::framed(out.buffer()));
    auto reply = client.receive_reply();
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->error(), ErrorCode::kMarshallingError) << static_cast<int>(op);
  }
  EXPECT_EQ(client.create("/ok").error(), ErrorCode::kOk);
}

TEST_F(Connection, FramesBeyondTheBoundEndTheConnection) {
  for (int32_t length : {-1, 0x7fffffff, 1048576}) {
    RawClient client(port());
    client.connect_session();
    ByteWriter out;
    out.i32(length);
    client.send(out.buffer());
    EXPECT_TRUE(client.closed()) << length;
  }
  RawClient client(port());
  client.connect_session();
  EXPECT_EQ(client
                .call(OpCode::kCreate,
                      RawClient::create_request("/big", 0, std::string((1 << 20) - 200, 'x')))
                .error(),
            ErrorCode::kOk);
  auto too_big = RawClient::create_request("/bigger", 0, std::string((1 << 20) + 200, 'x'));
  client.send(RawClient::request(3, OpCode::kCreate, too_big));
  EXPECT_TRUE(client.closed());
}

TEST_F(Connection, OtherProtocolsAreClosedAndOthersServed) {
  RawClient served(port());
  served.connect_session();
  for (std::string_view bytes :
       {std::string_view("GET / HTTP/1.1\r\n\r\n"),
        std::string_view("\x16\x03\x01\x02\x00\x01\x00\x01\xfc", 9),
        std::string_view("\0\0\0\0rubbish", 11), std::string_view("\xff\xff\xff\xff", 4),
        std::string_view("nope"), std::string_view("PRI * nonsense")}) {
    RawClient client(port());
    client.send(bytes);
    EXPECT_TRUE(client.closed()) << bytes;
  }
  RawClient no_connect(port());
  no_connect.send(RawClient::framed("this is no ConnectRequest"));
  EXPECT_TRUE(no_connect.closed());
  EXPECT_EQ(served.create("/served").error(), ErrorCode::kOk);
}

TEST_F(Connection, AHalfRequestIsWaitedFor) {
  RawClient client(port());
  client.connect_session();
  std::string bytes = RawClient::request(1, OpCode::kCreate, RawClient::create_request("/half"));
  client.send(std::string_view(bytes).substr(0, 7));
  RawClient other(port());
  other.connect_session();
  EXPECT_EQ(other.exists("/half").error(), ErrorCode::kNoNode);
  client.send(std::string_view(bytes).substr(7));
  EXPECT_EQ(client.receive_reply()->error(), ErrorCode::kOk);
}

class LimitedConnection : public ServiceFixture {};

TEST_F(LimitedConnection, AnAddressMayHaveSoManyConnections) {
  options.settings.max_client_connections = 2;
  start();
  RawClient first(port());
  first.connect_session();
  auto second = std::make_unique<RawClient>(port());
  second->connect_session();
  RawClient third(port());
  EXPECT_TRUE(third.closed());
  second.reset();
  // its place is free as soon as the server has seen the end
  for (int i = 0; i < 100; ++i) {
    RawClient next(port());
    if (next.connect_session()) return;
  }
  FAIL() << "the place of a closed connection stays taken";
}

TEST_F(LimitedConnection, MoreRequestsThanTheLimitAreAllServed) {
  options.settings.global_outstanding_limit = 5;
  start();
  RawClient client(port());
  RawClient other(port());
  client.connect_session();
  other.connect_session();
  std::string burst;
  for (int i = 0; i < 3000; ++i) {
    burst += RawClient::request(i + 1, OpCode::kCreate,
                                RawClient::create_request("/b" + std::to_string(i)));
  }
  std::thread sender([&] { client.send(burst); });
  for (int i = 0; i < 3000; ++i) {
    auto reply = client.receive_reply();
    ASSERT_TRUE(reply);
    ASSERT_EQ(reply->header.xid, i + 1);
    if (i % 500 == 0) EXPECT_EQ(other.exists("/b0").error(), ErrorCode::kOk);
  }
  sender.join();
}

TEST_F(LimitedConnection, AClientThatDoesNotReadIsNotReadFrom) {
  start();
  RawClient client(port());
  client.connect_session();
  ASSERT_EQ(
      client.call(OpCode::kCreate, RawClient::create_request("/big", 0, std::string(100'000, 'x')))
          .error(),
      ErrorCode::kOk);
  constexpr int kReads = 2000;  // 200 MB of answers
  std::thread sender([&] {
    for (int i = 0; i < kReads; ++i)
      client.send(RawClient::request(i + 10, OpCode::kGetData, get_request("/big")));
  });
  for (int i = 0; i < kReads; ++i) {
    auto reply = client.receive_reply();
    ASSERT_TRUE(reply);
    ASSERT_EQ(reply->header.xid, i + 10);
  }
  sender.join();
}

TEST_F(LimitedConnection, FourLetterWordsByWhitelist) {
  options.settings.four_letter_words = {"ruok", "stat", "srvr", "mntr", "conf"};
  start();
  auto ask = [&](std::string_view word) {
    RawClient client(port());
    client.send(word);
    return client.receive_all();
  };
  EXPECT_EQ(ask("ruok"), "imok");
  EXPECT_EQ(ask("ruok\n"), "imok");
  EXPECT_EQ(ask("wchs"), "wchs is not executed because it is not in the whitelist.\n");
  EXPECT_EQ(ask("nope"), "");
  RawClient client(port());
  client.connect_session();
  client.create("/x");
  std::string srvr = ask("srvr");
  EXPECT_EQ(srvr.find("Zookeeper version: 3.8.6-odradek"), 0u);
  EXPECT_NE(srvr.find("\nZxid: 0x2\nMode: standalone\nNode count: 6\n"), std::string::npos) << srvr;
  EXPECT_NE(ask("stat").find("[1](queued=0,recved=2,sent=2)\n"), std::string::npos);
  EXPECT_NE(ask("mntr").find("zk_znode_count\t6\n"), std::string::npos);
  EXPECT_NE(ask("conf").find("tickTime=2000\n"), std::string::npos);
}

TEST_F(LimitedConnection, APortInUseIsSaidInOneLine) {
  start();
  ServiceOptions second = options;
  second.settings.data_dir = folder + "/second";
  second.settings.client_port = port();
  auto refused = Service::start(second);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().what().find(std::to_string(port())), std::string::npos);
  EXPECT_EQ(refused.error().what().find('\n'), std::string::npos);
}

TEST_F(LimitedConnection, AFolderInUseIsSaidInOneLine) {
  start();
  auto refused = Service::start(options);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), Errc::locked);
}

}  // namespace
}  // namespace odradek::coordinator::server
