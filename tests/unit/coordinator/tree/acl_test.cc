#include "coordinator/tree/acl.h"

#include <gtest/gtest.h>

namespace odradek::coordinator::tree {
namespace {

AuthInfo who(std::vector<Identity> identities) {
  AuthInfo auth;
  auth.identities = std::move(identities);
  return auth;
}

TEST(Acl, IpRanges) {
  struct Row {
    const char* address;
    const char* expression;
    bool matches;
  };
  const Row rows[] = {
      {"127.0.0.1", "127.0.0.1", true},
      {"127.0.0.1", "127.0.0.0/8", true},
      {"128.0.0.1", "127.0.0.0/8", false},
      {"10.1.2.3", "10.1.2.0/23", true},
      {"10.1.4.3", "10.1.2.0/23", false},
      {"10.1.2.3", "0.0.0.0/0", true},
      {"::1", "::1", true},
      {"2001:db8::5", "2001:db8::/32", true},
      {"::1", "127.0.0.1", false},
      {"127.0.0.1", "127.0.0.1/33", false},
      {"127.0.0.1", "127.0.0.1/", false},
      {"127.0.0.1", "127.0.0", false},
      {"127.0.0.1", "", false},
      {"127.0.0.1", "127.0.0.1/-1", false},
      // as Java reads integers (measured on 3.8.4)
      {"127.0.0.1", "127.000.0.+1", true},
      {"127.0.0.1", "127.0.0.0/+8", true},
      {"127.0.0.1", "127.0.0.1/+-8", false},
      {"127.0.0.1", " 127.0.0.1", false},
      {"127.0.0.1", "127.0.0.1/8/8", false},
      {"127.0.0.1", "127.0.0.1.1", false},
      {"127.0.0.1", "127.0.0.256", false},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(ip_matches(row.address, row.expression), row.matches)
        << row.address << " in " << row.expression;
  }
}

TEST(Acl, FixRefuses) {
  AuthInfo nobody = who({Identity("ip", "127.0.0.1")});
  const Acl bad[] = {
      {},
      {AclEntry(31, Identity("world", "somebody"))},
      {AclEntry(31, Identity("kerberos", "x"))},
      {AclEntry(31, Identity("super", ""))},
      {AclEntry(31, Identity("digest", "user"))},
      {AclEntry(31, Identity("digest", "user:a:b"))},
      {AclEntry(31, Identity("digest", "user:"))},
      {AclEntry(31, Identity("digest", ":"))},
      {AclEntry(31, Identity("sasl", "bob"))},
      {AclEntry(31, Identity("ip", "localhost"))},
      {AclEntry(31, Identity("auth", ""))},
  };
  for (const Acl& acl : bad) {
    auto fixed = fix_acl(acl, nobody);
    ASSERT_FALSE(fixed.ok()) << (acl.empty() ? "empty" : acl[0].who.scheme + ":" + acl[0].who.id);
    EXPECT_EQ(fixed.error().code(), Errc::invalid_acl);
  }
}

// Doubles go before "auth" is replaced, so that what it stands for may be there twice (3.8.4).
TEST(Acl, FixDropsDoublesAndReplacesAuth) {
  AuthInfo auth =
      who({Identity("ip", "127.0.0.1"), Identity("digest", "u:x"), Identity("super", "")});
  auto fixed =
      fix_acl({AclEntry(31, Identity("auth", "ignored")), AclEntry(31, Identity("digest", "u:x")),
               AclEntry(1, Identity("world", "anyone")), AclEntry(1, Identity("world", "anyone"))},
              auth);
  ASSERT_TRUE(fixed.ok());
  Acl expected{AclEntry(31, Identity("digest", "u:x")), AclEntry(31, Identity("digest", "u:x")),
               AclEntry(1, Identity("world", "anyone"))};
  EXPECT_EQ(*fixed, expected);
}

// Measured on 3.8.4: Java's split drops empty parts at the end and no others.
TEST(Acl, DigestIds) {
  for (auto [id, good] : {std::pair{"bob:hash=", true},
                          {":hash", true},
                          {"a:b::", true},
                          {"bob", false},
                          {"bob:", false},
                          {":", false},
                          {"a:b:c", false}}) {
    EXPECT_EQ(fix_acl({AclEntry(31, Identity("digest", id))}, who({})).ok(), good) << id;
  }
}

TEST(Acl, Sasl) {
  Schemes schemes;
  schemes.sasl = true;
  for (auto [id, good] : {std::pair{"bob", true},
                          {"", true},
                          {"zk/host@REALM", true},
                          {"bob@REALM", true},
                          {"a/b/c", true},
                          {"a/b/c@REALM", false},
                          {"bob@A@B", false},
                          {"bob@A/b", false}}) {
    EXPECT_EQ(fix_acl({AclEntry(31, Identity("sasl", id))}, who({}), schemes).ok(), good) << id;
  }
  AuthInfo bob = who({Identity("ip", "127.0.0.1"), Identity("sasl", "bob")});
  auto fixed = fix_acl({AclEntry(31, Identity("auth", ""))}, bob, schemes);
  ASSERT_TRUE(fixed.ok());
  EXPECT_EQ(*fixed, Acl{AclEntry(31, Identity("sasl", "bob"))});
  Acl mine{AclEntry(kPermAll, Identity("sasl", "bob"))};
  EXPECT_TRUE(allowed(mine, kPermRead, bob, schemes));
  EXPECT_FALSE(allowed(mine, kPermRead, who({Identity("sasl", "eve")}), schemes));
  EXPECT_FALSE(allowed(mine, kPermRead, who({Identity("digest", "bob")}), schemes));
  // the user super has what any SASL user has, and no more
  AuthInfo super = who({Identity("sasl", "super")});
  EXPECT_TRUE(allowed(mine, kPermRead, super, schemes));
  EXPECT_FALSE(allowed({AclEntry(31, Identity("digest", "u:x"))}, kPermRead, super, schemes));
  // without the provider nobody has the scheme, not even in an ACL of before
  EXPECT_FALSE(allowed(mine, kPermRead, bob));
  EXPECT_FALSE(fix_acl({AclEntry(31, Identity("auth", ""))}, bob).ok());
}

TEST(Acl, AnySaslUser) {
  Schemes schemes;
  schemes.sasl = true;
  schemes.any_sasl_user = "everybody";
  Acl acl{AclEntry(kPermRead, Identity("sasl", "everybody"))};
  EXPECT_TRUE(allowed(acl, kPermRead, who({Identity("sasl", "eve")}), schemes));
  EXPECT_FALSE(allowed(acl, kPermRead, who({Identity("digest", "eve:x")}), schemes));
}

TEST(Acl, DigestMayBeSwitchedOff) {
  Schemes schemes;
  schemes.digest = false;
  AuthInfo user = who({Identity("digest", "u:x")});
  EXPECT_FALSE(fix_acl({AclEntry(31, Identity("digest", "u:x"))}, user, schemes).ok());
  EXPECT_FALSE(fix_acl({AclEntry(31, Identity("auth", ""))}, user, schemes).ok());
  EXPECT_FALSE(allowed({AclEntry(31, Identity("digest", "u:x"))}, kPermRead, user, schemes));
}

TEST(Acl, Allowed) {
  Acl acl{AclEntry(kPermRead, Identity("world", "anyone")),
          AclEntry(kPermWrite, Identity("ip", "10.0.0.0/8")),
          AclEntry(kPermAll, Identity("digest", "u:x"))};
  AuthInfo stranger = who({Identity("ip", "192.168.0.1")});
  AuthInfo near = who({Identity("ip", "10.2.3.4")});
  AuthInfo user = who({Identity("ip", "192.168.0.1"), Identity("digest", "u:x")});
  AuthInfo super = who({Identity("super", "")});
  EXPECT_TRUE(allowed(acl, kPermRead, stranger));
  EXPECT_FALSE(allowed(acl, kPermWrite, stranger));
  EXPECT_TRUE(allowed(acl, kPermWrite, near));
  EXPECT_FALSE(allowed(acl, kPermAdmin, near));
  EXPECT_TRUE(allowed(acl, kPermAdmin, user));
  EXPECT_TRUE(allowed(acl, kPermAdmin, super));
  EXPECT_TRUE(allowed(acl, kPermAdmin, AuthInfo::internal_hand()));
}

}  // namespace
}  // namespace odradek::coordinator::tree
