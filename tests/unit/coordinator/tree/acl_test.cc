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
      {AclEntry(31, Identity("ip", "localhost"))},
      {AclEntry(31, Identity("auth", ""))},
  };
  for (const Acl& acl : bad) {
    auto fixed = fix_acl(acl, nobody);
    ASSERT_FALSE(fixed.ok()) << (acl.empty() ? "empty" : acl[0].who.scheme + ":" + acl[0].who.id);
    EXPECT_EQ(fixed.error().code(), Errc::invalid_acl);
  }
}

TEST(Acl, FixReplacesAuthAndDropsDoubles) {
  AuthInfo auth =
      who({Identity("ip", "127.0.0.1"), Identity("digest", "u:x"), Identity("super", "")});
  auto fixed =
      fix_acl({AclEntry(31, Identity("auth", "ignored")), AclEntry(31, Identity("digest", "u:x")),
               AclEntry(1, Identity("world", "anyone"))},
              auth);
  ASSERT_TRUE(fixed.ok());
  Acl expected{AclEntry(31, Identity("digest", "u:x")), AclEntry(1, Identity("world", "anyone"))};
  EXPECT_EQ(*fixed, expected);
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
