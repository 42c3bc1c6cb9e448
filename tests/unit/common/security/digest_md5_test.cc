#include "common/security/digest_md5.h"

#include <gtest/gtest.h>

#include <vector>

#include "common/bytes/text_codec.h"

namespace odradek::security {
namespace {

DigestMd5Options options_for(std::string protocol, std::string server, std::string nonce) {
  DigestMd5Options options;
  options.protocol = std::move(protocol);
  options.server_name = std::move(server);
  options.nonce = std::move(nonce);
  options.password = [](const std::string& user) -> std::optional<std::string> {
    if (user == "chris" || user == "bob") return "secret";
    if (user == "j\xc3\xbcrgen") return "p\xc3\xa4ssword";
    return std::nullopt;
  };
  return options;
}

// The exchange of RFC 2831, section 4.
constexpr const char* kRfcResponse =
    "charset=utf-8,username=\"chris\",realm=\"elwood.innosoft.com\",nonce=\"OA6MG9tEQGm2hh\","
    "nc=00000001,cnonce=\"OA6MHXh6VqTrRk\",digest-uri=\"imap/elwood.innosoft.com\","
    "response=d388dad90d4bbd760a152321f2143af7,qop=auth";

DigestMd5Server rfc_server() {
  return DigestMd5Server(options_for("imap", "elwood.innosoft.com", "OA6MG9tEQGm2hh"));
}

// `text` with every `from` in it replaced.
std::string with(std::string text, const std::string& from, const std::string& to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

TEST(DigestMd5, TheExampleOfTheRfc) {
  DigestMd5Server server = rfc_server();
  auto challenge = server.step("");
  ASSERT_TRUE(challenge.ok());
  EXPECT_EQ(*challenge,
            "realm=\"elwood.innosoft.com\",nonce=\"OA6MG9tEQGm2hh\",charset=utf-8,"
            "algorithm=md5-sess");
  auto last = server.step(kRfcResponse);
  ASSERT_TRUE(last.ok()) << last.error().what();
  EXPECT_EQ(*last, "rspauth=ea40f60335c427b5527b84dbabcdfffd");
  EXPECT_TRUE(server.complete());
  EXPECT_EQ(server.user(), "chris");
  // nothing may follow
  EXPECT_FALSE(server.step("").ok());
  EXPECT_FALSE(server.complete());
}

// What the mechanism of Java 17 takes as well, measured on ZooKeeper 3.8.4.
TEST(DigestMd5, OtherWaysToWriteTheSame) {
  std::string whole = kRfcResponse;
  for (const std::string& response : {
           with(whole, ",", " , "),
           with(whole, ",", ",\r\n"),
           with(whole, "=", " = "),
           with(whole, "username", "USERNAME"),
           with(whole, "qop=auth", "qop=\"auth\""),
           with(whole, ",qop=auth", ""),
           with(whole, "nc=00000001,", ""),
           with(whole, "charset=utf-8,", ""),
           with(whole, "\"chris\"", "chris"),
           with(whole, "\"chris\"", "\"c\\hris\""),
           whole + ",",
           "," + whole,
           whole + ",maxbuf=65536,cipher=\"rc4\",unheard-of=\"x\",unheard-of=y",
       }) {
    DigestMd5Server server = rfc_server();
    ASSERT_TRUE(server.step("").ok());
    EXPECT_TRUE(server.step(response).ok()) << response;
  }
}

TEST(DigestMd5, WhatIsWrongIsRefused) {
  std::string whole = kRfcResponse;
  struct Row {
    std::string response;
    const char* why;
  };
  for (const Row& row : std::vector<Row>{
           {"", "no username"},
           {",,,", "no username"},
           {"rubbish", "a directive without a value"},
           {"=", "a directive without a value"},
           {std::string("\0", 1), "a directive without a value"},
           {"username=\"chris", "a quoted value without its end"},
           {with(whole, "username=\"chris\",", ""), "no username"},
           {with(whole, "realm=\"elwood.innosoft.com\",", ""), "no realm"},
           {with(whole, "nonce=\"OA6MG9tEQGm2hh\",", ""), "no nonce"},
           {with(whole, "cnonce=\"OA6MHXh6VqTrRk\",", ""), "no cnonce"},
           {with(whole, "digest-uri=\"imap/elwood.innosoft.com\",", ""), "no digest-uri"},
           {with(whole, "response=d388dad90d4bbd760a152321f2143af7,", ""), "no response"},
           {whole + ",username=\"chris\"", "the directive username is there twice"},
           {with(whole, "charset=utf-8", "charset=UTF-8"), "a charset that is not utf-8"},
           {with(whole, "qop=auth", "qop=auth-int"),
            "a quality of protection that was not offered"},
           {with(whole, "nc=00000001", "nc=00000002"), "a nonce count that is not 1"},
           {with(whole, "realm=\"elwood.innosoft.com\"", "realm=\"\""), "another realm"},
           {with(whole, "\"OA6MG9tEQGm2hh\"", "\"OA6MG9tEQGm2hx\""), "another nonce"},
           {with(whole, "imap/", "acap/"), "a digest-uri of another service"},
           // in other letters it is the same service, but hashes to something else
           {with(whole, "imap/elwood", "IMAP/Elwood"), "wrong password of user chris"},
           {with(whole, "chris", "eve"), "unknown user eve"},
           {with(whole, "d388", "d389"), "wrong password of user chris"},
           {with(whole, "d388dad9", "D388DAD9"), "wrong password of user chris"},
           {with(whole, "d388dad90d4bbd760a152321f2143af7", "d388"),
            "wrong password of user chris"},
           {whole + ",authzid=\"eve\"", "wrong password of user chris"},
       }) {
    DigestMd5Server server = rfc_server();
    ASSERT_TRUE(server.step("").ok());
    auto last = server.step(row.response);
    ASSERT_FALSE(last.ok()) << row.response;
    EXPECT_EQ(last.error().what(), row.why);
    EXPECT_EQ(last.error().code(), Errc::auth_failed);
    EXPECT_FALSE(server.complete());
    // not even the right one helps any more
    EXPECT_FALSE(server.step(whole).ok());
  }
}

TEST(DigestMd5, TheFirstTokenIsNoLogin) {
  DigestMd5Server server = rfc_server();
  auto challenge = server.step(kRfcResponse);
  ASSERT_TRUE(challenge.ok());
  EXPECT_TRUE(challenge->starts_with("realm="));
  EXPECT_FALSE(server.complete());
}

// Captured from ZooKeeper 3.8.4 on Java 17: names and passwords within ISO 8859-1 are hashed in it.
TEST(DigestMd5, LettersOfLatin1) {
  DigestMd5Server server(options_for("zookeeper", "zk-sasl-md5", "kpKKHpZeLWpDSdFjjdyrhupa33KL1i+YzOadQ81p"));
  ASSERT_TRUE(server.step("").ok());
  auto last = server.step(
      "charset=utf-8,username=\"j\xc3\xbcrgen\",realm=\"zk-sasl-md5\",nonce=\"kpKKHpZeLWpDSdFjjdyrhupa33KL1i+YzOadQ81p\","
      "nc=00000001,cnonce=\"c\",digest-uri=\"zookeeper/zk-sasl-md5\",response=b6de4dc86fd40c7ae6cd32e282e7e292,"
      "qop=auth");
  ASSERT_TRUE(last.ok()) << last.error().what();
  EXPECT_EQ(*last, "rspauth=8ec0b9c79db4a00e9593c054a8175aa0");
  EXPECT_EQ(server.user(), "j\xc3\xbcrgen");
}

TEST(DigestMd5, EachLoginHasItsOwnNonce) {
  auto challenge = [] {
    DigestMd5Server server(options_for("zookeeper", "zk-sasl-md5", ""));
    return *server.step("");
  };
  std::string one = challenge();
  EXPECT_NE(one, challenge());
  EXPECT_EQ(one.size(), challenge().size());
  EXPECT_EQ(one.find('"', one.find("nonce=") + 7) - one.find("nonce=") - 7, 40u);
}

}  // namespace
}  // namespace odradek::security
