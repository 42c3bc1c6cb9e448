#include "broker/log/log_manager.h"

#include "broker/log/meta_properties.h"
#include "tests/unit/broker/log/log_fixture.h"

namespace odradek::broker::log {
namespace {

using CrashMode = fs::FaultyFileSystem::CrashMode;
using Call = fs::FaultyFileSystem::Call;

class LogManagerTest : public LogTest {
 protected:
  Result<std::unique_ptr<LogManager>> manager_of(std::vector<std::string> directories) {
    LogManager::Options options;
    options.directories = std::move(directories);
    options.max_open_files = 20;
    return LogManager::open(files_, clock_, options);
  }
  std::vector<LoadedLog> load_all(LogManager& manager) {
    std::vector<LoadedLog> all;
    for (const FoundLog& found : manager.found_logs())
      all.push_back(manager.load(found, config_));
    return all;
  }
};

TEST_F(LogManagerTest, MakesLocksAndIdentifies) {
  auto manager = manager_of({"/logs/a", "/logs/b/"});
  ASSERT_TRUE(manager.ok()) << manager.error().what();
  std::vector<DirectoryState> states = (*manager)->directories();
  ASSERT_EQ(states.size(), 2u);
  EXPECT_EQ(states[1].path, "/logs/b");
  EXPECT_FALSE(states[0].id == states[1].id);
  Result<std::unique_ptr<LogManager>> second = manager_of({"/logs/a"});
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code(), Errc::locked);
  EXPECT_NE(second.error().what().find("/logs/a/.lock is held by another process"),
            std::string::npos);
  manager->reset();
  auto again = manager_of({"/logs/a"});
  ASSERT_TRUE(again.ok());
  EXPECT_EQ((*again)->directories()[0].id, states[0].id);
  EXPECT_EQ((*again)->directory_of_path("/logs/a/t-0/x.log"), 0u);
  EXPECT_FALSE((*again)->directory_of_path("/logs/ab/t-0").has_value());
}

TEST_F(LogManagerTest, IdentityOfAnotherBrokerOrCluster) {
  {
    auto manager = manager_of({"/logs/a"});
    EXPECT_FALSE((*manager)->stored_broker_id().has_value());
    ASSERT_TRUE((*manager)->confirm_identity(BrokerId(3), "").ok());
    EXPECT_FALSE(files_.exists("/logs/a/meta.properties"));
    ASSERT_TRUE((*manager)->confirm_identity(BrokerId(3), "DFDswXJ1Q4q3yslhKpcg9Q").ok());
  }
  EXPECT_EQ(*files_.read_file("/logs/a/meta.properties", 1000),
            "#\n#Sun Sep 13 12:26:40 UTC "
            "2020\nbroker.id=3\nversion=0\ncluster.id=DFDswXJ1Q4q3yslhKpcg9Q\n");
  auto manager = manager_of({"/logs/a", "/logs/new"});
  ASSERT_TRUE(manager.ok());
  EXPECT_EQ((*manager)->stored_broker_id(), BrokerId(3));
  EXPECT_EQ((*manager)->stored_cluster_id(), "DFDswXJ1Q4q3yslhKpcg9Q");
  Result<void> other = (*manager)->confirm_identity(BrokerId(4), "DFDswXJ1Q4q3yslhKpcg9Q");
  ASSERT_FALSE(other.ok());
  EXPECT_TRUE(
      other.error().what().starts_with("Configured broker.id 4 doesn't match stored broker.id 3"));
  other = (*manager)->confirm_identity(BrokerId(3), "else");
  ASSERT_FALSE(other.ok());
  EXPECT_TRUE(
      other.error().what().starts_with("The Cluster ID else doesn't match stored clusterId"));
  ASSERT_TRUE((*manager)->confirm_identity(BrokerId(3), "DFDswXJ1Q4q3yslhKpcg9Q").ok());
  EXPECT_TRUE(files_.exists("/logs/new/meta.properties"));
}

TEST_F(LogManagerTest, MetaPropertiesOfAKraftBrokerAndDamage) {
  ASSERT_TRUE(files_.make_dirs("/logs/a").ok());
  auto write = [&](const char* text) {
    ASSERT_TRUE(
        files_.write_file_atomically("/logs/a/meta.properties", text, fs::Durability::full).ok());
  };
  write("#\nnode.id=7\nversion=1\ncluster.id=abc\ndirectory.id=xyz\n");
  EXPECT_EQ((*manager_of({"/logs/a"}))->stored_broker_id(), BrokerId(7));
  for (const char* text :
       {"", "version=2\n", "version=0\nbroker.id=x\n", "version=0\nbroker.id=-5\n"}) {
    write(text);
    Result<std::unique_ptr<LogManager>> manager = manager_of({"/logs/a"});
    ASSERT_FALSE(manager.ok()) << text;
    EXPECT_NE(manager.error().what().find("/logs/a/meta.properties"), std::string::npos);
  }
}

TEST_F(LogManagerTest, LogsSurviveACleanStop) {
  {
    auto manager = manager_of({"/logs/a", "/logs/b"});
    std::vector<std::unique_ptr<Log>> logs;
    for (int i = 0; i < 4; ++i) {
      Uuid id = Uuid::random();
      auto log = (*manager)->create_log({"t", PartitionId(i)}, config_, id);
      ASSERT_TRUE(log.ok());
      Bytes batch = batch_of(3, kNow);
      ASSERT_TRUE((*log)->append_as_leader(batch, LeaderEpoch(1), AppendOrigin::client).ok());
      logs.push_back(std::move(*log));
    }
    EXPECT_EQ((*manager)->create_log({"t", PartitionId(0)}, config_, std::nullopt).error().code(),
              Errc::already_exists);
    std::vector<DirectoryState> states = (*manager)->directories();
    EXPECT_EQ(states[0].logs, 2u);
    EXPECT_EQ(states[1].logs, 2u);
    for (size_t directory : {0, 1}) {
      Offsets ends;
      for (auto& log : logs) {
        if ((*manager)->directory_of(log->id()) != directory) continue;
        ASSERT_TRUE(log->close().ok());
        ends[log->id()] = log->log_end_offset();
      }
      ASSERT_TRUE(
          (*manager)->write_checkpoint(directory, CheckpointKind::recovery_point, ends).ok());
      for (auto& [id, offset] : ends) offset = Offset(2);
      ASSERT_TRUE(
          (*manager)->write_checkpoint(directory, CheckpointKind::high_watermark, ends).ok());
      ASSERT_TRUE((*manager)->mark_clean_shutdown(directory).ok());
    }
  }
  EXPECT_EQ(*files_.read_file("/logs/a/recovery-point-offset-checkpoint", 100),
            "0\n2\nt 0 3\nt 2 3\n");
  auto manager = manager_of({"/logs/a", "/logs/b"});
  EXPECT_TRUE((*manager)->directories()[0].clean_shutdown);
  EXPECT_FALSE(files_.exists("/logs/a/.kafka_cleanshutdown"));
  std::vector<LoadedLog> loaded = load_all(**manager);
  ASSERT_EQ(loaded.size(), 4u);
  for (const LoadedLog& one : loaded) {
    ASSERT_FALSE(one.error.has_value());
    EXPECT_EQ(one.log->log_end_offset(), Offset(3));
    EXPECT_EQ(one.log->recovery_point(), Offset(3));
    EXPECT_EQ(one.high_watermark, Offset(2));
    EXPECT_TRUE(one.log->topic_id().has_value());
  }
  loaded.clear();
  manager->reset();
  // the second run did not stop cleanly
  EXPECT_FALSE((*manager_of({"/logs/a"}))->directories()[0].clean_shutdown);
}

TEST_F(LogManagerTest, ManyLogsAreClosedWithFewSyncs) {
  for (int count : {5, 100}) {
    auto manager = manager_of({"/logs/" + std::to_string(count)});
    std::vector<std::unique_ptr<Log>> logs;
    std::vector<Log*> pointers;
    for (int i = 0; i < count; ++i) {
      logs.push_back(
          std::move(*(*manager)->create_log({"t", PartitionId(i)}, config_, Uuid::random())));
      pointers.push_back(logs.back().get());
      Bytes batch = batch_of(3, kNow, from_producer(1, 0, 0));
      ASSERT_TRUE(logs.back()->append_as_leader(batch, LeaderEpoch(1), AppendOrigin::client).ok());
    }
    const uint64_t before = files_.syncs();
    for (const Result<void>& closed : (*manager)->close_logs(pointers)) EXPECT_TRUE(closed.ok());
    EXPECT_LE(files_.syncs() - before, 50u);
    ASSERT_TRUE((*manager)->mark_clean_shutdown(0).ok());
    for (auto& log : logs) EXPECT_EQ(log->recovery_point(), Offset(3));
    logs.clear();
    manager->reset();
    files_.crash(CrashMode::lose_unsynced);
    manager = manager_of({"/logs/" + std::to_string(count)});
    EXPECT_TRUE((*manager)->directories()[0].clean_shutdown);
    std::vector<LoadedLog> loaded = load_all(**manager);
    ASSERT_EQ(loaded.size(), static_cast<size_t>(count));
    for (LoadedLog& one : loaded) {
      ASSERT_TRUE(one.log) << one.error->what();
      EXPECT_EQ(one.log->log_end_offset(), Offset(3));
      EXPECT_EQ(one.log->producers().size(), 1u);
      EXPECT_TRUE(one.log->topic_id().has_value());
      EXPECT_EQ(one.log->latest_leader_epoch(), LeaderEpoch(1));
    }
  }
}

TEST_F(LogManagerTest, DamagedCheckpointsAreTakenAsEmpty) {
  auto file = "/logs/a/recovery-point-offset-checkpoint";
  ASSERT_TRUE(files_.make_dirs("/logs/a/t-0").ok());
  ASSERT_TRUE(files_.make_dirs("/logs/a/lost+found").ok());
  ASSERT_TRUE(files_.make_dirs("/logs/a/rubbish").ok());
  ASSERT_TRUE(files_.make_dirs("/logs/a/t-1.0123456789abcdef0123456789abcdef-delete").ok());
  ASSERT_TRUE(files_.make_dirs("/logs/a/t-2.0123456789abcdef0123456789abcdef-stray").ok());
  for (const char* text :
       {"x", "1\n0\n", "0\n1\n", "0\n1\nt 0\n", "0\n1\nt x 5\n", "0\n2\nt 0 5\n", ""}) {
    ASSERT_TRUE(files_.write_file_atomically(file, text, fs::Durability::full).ok());
    auto manager = manager_of({"/logs/a"});
    ASSERT_TRUE(manager.ok()) << text;
    EXPECT_FALSE((*manager)
                     ->checkpointed(CheckpointKind::recovery_point, {"t", PartitionId(0)})
                     .has_value());
    std::vector<LoadedLog> loaded = load_all(**manager);
    ASSERT_EQ(loaded.size(), 1u);
    EXPECT_TRUE(loaded[0].log);
    EXPECT_EQ((*manager)->leftovers(),
              std::vector<std::string>{"/logs/a/t-1.0123456789abcdef0123456789abcdef-delete"});
  }
  auto manager = manager_of({"/logs/a"});
  ASSERT_TRUE((*manager)->remove_dir((*manager)->leftovers()[0]).ok());
  EXPECT_FALSE(files_.exists((*manager)->leftovers()[0]));
}

TEST_F(LogManagerTest, TheSameLogInTwoDirectories) {
  ASSERT_TRUE(files_.make_dirs("/logs/a/t-0").ok());
  ASSERT_TRUE(files_.make_dirs("/logs/b/t-0").ok());
  auto manager = manager_of({"/logs/a", "/logs/b"});
  std::vector<LoadedLog> loaded = load_all(**manager);
  // what a crash at the end of a move leaves: one is the log, the other one is set aside
  ASSERT_EQ(loaded.size(), 1u);
  EXPECT_FALSE(loaded[0].error.has_value());
  EXPECT_EQ(loaded[0].directory, 0u);
  EXPECT_FALSE(files_.exists("/logs/b/t-0"));
  auto aside = files_.list("/logs/b");
  EXPECT_TRUE(std::any_of(aside->begin(), aside->end(),
                          [](const auto& entry) { return entry.name.ends_with("-stray"); }));
}

TEST_F(LogManagerTest, AFailedDirectoryIsNotUsedAnyMore) {
  auto manager = manager_of({"/logs/a", "/logs/b"});
  files_.fail(Call::open, "/logs/a/t-0", Errc::io_error);
  EXPECT_EQ((*manager)->create_log({"t", PartitionId(0)}, config_, std::nullopt).error().code(),
            Errc::log_dir_offline);
  EXPECT_FALSE((*manager)->directories()[0].online);
  for (int i = 1; i < 4; ++i) {
    auto log = (*manager)->create_log({"t", PartitionId(i)}, config_, std::nullopt);
    ASSERT_TRUE(log.ok());
    EXPECT_EQ((*manager)->directory_of({"t", PartitionId(i)}), 1u);
  }
  EXPECT_EQ((*manager)->write_checkpoint(0, CheckpointKind::high_watermark, {}).error().code(),
            Errc::log_dir_offline);
  EXPECT_FALSE((*manager)->fail_directory(0, Error(Errc::io_error, "again")));
  EXPECT_TRUE((*manager)->fail_directory(1, Error(Errc::io_error, "now")));
  EXPECT_EQ((*manager)->create_log({"t", PartitionId(9)}, config_, std::nullopt).error().code(),
            Errc::log_dir_offline);
}

TEST_F(LogManagerTest, ADirectoryOfAnotherBrokerIsOffline) {
  {
    auto manager = manager_of({"/logs/a", "/logs/b"});
    ASSERT_TRUE((*manager)->confirm_identity(BrokerId(3), "cluster-1").ok());
    for (size_t i = 0; i < 2; ++i) ASSERT_TRUE((*manager)->mark_clean_shutdown(i).ok());
  }
  for (const char* other : {"version=0\nbroker.id=4\ncluster.id=cluster-1\n",
                            "version=0\nbroker.id=3\ncluster.id=cluster-2\n"}) {
    ASSERT_TRUE(files_.make_dirs("/logs/foreign/u-0"));
    ASSERT_TRUE(files_.write_file_atomically("/logs/foreign/meta.properties", other,
                                             fs::Durability::full));
    ASSERT_TRUE(files_.write_file_atomically("/logs/foreign/.kafka_cleanshutdown", "",
                                             fs::Durability::full));
    auto manager = manager_of({"/logs/foreign", "/logs/a", "/logs/b"});
    ASSERT_TRUE(manager.ok()) << manager.error().what();
    std::vector<DirectoryState> states = (*manager)->directories();
    EXPECT_FALSE(states[0].online) << "the others are more";
    EXPECT_TRUE(states[1].online && states[2].online);
    EXPECT_TRUE((*manager)->found_logs().empty());
    EXPECT_TRUE((*manager)->confirm_identity(BrokerId(3), "cluster-1").ok());
    EXPECT_EQ(*files_.read_file("/logs/foreign/meta.properties", 1000), other);
    EXPECT_TRUE(files_.exists("/logs/foreign/.kafka_cleanshutdown")) << "it is not ours to take";
  }
  // the configured id decides, whatever is more
  ASSERT_TRUE(files_.write_file_atomically("/logs/foreign/meta.properties",
                                           "version=0\nbroker.id=4\ncluster.id=cluster-1\n",
                                           fs::Durability::full));
  LogManager::Options options;
  options.directories = {"/logs/a", "/logs/b", "/logs/foreign"};
  options.broker_id = BrokerId(4);
  auto manager = LogManager::open(files_, clock_, options);
  ASSERT_TRUE(manager.ok());
  EXPECT_EQ((*manager)->stored_broker_id(), BrokerId(4));
  EXPECT_FALSE((*manager)->directories()[0].online);
  EXPECT_TRUE((*manager)->directories()[2].online);
}

TEST_F(LogManagerTest, ADamagedIdentityIsItsDirectorysTrouble) {
  for (const char* name : {"/logs/a", "/logs/b"}) ASSERT_TRUE(files_.make_dirs(name));
  ASSERT_TRUE(files_.write_file_atomically("/logs/a/meta.properties", "rub\nbish",
                                           fs::Durability::full));
  auto manager = manager_of({"/logs/a", "/logs/b"});
  ASSERT_TRUE(manager.ok()) << manager.error().what();
  EXPECT_FALSE((*manager)->directories()[0].online);
  EXPECT_TRUE((*manager)->directories()[1].online);
  manager->reset();
  auto alone = manager_of({"/logs/a"});
  ASSERT_FALSE(alone.ok());
  EXPECT_NE(alone.error().what().find("/logs/a/meta.properties"), std::string::npos);
  EXPECT_NE(alone.error().what().find("remove it"), std::string::npos);
  ASSERT_TRUE(files_.write_file_atomically("/logs/b/.odradek_directory_id", "rubbish",
                                           fs::Durability::full));
  auto again = manager_of({"/logs/b"});
  ASSERT_TRUE(again.ok());
  EXPECT_FALSE((*again)->directories()[0].id.is_zero());
}

TEST_F(LogManagerTest, DirectoriesThatCannotBeUsed) {
  EXPECT_EQ(manager_of({}).error().code(), Errc::bad_setting);
  EXPECT_EQ(manager_of({"/logs/a", "/logs/a/"}).error().code(), Errc::bad_setting);
  ASSERT_TRUE(files_.write_file_atomically("/logs/file", "x", fs::Durability::full).ok());
  Result<std::unique_ptr<LogManager>> manager = manager_of({"/logs/file"});
  EXPECT_EQ(manager.error().code(), Errc::bad_setting);
  files_.fail(Call::open, "/logs/a/meta.properties", Errc::io_error);
  auto one_left = manager_of({"/logs/a", "/logs/b"});
  ASSERT_TRUE(one_left.ok());
  EXPECT_FALSE((*one_left)->directories()[0].online);
  one_left->reset();
  files_.fail(Call::open, "/logs/a/meta.properties", Errc::io_error);
  EXPECT_EQ(manager_of({"/logs/a"}).error().code(), Errc::io_error);
}

}  // namespace
}  // namespace odradek::broker::log
