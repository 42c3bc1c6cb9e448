// The same suite on every Store.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "common/fs/real_file_system.h"
#include "coordinator/store/layout.h"
#include "coordinator/store/log_file.h"
#include "coordinator/store/memory_store.h"
#include "coordinator/store/rocks_store.h"

namespace odradek::coordinator::store {
namespace {

class Folder {
 public:
  Folder() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "odradek-store-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string path() const { return path_; }

 private:
  std::string path_;
};

class StoreTest : public ::testing::TestWithParam<bool> {
 protected:
  StoreTest() { reopen(); }
  void reopen() {
    if (!GetParam()) {
      if (!store) store = std::make_unique<MemoryStore>();
      return;
    }
    store.reset();
    auto opened = RocksStore::open(folder.path() + "/db", RocksOptions());
    ASSERT_TRUE(opened.ok()) << opened.error().what();
    store = *std::move(opened);
  }
  std::vector<std::string> keys(const Snapshot& snapshot, const std::string& prefix) {
    std::vector<std::string> found;
    snapshot.scan(prefix, [&](std::string_view key, std::string_view) {
      found.emplace_back(key);
      return true;
    });
    return found;
  }
  Folder folder;
  std::unique_ptr<Store> store;
};

TEST_P(StoreTest, CommitsShowInTheirSnapshotOnly) {
  auto fence = store->lead();
  ASSERT_TRUE(fence.ok());
  auto before = store->snapshot();
  Batch batch;
  batch.put("ka", "1");
  batch.put("kb", "2");
  batch.put("kb", "3");
  auto after = store->commit(batch, *fence);
  ASSERT_TRUE(after.ok());
  EXPECT_FALSE(before->get("ka"));
  EXPECT_EQ((*after)->get("kb"), "3");
  Batch next;
  next.remove("ka");
  next.put("kc", "");
  auto last = store->commit(next, *fence);
  EXPECT_EQ((*after)->get("ka"), "1");
  EXPECT_FALSE((*last)->get("ka"));
  EXPECT_EQ(keys(**last, "k"), (std::vector<std::string>{"kb", "kc"}));
  EXPECT_EQ(keys(**after, "k"), (std::vector<std::string>{"ka", "kb"}));
  EXPECT_EQ(keys(**after, "x"), std::vector<std::string>{});
}

TEST_P(StoreTest, ScansStopAtTheirPrefix) {
  auto fence = store->lead();
  Batch batch;
  for (const char* key : {"a", "b", "b\xff", "b\xff\xff", "c"}) batch.put(key, key);
  batch.put(std::string("b\0x", 3), "");
  auto snapshot = store->commit(batch, *fence);
  EXPECT_EQ(keys(**snapshot, "b").size(), 4u);
  EXPECT_EQ(keys(**snapshot, "b\xff").size(), 2u);
  int seen = 0;
  (*snapshot)->scan("", [&](std::string_view, std::string_view) { return ++seen < 3; });
  EXPECT_EQ(seen, 3);
}

TEST_P(StoreTest, ALaterLeaderFencesTheFormer) {
  auto first = store->lead();
  auto second = store->lead();
  EXPECT_GT(second->epoch, first->epoch);
  auto refused = store->commit(Batch(), *first);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), Errc::store_fenced);
  EXPECT_TRUE(store->commit(Batch(), *second).ok());
}

TEST_P(StoreTest, WhatWasCommittedIsThereAfterReopening) {
  auto fence = store->lead();
  uint64_t epoch = fence->epoch;
  Batch batch;
  batch.put("k", std::string(100'000, 'v'));
  ASSERT_TRUE(store->commit(batch, *fence).ok());
  reopen();
  EXPECT_EQ(store->snapshot()->get("k")->size(), 100'000u);
  EXPECT_GT(store->lead()->epoch, epoch);
}

INSTANTIATE_TEST_SUITE_P(Stores, StoreTest, ::testing::Values(false, true),
                         [](const auto& info) { return info.param ? "Rocks" : "Memory"; });

TEST(RocksStore, SaysWhoHoldsTheFolder) {
  Folder folder;
  auto first = RocksStore::open(folder.path(), RocksOptions());
  ASSERT_TRUE(first.ok());
  auto second = RocksStore::open(folder.path(), RocksOptions());
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code(), Errc::locked) << second.error().what();
}

TEST(RocksStore, SaysThatItCannotMakeTheFolder) {
  Folder folder;
  std::ofstream(folder.path() + "/file") << "x";
  auto opened = RocksStore::open(folder.path() + "/file/db", RocksOptions());
  ASSERT_FALSE(opened.ok());
  EXPECT_NE(opened.error().what().find("file/db"), std::string::npos);
}

TEST(RocksStore, SaysThatItIsDamaged) {
  Folder folder;
  {
    auto store = RocksStore::open(folder.path(), RocksOptions());
    auto fence = (*store)->lead();
    Batch batch;
    batch.put("k", "v");
    ASSERT_TRUE((*store)->commit(batch, *fence).ok());
  }
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    if (entry.path().filename().string().starts_with("MANIFEST")) {
      std::ofstream(entry.path(), std::ios::trunc) << "this is no manifest";
    }
  }
  auto opened = RocksStore::open(folder.path(), RocksOptions());
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code(), Errc::store_damaged) << opened.error().what();
}

// A crash in the middle of a write leaves a log with a torn end: that end goes, what was synced
// stays.
TEST(RocksStore, CutsATornTail) {
  Folder folder;
  std::string log;
  {
    auto store = RocksStore::open(folder.path(), RocksOptions());
    auto fence = (*store)->lead();
    for (const char* key : {"a", "b"}) {
      Batch batch;
      batch.put(key, std::string(5000, 'v'));
      ASSERT_TRUE((*store)->commit(batch, *fence).ok());
    }
    for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
      if (entry.path().extension() == ".log") log = entry.path();
    }
    // as the files stood when the power went: copied while the store still runs
    std::filesystem::copy_file(folder.path() + "/COMMITS", folder.path() + "/marked");
    std::filesystem::copy_file(log, folder.path() + "/torn");
    fs::RealFileSystem files;
    auto torn = files.open(folder.path() + "/torn", fs::OpenMode::read_write);
    ASSERT_TRUE(torn.ok());
    auto whole = look_at_log_file(**torn);
    ASSERT_TRUE(whole.ok());
    EXPECT_EQ(whole->end, LogFileState::End::reserved);
    ASSERT_TRUE((*torn)->truncate(whole->good_bytes - 100).ok());
  }
  std::filesystem::rename(folder.path() + "/torn", log);
  std::filesystem::rename(folder.path() + "/marked", folder.path() + "/COMMITS");
  auto store = RocksStore::open(folder.path(), RocksOptions());
  ASSERT_TRUE(store.ok()) << store.error().what();
  EXPECT_TRUE((*store)->snapshot()->get("a"));
  EXPECT_FALSE((*store)->snapshot()->get("b"));
}

TEST(MemoryStore, ACrashLosesWhatWasNotSynced) {
  MemoryStore store;
  auto fence = store.lead();
  auto put = [&](const char* key, const char* value) {
    Batch batch;
    batch.put(key, value);
    ASSERT_TRUE(store.commit(batch, *fence).ok());
  };
  put("a", "1");
  store.skip_syncs(true);
  put("a", "2");
  put("b", "1");
  EXPECT_EQ(store.snapshot()->get("a"), "2");
  store.crash();
  EXPECT_EQ(store.snapshot()->get("a"), "1");
  EXPECT_FALSE(store.snapshot()->get("b"));
}

TEST(Layout, NodeKeysPutChildrenTogether) {
  EXPECT_EQ(node_key("/"), std::string("n\0\0\0", 4));
  EXPECT_EQ(node_key("/a"), std::string("n\0\1\0a", 5));
  EXPECT_EQ(node_key("/a/b"), std::string("n\0\2/a\0b", 7));
  EXPECT_EQ(children_prefix("/"), std::string("n\0\1\0", 4));
  EXPECT_TRUE(node_key("/a/b").starts_with(children_prefix("/a")));
  EXPECT_FALSE(node_key("/ab/c").starts_with(children_prefix("/a")));
  EXPECT_TRUE(node_key("/a/b/c").starts_with(level_prefix_below(3, "/a")));
  EXPECT_FALSE(node_key("/ab/b/c").starts_with(level_prefix_below(3, "/a")));
}

TEST(Layout, NodesComeBackAsTheyWere) {
  tree::Znode node;
  node.stat.czxid = Zxid(1);
  node.stat.mzxid = Zxid(2);
  node.stat.pzxid = Zxid(-3);
  node.stat.ctime_ms = 4;
  node.stat.mtime_ms = 5;
  node.stat.version = 6;
  node.stat.aversion = -1;
  node.stat.created_children = 9;
  node.stat.num_children = 4;
  node.stat.cversion = 14;
  for (auto kind : {tree::NodeKind::persistent, tree::NodeKind::ephemeral,
                    tree::NodeKind::container, tree::NodeKind::ttl}) {
    node.stat.kind = kind;
    node.stat.ephemeral_owner = SessionId(kind == tree::NodeKind::ephemeral ? 77 : 0);
    node.stat.ttl_ms = kind == tree::NodeKind::ttl ? 88 : 0;
    for (auto data :
         {std::optional<Bytes>(), std::optional<Bytes>(""), std::optional<Bytes>("abc")}) {
      node.data = data;
      node.stat.data_length = static_cast<int32_t>(node.bytes().size());
      uint32_t acl = 0;
      std::string stored = encode_node(node, 5);
      auto back = decode_node(stored, acl, true);
      ASSERT_TRUE(back.ok());
      EXPECT_EQ(acl, 5u);
      EXPECT_EQ(back->stat, node.stat);
      EXPECT_EQ(back->data, node.data);
      for (size_t cut = 0; cut < 70; ++cut) {
        EXPECT_FALSE(decode_node(stored.substr(0, cut), acl, true).ok());
      }
    }
  }
}

TEST(Layout, OtherValuesComeBackAndDamageIsSeen) {
  tree::Acl acl{tree::AclEntry(31, tree::Identity("digest", "u:x")),
                tree::AclEntry(1, tree::Identity("world", "anyone"))};
  std::string stored = encode_acl(acl);
  EXPECT_EQ(*decode_acl(stored), acl);
  for (size_t cut = 0; cut < stored.size(); ++cut)
    EXPECT_FALSE(decode_acl(stored.substr(0, cut)).ok());
  EXPECT_FALSE(decode_acl(stored + "x").ok());

  tree::SessionRecord session;
  session.timeout_ms = 4000;
  session.password[15] = 9;
  auto back = decode_session(encode_session(session));
  EXPECT_EQ(back->timeout_ms, 4000);
  EXPECT_EQ(back->password, session.password);
  EXPECT_EQ(session_in_key(session_key(SessionId(-5))), SessionId(-5));

  Totals totals;
  totals.last_zxid = Zxid(7);
  totals.nodes = 8;
  totals.last_acl = 3;
  auto totals_back = decode_totals(encode_totals(totals));
  EXPECT_EQ(totals_back->last_zxid, Zxid(7));
  EXPECT_EQ(totals_back->nodes, 8);
  EXPECT_EQ(totals_back->last_acl, 3u);
  EXPECT_FALSE(decode_totals("").ok());
}

}  // namespace
}  // namespace odradek::coordinator::store
