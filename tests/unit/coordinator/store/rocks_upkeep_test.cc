// What RocksStore and BulkStore do beside commits: copies, checks, writing a store all at once.
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "common/format.h"
#include "coordinator/store/bulk_store.h"
#include "coordinator/store/rocks_store.h"
#include "tests/support/memory_folder.h"

namespace odradek::coordinator::store {
namespace {

class RocksUpkeepTest : public ::testing::Test {
 protected:
  RocksUpkeepTest() : folder(memory_folder("upkeep")) {}
  ~RocksUpkeepTest() override { std::filesystem::remove_all(folder); }

  std::unique_ptr<RocksStore> open(const std::string& name) {
    auto store = RocksStore::open(folder + "/" + name, RocksOptions());
    EXPECT_TRUE(store.ok()) << store.error().what();
    return *std::move(store);
  }
  static void commit(RocksStore& store, const std::string& key, const std::string& value) {
    Batch batch;
    batch.put(key, value);
    ASSERT_TRUE(store.commit(batch, *store.lead()).ok());
  }
  std::string only_sst(const std::string& name) {
    for (const auto& entry : std::filesystem::directory_iterator(folder + "/" + name)) {
      if (entry.path().extension() == ".sst") return entry.path().string();
    }
    ADD_FAILURE() << "no .sst";
    return "";
  }

  std::string folder;
};

TEST_F(RocksUpkeepTest, ACheckpointIsTheStoreAtItsMoment) {
  auto store = open("db");
  commit(*store, "a", "1");
  ASSERT_TRUE(store->checkpoint(folder + "/copy").ok());
  commit(*store, "a", "2");
  auto copy = RocksStore::open_read_only(folder + "/copy");
  ASSERT_TRUE(copy.ok()) << copy.error().what();
  EXPECT_EQ((*copy)->snapshot()->get("a"), "1");
  EXPECT_EQ(store->snapshot()->get("a"), "2");
  EXPECT_FALSE((*copy)->commit(Batch(), Fence{1}).ok());
  EXPECT_FALSE(store->checkpoint(folder + "/copy").ok());  // it is there
}

// Each holds what had been committed before it began, and of the rest a beginning without a gap.
TEST_F(RocksUpkeepTest, CopiesAreWholeWhileCommitsGoOn) {
  auto store = open("db");
  Fence fence = *store->lead();
  std::atomic<int> made = 0;
  std::atomic<bool> enough = false;
  std::thread writer([&] {
    for (int i = 0; !enough; ++i) {
      Batch batch;
      batch.put(odradek::format("k{:06}", i), std::string(700, 'x'));
      if (!store->commit(batch, fence)) break;
      made = i + 1;
    }
  });
  for (int copy = 0; copy < 12; ++copy) {
    SCOPED_TRACE(copy);
    while (made < 40 * copy) std::this_thread::yield();
    int before = made;
    std::string name = odradek::format("copy-{}", copy);
    auto copied = store->checkpoint(folder + "/" + name);
    EXPECT_TRUE(copied.ok()) << (copied ? "" : copied.error().what());
    auto opened = open(name);
    int found = 0;
    opened->snapshot()->scan("k", [&](std::string_view key, std::string_view) {
      EXPECT_EQ(key, odradek::format("k{:06}", found));
      ++found;
      return true;
    });
    EXPECT_GE(found, before);
  }
  enough = true;
  writer.join();
  store.reset();
  open("db");
}

TEST_F(RocksUpkeepTest, LookingAtAFolderChangesNothingInIt) {
  { commit(*open("db"), "a", "1"); }
  auto names = [&] {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(folder + "/db")) {
      found.push_back(entry.path().filename().string());
    }
    std::sort(found.begin(), found.end());
    return found;
  };
  auto before = names();
  {
    auto store = RocksStore::open_read_only(folder + "/db");
    ASSERT_TRUE(store.ok());
    EXPECT_EQ((*store)->snapshot()->get("a"), "1");
    EXPECT_TRUE((*store)->verify().ok());
  }
  EXPECT_EQ(names(), before);
  EXPECT_FALSE(RocksStore::open_read_only(folder + "/none").ok());
}

TEST_F(RocksUpkeepTest, VerifyNamesTheDamagedFile) {
  {
    auto bulk = BulkStore::create(folder + "/db", RocksOptions());
    ASSERT_TRUE(bulk.ok()) << bulk.error().what();
    for (int i = 0; i < 5000; ++i) {
      ASSERT_TRUE((*bulk)->put("key" + std::to_string(i), std::to_string(i * 7919)).ok());
    }
    ASSERT_TRUE((*bulk)->finish().ok());
  }
  std::string file = only_sst("db");
  {
    auto store = open("db");
    EXPECT_TRUE(store->verify().ok());
  }
  std::fstream damage(file, std::ios::in | std::ios::out | std::ios::binary);
  damage.seekp(1000);
  damage.write("!!!!", 4);
  damage.close();
  auto store = RocksStore::open_read_only(folder + "/db");
  ASSERT_TRUE(store.ok()) << store.error().what();
  auto verified = (*store)->verify();
  ASSERT_FALSE(verified.ok());
  EXPECT_EQ(verified.error().code(), Errc::store_damaged);
  EXPECT_NE(verified.error().what().find(std::filesystem::path(file).filename().string()),
            std::string::npos)
      << verified.error().what();
}

TEST_F(RocksUpkeepTest, ABulkStoreReadsWhatItWroteAndIsAStoreAfterwards) {
  auto bulk = *BulkStore::create(folder + "/db", RocksOptions());
  std::string large(300 << 10, 'l');  // more than waits in memory
  ASSERT_TRUE(bulk->put("a", "1").ok());
  ASSERT_TRUE(bulk->put("b", large).ok());
  ASSERT_TRUE(bulk->put("c", "3").ok());
  ASSERT_TRUE(bulk->remove("a").ok());
  EXPECT_EQ(*bulk->get("a"), std::nullopt);
  EXPECT_EQ(*bulk->get("b"), large);
  std::vector<std::string> keys;
  ASSERT_TRUE(bulk->scan("", [&](std::string_view key, std::string_view) {
    keys.emplace_back(key);
    return true;
  }).ok());
  EXPECT_EQ(keys, (std::vector<std::string>{"b", "c"}));
  ASSERT_TRUE(bulk->finish().ok());
  bulk.reset();
  EXPECT_FALSE(BulkStore::create(folder + "/db", RocksOptions()).ok());  // it is there
  auto store = open("db");
  EXPECT_EQ(store->snapshot()->get("b"), large);
  EXPECT_EQ(store->snapshot()->get("c"), "3");
  EXPECT_FALSE(store->snapshot()->get("a"));
}

}  // namespace
}  // namespace odradek::coordinator::store
