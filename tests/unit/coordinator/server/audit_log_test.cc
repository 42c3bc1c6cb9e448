// The audit log's lines; what a real ZooKeeper writes stands in golden/zookeeper/operations.
#include "coordinator/server/audit_log.h"

#include <gtest/gtest.h>

#include "coordinator/server/codec.h"

namespace odradek::coordinator::server {
namespace {

using tree::Identity;
using zookeeper::OpCode;

AuditEvent event() {
  AuditEvent event;
  event.session = SessionId(0x10000349a930000);
  event.user = "127.0.0.1";
  event.ip = "127.0.0.1";
  event.operation = "create";
  event.result = "success";
  return event;
}

TEST(AuditLine, IsPairsWithTabs) {
  AuditEvent create = event();
  create.znode = "/a";
  create.znode_type = "persistent";
  EXPECT_EQ(audit_line(create),
            "session=0x10000349a930000\tuser=127.0.0.1\tip=127.0.0.1\toperation=create\tznode=/a\t"
            "znode_type=persistent\tresult=success");
  AuditEvent start;
  start.user = "zookeeper";
  start.operation = "serverStart";
  start.result = "success";
  EXPECT_EQ(audit_line(start), "user=zookeeper\toperation=serverStart\tresult=success");
  AuditEvent acl = event();
  acl.operation = "setAcl";
  acl.znode = "/c";
  acl.acl = "world:anyone:cdrwa";
  EXPECT_TRUE(audit_line(acl).ends_with("\toperation=setAcl\tznode=/c\tacl=world:anyone:cdrwa\t"
                                        "result=success"));
}

TEST(AuditLine, NobodyWritesLinesOfOthers) {
  AuditEvent forged = event();
  forged.znode = "/a\nresult=success\tuser=super\x7f";
  std::string line = audit_line(forged);
  EXPECT_NE(line.find("znode=/a\\u000aresult=success\\u0009user=super\\u007f\tresult="),
            std::string::npos)
      << line;
  forged.znode = "/" + std::string(1 << 20, 'x');
  EXPECT_LT(audit_line(forged).size(), 10'000u);
  EXPECT_NE(audit_line(forged).find("... (1048577 bytes)"), std::string::npos);
}

TEST(AuditUsers, NamesAndNoSecrets) {
  tree::AuthInfo auth;
  auth.identities = {Identity("ip", "10.0.0.7")};
  EXPECT_EQ(audit_users(auth), "10.0.0.7");
  auth.identities.emplace_back("digest", "bob:hash=");
  auth.identities.emplace_back("super", "");
  auth.identities.emplace_back("digest", "amy:hash=");
  EXPECT_EQ(audit_users(auth), "bob,amy,10.0.0.7");
  auth.identities = {Identity("sasl", "kafka")};
  EXPECT_EQ(audit_users(auth), "kafka");
}

TEST(Audited, TellsTypesAndAcls) {
  std::vector<tree::Operation> operations;
  operations.emplace_back(tree::CreateOp("/p"));
  operations.emplace_back(tree::CreateOp("/es", std::nullopt, tree::NodeKind::ephemeral, true));
  operations.emplace_back(tree::CreateOp("/c", std::nullopt, tree::NodeKind::container));
  operations.emplace_back(tree::CreateOp("/ts", std::nullopt, tree::NodeKind::ttl, true));
  operations.emplace_back(tree::SetDataOp("/p", "x"));
  operations.emplace_back(tree::SetAclOp(
      "/p", {tree::AclEntry(5, Identity("ip", "127.0.0.1")),
             tree::AclEntry(31, Identity("world", "anyone"))}));
  operations.emplace_back(tree::CheckOp("/p"));
  operations.emplace_back(tree::DeleteOp("/p"));
  auto out = audited(OpCode::kMulti, "", operations);
  std::vector<std::string> shown;
  for (const auto& each : out) {
    shown.push_back(std::string(each.operation) + " " + each.path + " " +
                    std::string(each.znode_type) + " " + each.acl);
  }
  EXPECT_EQ(shown, (std::vector<std::string>{
                       "create /p persistent ", "create /es ephemeral_sequential ",
                       "create /c container ", "create /ts persistent_sequential_with_ttl ",
                       "setData /p  ", "setAcl /p  ip:127.0.0.1:crworld:anyone:cdrwa", "   ",
                       "delete /p  "}));
}

TEST(Audited, ARequestThatDoesNotDecodeIsStillNamed) {
  std::vector<tree::Operation> operations;
  operations.emplace_back(tree::RefusedOp(Error(Errc::malformed, "no")));
  EXPECT_EQ(audited(OpCode::kSetACL, "", operations).front().operation, "setAcl");
  EXPECT_EQ(audited(OpCode::kMulti, "", operations).front().operation, "");
}

// As 3.8.6 wrote it: golden/zookeeper/operations/default/audit.
TEST(Audited, TheTypeOfACreateGoesByItsFlags) {
  auto type = [](OpCode op, int32_t flags, tree::NodeKind kind) {
    zookeeper::CreateRequest request;
    request.path = "/c";
    request.flags = flags;
    ByteWriter body;
    request.encode(body);
    std::vector<tree::Operation> operations;
    operations.emplace_back(tree::CreateOp("/c", std::nullopt, kind));
    return audited(op, body.buffer(), operations).front().znode_type;
  };
  EXPECT_EQ(type(OpCode::kCreate, 4, tree::NodeKind::persistent), "container");
  EXPECT_EQ(type(OpCode::kCreateContainer, 4, tree::NodeKind::container), "container");
  EXPECT_EQ(type(OpCode::kCreateContainer, 0, tree::NodeKind::container), "persistent");
  EXPECT_EQ(type(OpCode::kCreate2, 1, tree::NodeKind::ephemeral), "ephemeral");
}

}  // namespace
}  // namespace odradek::coordinator::server
