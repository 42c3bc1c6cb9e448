// coordinator-admin's commands on a coordinator that runs, by gRPC, and on its folder when it is
// stopped.
#include <cstdio>
#include <fstream>
#include <sstream>

#include "common/fs/real_file_system.h"
#include "coordinator/admin/commands.h"
#include "coordinator/exchange/import.h"
#include "coordinator/exchange/owner.h"
#include "coordinator/exchange/restore.h"
#include "coordinator/store/store_tree.h"
#include "tests/support/faulty_file_system.h"
#include "tests/unit/coordinator/server/raw_client.h"

namespace odradek::coordinator::server {
namespace {

struct Ran {
  int status = -1;
  std::string out;
  std::string err;
};

class AdminTest : public ServiceFixture {
 protected:
  AdminTest() { options.settings.data_dir = options.settings.data_log_dir = folder + "/data"; }

  Ran run(admin::Access& access, std::vector<std::string> words) {
    return run(access, std::move(words), files);
  }
  // `ours`: where what is exported and backed up is written.
  Ran run(admin::Access& access, std::vector<std::string> words, fs::FileSystem& ours) {
    Ran ran;
    auto line = admin::parse_command_line(words);
    EXPECT_TRUE(line.ok());
    char* out = nullptr;
    char* err = nullptr;
    size_t out_size = 0, err_size = 0;
    std::FILE* out_file = open_memstream(&out, &out_size);
    std::FILE* err_file = open_memstream(&err, &err_size);
    ran.status = admin::run_command(*line, ours, access, out_file, err_file);
    std::fclose(out_file);
    std::fclose(err_file);
    ran.out.assign(out, out_size);
    ran.err.assign(err, err_size);
    free(out);
    free(err);
    return ran;
  }
  Ran ask_running(std::vector<std::string> words) {
    auto access = admin::remote_access("127.0.0.1:" + std::to_string(port()));
    return run(*access, std::move(words));
  }
  Ran ask_stopped(std::vector<std::string> words) {
    auto access = admin::local_access(files, folder + "/data");
    return run(*access, std::move(words));
  }
  std::string read(const std::string& path) {
    std::ifstream in(path);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  }
  void create(const std::string& path) {
    RawClient client(port());
    ASSERT_TRUE(client.connect_session());
    EXPECT_EQ(client.create(path).error(), ErrorCode::kOk) << path;
  }
  bool exists(const std::string& path) {
    RawClient client(port());
    EXPECT_TRUE(client.connect_session());
    return client.exists(path).error() == ErrorCode::kOk;
  }
  // The store's own, of a stopped coordinator.
  void damage(const std::string& key, std::optional<std::string> value) {
    auto store = store::RocksStore::open(folder + "/data/odradek", store::RocksOptions());
    ASSERT_TRUE(store.ok());
    store::Batch batch;
    batch.entries.push_back({key, value});
    ASSERT_TRUE((*store)->commit(batch, *(*store)->lead()).ok());
  }

  fs::RealFileSystem files;
};

TEST_F(AdminTest, CheckFindsNothingInASoundStore) {
  start();
  create("/a");
  Ran ran = ask_running({"check"});
  EXPECT_EQ(ran.status, 0) << ran.out << ran.err;
  EXPECT_NE(ran.out.find("5 znodes"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("nothing is wrong"), std::string::npos);
  service.reset();
  EXPECT_EQ(ask_stopped({"check"}).out, ran.out);
}

TEST_F(AdminTest, CheckSaysWhatIsWrongAndEndsWithOne) {
  start();
  create("/a");
  service.reset();
  damage(store::node_key("/a"), std::nullopt);
  for (bool running : {false, true}) {
    if (running) start();
    Ran ran = running ? ask_running({"check"}) : ask_stopped({"check"});
    EXPECT_EQ(ran.status, 1);
    EXPECT_NE(ran.out.find("/ says that it has 2 children, and 1 are there"), std::string::npos)
        << ran.out << ran.err;
    EXPECT_NE(ran.out.find("3 things are wrong"), std::string::npos) << ran.out;
  }
}

// What a start refuses is a finding, and a restore is the remedy that its line names.
TEST_F(AdminTest, CheckNamesTheFileOfAStoreThatDoesNotOpen) {
  std::string dir = folder + "/data/odradek";
  start();
  create("/a");
  ASSERT_EQ(ask_running({"backup", folder + "/backup"}).status, 0);
  for (int i = 0; i < 30; ++i) create("/later-" + std::to_string(i));
  service.reset();
  std::filesystem::copy(dir, folder + "/sound");
  struct Row {
    std::string file;  // the first whose name holds it is taken away
    const char* what;
  };
  for (const Row& row : {Row{"CURRENT", "CURRENT is missing"}, Row{"MANIFEST-", "is missing, which"},
                         Row{".log", "COMMITS says so"}}) {
    std::filesystem::remove_all(dir);
    std::filesystem::copy(folder + "/sound", dir);
    for (const auto& entry : std::filesystem::directory_iterator(dir)) {
      if (entry.path().filename().string().find(row.file) == std::string::npos) continue;
      std::filesystem::remove(entry.path());
      break;
    }
    Ran ran = ask_stopped({"check"});
    EXPECT_EQ(ran.status, 1);
    EXPECT_NE(ran.out.find(row.what), std::string::npos) << row.file << ": " << ran.out << ran.err;
    EXPECT_NE(ran.out.find("1 thing is wrong"), std::string::npos) << ran.out;
    auto refused = Service::start(options);
    ASSERT_FALSE(refused.ok());
    EXPECT_NE(refused.error().what().find("coordinator-admin restore"), std::string::npos)
        << refused.error().what();
    Ran restored = ask_stopped({"restore", folder + "/backup"});
    EXPECT_EQ(restored.status, 0) << restored.err;
    start();
    EXPECT_TRUE(exists("/a"));
    EXPECT_FALSE(exists("/later-7"));
    EXPECT_EQ(ask_running({"check"}).status, 0);
    service.reset();
  }
}

TEST_F(AdminTest, AFullDiskEndsAnExportAndABackupAndNothingOfThemStays) {
  start();
  create("/a");
  auto running = admin::remote_access("127.0.0.1:" + std::to_string(port()));
  auto stopped = admin::local_access(files, folder + "/data");
  fs::FaultyFileSystem small;
  for (admin::Access* access : {running.get(), stopped.get()}) {
    if (access == stopped.get()) service.reset();
    for (const char* word : {"export", "backup"}) {
      std::string to = std::string("/") + word + (service ? "-running" : "-stopped");
      small.set_capacity(small.used_bytes() + 100);
      Ran ran = run(*access, {word, to}, small);
      EXPECT_EQ(ran.status, 1) << ran.out;
      EXPECT_EQ(ran.out, "");
      EXPECT_NE(ran.err.find(to), std::string::npos) << ran.err;
      auto left = small.list(to + (word == std::string("export") ? "/version-2" : ""));
      EXPECT_TRUE(!left || left->empty());
      small.set_capacity(0);
      // the coordinator may still be about to see that the other end has gone
      Ran again = run(*access, {word, to}, small);
      while (again.err.find("another operation of coordinator-admin") != std::string::npos) {
        again = run(*access, {word, to}, small);
      }
      EXPECT_EQ(again.status, 0) << again.err;
    }
  }
}

TEST_F(AdminTest, WithoutACoordinatorThereIsARemedy) {
  start();
  auto access = admin::remote_access("127.0.0.1:1");
  Ran ran = run(*access, {"check"});
  EXPECT_EQ(ran.status, 1);
  EXPECT_NE(ran.err.find("--data-dir"), std::string::npos) << ran.err;
  Ran locked = ask_stopped({"check"});
  EXPECT_EQ(locked.status, 1);
  EXPECT_NE(locked.err.find("in use by another process"), std::string::npos) << locked.err;
  auto nowhere = admin::local_access(files, folder + "/nowhere");
  EXPECT_NE(run(*nowhere, {"check"}).err.find("there is no store"), std::string::npos);
}

TEST_F(AdminTest, ExportWritesASnapshotThatIsOurTreeAgain) {
  start();
  create("/a");
  create("/a/b");
  RawClient client(port());
  auto session = client.connect_session();
  ASSERT_TRUE(session);
  EXPECT_EQ(client.create("/e", 1).error(), ErrorCode::kOk);
  std::string to = folder + "/export";
  Ran ran = ask_running({"export", to});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_NE(ran.out.find(to + "/version-2/snapshot."), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("7 znodes"), std::string::npos) << ran.out;
  EXPECT_EQ(ask_running({"export", to}).status, 1);  // there is a tree already
  auto data = exchange::list_data_files(files, to, to);
  ASSERT_TRUE(data.ok());
  exchange::ImportOptions options;
  options.store_dir = to + "/odradek";
  auto imported = exchange::import_data(files, *data, options);
  ASSERT_TRUE(imported.ok()) << imported.error().what();
  EXPECT_EQ(imported->totals.nodes, 7);
  auto store = store::RocksStore::open_read_only(to + "/odradek");
  store::StoreTree tree((*store)->snapshot());
  EXPECT_EQ(tree.stat("/e")->ephemeral_owner, SessionId(session->session_id));
  EXPECT_TRUE(tree.stat("/a/b"));
}

TEST_F(AdminTest, ABackupIsRestoredWhileTheCoordinatorRuns) {
  start();
  create("/kept");
  RawClient stays(port());
  auto session = stays.connect_session(0, std::string(16, '\0'), 30000);
  ASSERT_TRUE(session);
  Ran backup = ask_running({"backup", folder + "/backup"});
  ASSERT_EQ(backup.status, 0) << backup.err;
  EXPECT_NE(backup.out.find("5 znodes, 2 sessions"), std::string::npos) << backup.out;
  EXPECT_EQ(ask_running({"backup", folder + "/backup"}).status, 1);  // there is one already
  create("/later");
  int64_t before = stays.create("/last").header.zxid;
  uint16_t same_port = port();
  Ran restored = ask_running({"restore", folder + "/backup"});
  ASSERT_EQ(restored.status, 0) << restored.err;
  EXPECT_NE(restored.out.find("Restored 5 znodes and 2 sessions"), std::string::npos)
      << restored.out;
  EXPECT_EQ(port(), same_port);
  EXPECT_TRUE(stays.closed());
  EXPECT_TRUE(exists("/kept"));
  EXPECT_FALSE(exists("/later"));
  EXPECT_FALSE(exists("/last"));
  // the session comes back, having seen a zxid that the backup never reached
  RawClient again(port());
  auto resumed =
      again.connect_session(session->session_id, *session->passwd, 30000, before);
  ASSERT_TRUE(resumed);
  EXPECT_EQ(resumed->session_id, session->session_id);
  EXPECT_GT(again.create("/after").header.zxid, before);
  EXPECT_TRUE(files.exists(folder + "/data/odradek.replaced/CURRENT"));
  EXPECT_EQ(ask_running({"check"}).status, 0);
  service.reset();
  start();  // once
  EXPECT_TRUE(exists("/after"));
}

// What a client watches may be older now than what it has seen: it is told to look again.
TEST_F(AdminTest, WatchesOfTheHistoryBeforeARestoreFire) {
  start();
  create("/a");
  create("/b");
  ASSERT_EQ(ask_running({"backup", folder + "/backup"}).status, 0);
  RawClient client(port());
  auto session = client.connect_session(0, std::string(16, '\0'), 30000);
  zookeeper::SetDataRequest set;
  set.path = "/a";
  set.data = "newer";
  set.version = -1;
  int64_t seen = client.call(OpCode::kSetData, set).header.zxid;
  ASSERT_EQ(ask_running({"restore", folder + "/backup"}).status, 0);
  RawClient again(port());
  ASSERT_TRUE(again.connect_session());
  zookeeper::SetWatches watches;
  watches.relative_zxid = seen;
  watches.data_watches = {"/a", "/b"};
  watches.child_watches = {"/b"};
  again.send(RawClient::request(-8, OpCode::kSetWatches, watches));
  std::vector<std::pair<int32_t, std::string>> events;
  for (;;) {
    auto reply = again.receive_reply();
    ASSERT_TRUE(reply);
    if (reply->header.xid == -8) break;
    ByteReader in(reply->body);
    auto event = *zookeeper::WatcherEvent::decode(in);
    events.emplace_back(event.type, event.path);
  }
  using Events = std::vector<std::pair<int32_t, std::string>>;
  EXPECT_EQ(events, (Events{{3, "/a"}, {3, "/b"}, {4, "/b"}}));
  // one that has seen what came behind the restore is not
  watches.relative_zxid = again.create("/c").header.zxid;
  again.send(RawClient::request(-8, OpCode::kSetWatches, watches));
  EXPECT_EQ(again.receive_reply()->header.xid, -8);
}

TEST_F(AdminTest, AStoppedCoordinatorsStoreIsBackedUpAndRestoredToo) {
  start();
  create("/kept");
  service.reset();
  Ran backup = ask_stopped({"backup", folder + "/backup"});
  ASSERT_EQ(backup.status, 0) << backup.err;
  EXPECT_FALSE(files.exists(folder + "/data/odradek.checkpoint"));
  start();
  create("/later");
  service.reset();
  Ran restored = ask_stopped({"restore", folder + "/backup"});
  ASSERT_EQ(restored.status, 0) << restored.err;
  start();
  EXPECT_TRUE(exists("/kept"));
  EXPECT_FALSE(exists("/later"));
}

TEST_F(AdminTest, ARestoreIntoADirectoryThatIsInUseIsRefused) {
  start();
  create("/a");
  ASSERT_EQ(ask_running({"backup", folder + "/backup"}).status, 0);
  create("/later");
  Ran refused = ask_stopped({"restore", folder + "/backup"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_NE(refused.err.find("in use by another process"), std::string::npos) << refused.err;
  EXPECT_FALSE(files.exists(folder + "/data/odradek.incoming"));
  EXPECT_FALSE(files.exists(folder + "/data/odradek.restored"));
  create("/last");
  service.reset();
  // and one beside another that moves folders about
  auto lock = exchange::lock_folders(files, folder + "/data/odradek");
  ASSERT_TRUE(lock.ok());
  Ran also_refused = ask_stopped({"restore", folder + "/backup"});
  EXPECT_NE(also_refused.err.find("in use by another process"), std::string::npos)
      << also_refused.err;
  lock->reset();
  start();
  EXPECT_TRUE(exists("/later"));
  EXPECT_TRUE(exists("/last"));
}

TEST_F(AdminTest, ADamagedBackupIsRefusedAndTheTreeStays) {
  start();
  create("/a");
  ASSERT_EQ(ask_running({"backup", folder + "/backup"}).status, 0);
  std::string current = folder + "/backup/CURRENT";
  std::string text = read(current);
  std::ofstream(current) << text << "x";
  Ran refused = ask_running({"restore", folder + "/backup"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_NE(refused.err.find("CURRENT is not what was backed up"), std::string::npos)
      << refused.err;
  std::ofstream(current) << text;
  std::filesystem::remove(folder + "/backup/BACKUP");
  EXPECT_NE(ask_running({"restore", folder + "/backup"}).err.find("no whole backup"),
            std::string::npos);
  EXPECT_TRUE(exists("/a"));
}

TEST_F(AdminTest, ABackupThatDoesNotFitTogetherIsRefusedAndTheTreeStays) {
  start();
  create("/a");
  service.reset();
  damage(store::node_key("/"), std::nullopt);
  ASSERT_EQ(ask_stopped({"backup", folder + "/backup"}).status, 0);
  std::filesystem::remove_all(folder + "/data");
  start();
  create("/sound");
  Ran refused = ask_running({"restore", folder + "/backup"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_NE(refused.err.find("does not fit together"), std::string::npos) << refused.err;
  EXPECT_TRUE(exists("/sound"));
  EXPECT_FALSE(files.exists(folder + "/data/odradek.incoming"));
  EXPECT_FALSE(files.exists(folder + "/data/odradek.restored"));
}

// ---- the data of a ZooKeeper beside the store

std::string golden_dir(const std::string& name) {
  return std::string(TEST_DATA_DIR) + "/golden/zookeeper/data/" + name;
}

TEST_F(AdminTest, AZookeepersDataIsImportedOnceAndItsClientsComeBack) {
  std::filesystem::copy(golden_dir("3.8.6"), folder + "/data",
                        std::filesystem::copy_options::recursive);
  start();
  EXPECT_TRUE(exists("/last"));
  // the owner of /live/a, with the password that ZooKeeper gave it
  RawClient reader(port());
  ASSERT_TRUE(reader.connect_session());
  zookeeper::GetDataRequest get;
  get.path = "/live/a";
  Reply reply = reader.call(OpCode::kGetData, get);
  ByteReader in(reply.body);
  int64_t owner = zookeeper::GetDataResponse::decode(in)->stat.ephemeral_owner;
  tree::Password password = exchange::zookeeper_password(SessionId(owner));
  RawClient back(port());
  auto session = back.connect_session(
      owner, std::string(reinterpret_cast<const char*>(password.data()), password.size()), 30000,
      0x58);
  ASSERT_TRUE(session);
  EXPECT_EQ(session->session_id, owner);
  create("/after-import");
  service.reset();
  start();
  EXPECT_TRUE(exists("/after-import"));
  EXPECT_EQ(ask_running({"check"}).status, 0);
}

TEST_F(AdminTest, AStoreThatIsThereIsNotReplacedByAnImport) {
  start();
  create("/ours");
  service.reset();
  std::filesystem::copy(golden_dir("3.8.6") + "/version-2", folder + "/data/version-2",
                        std::filesystem::copy_options::recursive);
  start();
  EXPECT_TRUE(exists("/ours"));
  EXPECT_FALSE(exists("/last"));
}

// Of a store that lost its first file there is too much left to begin anew.
TEST_F(AdminTest, ADamagedStoreIsNotTakenForNone) {
  start();
  create("/ours");
  service.reset();
  std::filesystem::copy(golden_dir("3.8.6") + "/version-2", folder + "/data/version-2",
                        std::filesystem::copy_options::recursive);
  std::filesystem::remove(folder + "/data/odradek/CURRENT");
  auto started = Service::start(options);
  ASSERT_FALSE(started.ok());
  EXPECT_EQ(started.error().code(), Errc::store_damaged);
  EXPECT_NE(started.error().what().find("CURRENT is missing"), std::string::npos);
}

TEST_F(AdminTest, DataThatCannotBeImportedStopsTheStart) {
  std::filesystem::copy(golden_dir("3.8.6"), folder + "/data",
                        std::filesystem::copy_options::recursive);
  std::fstream log(folder + "/data/version-2/log.45",
                   std::ios::in | std::ios::out | std::ios::binary);
  log.seekp(60);
  log.write("!", 1);
  log.close();
  auto started = Service::start(options);
  ASSERT_FALSE(started.ok());
  EXPECT_NE(started.error().what().find("log.45 at offset 16"), std::string::npos)
      << started.error().what();
  EXPECT_FALSE(files.exists(folder + "/data/odradek"));
  std::filesystem::remove_all(folder + "/data/version-2");
  start();
}

}  // namespace
}  // namespace odradek::coordinator::server
