// Logging in by SASL DIGEST-MD5 over a connection, and servers that ask it of everybody.
#include <openssl/evp.h>

#include "common/bytes/text_codec.h"
#include "coordinator/server/auth.h"
#include "tests/unit/coordinator/server/raw_client.h"

namespace odradek::coordinator::server {
namespace {

std::string md5(const std::string& text) {
  unsigned char hash[16];
  EVP_Digest(text.data(), text.size(), hash, nullptr, EVP_md5(), nullptr);
  return std::string(reinterpret_cast<const char*>(hash), 16);
}
std::string md5_hex(const std::string& text) { return hex_encode(md5(text)); }

std::string sasl_request(int32_t xid, std::optional<std::string> token) {
  zookeeper::GetSASLRequest request;
  request.token = std::move(token);
  return RawClient::request(xid, OpCode::kSasl, request);
}

std::optional<std::string> token_of(const Reply& reply) {
  ByteReader in(reply.body);
  auto response = zookeeper::SetSASLResponse::decode(in);
  EXPECT_TRUE(response.ok());
  EXPECT_EQ(in.remaining(), 0u);
  return response.ok() ? response->token : std::nullopt;
}

// The client's side of the exchange, as Java's: the answer to a challenge.
std::string response_to(const std::string& challenge, const std::string& user,
                        const std::string& password) {
  size_t from = challenge.find("nonce=\"") + 7;
  std::string nonce = challenge.substr(from, challenge.find('"', from) - from);
  std::string realm = "zk-sasl-md5", uri = "zookeeper/zk-sasl-md5", cnonce = "abc";
  std::string a1 = md5(user + ":" + realm + ":" + password) + ":" + nonce + ":" + cnonce;
  std::string proof = md5_hex(md5_hex(a1) + ":" + nonce + ":00000001:" + cnonce + ":auth:" +
                              md5_hex("AUTHENTICATE:" + uri));
  return "charset=utf-8,username=\"" + user + "\",realm=\"" + realm + "\",nonce=\"" + nonce +
         "\",nc=00000001,cnonce=\"" + cnonce + "\",digest-uri=\"" + uri +
         "\",maxbuf=65536,response=" + proof + ",qop=auth";
}

class Sasl : public ServiceFixture {
 protected:
  Sasl() {
    AuthSettings& auth = options.settings.auth;
    auth.sasl = true;
    auth.sasl_users = {{"bob", "secret"}, {"admin", "geheim"}};
    auth.sasl_super_users = {"admin"};
    options.settings.rules.schemes.sasl = auth.schemes.sasl = true;
  }
  void ask_of_everybody() {
    options.settings.auth.enforce = true;
    options.settings.auth.enforced_schemes = {"sasl"};
  }
  // Nothing: the server closed the connection instead of a reply.
  static std::optional<Reply> log_in(RawClient& client, const std::string& user,
                                     const std::string& password) {
    client.send(sasl_request(1, ""));
    auto challenge = client.receive_reply();
    EXPECT_TRUE(challenge);
    EXPECT_EQ(challenge->error(), ErrorCode::kOk);
    EXPECT_EQ(challenge->header.zxid, 0);
    client.send(sasl_request(2, response_to(*token_of(*challenge), user, password)));
    return client.receive_reply();
  }
  static zookeeper::CreateRequest with_acl(const std::string& path, const std::string& scheme,
                                           const std::string& id) {
    auto create = RawClient::create_request(path);
    create.acl[0].id.scheme = scheme;
    create.acl[0].id.id = id;
    return create;
  }
  static std::string who_is(RawClient& client) {
    struct None {
      void encode(ByteWriter&) const {}
    };
    Reply reply = client.call(OpCode::kWhoAmI, None());
    ByteReader in(reply.body);
    auto response = zookeeper::WhoAmIResponse::decode(in);
    std::string text;
    for (const auto& info : response->client_info)
      text += info.auth_scheme + ":" + info.user + " ";
    return text;
  }
};

TEST_F(Sasl, AUserLogsInAndHasItsAcls) {
  start();
  RawClient client(port());
  client.connect_session();
  auto last = log_in(client, "bob", "secret");
  ASSERT_TRUE(last);
  EXPECT_EQ(last->error(), ErrorCode::kOk);
  EXPECT_TRUE(token_of(*last)->starts_with("rspauth="));
  EXPECT_EQ(who_is(client), "ip:127.0.0.1 sasl:bob ");
  EXPECT_EQ(client.call(OpCode::kCreate, with_acl("/mine", "auth", "")).error(), ErrorCode::kOk);
  EXPECT_EQ(client.call(OpCode::kCreate, with_acl("/his", "sasl", "admin")).error(),
            ErrorCode::kOk);
  EXPECT_EQ(client.exists("/mine").error(), ErrorCode::kOk);
  EXPECT_EQ(client.exists("/his").error(), ErrorCode::kNoAuth);
  RawClient nobody(port());
  nobody.connect_session();
  EXPECT_EQ(nobody.exists("/mine").error(), ErrorCode::kNoAuth);
  RawClient super(port());
  super.connect_session();
  ASSERT_EQ(log_in(super, "admin", "geheim")->error(), ErrorCode::kOk);
  EXPECT_EQ(super.exists("/mine").error(), ErrorCode::kOk);
  // a further token after the login is an error
  client.send(sasl_request(9, ""));
  EXPECT_EQ(client.receive_reply()->error(), ErrorCode::kAuthFailed);
  EXPECT_TRUE(client.closed());
}

TEST_F(Sasl, AWrongPasswordIsAnsweredAndClosed) {
  start();
  for (auto [user, password] : {std::pair{"bob", "wrong"}, {"eve", "secret"}, {"", ""}}) {
    RawClient client(port());
    client.connect_session();
    auto last = log_in(client, user, password);
    ASSERT_TRUE(last);
    EXPECT_EQ(last->error(), ErrorCode::kAuthFailed);
    EXPECT_EQ(token_of(*last), std::nullopt);
    EXPECT_TRUE(client.closed());
  }
  // nobody profits from who logged in before: ZooKeeper 3.8.4 takes bob's password for eve here
  RawClient bob(port());
  bob.connect_session();
  ASSERT_EQ(log_in(bob, "bob", "secret")->error(), ErrorCode::kOk);
  RawClient eve(port());
  eve.connect_session();
  EXPECT_EQ(log_in(eve, "eve", "secret")->error(), ErrorCode::kAuthFailed);
}

TEST_F(Sasl, WhoFailedMayGoOnAsNobodyWhereThatIsAllowed) {
  options.settings.auth.allow_failed_sasl = true;
  start();
  RawClient client(port());
  client.connect_session();
  auto last = log_in(client, "bob", "wrong");
  ASSERT_TRUE(last);
  EXPECT_EQ(last->error(), ErrorCode::kOk);
  EXPECT_EQ(token_of(*last), std::nullopt);
  EXPECT_EQ(who_is(client), "ip:127.0.0.1 ");
}

TEST_F(Sasl, AServerWithoutUsersAnswersWithNoToken) {
  options.settings.auth.sasl = false;
  start();
  RawClient client(port());
  client.connect_session();
  client.send(sasl_request(1, ""));
  auto reply = client.receive_reply();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->error(), ErrorCode::kOk);
  EXPECT_EQ(token_of(*reply), std::nullopt);
  EXPECT_EQ(client.create("/goes-on").error(), ErrorCode::kOk);
}

TEST_F(Sasl, MalformedTokensCloseTheConnection) {
  start();
  for (const std::string& frame :
       {sasl_request(1, std::nullopt), RawClient::bare_request(1, OpCode::kSasl)}) {
    RawClient client(port());
    client.connect_session();
    client.send(frame);
    EXPECT_TRUE(client.closed());
  }
}

TEST_F(Sasl, EverybodyMustLogInWhereThatIsAsked) {
  ask_of_everybody();
  start();
  RawClient nobody(port());
  nobody.connect_session();
  nobody.send(RawClient::bare_request(7, OpCode::kPing));
  auto refused = nobody.receive_reply();
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->header.xid, 7);
  EXPECT_EQ(refused->header.zxid, 0);
  EXPECT_EQ(refused->error(), ErrorCode::kSessionClosedRequireSaslAuth);
  EXPECT_TRUE(refused->body.empty());
  EXPECT_TRUE(nobody.closed());
  // another scheme does not help
  RawClient digest(port());
  digest.connect_session();
  zookeeper::AuthPacket packet;
  packet.scheme = "digest";
  packet.auth = "bob:secret";
  digest.send(RawClient::request(-4, OpCode::kAuth, packet) +
              RawClient::request(8, OpCode::kCreate, RawClient::create_request("/in")));
  EXPECT_EQ(digest.receive_reply()->error(), ErrorCode::kOk);
  EXPECT_EQ(digest.receive_reply()->error(), ErrorCode::kSessionClosedRequireSaslAuth);
  EXPECT_TRUE(digest.closed());
  RawClient failing(port());
  failing.connect_session();
  EXPECT_EQ(log_in(failing, "bob", "wrong")->error(), ErrorCode::kSessionClosedRequireSaslAuth);
  EXPECT_TRUE(failing.closed());
  RawClient bob(port());
  bob.connect_session();
  ASSERT_EQ(log_in(bob, "bob", "secret")->error(), ErrorCode::kOk);
  EXPECT_EQ(bob.create("/in").error(), ErrorCode::kOk);
  // what was sent without asking did nothing
  EXPECT_EQ(bob.exists("/in2").error(), ErrorCode::kNoNode);
  // brokers cannot log in, so their door is closed too
  RawClient grpc(port());
  grpc.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  EXPECT_TRUE(grpc.closed());
}

TEST_F(Sasl, WhatIsSentInOneBurstBehindTheLoginIsOfTheUser) {
  ask_of_everybody();
  start();
  RawClient client(port());
  client.connect_session();
  client.send(sasl_request(1, ""));
  std::string token = *token_of(*client.receive_reply());
  client.send(sasl_request(2, response_to(token, "bob", "secret")) +
              RawClient::request(3, OpCode::kCreate, with_acl("/burst", "auth", "")));
  EXPECT_EQ(client.receive_reply()->error(), ErrorCode::kOk);
  EXPECT_EQ(client.receive_reply()->error(), ErrorCode::kOk);
  EXPECT_EQ(client.exists("/burst").error(), ErrorCode::kOk);
}

TEST_F(Sasl, SuperDigestInAnotherHash) {
  options.settings.auth.digest_algorithm = "SHA-256";
  options.settings.auth.super_digest = *digest_id("super:admin", "SHA-256");
  start();
  RawClient client(port());
  client.connect_session();
  EXPECT_EQ(client.call(OpCode::kCreate, with_acl("/closed", "digest", "u:x")).error(),
            ErrorCode::kOk);
  EXPECT_EQ(client.exists("/closed").error(), ErrorCode::kNoAuth);
  zookeeper::AuthPacket packet;
  packet.scheme = "digest";
  packet.auth = "super:admin";
  client.send(RawClient::request(-4, OpCode::kAuth, packet));
  auto reply = client.receive_reply();
  EXPECT_EQ(reply->error(), ErrorCode::kOk);
  EXPECT_EQ(reply->header.zxid, 0);
  EXPECT_EQ(client.exists("/closed").error(), ErrorCode::kOk);
}

}  // namespace
}  // namespace odradek::coordinator::server
