// The power goes at every moment of an import, of a restore and of putting it in place, and the disk
// fills up: the next start has all of the one tree or all of the other, never half of either.
#include <functional>

#include "coordinator/exchange/backup_folder.h"
#include "coordinator/exchange/restore.h"
#include "coordinator/server/open_store.h"
#include "coordinator/store/store_check.h"
#include "coordinator/store/store_tree.h"
#include "tests/unit/coordinator/exchange/zookeeper_files.h"
#include "tests/unit/coordinator/store/rocks_fixture.h"

namespace odradek::coordinator::server {
namespace {

using fs::FaultyFileSystem;
using store::kStorePath;

constexpr int kZnodes = 40;  // of the snapshot; the log has one more
constexpr uint64_t kMaxChanges = 2000;

class OpenStoreCrash : public ::testing::Test {
 protected:
  using Setup = std::function<void(FaultyFileSystem&, const store::RocksOptions&)>;
  using Step = std::function<bool(FaultyFileSystem&, const store::RocksOptions&)>;
  using Judge = std::function<void(const store::StoreTree&)>;
  using DoneJudge = std::function<void(const store::StoreTree&, bool done)>;

  OpenStoreCrash() { settings.data_dir = settings.data_log_dir = "/data"; }

  static void write(FaultyFileSystem& files, const std::string& path, const std::string& bytes) {
    ASSERT_TRUE(files.make_dirs(fs::parent_of(path)).ok());
    ASSERT_TRUE((*files.open(path, fs::OpenMode::create))->pwrite(bytes, 0).ok());
  }

  // "/z00" to "/z39" in the snapshot, "/logged" in the log.
  static void leave_zookeeper_data(FaultyFileSystem& files, const store::RocksOptions&) {
    exchange::SnapshotBytes snapshot;
    snapshot.usual(kZnodes);
    for (int i = 0; i < kZnodes; ++i) {
      snapshot.node({.path = odradek::format("/z{:02}", i),
                     .zxid = i + 1,
                     .data = std::string(3000, static_cast<char>('a' + i % 26))});
    }
    write(files, "/data/version-2/snapshot.28", snapshot.bytes());
    exchange::LogBytes log;
    log.add(0x29, exchange::OpCode::kCreate, exchange::create_txn("/logged", kZnodes + 1));
    write(files, "/data/version-2/log.29", log.bytes);
  }

  // A store with "/" and "/<name>" that has made so many commits.
  static void make_store(const std::string& at, const std::string& name, Zxid zxid, int commits,
                         const store::RocksOptions& options) {
    auto opened = store::RocksStore::open(at, options);
    ASSERT_TRUE(opened.ok()) << opened.error().what();
    auto fence = *(*opened)->lead();
    store::Batch batch;
    store::Totals totals;
    for (const std::string& path : {std::string("/"), "/" + name}) {
      tree::Znode node;
      node.data = Bytes();
      node.stat.num_children = node.stat.created_children = path == "/" ? 1 : 0;
      batch.put(store::node_key(path), store::encode_node(node, 0));
      totals.nodes += 1;
      totals.data_bytes += static_cast<int64_t>(path.size());
    }
    totals.last_zxid = zxid;
    batch.put(std::string(store::totals_key()), store::encode_totals(totals));
    for (int i = 0; i < commits; ++i) ASSERT_TRUE((*opened)->commit(batch, fence).ok());
  }

  void start(FaultyFileSystem& files, const Judge& judge) {
    RocksFiles rocks(files, RocksFiles::Background::threads);
    auto opened = open_store(settings, rocks.options());
    ASSERT_TRUE(opened.ok()) << opened.error().what();
    store::check_contents(*(*opened)->snapshot(), [](const std::string& finding) {
      ADD_FAILURE() << finding;
    });
    judge(store::StoreTree((*opened)->snapshot()));
  }

  // `done` tells the judge whether the step came to its end before the power went.
  void at_every_moment(const Setup& before, const Step& step, const DoneJudge& judge) {
    store::FatalThrows fatal_throws;
    using Mode = FaultyFileSystem::CrashMode;
    for (Mode mode : {Mode::lose_unsynced, Mode::keep_prefix, Mode::keep_all}) {
      bool cut = true;
      uint64_t at = 1;
      for (; cut && at < kMaxChanges; ++at) {
        SCOPED_TRACE(odradek::format("mode {}, change {}", static_cast<int>(mode), at));
        FaultyFileSystem files(at);
        bool done = false;
        {
          RocksFiles rocks(files, RocksFiles::Background::threads);
          before(files, rocks.options());
          ASSERT_TRUE(files.sync_all("/").ok());
          files.cut_power_after(at);
          try {
            done = step(files, rocks.options());
          } catch (const std::runtime_error&) {
            // the end of the process, said to a log
          }
          cut = files.power_is_cut();
        }
        files.cut_power_after(0);
        files.crash(mode);
        start(files, [&](const store::StoreTree& tree) { judge(tree, done && !cut); });
        if (HasFailure()) return;
      }
      EXPECT_GT(at, 20u);
      EXPECT_FALSE(cut);
    }
  }
  bool open(const store::RocksOptions& options) { return open_store(settings, options).ok(); }

  static void expect_imported(const store::StoreTree& tree) {
    EXPECT_EQ(tree.totals()->nodes, kZnodes + 4);
    EXPECT_TRUE(tree.stat("/z00"));
    EXPECT_TRUE(tree.stat("/logged"));
  }

  ServerSettings settings;
};

TEST_F(OpenStoreCrash, AnImportIsThereOrIsDoneAgain) {
  at_every_moment(
      leave_zookeeper_data,
      [&](FaultyFileSystem&, const store::RocksOptions& options) { return open(options); },
      [](const store::StoreTree& tree, bool) { expect_imported(tree); });
}

// The former store has made more commits than the one that takes its place.
TEST_F(OpenStoreCrash, ARestoreThatWaitsIsPutInPlace) {
  at_every_moment(
      [](FaultyFileSystem&, const store::RocksOptions& options) {
        make_store(kStorePath, "old", Zxid(0x5'0000'0009), 30, options);
        make_store(exchange::restored_dir(kStorePath), "new", Zxid(0x3'0000'0001), 2, options);
      },
      [&](FaultyFileSystem&, const store::RocksOptions& options) { return open(options); },
      [](const store::StoreTree& tree, bool) {
        EXPECT_TRUE(tree.stat("/new"));
        EXPECT_FALSE(tree.stat("/old"));
        EXPECT_GE(tree.totals()->last_zxid, Zxid(0x6'0000'0000));
      });
}

TEST_F(OpenStoreCrash, ARestoreThatIsAcceptedIsDoneAndOneThatIsNotChangesNothing) {
  at_every_moment(
      [](FaultyFileSystem&, const store::RocksOptions& options) {
        make_store(kStorePath, "old", Zxid(9), 30, options);
        make_store("/backup", "new", Zxid(3), 2, options);
      },
      [](FaultyFileSystem& files, const store::RocksOptions& options) {
        exchange::FolderWriter writer(files, exchange::incoming_dir(kStorePath));
        if (!writer.begin()) return false;
        auto names = exchange::store_files(files, "/backup");
        if (!names) return false;
        auto take = [&](exchange::FilePiece piece) { return writer.take(piece); };
        return exchange::send_files(files, "/backup", *names, take).ok() && writer.finish().ok() &&
               exchange::accept_restore(files, kStorePath, options).ok();
      },
      [](const store::StoreTree& tree, bool done) {
        EXPECT_NE(tree.stat("/new").has_value(), tree.stat("/old").has_value());
        if (done) EXPECT_TRUE(tree.stat("/new"));
      });
}

TEST_F(OpenStoreCrash, AnImportOntoAFullDiskIsRefusedAndDoneWhenThereIsRoom) {
  store::FatalThrows fatal_throws;
  int refused = 0;
  for (uint64_t room = 0; room < 400'000; room += 1'000) {
    SCOPED_TRACE(room);
    FaultyFileSystem files(room + 1);
    bool imported = false;
    {
      RocksFiles rocks(files, RocksFiles::Background::threads);
      leave_zookeeper_data(files, rocks.options());
      files.set_capacity(files.used_bytes() + room);
      auto opened = open_store(settings, rocks.options());
      imported = opened.ok();
      if (!opened) {
        ++refused;
        EXPECT_EQ(opened.error().code(), Errc::disk_full) << opened.error().what();
        EXPECT_NE(opened.error().what().find("free space"), std::string::npos)
            << opened.error().what();
      }
    }
    files.set_capacity(0);
    start(files, expect_imported);
    if (HasFailure()) return;
    if (imported) break;
  }
  EXPECT_GT(refused, 3);
}

}  // namespace
}  // namespace odradek::coordinator::server
