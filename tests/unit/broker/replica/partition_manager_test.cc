// What an image says happens to the logs.
#include "tests/unit/broker/replica/manager_fixture.h"

namespace odradek::broker::replica {
namespace {

TEST_F(PartitionManagerTest, MakesWhatTheImageAssigns) {
  Uuid id = Uuid::random();
  next_image([&](metadata::Image& image) { put_topic(image, "t", id, 3, kSelf); });
  EXPECT_EQ(directories(), (std::vector<std::string>{"t-0", "t-1", "t-2"}));
  EXPECT_EQ(find({"t", PartitionId(2)}), std::nullopt);
  EXPECT_EQ(find({"t", PartitionId(3)}), Errc::unknown_topic_or_partition);
  EXPECT_EQ(listener_.leads.size(), 3u);
  auto appended = append({"t", PartitionId(1)});
  ASSERT_TRUE(appended) << appended.error().what();
}

TEST_F(PartitionManagerTest, ALogThatThrowsIsTheOnlyOneThatFails) {
  using Call = fs::FaultyFileSystem::Call;
  Uuid id = Uuid::random();
  files_.run_short_of_memory(Call::open, "t-1/");
  next_image([&](metadata::Image& image) { put_topic(image, "t", id, 2, kSelf); });
  EXPECT_EQ(find({"t", PartitionId(0)}), std::nullopt);
  EXPECT_EQ(find({"t", PartitionId(1)}), Errc::log_dir_offline);
  stop();
  open();
  EXPECT_EQ(find({"t", PartitionId(1)}), std::nullopt);
  stop();
  files_.run_short_of_memory(Call::open, "t-0/");
  open();
  EXPECT_EQ(find({"t", PartitionId(0)}), Errc::log_dir_offline);
  EXPECT_EQ(find({"t", PartitionId(1)}), std::nullopt);
}

TEST_F(PartitionManagerTest, LeavesWhatOthersHave) {
  next_image(
      [&](metadata::Image& image) { put_topic(image, "t", Uuid::random(), 2, BrokerId(2)); });
  EXPECT_TRUE(directories().empty());
  EXPECT_EQ(find({"t", PartitionId(0)}), Errc::not_leader_or_follower);
}

TEST_F(PartitionManagerTest, DeletesByRecordOnly) {
  next_image([&](metadata::Image& image) { put_topic(image, "t", Uuid::random(), 1, kSelf); });
  ASSERT_TRUE(append({"t", PartitionId(0)}));
  next_image([&](metadata::Image& image) { drop_topic(image, "t", true); });
  EXPECT_EQ(find({"t", PartitionId(0)}), Errc::unknown_topic_or_partition);
  for (const std::string& name : directories()) EXPECT_TRUE(name.ends_with("-delete")) << name;
  EXPECT_TRUE(listener_.leads.empty());
}

TEST_F(PartitionManagerTest, SetsAsideWhatVanishedWithoutARecord) {
  next_image([&](metadata::Image& image) { put_topic(image, "t", Uuid::random(), 1, kSelf); });
  ASSERT_TRUE(append({"t", PartitionId(0)}));
  next_image([&](metadata::Image& image) { drop_topic(image, "t", false); });
  auto names = directories();
  ASSERT_EQ(names.size(), 1u);
  EXPECT_TRUE(names[0].ends_with("-stray")) << names[0];
}

TEST_F(PartitionManagerTest, ATopicMadeAnewUnderItsNameStartsEmpty) {
  next_image([&](metadata::Image& image) { put_topic(image, "t", Uuid::random(), 1, kSelf); });
  ASSERT_TRUE(append({"t", PartitionId(0)}));
  Uuid second = Uuid::random();
  next_image([&](metadata::Image& image) {
    drop_topic(image, "t", true);
    put_topic(image, "t", second, 1, kSelf);
  });
  auto appended = append({"t", PartitionId(0)});
  ASSERT_TRUE(appended) << appended.error().what();
  EXPECT_EQ(appended->first_offset, Offset(0));
}

TEST_F(PartitionManagerTest, LogsComeBackAfterARestart) {
  next_image([&](metadata::Image& image) { put_topic(image, "t", Uuid::random(), 2, kSelf); });
  ASSERT_TRUE(append({"t", PartitionId(0)}));
  ASSERT_TRUE(append({"t", PartitionId(0)}));
  stop();
  EXPECT_TRUE(files_.exists("/logs/.kafka_cleanshutdown"));
  open();
  auto appended = append({"t", PartitionId(0)});
  ASSERT_TRUE(appended) << appended.error().what();
  EXPECT_EQ(appended->first_offset, Offset(2));
}

TEST_F(PartitionManagerTest, OthersAreServedWhileALogIsRecovered) {
  next_image([&](metadata::Image& image) { put_topic(image, "t", Uuid::random(), 3, kSelf); });
  for (int32_t i = 0; i < 3; ++i) ASSERT_TRUE(append({"t", PartitionId(i)}));
  stop();
  ASSERT_TRUE(files_.remove("/logs/.kafka_cleanshutdown"));
  held_.hold("/t-2");
  begin_open();
  held_.wait_until_held();
  EXPECT_FALSE(run(manager_->wait_all_open(0)));
  EXPECT_EQ(find({"t", PartitionId(2)}), Errc::not_leader_or_follower) << "clients ask again";
  // a topic that is made meanwhile is no reason to make the log that is on its way
  next_image([&](metadata::Image& image) { put_topic(image, "new", Uuid::random(), 1, kSelf); });
  EXPECT_TRUE(run(manager_->wait_open("new", image_->zxid, 10'000)));
  EXPECT_TRUE(append({"new", PartitionId(0)}));
  EXPECT_EQ(find({"t", PartitionId(2)}), Errc::not_leader_or_follower);
  held_.release();
  EXPECT_TRUE(run(manager_->wait_all_open(10'000)));
  for (int32_t i = 0; i < 3; ++i) {
    auto appended = append({"t", PartitionId(i)});
    ASSERT_TRUE(appended) << appended.error().what();
    EXPECT_EQ(appended->first_offset, Offset(1));
  }
}

TEST_F(PartitionManagerTest, AStopBeforeALogIsOpenForgetsNothingOfIt) {
  next_image([&](metadata::Image& image) { put_topic(image, "t", Uuid::random(), 2, kSelf); });
  for (int32_t i = 0; i < 2; ++i) {
    for (int n = 0; n < 3; ++n) ASSERT_TRUE(append({"t", PartitionId(i)}));
    auto cut = [this, i] {
      return (*manager_->find({"t", PartitionId(i)}))->delete_records(2).ok();
    };
    ASSERT_TRUE(run(runtime::run_on(manager_->owner({"t", PartitionId(i)}), cut)));
  }
  stop();
  files_.run_short_of_memory(fs::FaultyFileSystem::Call::open, "t-1/");
  open();
  EXPECT_EQ(find({"t", PartitionId(1)}), Errc::log_dir_offline);
  stop();
  EXPECT_FALSE(files_.exists("/logs/.kafka_cleanshutdown")) << "one of them was not looked at";
  auto checkpoint = [this](const char* name) {
    return std::string(*files_.read_file(std::string("/logs/") + name, 1000));
  };
  for (const char* name : {"recovery-point-offset-checkpoint", "replication-offset-checkpoint"}) {
    EXPECT_EQ(checkpoint(name), "0\n2\nt 0 3\nt 1 3\n") << name;
  }
  EXPECT_EQ(checkpoint("log-start-offset-checkpoint"), "0\n2\nt 0 2\nt 1 2\n");
  open();
  auto look = [this] { return (*manager_->find({"t", PartitionId(1)}))->log_start_offset(); };
  EXPECT_EQ(run(runtime::run_on(manager_->owner({"t", PartitionId(1)}), look)), Offset(2));
}

TEST_F(PartitionManagerTest, WhatWasDeletedWhileAwayGoesAtStart) {
  next_image([&](metadata::Image& image) { put_topic(image, "t", Uuid::random(), 1, kSelf); });
  stop();
  auto next = std::make_shared<metadata::Image>(*image_);
  drop_topic(*next, "t", true);
  image_ = next;
  open();
  for (const std::string& name : directories()) EXPECT_TRUE(name.ends_with("-delete")) << name;
}

TEST_F(PartitionManagerTest, ALeaderElsewhereIsNotServedHere) {
  Uuid id = Uuid::random();
  next_image([&](metadata::Image& image) { put_topic(image, "t", id, 1, kSelf); });
  next_image([&](metadata::Image& image) {
    put_topic(image, "t", id, 1, kSelf);
    auto topic = std::make_shared<metadata::Topic>(*image.topics["t"]);
    topic->partitions[0].leader = BrokerId(2);
    topic->partitions[0].leader_epoch = LeaderEpoch(1);
    topic->partitions[0].replicas = {kSelf, BrokerId(2)};
    image.topics["t"] = topic;
  });
  auto refused = append({"t", PartitionId(0)});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Errc::not_leader_or_follower);
  EXPECT_TRUE(listener_.leads.empty());
}

TEST_F(PartitionManagerTest, TheDiskCapTakesTheOldestClosedSegments) {
  config_->segment_bytes = 200;  // two batches each
  next_image([&](metadata::Image& image) { put_topic(image, "t", Uuid::random(), 3, kSelf); });
  auto start_of = [&](int32_t partition) {
    auto look = [&] {
      return (*manager_->find({"t", PartitionId(partition)}))->log_start_offset().value();
    };
    return run(runtime::run_on(manager_->owner({"t", PartitionId(partition)}), look));
  };
  // 0 is the oldest, 2 the newest; each has closed segments
  for (int32_t partition = 0; partition < 3; ++partition) {
    clock_.jump_wall_ms(1000);
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(append({"t", PartitionId(partition)}));
  }
  auto size_of_all = [&] {
    int64_t sum = 0;
    auto add = [&](PartitionTable::Shard& shard) {
      for (auto& [id, each] : shard.partitions) sum += each->log().size_bytes();
    };
    run(manager_->table().on_every_shard(add));
    return sum;
  };
  const int64_t all = size_of_all();
  auto cap = [&](int64_t bytes) {
    ReplicaSettings settings;
    settings.directory_max_bytes = bytes;
    Housekeeping housekeeping(settings, manager_->table(), *logs_, *background_, clock_,
                              shards_->executor(0));
    run(housekeeping.apply_disk_cap());
  };
  cap(all);
  EXPECT_EQ(size_of_all(), all) << "no more than it may have";
  cap(all - 1);
  EXPECT_LT(size_of_all(), all);
  EXPECT_GT(start_of(0), 0);
  EXPECT_EQ(start_of(1), 0);
  cap(all / 2);
  EXPECT_LE(size_of_all(), all / 2);
  EXPECT_EQ(start_of(0), 8) << "but for the one that is written to";
  EXPECT_GT(start_of(1), 0);
  EXPECT_EQ(start_of(2), 0);
  cap(0);
  for (int32_t partition = 0; partition < 3; ++partition) EXPECT_EQ(start_of(partition), 8);
  const auto left = files_.list("/logs/t-0");
  for (const auto& entry : *left) {
    EXPECT_FALSE(entry.name.ends_with(".deleted")) << entry.name << ": the room is wanted at once";
  }
  EXPECT_EQ(append({"t", PartitionId(0)})->first_offset, Offset(10));
}

TEST_F(PartitionManagerTest, TheDiskCapLeavesCompactedTopics) {
  config_->segment_bytes = 200;
  config_->cleanup_delete = false;
  config_->cleanup_compact = true;
  next_image([&](metadata::Image& image) { put_topic(image, "t", Uuid::random(), 1, kSelf); });
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(append({"t", PartitionId(0)}));
  ReplicaSettings settings;
  settings.directory_max_bytes = 0;
  Housekeeping housekeeping(settings, manager_->table(), *logs_, *background_, clock_,
                            shards_->executor(0));
  run(housekeeping.apply_disk_cap());
  auto look = [&] { return (*manager_->find({"t", PartitionId(0)}))->log_start_offset(); };
  EXPECT_EQ(run(runtime::run_on(manager_->owner({"t", PartitionId(0)}), look)), Offset(0));
}

TEST_F(PartitionManagerTest, AFullDiskTakesNothingUntilThereIsRoom) {
  stop();
  reserved_bytes_ = 20'000;
  open();
  next_image([&](metadata::Image& image) { put_topic(image, "t", Uuid::random(), 2, kSelf); });
  ASSERT_TRUE(append({"t", PartitionId(1)}));
  files_.set_capacity(files_.used_bytes() + 1);
  EXPECT_EQ(append({"t", PartitionId(0)}).error().code(), Errc::disk_full);
  EXPECT_EQ(append({"t", PartitionId(1)}).error().code(), Errc::disk_full)
      << "though the reserve was given free";
  auto read = [this] {
    return (*manager_->find({"t", PartitionId(1)}))
        ->read(Offset(0), 1000, ReadLimit::high_watermark, true)
        .ok();
  };
  EXPECT_TRUE(run(runtime::run_on(manager_->owner({"t", PartitionId(1)}), read)));
  logs_->look_for_room();
  EXPECT_FALSE(append({"t", PartitionId(1)}).ok());
  files_.set_capacity(0);
  logs_->look_for_room();  // as housekeeping does each second
  EXPECT_EQ(append({"t", PartitionId(0)})->first_offset, Offset(0));
  EXPECT_EQ(append({"t", PartitionId(1)})->first_offset, Offset(1));
}

TEST_F(PartitionManagerTest, ADamagedLogIsTheOnlyOneThatIsOffline) {
  next_image([&](metadata::Image& image) { put_topic(image, "t", Uuid::random(), 2, kSelf); });
  for (int32_t i = 0; i < 2; ++i) {
    for (int n = 0; n < 3; ++n) ASSERT_TRUE(append({"t", PartitionId(i)}));
  }
  stop();
  ASSERT_TRUE(files_.remove("/logs/.kafka_cleanshutdown"));
  auto file = files_.open("/logs/t-1/00000000000000000000.log", fs::OpenMode::read_write);
  ASSERT_TRUE((*file)->pwrite("X", 65));
  open();
  EXPECT_EQ(find({"t", PartitionId(1)}), Errc::log_dir_offline);
  EXPECT_EQ(append({"t", PartitionId(0)})->first_offset, Offset(3));
  EXPECT_TRUE(logs_->directories()[0].online);
}

TEST_F(PartitionManagerTest, AFailedDirectoryIsToldAsSuch) {
  next_image([&](metadata::Image& image) { put_topic(image, "t", Uuid::random(), 2, kSelf); });
  bool all_failed = false;
  manager_->on_all_directories_failed([&] { all_failed = true; });
  files_.fail(fs::FaultyFileSystem::Call::write, "t-0", Errc::io_error, 1);
  ASSERT_FALSE(append({"t", PartitionId(0)}));
  EXPECT_TRUE(all_failed);
  // every partition of the directory, also on the other shard
  for (int32_t i = 0; i < 2; ++i) {
    auto refused = append({"t", PartitionId(i)});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Errc::log_dir_offline);
  }
}

}  // namespace
}  // namespace odradek::broker::replica
