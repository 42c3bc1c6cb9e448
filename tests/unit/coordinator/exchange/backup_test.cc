#include "coordinator/exchange/backup_folder.h"
#include "coordinator/exchange/restore.h"
#include "coordinator/store/store_tree.h"
#include "tests/unit/coordinator/exchange/zookeeper_files.h"

namespace odradek::coordinator::exchange {
namespace {

TEST(BackupFacts, AreATextThatReadsBack) {
  BackupFacts facts;
  facts.zxid = Zxid(0x1'0000'00ff);
  facts.znodes = 12;
  facts.sessions = 3;
  facts.time_ms = 1'769'860'800'000;
  facts.files = {{"CURRENT", 16, 0xdeadbeef}, {"000012.sst", 4711, 7}};
  std::string text = encode_facts(facts);
  EXPECT_NE(text.find("time 2026-01-31T12:00:00Z"), std::string::npos);
  auto read = decode_facts(text);
  ASSERT_TRUE(read.ok()) << read.error().what();
  EXPECT_EQ(*read, facts);
}

TEST(BackupFacts, OtherTextIsRefusedWithItsLine) {
  struct Row {
    const char* text;
    const char* what;
  };
  for (const Row& row :
       {Row{"", "empty"}, Row{"format 2\n", "line 1"}, Row{"zxid 0x1\n", "line 1"},
        Row{"format 1\nznodes twelve\n", "line 2: znodes"},
        Row{"format 1\nfile ../../etc/passwd 1 00000000\n", "line 2: file"},
        Row{"format 1\nfile 1.sst 1\n", "line 2"}, Row{"format 1\ntime yesterday\n", "line 2"},
        Row{"format 1\nsomething else\n", "line 2"}}) {
    auto facts = decode_facts(row.text);
    ASSERT_FALSE(facts.ok()) << row.text;
    EXPECT_NE(facts.error().what().find(row.what), std::string::npos) << facts.error().what();
  }
}

TEST(StoreFiles, HaveTheNamesThatRocksGives) {
  for (const char* name : {"CURRENT", "IDENTITY", "MANIFEST-000004", "OPTIONS-000012", "000007.sst",
                           "000007.log", "1.blob"}) {
    EXPECT_TRUE(is_store_file(name)) << name;
  }
  for (const char* name : {"", "LOCK", "BACKUP", "../x.sst", "a.sst", ".sst", "MANIFEST-", "/1.sst",
                           "1.sst/..", "OPTIONS-1.dbtmp", "1.sst\n"}) {
    EXPECT_FALSE(is_store_file(name)) << name;
  }
}

class BackupTest : public FolderTest {
 protected:
  std::string dir() const { return folder + "/odradek"; }

  // A store with one more znode, /<name>, than a new one has.
  void make_store(const std::string& at, const std::string& name, Zxid zxid) {
    auto store = *store::RocksStore::open(at, store::RocksOptions());
    auto fence = *store->lead();
    store::Batch batch;
    store::Totals totals;
    auto add = [&](const std::string& path, int32_t children) {
      tree::Znode node;
      node.data = Bytes();
      node.stat.num_children = children;
      node.stat.created_children = children;
      batch.put(store::node_key(path), store::encode_node(node, 0));
      totals.nodes += 1;
      totals.data_bytes += static_cast<int64_t>(path.size());
    };
    add("/", 1);
    add("/" + name, 0);
    totals.last_zxid = zxid;
    totals.last_session = SessionId(zxid.value());
    batch.put(std::string(store::totals_key()), store::encode_totals(totals));
    ASSERT_TRUE(store->commit(batch, fence).ok());
  }
  void stage(const std::string& from) {
    auto names = store_files(files, from);
    ASSERT_TRUE(names.ok());
    FolderWriter writer(files, incoming_dir(dir()));
    ASSERT_TRUE(writer.begin().ok());
    auto sent = send_files(files, from, *names, [&](FilePiece piece) { return writer.take(piece); });
    ASSERT_TRUE(sent.ok()) << sent.error().what();
    ASSERT_TRUE(writer.finish().ok());
  }
  Result<std::optional<RestoreReport>> finish() {
    return finish_restore(files, dir(), store::RocksOptions());
  }
  bool holds(const std::string& at, const std::string& path) {
    auto store = store::RocksStore::open_read_only(at);
    EXPECT_TRUE(store.ok()) << store.error().what();
    return store && (*store)->snapshot()->get(store::node_key(path)).has_value();
  }
};

TEST_F(BackupTest, FilesTravelInPiecesAndKeepTheirChecksums) {
  std::string big(700'001, 'x');
  for (size_t i = 0; i < big.size(); i += 1000) big[i] = static_cast<char>(i / 1000);
  write("from/000001.sst", big);
  write("from/CURRENT", "MANIFEST-000004\n");
  write("from/000002.log", "");
  write("from/LOCK", "");
  auto names = store_files(files, folder + "/from");
  ASSERT_TRUE(names.ok());
  EXPECT_EQ(*names, (std::vector<std::string>{"000001.sst", "000002.log", "CURRENT"}));
  FolderWriter writer(files, folder + "/to");
  ASSERT_TRUE(writer.begin().ok());
  int pieces = 0;
  auto sent = send_files(files, folder + "/from", *names, [&](FilePiece piece) {
    ++pieces;
    return writer.take(piece);
  });
  ASSERT_TRUE(sent.ok()) << sent.error().what();
  EXPECT_EQ(pieces, 3 + 1 + 1);
  BackupFacts facts;
  facts.files = *writer.finish();
  ASSERT_TRUE(write_facts(files, folder + "/to", facts).ok());
  auto read = read_facts(files, folder + "/to");
  ASSERT_TRUE(read.ok());
  EXPECT_TRUE(verify_files(files, folder + "/to", *read).ok());
  big[350'000] = '!';
  write("to/000001.sst", big);
  auto other = verify_files(files, folder + "/to", *read);
  ASSERT_FALSE(other.ok());
  EXPECT_NE(other.error().what().find("to/000001.sst is not what was backed up"),
            std::string::npos);
  std::filesystem::remove(folder + "/to/CURRENT");
  write("to/000001.sst", std::string(700'001, 'x'));
  EXPECT_FALSE(verify_files(files, folder + "/to", *read).ok());
}

TEST_F(BackupTest, OnlyAnEmptyFolderIsWrittenTo) {
  write("to/something", "of yours");
  EXPECT_EQ(FolderWriter(files, folder + "/to").begin().error().code(), Errc::already_exists);
  EXPECT_EQ(read_facts(files, folder + "/to").error().code(), Errc::not_found);
}

TEST_F(BackupTest, WhatIsNoFileOfAStoreIsNotTaken) {
  FolderWriter writer(files, folder + "/to");
  ASSERT_TRUE(writer.begin().ok());
  EXPECT_FALSE(writer.take({"../../evil", "x", true}).ok());
  ASSERT_TRUE(writer.take({"CURRENT", "x", false}).ok());
  EXPECT_FALSE(writer.take({"IDENTITY", "x", true}).ok());
  EXPECT_FALSE(writer.finish().ok());
}

TEST_F(BackupTest, ARestorePutsTheOtherStoreInPlaceWithAZxidAboveBoth) {
  make_store(dir(), "old", Zxid(0x5'0000'0009));
  make_store(folder + "/other", "new", Zxid(0x3'0000'0001));
  stage(folder + "/other");
  auto accepted = accept_restore(files, dir(), store::RocksOptions());
  ASSERT_TRUE(accepted.ok()) << accepted.error().what();
  EXPECT_EQ(accepted->znodes, 2);
  EXPECT_TRUE(holds(dir(), "/old"));  // nothing has happened yet
  auto done = finish();
  ASSERT_TRUE(done.ok()) << done.error().what();
  ASSERT_TRUE(*done);
  EXPECT_EQ((*done)->totals.last_zxid, Zxid(0x6'0000'0000));
  EXPECT_EQ((*done)->former_zxid, Zxid(0x5'0000'0009));
  EXPECT_EQ((*done)->totals.last_session, SessionId(0x5'0000'0009));
  EXPECT_TRUE(holds(dir(), "/new"));
  EXPECT_FALSE(holds(dir(), "/old"));
  EXPECT_TRUE(holds(replaced_dir(dir()), "/old"));
  {
    auto store = *store::RocksStore::open(dir(), store::RocksOptions());
    auto restored = store->snapshot()->get(store::restored_key());
    ASSERT_TRUE(restored);
    EXPECT_EQ(*store::decode_zxid(*restored), Zxid(0x6'0000'0000));
  }
  EXPECT_FALSE(*finish());  // once
}

// Between the two renames nothing is in place; the next start goes on.
TEST_F(BackupTest, ACrashInTheMiddleOfARestoreIsGoneOnFrom) {
  make_store(dir(), "old", Zxid(7));
  make_store(folder + "/other", "new", Zxid(3));
  stage(folder + "/other");
  ASSERT_TRUE(accept_restore(files, dir(), store::RocksOptions()).ok());
  std::filesystem::rename(dir(), replaced_dir(dir()));
  auto done = finish();
  ASSERT_TRUE(done.ok()) << done.error().what();
  EXPECT_TRUE(holds(dir(), "/new"));
}

TEST_F(BackupTest, ADamagedStoreCanBeReplacedOneInUseNot) {
  make_store(folder + "/other", "new", Zxid(3));
  make_store(dir(), "old", Zxid(7));
  stage(folder + "/other");
  ASSERT_TRUE(accept_restore(files, dir(), store::RocksOptions()).ok());
  {
    auto in_use = *store::RocksStore::open(dir(), store::RocksOptions());
    auto refused = finish();
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code(), Errc::locked);
  }
  write("odradek/CURRENT", "MANIFEST-999999\n");
  auto done = finish();
  ASSERT_TRUE(done.ok()) << done.error().what();
  EXPECT_FALSE((*done)->not_read.empty());
  EXPECT_EQ((*done)->totals.last_zxid, Zxid(1ll << 32));
  EXPECT_TRUE(holds(dir(), "/new"));
}

TEST_F(BackupTest, WhatDoesNotFitTogetherIsNotAccepted) {
  make_store(dir(), "old", Zxid(7));
  make_store(folder + "/other", "new", Zxid(3));
  {
    auto store = *store::RocksStore::open(folder + "/other", store::RocksOptions());
    store::Batch batch;
    batch.remove(store::node_key("/"));
    ASSERT_TRUE(store->commit(batch, *store->lead()).ok());
  }
  stage(folder + "/other");
  auto refused = accept_restore(files, dir(), store::RocksOptions());
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), Errc::store_damaged);
  EXPECT_FALSE(*finish());
  EXPECT_TRUE(holds(dir(), "/old"));
}

}  // namespace
}  // namespace odradek::coordinator::exchange
