#include "coordinator/exchange/import.h"

#include "coordinator/exchange/owner.h"
#include "coordinator/store/store_check.h"
#include "coordinator/store/store_tree.h"
#include "tests/unit/coordinator/exchange/zookeeper_files.h"

namespace odradek::coordinator::exchange {
namespace {

constexpr int64_t kSession = 0x77;

class ImportTest : public FolderTest {
 protected:
  Result<ImportReport> import() {
    auto data = list_data_files(files, folder, folder);
    if (!data) return data.error();
    options.store_dir = folder + "/odradek";
    auto report = import_data(files, *data, options);
    if (report) open();
    return report;
  }
  void open() {
    tree.reset();
    opened.reset();
    auto store = store::RocksStore::open(folder + "/odradek", store::RocksOptions());
    ASSERT_TRUE(store.ok()) << store.error().what();
    opened = *std::move(store);
    tree = std::make_unique<store::StoreTree>(opened->snapshot());
    store::check_contents(*opened->snapshot(), [](const std::string& finding) {
      ADD_FAILURE() << finding;
    });
  }
  void must_import() {
    auto report = import();
    ASSERT_TRUE(report.ok()) << report.error().what();
  }
  std::string refusal() {
    auto report = import();
    EXPECT_FALSE(report.ok());
    EXPECT_FALSE(files.exists(folder + "/odradek"));
    return report ? "" : report.error().what();
  }
  std::vector<std::string> children(const std::string& path) {
    return tree->children(path).value_or(std::vector<std::string>{"(none)"});
  }
  tree::Stat stat(const std::string& path) {
    auto found = tree->stat(path);
    EXPECT_TRUE(found) << path;
    return found.value_or(tree::Stat());
  }
  std::string data(const std::string& path) {
    auto node = tree->get(path);
    return node && node->data ? *node->data : "(none)";
  }

  ImportOptions options;
  std::unique_ptr<store::RocksStore> opened;
  std::unique_ptr<store::StoreTree> tree;
};

using Names = std::vector<std::string>;

TEST_F(ImportTest, ASnapshotAlone) {
  snapshot(9, SnapshotBytes()
                  .session(kSession, 30000)
                  .acl(1, wire_entry("digest", "u:x"))
                  .usual(2)
                  .node({.path = "/a", .zxid = 4, .creates = 3, .acl = 1, .pzxid = 7})
                  .node({.path = "/a/e", .zxid = 7, .owner = kSession, .data = "mine"})
                  .node({.path = "/b", .zxid = 5, .owner = INT64_MIN}));
  must_import();
  EXPECT_EQ(children("/"), (Names{"a", "b", "zookeeper"}));
  EXPECT_EQ(stat("/").cversion, 2 * 2 - 3);
  EXPECT_EQ(stat("/a").cversion, 2 * 3 - 1);
  EXPECT_EQ(stat("/a").pzxid, Zxid(7));
  EXPECT_EQ(tree->acl("/a")->at(0).who, tree::Identity("digest", "u:x"));
  EXPECT_EQ(stat("/a/e").ephemeral_owner, SessionId(kSession));
  EXPECT_EQ(stat("/b").kind, tree::NodeKind::container);
  EXPECT_EQ(tree->ephemerals(SessionId(kSession)), Names{"/a/e"});
  auto session = tree->session(SessionId(kSession));
  ASSERT_TRUE(session);
  EXPECT_EQ(session->timeout_ms, 30000);
  EXPECT_EQ(session->password, zookeeper_password(SessionId(kSession)));
  EXPECT_EQ(tree->totals()->last_zxid, Zxid(1ll << 32));
}

TEST_F(ImportTest, TheLogBehindIt) {
  snapshot(9, SnapshotBytes().usual(1).node({.path = "/a", .zxid = 4, .creates = 1}));
  LogBytes log9;
  log9.add(8, OpCode::kDelete, delete_txn("/a"));  // the snapshot has it behind it
  zookeeper::CreateSessionTxn session;
  session.time_out = 12000;
  log9.add(10, OpCode::kCreateSession, session, 0x88);
  log9.add(11, OpCode::kCreate, create_txn("/a/b", 2, true), 0x88);
  log(8, log9);
  LogBytes log12;
  log12.add(12, OpCode::kSetData, set_data_txn("/a", "twelve", 1));
  log12.add(13, OpCode::kError, zookeeper::ErrorTxn());
  log(12, log12);
  auto report = import();
  ASSERT_TRUE(report.ok()) << report.error().what();
  EXPECT_EQ(report->transactions, 4);
  EXPECT_EQ(report->seen, Zxid(13));
  EXPECT_EQ(data("/a"), "twelve");
  EXPECT_EQ(stat("/a").version, 1);
  EXPECT_EQ(stat("/a").mzxid, Zxid(12));
  EXPECT_EQ(stat("/a").pzxid, Zxid(11));
  EXPECT_EQ(stat("/a/b").ephemeral_owner, SessionId(0x88));
  EXPECT_EQ(stat("/a/b").ctime_ms, kTime + 11);
}

// Transactions that the snapshot has seen already are done once more. What came of them:
//   10 create /p  11 create /p/x  12 delete /p/x  13 delete /p  14 create /p  15 create /p/y
TEST_F(ImportTest, DoingAgainWhatTheSnapshotHasSeen) {
  SnapshotBytes seen_all;
  seen_all.usual(2, 14)
      .node({.path = "/p", .zxid = 14, .creates = 1, .data = "second", .pzxid = 15})
      .node({.path = "/p/y", .zxid = 15});
  SnapshotBytes seen_some;  // /p as of 11, its child gone meanwhile
  seen_some.usual(1, 10).node({.path = "/p", .zxid = 10, .creates = 1, .data = "first", .pzxid = 11});
  SnapshotBytes seen_none;
  seen_none.usual();
  for (const SnapshotBytes& seen : {seen_all, seen_some, seen_none}) {
    std::filesystem::remove_all(folder + "/odradek");
    snapshot(9, seen);
    LogBytes log10;
    log10.add(10, OpCode::kCreate, create_txn("/p", 1, false, "first"));
    log10.add(11, OpCode::kCreate2, create_txn("/p/x", 1));
    log10.add(12, OpCode::kDelete, delete_txn("/p/x"));
    log10.add(13, OpCode::kDelete, delete_txn("/p"));
    log10.add(14, OpCode::kCreate, create_txn("/p", 2, false, "second"));
    log10.add(15, OpCode::kCreate2, create_txn("/p/y", 1));
    log(10, log10);
    must_import();
    EXPECT_EQ(children("/p"), Names{"y"});
    EXPECT_EQ(data("/p"), "second");
    EXPECT_EQ(stat("/p").czxid, Zxid(14));
    EXPECT_EQ(stat("/p").pzxid, Zxid(15));
    EXPECT_EQ(stat("/p").created_children, 1);
    EXPECT_EQ(stat("/").created_children, 2);
    EXPECT_EQ(stat("/").pzxid, Zxid(14));
    EXPECT_EQ(stat("/p/y").czxid, Zxid(15));
    tree.reset();
    opened.reset();
  }
}

// An ephemeral that went with its session and was made again by another one.
TEST_F(ImportTest, AnEphemeralThatChangedHands) {
  for (bool listed : {false, true}) {
    std::filesystem::remove_all(folder + "/odradek");
    snapshot(9, SnapshotBytes()
                    .session(0x88, 10000)
                    .session(0x99, 10000)
                    .usual(1, 10)  // as it was before 12
                    .node({.path = "/e", .zxid = 12, .owner = 0x99}));
    zookeeper::CloseSessionTxn end;
    if (listed) end.paths2_delete = {"/e"};
    LogBytes log10;
    log10.add(10, OpCode::kCreate, create_txn("/e", 1, true), 0x88);
    if (listed) {
      log10.add(11, OpCode::kCloseSession, end, 0x88);
    } else {
      log10.add_entry(entry(11, OpCode::kCloseSession, "", 0x88));
    }
    log10.add(12, OpCode::kCreate, create_txn("/e", 2, true), 0x99);
    log(10, log10);
    must_import();
    EXPECT_EQ(stat("/e").ephemeral_owner, SessionId(0x99));
    EXPECT_EQ(stat("/e").czxid, Zxid(12));
    EXPECT_EQ(stat("/").created_children, 2);
    EXPECT_EQ(stat("/").pzxid, Zxid(12));
    EXPECT_FALSE(tree->session(SessionId(0x88)));
    tree.reset();
    opened.reset();
  }
}

TEST_F(ImportTest, CountersOfAParentNeverGoBack) {
  snapshot(9, SnapshotBytes().usual().node({.path = "/p", .zxid = 1, .creates = 8, .pzxid = 20}));
  LogBytes log10;
  log10.add(10, OpCode::kCreate, create_txn("/p/a", 7));
  log10.add(11, OpCode::kDelete, delete_txn("/p/a"));
  log10.add(12, OpCode::kDelete, delete_txn("/p/missing"));
  log(10, log10);
  must_import();
  EXPECT_EQ(stat("/p").created_children, 8);
  EXPECT_EQ(stat("/p").pzxid, Zxid(20));
  EXPECT_EQ(stat("/p").num_children, 0);
}

TEST_F(ImportTest, AnAclThatTheSnapshotLacksComesFromTheLog) {
  SnapshotBytes lacking;
  lacking.usual(1).node({.path = "/a", .zxid = 10, .acl = 5});
  snapshot(9, lacking);
  zookeeper::CreateTxn create = create_txn("/a", 1);
  create.acl = wire_entry("ip", "10.1.1.1");
  LogBytes log10;
  log10.add(10, OpCode::kCreate, create);
  log(10, log10);
  must_import();
  EXPECT_EQ(tree->acl("/a")->at(0).who.id, "10.1.1.1");
  tree.reset();
  opened.reset();
  std::filesystem::remove_all(folder + "/odradek");
  std::filesystem::remove(folder + "/version-2/log.a");
  EXPECT_NE(refusal().find("the ACL of /a is missing"), std::string::npos);
}

TEST_F(ImportTest, EphemeralsWithoutASessionGo) {
  snapshot(9, SnapshotBytes()
                  .session(kSession, 10000)
                  .usual(2)
                  .node({.path = "/lives", .zxid = 3, .owner = kSession})
                  .node({.path = "/orphan", .zxid = 4, .owner = 0x5555, .pzxid = 4}));
  must_import();
  EXPECT_EQ(children("/"), (Names{"lives", "zookeeper"}));
  EXPECT_EQ(stat("/").pzxid, Zxid(9));
  EXPECT_EQ(tree->totals()->ephemerals, 1);
}

TEST_F(ImportTest, ParentsInFrontOfChildrenIsAllTheOrderThereIs) {
  snapshot(9, SnapshotBytes()
                  .usual(2)
                  .node({.path = "/a", .zxid = 1, .creates = 2})
                  .node({.path = "/b", .zxid = 2, .creates = 1})
                  .node({.path = "/a/x", .zxid = 3, .creates = 1})
                  .node({.path = "/b/x", .zxid = 4})
                  .node({.path = "/a/y", .zxid = 5})
                  .node({.path = "/a/x/z", .zxid = 6}));
  must_import();
  EXPECT_EQ(children("/a"), (Names{"x", "y"}));
  EXPECT_EQ(children("/a/x"), Names{"z"});
}

TEST_F(ImportTest, QuotasAreCounted) {
  snapshot(9, SnapshotBytes()
                  .node({.path = "", .creates = 1})
                  .node({.path = "/zookeeper"})
                  .node({.path = "/zookeeper/quota", .creates = 1})
                  .node({.path = "/zookeeper/quota/app", .zxid = 1, .creates = 2})
                  .node({.path = "/zookeeper/quota/app/zookeeper_limits", .zxid = 1})
                  .node({.path = "/zookeeper/quota/app/zookeeper_stats", .zxid = 1, .data = "old"})
                  .node({.path = "/app", .zxid = 2, .creates = 2, .data = "1234"})
                  .node({.path = "/app/a", .zxid = 3, .creates = 1, .data = ""}));
  LogBytes log10;
  log10.add(10, OpCode::kCreate, create_txn("/app/a/b", 1, false, "123456"));
  log(10, log10);
  must_import();
  EXPECT_EQ(data("/zookeeper/quota/app/zookeeper_stats"), "count=3,bytes=10");
  EXPECT_EQ(stat("/zookeeper/quota/app/zookeeper_stats").version, 0);
}

// ---- which files

TEST_F(ImportTest, ADamagedSnapshotGivesWayToTheOneBefore) {
  snapshot(9, SnapshotBytes().usual(1).node({.path = "/a", .zxid = 4}));
  std::string newer = snapshot(11, SnapshotBytes().usual(2).node({.path = "/wrong", .zxid = 11}));
  std::string bytes = SnapshotBytes().usual(2).node({.path = "/wrong", .zxid = 11}).bytes();
  LogBytes log10;
  log10.add(10, OpCode::kCreate, create_txn("/b", 2));
  log10.add(11, OpCode::kCreate, create_txn("/c", 3));
  log(10, log10);
  // every byte that may be wrong: the end is there, so that only the checksum tells
  for (size_t at = 0; at + 18 < bytes.size(); at += 13) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    std::ofstream(newer, std::ios::binary) << damaged;
    must_import();
    EXPECT_EQ(children("/"), (Names{"a", "b", "c", "zookeeper"})) << at;
    tree.reset();
    opened.reset();
    std::filesystem::remove_all(folder + "/odradek");
  }
}

TEST_F(ImportTest, AnOlderSnapshotIsNotEnoughWithoutTheLogs) {
  snapshot(9, SnapshotBytes().usual());
  std::string newer = snapshot(11, SnapshotBytes().usual());
  std::filesystem::resize_file(newer, 40);
  std::string why = refusal();
  EXPECT_NE(why.find(newer), std::string::npos) << why;
  EXPECT_NE(why.find("may be lost"), std::string::npos) << why;
}

TEST_F(ImportTest, NoWholeSnapshotIsARefusalWithThePlace) {
  std::string only = snapshot(9, SnapshotBytes().usual());
  std::filesystem::resize_file(only, 60);
  EXPECT_NE(refusal().find(only + " at offset 60"), std::string::npos);
}

TEST_F(ImportTest, DamageInALogIsARefusalWithThePlace) {
  snapshot(9, SnapshotBytes().usual());
  LogBytes log10;
  log10.add(10, OpCode::kCreate, create_txn("/a", 1));
  size_t offset = log10.bytes.size();
  log10.add(11, OpCode::kCreate, create_txn("/b", 2));
  log10.bytes[offset + 20] ^= 1;
  log(10, log10);
  EXPECT_NE(refusal().find("log.a at offset " + std::to_string(offset)), std::string::npos);
}

// The writer died and another one went on in a new file.
TEST_F(ImportTest, ATornEntryInTheMiddleOfTheHistory) {
  snapshot(9, SnapshotBytes().usual());
  LogBytes first;
  first.add(10, OpCode::kCreate, create_txn("/a", 1));
  size_t whole = first.bytes.size();
  first.add(11, OpCode::kCreate, create_txn("/torn", 2));
  first.bytes.resize(whole + 30);
  log(10, first.zeros(500));
  LogBytes second;
  second.add(11, OpCode::kCreate, create_txn("/b", 2));
  log(11, second);
  must_import();
  EXPECT_EQ(children("/"), (Names{"a", "b", "zookeeper"}));
}

TEST_F(ImportTest, LogsWithoutASnapshotAreTakenOnlyWhereOneSaysSo) {
  LogBytes log1;
  log1.add(0x100000001, OpCode::kCreate, create_txn("/a", 1));
  log(0x100000001, log1);
  EXPECT_NE(refusal().find("snapshot.trust.empty"), std::string::npos);
  options.trust_empty = true;
  must_import();
  EXPECT_EQ(children("/"), (Names{"a", "zookeeper"}));
  EXPECT_EQ(tree->totals()->last_zxid, Zxid(2ll << 32));
}

TEST_F(ImportTest, TheZxidIsAboveAllThatAMemberKnewOf) {
  snapshot(0x100000003, SnapshotBytes().usual());
  write("version-2/acceptedEpoch", "6");
  write("version-2/currentEpoch", "5\n");
  write("myid", "3\n");
  auto report = import();
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->seen, Zxid(6ll << 32));
  EXPECT_EQ(report->totals.last_zxid, Zxid(7ll << 32));
}

TEST_F(ImportTest, SessionIdsOfOursAreNotGivenOutAgain) {
  options.server_id = 3;
  int64_t ours = 0x0300000000000010;
  snapshot(9, SnapshotBytes().session(ours, 9000).session(0x0400000000000099, 9000).usual());
  must_import();
  EXPECT_EQ(tree->totals()->last_session, SessionId(ours));
}

TEST_F(ImportTest, WhatAnEarlierTryLeftDoesNotCount) {
  snapshot(9, SnapshotBytes().usual());
  write("odradek.import/CURRENT", "half of something");
  must_import();
  EXPECT_FALSE(files.exists(folder + "/odradek.import"));
}

TEST_F(ImportTest, TreesThatCannotBeAreRefused) {
  struct Row {
    SnapshotBytes bytes;
    const char* what;
  };
  for (const Row& row : {
           Row{SnapshotBytes().usual().node({.path = "/a/b", .zxid = 1}), "/a has children"},
           Row{SnapshotBytes().usual().node({.path = "a", .zxid = 1}), "no path"},
           Row{SnapshotBytes().usual().node({.path = "/a/", .zxid = 1}), "no path"},
           Row{SnapshotBytes().usual().node({.path = ""}), "second root"},
           Row{SnapshotBytes(), "no root"},
       }) {
    snapshot(9, row.bytes);
    std::string why = refusal();
    EXPECT_NE(why.find(row.what), std::string::npos) << why;
    EXPECT_NE(why.find("snapshot.9"), std::string::npos) << why;
  }
}

TEST(NextEpoch, IsAboveAndStaysPositive) {
  EXPECT_EQ(next_epoch(Zxid(0)), Zxid(1ll << 32));
  EXPECT_EQ(next_epoch(Zxid(0x1'ffff'ffff)), Zxid(2ll << 32));
  EXPECT_EQ(next_epoch(Zxid(0x7fff'ffff'0000'0005)), Zxid(0x7fff'ffff'0000'0006));
}

}  // namespace
}  // namespace odradek::coordinator::exchange
