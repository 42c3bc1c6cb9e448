#include "coordinator/exchange/logged_txn.h"

#include "coordinator/exchange/owner.h"
#include "tests/unit/coordinator/exchange/zookeeper_files.h"

namespace odradek::coordinator::exchange {
namespace {

LoggedTxn decode(const std::string& bytes) {
  auto txn = decode_logged_txn(bytes);
  EXPECT_TRUE(txn.ok()) << txn.error().what();
  return txn ? *std::move(txn) : LoggedTxn();
}

template <typename Step>
Step only_step(const LoggedTxn& txn) {
  EXPECT_EQ(txn.steps.size(), 1u);
  if (txn.steps.size() != 1 || !std::holds_alternative<Step>(txn.steps[0])) {
    ADD_FAILURE() << "another step";
    return Step();
  }
  return std::get<Step>(txn.steps[0]);
}

// Since 3.6 a digest may stand behind each transaction.
std::string with_digest(const std::string& entry) {
  zookeeper::TxnDigest digest;
  digest.version = 2;
  digest.tree_digest = 0x1234567890;
  return entry + encoded(digest);
}

TEST(LoggedTxn, CreatesOfEveryRelease) {
  for (OpCode op : {OpCode::kCreate, OpCode::kCreate2}) {
    for (bool digest : {false, true}) {
      std::string bytes = entry(5, op, encoded(create_txn("/a", 3, true)), 0x99);
      LoggedTxn txn = decode(digest ? with_digest(bytes) : bytes);
      EXPECT_EQ(txn.zxid, Zxid(5));
      EXPECT_EQ(txn.session, SessionId(0x99));
      EXPECT_EQ(txn.time_ms, kTime + 5);
      auto create = only_step<LoggedCreate>(txn);
      EXPECT_EQ(create.path, "/a");
      EXPECT_EQ(create.data, "d");
      EXPECT_EQ(create.acl, tree::open_acl());
      EXPECT_EQ(create.ephemeral_owner, 0x99);
      EXPECT_EQ(create.parent_creates, 3);
    }
  }
  zookeeper::CreateTxnV0 old;
  old.path = "/a";
  old.acl = wire_entry("digest", "u:x");
  auto create = only_step<LoggedCreate>(decode(entry(5, OpCode::kCreate, encoded(old))));
  EXPECT_EQ(create.data, std::nullopt);
  EXPECT_EQ(create.acl->at(0).who, tree::Identity("digest", "u:x"));
  EXPECT_EQ(create.parent_creates, -1);
}

TEST(LoggedTxn, ContainersAndTtls) {
  zookeeper::CreateContainerTxn container;
  container.path = "/c";
  container.parent_c_version = 7;
  auto create = only_step<LoggedCreate>(
      decode(entry(5, OpCode::kCreateContainer, encoded(container))));
  EXPECT_EQ(create.ephemeral_owner, INT64_MIN);
  EXPECT_EQ(create.parent_creates, 7);
  zookeeper::CreateTTLTxn ttl;
  ttl.path = "/t";
  ttl.ttl = 1000;
  create = only_step<LoggedCreate>(decode(with_digest(entry(5, OpCode::kCreateTTL, encoded(ttl)))));
  EXPECT_EQ(static_cast<uint64_t>(create.ephemeral_owner), 0xff000000000003e8u);
}

TEST(LoggedTxn, ChangesAndDeletes) {
  for (OpCode op : {OpCode::kSetData, OpCode::kReconfig}) {
    auto set = only_step<LoggedSetData>(
        decode(with_digest(entry(5, op, encoded(set_data_txn("/", "new", 4))))));
    EXPECT_EQ(set.path, "/");
    EXPECT_EQ(set.data, "new");
    EXPECT_EQ(set.version, 4);
  }
  for (OpCode op : {OpCode::kDelete, OpCode::kDeleteContainer}) {
    EXPECT_EQ(only_step<LoggedDelete>(decode(entry(5, op, encoded(delete_txn("/a"))))).path, "/a");
  }
  zookeeper::SetACLTxn acl;
  acl.path = "/a";
  acl.acl = wire_entry("ip", "10.0.0.1");
  acl.version = 2;
  auto set = only_step<LoggedSetAcl>(decode(entry(5, OpCode::kSetACL, encoded(acl))));
  EXPECT_EQ(set.acl->at(0).who.scheme, "ip");
  EXPECT_EQ(set.aversion, 2);
}

TEST(LoggedTxn, SessionsWithAndWithoutTheListOfTheirEphemerals) {
  zookeeper::CreateSessionTxn made;
  made.time_out = 30000;
  EXPECT_EQ(only_step<LoggedSession>(decode(entry(5, OpCode::kCreateSession, encoded(made))))
                .timeout_ms,
            30000);
  std::string bare = entry(5, OpCode::kCloseSession, "");
  zookeeper::CloseSessionTxn closed;
  closed.paths2_delete = {"/a", "/b/c"};
  std::string listed = entry(5, OpCode::kCloseSession, encoded(closed));
  using Paths = std::vector<std::string>;
  EXPECT_EQ(only_step<LoggedSessionEnd>(decode(bare)).paths, Paths());
  EXPECT_EQ(only_step<LoggedSessionEnd>(decode(with_digest(bare))).paths, Paths());
  EXPECT_EQ(only_step<LoggedSessionEnd>(decode(listed)).paths, closed.paths2_delete);
  EXPECT_EQ(only_step<LoggedSessionEnd>(decode(with_digest(listed))).paths, closed.paths2_delete);
}

zookeeper::Txn part(OpCode op, const std::string& body) {
  zookeeper::Txn txn;
  txn.type = static_cast<int32_t>(op);
  txn.data = body;
  return txn;
}

TEST(LoggedTxn, AMultiIsItsStepsOrNothing) {
  zookeeper::CheckVersionTxn check;
  check.path = "/a";
  zookeeper::ErrorTxn error;
  error.err = -101;
  zookeeper::MultiTxn multi;
  multi.txns = {part(OpCode::kCreate, encoded(create_txn("/a", 1))),
                part(OpCode::kCheck, encoded(check)),
                part(OpCode::kSetData, encoded(set_data_txn("/a", "x", 1))),
                part(OpCode::kDelete, encoded(delete_txn("/b")))};
  EXPECT_EQ(decode(with_digest(entry(5, OpCode::kMulti, encoded(multi)))).steps.size(), 3u);
  multi.txns.push_back(part(OpCode::kError, encoded(error)));
  EXPECT_TRUE(decode(entry(5, OpCode::kMulti, encoded(multi))).steps.empty());
  multi.txns = {part(OpCode::kMulti, encoded(zookeeper::MultiTxn()))};
  EXPECT_EQ(decode_logged_txn(entry(5, OpCode::kMulti, encoded(multi))).error().code(),
            Errc::unsupported_version);
}

TEST(LoggedTxn, ARefusedOneTakesItsZxid) {
  zookeeper::ErrorTxn error;
  error.err = -110;
  LoggedTxn txn = decode(with_digest(entry(9, OpCode::kError, encoded(error))));
  EXPECT_EQ(txn.zxid, Zxid(9));
  EXPECT_TRUE(txn.steps.empty());
}

}  // namespace
}  // namespace odradek::coordinator::exchange
