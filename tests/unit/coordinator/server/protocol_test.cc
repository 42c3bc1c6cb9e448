// What ZooKeeper 3.8.4 answers to requests that are unusual or wrong; measured on it, and swept
// whole by tests/interop/cases/zk_protocol.py.
#include <set>
#include <tuple>
#include <vector>

#include "tests/unit/coordinator/server/raw_client.h"

namespace odradek::coordinator::server {
namespace {

class Protocol : public ServiceFixture {
 protected:
  void begin() {
    start();
    client = std::make_unique<RawClient>(port());
    session = *client->connect_session();
  }
  struct Raw {
    std::string bytes;
    void encode(ByteWriter& out) const { out.bytes(bytes); }
  };
  static std::string ustring(std::optional<std::string> text) {
    ByteWriter out;
    out.i32(text ? static_cast<int32_t>(text->size()) : -1);
    if (text) out.bytes(*text);
    return out.take();
  }
  static std::string number(int32_t value) {
    ByteWriter out;
    out.i32(value);
    return out.take();
  }
  Reply ask(OpCode op, const std::string& body) { return client->call(op, Raw{body}); }
  ErrorCode code(OpCode op, const std::string& body) { return ask(op, body).error(); }
  // A part of a multi: its header and request.
  template <typename Record>
  static std::string part(OpCode op, const Record& record) {
    ByteWriter out;
    zookeeper::MultiHeader header;
    header.type = static_cast<int32_t>(op);
    header.err = -1;
    header.encode(out);
    record.encode(out);
    return out.take();
  }
  static std::string end() {
    ByteWriter out;
    zookeeper::MultiHeader header;
    header.type = -1;
    header.done = true;
    header.err = -1;
    header.encode(out);
    return out.take();
  }
  // Type and error of each part's result; of creates the rest is skipped.
  std::string multi(const std::string& parts) {
    Reply reply = ask(OpCode::kMulti, parts + end());
    if (reply.error() != ErrorCode::kOk) return std::to_string(reply.header.err);
    std::string text;
    ByteReader in(reply.body);
    for (;;) {
      auto header = zookeeper::MultiHeader::decode(in);
      if (!header || header->done) return text;
      text += std::to_string(header->type) + "/" + std::to_string(header->err) + " ";
      if (header->type == -1) in.skip(4);
      if (header->type == 1) zookeeper::CreateResponse::decode(in).ok();
      if (header->type == 15) zookeeper::Create2Response::decode(in).ok();
    }
  }
  zookeeper::CreateTTLRequest ttl_request(const std::string& path, int32_t flags, int64_t ttl) {
    zookeeper::CreateTTLRequest create;
    create.path = path;
    create.acl = RawClient::create_request(path).acl;
    create.flags = flags;
    create.ttl = ttl;
    return create;
  }

  std::unique_ptr<RawClient> client;
  zookeeper::ConnectResponse session;
};

TEST_F(Protocol, NullsAreMalformedButForSomeRequests) {
  begin();
  std::string null = ustring(std::nullopt);
  std::string acl = number(1) + number(31) + ustring("world") + ustring("anyone");
  for (OpCode op : {OpCode::kExists, OpCode::kGetData, OpCode::kGetChildren, OpCode::kGetChildren2}) {
    EXPECT_EQ(code(op, null + '\0'), ErrorCode::kMarshallingError) << static_cast<int>(op);
  }
  EXPECT_EQ(code(OpCode::kCreate, null + null + acl + number(0)), ErrorCode::kMarshallingError);
  EXPECT_EQ(code(OpCode::kSetWatches, std::string(8, '\0') + null + number(0) + number(0)),
            ErrorCode::kMarshallingError);
  // sync gives back what it got
  Reply sync = ask(OpCode::kSync, null);
  EXPECT_EQ(sync.error(), ErrorCode::kOk);
  EXPECT_EQ(sync.body, null);
  client->create("/e", 1);
  for (const std::string& prefix : {null, ustring(""), ustring("/"), ustring(" \t"), ustring("/e")}) {
    Reply mine = ask(OpCode::kGetEphemerals, prefix);
    EXPECT_EQ(mine.error(), ErrorCode::kOk);
    EXPECT_EQ(mine.body, number(1) + ustring("/e"));
  }
  EXPECT_EQ(ask(OpCode::kGetEphemerals, ustring("/x")).body, number(0));
  // kazoo sends the empty id of "auth" as null
  zookeeper::AuthPacket packet;
  packet.scheme = "digest";
  packet.auth = "u:p";
  EXPECT_EQ(client->call(OpCode::kAuth, packet).error(), ErrorCode::kOk);
  EXPECT_EQ(code(OpCode::kCreate, ustring("/auth") + null + number(1) + number(31) +
                                      ustring("auth") + null + number(0)),
            ErrorCode::kOk);
  // an ACL: no list, a list of negative length, no scheme, no id
  for (auto [list, error] : {std::pair{number(-1), ErrorCode::kInvalidAcl},
                             {number(-7), ErrorCode::kInvalidAcl},
                             {number(0), ErrorCode::kInvalidAcl},
                             {number(1) + number(31) + null + ustring("anyone"),
                              ErrorCode::kInvalidAcl},
                             {number(1) + number(31) + ustring("world") + null,
                              ErrorCode::kInvalidAcl}}) {
    EXPECT_EQ(code(OpCode::kCreate, ustring("/a") + null + list + number(0)), error);
  }
}

TEST_F(Protocol, PathsThatAreNone) {
  begin();
  using namespace std::string_literals;
  for (auto [path, error] : {std::pair{"/a\0b"s, ErrorCode::kBadArguments},
                             {"\0"s, ErrorCode::kBadArguments},
                             {"a"s, ErrorCode::kNoNode},  // no alias of the root either
                             {"zookeeper"s, ErrorCode::kNoNode},
                             {"/a/"s, ErrorCode::kNoNode},
                             {"//"s, ErrorCode::kNoNode},
                             {""s, ErrorCode::kOk}}) {
    EXPECT_EQ(client->exists(path).error(), error) << path;
  }
  for (const std::string& path : {"a"s, "\0"s, "zookeeper/quota"s}) {
    zookeeper::GetDataRequest get;
    get.path = path;
    EXPECT_EQ(client->call(OpCode::kGetData, get).error(), ErrorCode::kNoNode);
  }
  EXPECT_EQ(client->create("a/b").error(), ErrorCode::kNoNode);
  for (const std::string& path : {"/\xc1\x81"s, "/\xed\xa0\x80"s, "/\xff"s, "/\xf0\x9f\x98\x80"s}) {
    EXPECT_EQ(client->create(path).error(), ErrorCode::kBadArguments);
    EXPECT_EQ(client->exists(path).error(), ErrorCode::kNoNode);
  }
}

// createContainer makes a container whatever its flags, create makes none: told apart by which of
// them go when they are empty again.
TEST_F(Protocol, TheOperationDecidesWhatFlagsMake) {
  options.settings.containers.check_interval_ms = 20;
  begin();
  std::vector<std::string> containers;
  for (auto [op, path, flags] : {std::tuple{OpCode::kCreate, "/create", 4},
                                 {OpCode::kCreate2, "/create2", 4},
                                 {OpCode::kCreateContainer, "/container", 0},
                                 {OpCode::kCreateContainer, "/container-", 2},
                                 {OpCode::kCreateContainer, "/usual", 4}}) {
    Reply made = client->call(op, RawClient::create_request(path, flags));
    ASSERT_EQ(made.error(), ErrorCode::kOk) << path;
    ByteReader in(made.body);
    std::string named = zookeeper::CreateResponse::decode(in)->path;
    if (op == OpCode::kCreateContainer) containers.push_back(named);
    EXPECT_EQ(client->exists(named, op == OpCode::kCreateContainer).error(), ErrorCode::kOk);
    EXPECT_EQ(client->create(named + "/child").error(), ErrorCode::kOk);
  }
  EXPECT_TRUE(containers[1].starts_with("/container-0000"));
  RawClient other(port());  // its replies do not meet the events
  other.connect_session();
  zookeeper::DeleteRequest gone;
  gone.version = -1;
  for (std::string path : {"/create", "/create2", "/container", "/usual"}) {
    gone.path = path + "/child";
    EXPECT_EQ(other.call(OpCode::kDelete, gone).error(), ErrorCode::kOk);
  }
  gone.path = containers[1] + "/child";
  EXPECT_EQ(other.call(OpCode::kDelete, gone).error(), ErrorCode::kOk);
  std::set<std::string> deleted;
  for (size_t i = 0; i < containers.size(); ++i) {
    auto event = client->receive_reply();
    ASSERT_TRUE(event);
    ASSERT_EQ(event->header.xid, -1);
    ByteReader in(event->body);
    deleted.insert(zookeeper::WatcherEvent::decode(in)->path);
  }
  EXPECT_EQ(deleted, std::set<std::string>(containers.begin(), containers.end()));
  EXPECT_EQ(other.exists("/create").error(), ErrorCode::kOk);
  EXPECT_EQ(other.exists("/create2").error(), ErrorCode::kOk);
}

TEST_F(Protocol, FlagsThatAreNone) {
  options.settings.rules.extended_types = true;
  begin();
  for (int32_t flags : {5, 6, 7, -1}) {
    EXPECT_EQ(client->call(OpCode::kCreate, RawClient::create_request("/bad", flags)).error(),
              ErrorCode::kBadArguments)
        << flags;
  }
  for (auto [flags, ttl] : {std::pair<int32_t, int64_t>{0, 1000}, {4, 1000}, {5, 0}, {5, -1},
                            {5, 0x10000000000}, {7, 1000}}) {
    EXPECT_EQ(client->call(OpCode::kCreateTTL, ttl_request("/bad", flags, ttl)).error(),
              ErrorCode::kBadArguments);
  }
  EXPECT_EQ(client->call(OpCode::kCreateTTL, ttl_request("/ttl", 5, 0xffffffffff)).error(),
            ErrorCode::kOk);
}

TEST_F(Protocol, TtlWithoutItsSetting) {
  begin();
  EXPECT_EQ(client->call(OpCode::kCreateTTL, ttl_request("/t", 5, 1000)).error(),
            ErrorCode::kUnimplemented);
  EXPECT_EQ(client->call(OpCode::kCreateTTL, ttl_request("/t", 9, 1000)).error(),
            ErrorCode::kBadArguments);
  EXPECT_EQ(client->call(OpCode::kCreate, RawClient::create_request("/t", 5)).error(),
            ErrorCode::kUnimplemented);
  EXPECT_EQ(multi(part(OpCode::kCreateTTL, ttl_request("/t", 5, 1000))), "-1/-6 ");
  EXPECT_EQ(client->create("/goes-on").error(), ErrorCode::kOk);
}

TEST_F(Protocol, PartsOfAMultiAreAnsweredAsJavaReadsThem) {
  options.settings.rules.extended_types = true;
  begin();
  auto create = [](const char* path, int32_t flags) {
    return RawClient::create_request(path, flags);
  };
  EXPECT_EQ(multi(part(OpCode::kCreate, create("/1", 0)) + part(OpCode::kCreate2, create("/2", 0)) +
                  part(OpCode::kCreateContainer, create("/3", 4)) +
                  part(OpCode::kCreateContainer, create("/4", 0)) +
                  part(OpCode::kCreate, create("/5", 4)) +
                  part(OpCode::kCreateTTL, ttl_request("/6", 5, 1000)) +
                  part(OpCode::kCreateTTL, ttl_request("/7", 1, 1000)) +
                  part(OpCode::kCreateTTL, ttl_request("/8", 4, 1000))),
            "1/0 15/0 15/0 15/0 15/0 15/0 1/0 15/0 ");
  EXPECT_EQ(multi(part(OpCode::kCreateTTL, ttl_request("/9", -1, 1000))), "-1/-8 ");
  for (int32_t flags : {-1, 5, 6, 7}) {
    EXPECT_EQ(multi(part(OpCode::kCreate, create("/9", flags))), "-5") << flags;
  }
  EXPECT_EQ(multi(""), "");
}

TEST_F(Protocol, MultiReadSetsNoWatches) {
  begin();
  client->create("/w");
  zookeeper::GetDataRequest get;
  get.path = "/w";
  get.watch = true;
  zookeeper::GetChildrenRequest children;
  children.path = "/w";
  children.watch = true;
  EXPECT_EQ(code(OpCode::kMultiRead, part(OpCode::kGetData, get) +
                                         part(OpCode::kGetChildren, children) + end()),
            ErrorCode::kOk);
  zookeeper::SetDataRequest set;
  set.path = "/w";
  set.version = -1;
  EXPECT_EQ(client->call(OpCode::kSetData, set).error(), ErrorCode::kOk);
  // an event would stand before this reply
  EXPECT_EQ(client->exists("/w").error(), ErrorCode::kOk);
}

TEST_F(Protocol, AnswersThatAreNotAboutTheTreeCarryNoZxid) {
  begin();
  client->create("/z");
  zookeeper::AuthPacket packet;
  packet.scheme = "digest";
  packet.auth = "u:p";
  client->send(RawClient::request(5, OpCode::kAuth, packet));
  auto auth = client->receive_reply();
  EXPECT_EQ(auth->header.xid, 5);
  EXPECT_EQ(auth->header.zxid, 0);
  client->send(RawClient::bare_request(6, OpCode::kPing));
  EXPECT_EQ(client->receive_reply()->header.xid, -2);
  client->send(RawClient::bare_request(7, static_cast<OpCode>(999)));
  auto unknown = client->receive_reply();
  EXPECT_EQ(unknown->error(), ErrorCode::kUnimplemented);
  EXPECT_EQ(unknown->header.zxid, -1);
  EXPECT_TRUE(client->closed());
}

TEST_F(Protocol, MalformedAuthPacketsCloseTheConnection) {
  begin();
  for (const std::string& body : {std::string(), number(0), number(0) + number(-9),
                                  number(0) + ustring("digest") + number(77)}) {
    RawClient other(port());
    other.connect_session();
    other.send(RawClient::request(1, OpCode::kAuth, Raw{body}));
    EXPECT_TRUE(other.closed());
  }
  // no scheme is an unknown one
  RawClient other(port());
  other.connect_session();
  other.send(RawClient::request(1, OpCode::kAuth, Raw{number(0) + ustring(std::nullopt) + ustring("")}));
  EXPECT_EQ(other.receive_reply()->error(), ErrorCode::kAuthFailed);
  EXPECT_TRUE(other.closed());
}

TEST_F(Protocol, ReconfigOfASingleServer) {
  begin();
  zookeeper::ReconfigRequest reconfig;
  reconfig.cur_config_id = -1;
  int64_t before = client->create("/a").header.zxid;
  Reply disabled = client->call(OpCode::kReconfig, reconfig);
  EXPECT_EQ(disabled.error(), ErrorCode::kReconfigDisabled);
  EXPECT_EQ(disabled.header.zxid, before + 1);
  EXPECT_EQ(code(OpCode::kReconfig, ""), ErrorCode::kMarshallingError);
  EXPECT_EQ(code(OpCode::kDeleteContainer, "/a"), ErrorCode::kBadArguments);
  EXPECT_EQ(client->exists("/a").error(), ErrorCode::kOk);
}

TEST_F(Protocol, ReconfigWhereItIsEnabled) {
  options.settings.rules.reconfig_enabled = true;
  begin();
  EXPECT_EQ(client->call(OpCode::kReconfig, zookeeper::ReconfigRequest()).error(),
            ErrorCode::kUnimplemented);
  EXPECT_EQ(client->exists("/").error(), ErrorCode::kOk);
}

TEST_F(Protocol, AWatcherThatMayNotReadHearsNothing) {
  begin();
  zookeeper::AddWatchRequest watch;
  watch.path = "/";
  watch.mode = 1;
  EXPECT_EQ(client->call(OpCode::kAddWatch, watch).error(), ErrorCode::kOk);
  RawClient owner(port());
  owner.connect_session();
  auto secret = RawClient::create_request("/secret");
  secret.acl[0].id.scheme = "digest";
  secret.acl[0].id.id = "u:x";
  EXPECT_EQ(owner.call(OpCode::kCreate, secret).error(), ErrorCode::kOk);
  EXPECT_EQ(owner.create("/open").error(), ErrorCode::kOk);
  auto event = client->receive_reply();
  EXPECT_EQ(event->header.xid, -1);
  ByteReader in(event->body);
  EXPECT_EQ(zookeeper::WatcherEvent::decode(in)->path, "/open");
}

// A client that reconnects before its writes are through finds them done: they come before all that
// it sends now.
TEST_F(Protocol, TheFormerConnectionsWritesComeFirst) {
  begin();
  client->create("/order");
  for (int round = 0; round < 20; ++round) {
    std::string burst;
    std::string last = std::to_string(round) + ".49";
    for (int i = 0; i < 50; ++i) {
      zookeeper::SetDataRequest set;
      set.path = "/order";
      set.data = std::to_string(round) + "." + std::to_string(i);
      set.version = -1;
      burst += RawClient::request(1000 + i, OpCode::kSetData, set);
    }
    client->send(burst);
    // one reply shows that the burst arrived: it is read as a whole before it is answered
    ASSERT_TRUE(client->receive_reply());
    auto next = std::make_unique<RawClient>(port());
    auto resumed = next->connect_session(session.session_id, *session.passwd);
    ASSERT_TRUE(resumed);
    ASSERT_EQ(resumed->session_id, session.session_id);
    client = std::move(next);
    zookeeper::GetDataRequest get;
    get.path = "/order";
    Reply first = client->call(OpCode::kGetData, get);
    Reply second = client->call(OpCode::kGetData, get);
    EXPECT_EQ(first.body, second.body) << "a write of the former connection came later";
  }
}

TEST_F(Protocol, AReconnectWhileTheSessionIsClosing) {
  begin();
  client->send(RawClient::bare_request(1, OpCode::kCloseSession));
  RawClient next(port());
  auto answer = next.connect_session(session.session_id, *session.passwd);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->session_id, 0);
  EXPECT_TRUE(next.closed());
}

// ZooKeeper 3.8.4 closes the session's connection before it looks at the password.
TEST_F(Protocol, AWrongPasswordDisturbsNobody) {
  begin();
  RawClient other(port());
  EXPECT_EQ(other.connect_session(session.session_id, std::string(16, 'x'))->session_id, 0);
  EXPECT_TRUE(other.closed());
  EXPECT_EQ(client->create("/still").error(), ErrorCode::kOk);
}

}  // namespace
}  // namespace odradek::coordinator::server
