// Corners in which tests/interop/cases/model.py found this server and ZooKeeper 3.8.4 to differ: each
// expectation is what that one was measured to answer.
#include "tests/unit/coordinator/server/raw_client.h"

namespace odradek::coordinator::server {
namespace {

class AsZooKeeper : public ServiceFixture {
 protected:
  AsZooKeeper() { options.settings.rules.extended_types = true; }

  struct Raw {
    std::string bytes;
    void encode(ByteWriter& out) const { out.bytes(bytes); }
  };
  static void put_header(ByteWriter& out, int32_t type, bool done) {
    zookeeper::MultiHeader header;
    header.type = type;
    header.done = done;
    header.err = -1;
    header.encode(out);
  }
  template <typename Record>
  static Reply multi_of(RawClient& client, OpCode op, const Record& record) {
    ByteWriter out;
    put_header(out, static_cast<int32_t>(op), false);
    record.encode(out);
    put_header(out, -1, true);
    return client.call(OpCode::kMulti, Raw{out.take()});
  }
  static zookeeper::CreateTTLRequest ttl_request(const std::string& path, int32_t flags) {
    zookeeper::CreateTTLRequest request;
    auto plain = RawClient::create_request(path);
    request.path = plain.path;
    request.data = plain.data;
    request.acl = plain.acl;
    request.flags = flags;
    request.ttl = 1000000;
    return request;
  }
  static zookeeper::CreateRequest owned_by_ann(const std::string& path) {
    auto request = RawClient::create_request(path);
    request.acl[0].id.scheme = "digest";
    request.acl[0].id.id = "ann:secret";
    return request;
  }
  static int32_t first_type(const Reply& reply) {
    ByteReader in(reply.body);
    return zookeeper::MultiHeader::decode(in)->type;
  }
};

TEST_F(AsZooKeeper, AMultisReplyKnowsTwoKindsOfCreate) {
  start();
  RawClient client(port());
  client.connect_session();
  EXPECT_EQ(first_type(multi_of(client, OpCode::kCreate, RawClient::create_request("/a"))), 1);
  EXPECT_EQ(first_type(multi_of(client, OpCode::kCreate2, RawClient::create_request("/b"))), 15);
  // of 19 and 21 clients say that they are no part of a reply
  EXPECT_EQ(
      first_type(multi_of(client, OpCode::kCreateContainer, RawClient::create_request("/c", 4))),
      15);
  EXPECT_EQ(first_type(multi_of(client, OpCode::kCreateTTL, ttl_request("/d", 5))), 15);
  // the flags decide, whatever the number is
  EXPECT_EQ(first_type(multi_of(client, OpCode::kCreate, RawClient::create_request("/e", 4))), 15);
  EXPECT_EQ(first_type(multi_of(client, OpCode::kCreateTTL, ttl_request("/f", 0))), 1);
  // and what they do not know ends the whole
  EXPECT_EQ(multi_of(client, OpCode::kCreate, RawClient::create_request("/g", 9)).error(),
            ErrorCode::kMarshallingError);
  EXPECT_EQ(multi_of(client, OpCode::kCreate, RawClient::create_request("/g", 5)).error(),
            ErrorCode::kMarshallingError);
  EXPECT_EQ(client.exists("/g").error(), ErrorCode::kNoNode);
}

TEST_F(AsZooKeeper, ATimeToLiveInAMultiWantsTheSettingToo) {
  options.settings.rules.extended_types = false;
  start();
  RawClient client(port());
  client.connect_session();
  Reply reply = multi_of(client, OpCode::kCreateTTL, ttl_request("/t", 5));
  ByteReader in(reply.body);
  EXPECT_EQ(zookeeper::MultiHeader::decode(in)->err,
            static_cast<int32_t>(ErrorCode::kUnimplemented));
  EXPECT_EQ(client.exists("/t").error(), ErrorCode::kNoNode);
}

TEST_F(AsZooKeeper, CreateContainerTakesOtherFlags) {
  start();
  RawClient client(port());
  client.connect_session();
  auto create = [&](const std::string& path, int32_t flags) {
    return client.call(OpCode::kCreateContainer, RawClient::create_request(path, flags)).error();
  };
  EXPECT_EQ(create("/plain", 0), ErrorCode::kOk);
  EXPECT_EQ(create("/numbered", 2), ErrorCode::kOk);
  EXPECT_EQ(client.exists("/numbered0000000001").error(), ErrorCode::kOk);
  EXPECT_EQ(create("/ttl", 5), ErrorCode::kBadArguments);
  EXPECT_EQ(create("/unknown", 9), ErrorCode::kBadArguments);
}

TEST_F(AsZooKeeper, ARelativePathIsNoZnode) {
  start();
  RawClient client(port());
  client.connect_session();
  zookeeper::GetDataRequest get;
  get.path = "relative";
  EXPECT_EQ(client.call(OpCode::kGetData, get).error(), ErrorCode::kNoNode);
  EXPECT_EQ(client.exists("relative").error(), ErrorCode::kNoNode);
  EXPECT_EQ(client.create("relative/below").error(), ErrorCode::kNoNode);
  get.path = "";
  EXPECT_EQ(client.call(OpCode::kGetData, get).error(), ErrorCode::kOk);  // the root
}

TEST_F(AsZooKeeper, AuthenticationNamesNoZxid) {
  start();
  RawClient client(port());
  client.connect_session();
  client.create("/a");
  zookeeper::AuthPacket packet;
  packet.scheme = "digest";
  packet.auth = "ann:secret";
  client.send(RawClient::request(-4, OpCode::kAuth, packet));
  EXPECT_EQ(client.receive_reply()->header.zxid, 0);
  packet.auth.reset();
  client.send(RawClient::request(-4, OpCode::kAuth, packet));
  EXPECT_EQ(client.receive_reply()->error(), ErrorCode::kAuthFailed);
  EXPECT_TRUE(client.closed());
}

TEST_F(AsZooKeeper, WhatOthersOwnIsNeitherSeenNorHeardOf) {
  start();
  RawClient client(port());
  client.connect_session();
  client.create("/open");
  zookeeper::AddWatchRequest add;
  add.path = "/open";
  add.mode = 1;
  EXPECT_EQ(client.call(OpCode::kAddWatch, add).error(), ErrorCode::kOk);
  RawClient other(port());
  other.connect_session();
  EXPECT_EQ(other.call(OpCode::kCreate, owned_by_ann("/open/hers")).error(), ErrorCode::kOk);
  EXPECT_EQ(other.create("/open/all").error(), ErrorCode::kOk);
  auto event = client.receive_reply();  // the first one that comes is of the second
  ASSERT_TRUE(event);
  ByteReader in(event->body);
  EXPECT_EQ(zookeeper::WatcherEvent::decode(in)->path, "/open/all");
  EXPECT_EQ(client.exists("/open/hers", true).error(), ErrorCode::kNoAuth);
}

TEST_F(AsZooKeeper, AMissingPermissionComesBeforeAMissingZnode) {
  start();
  RawClient client(port());
  client.connect_session();
  client.call(OpCode::kCreate, owned_by_ann("/hers"));
  zookeeper::DeleteRequest gone;
  gone.path = "/hers/none";
  gone.version = -1;
  EXPECT_EQ(client.call(OpCode::kDelete, gone).error(), ErrorCode::kNoAuth);
}

TEST_F(AsZooKeeper, MultiReadLeavesNoWatch) {
  start();
  RawClient client(port());
  client.connect_session();
  client.create("/a");
  zookeeper::GetDataRequest get;
  get.path = "/a";
  get.watch = true;
  ByteWriter out;
  put_header(out, static_cast<int32_t>(OpCode::kGetData), false);
  get.encode(out);
  put_header(out, -1, true);
  EXPECT_EQ(client.call(OpCode::kMultiRead, Raw{out.take()}).error(), ErrorCode::kOk);
  zookeeper::CheckWatchesRequest check;
  check.path = "/a";
  check.type = 2;
  EXPECT_EQ(client.call(OpCode::kCheckWatches, check).error(), ErrorCode::kNoWatcher);
}

}  // namespace
}  // namespace odradek::coordinator::server
