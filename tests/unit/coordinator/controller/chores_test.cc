// Settings, producer ids, ISR changes, notifications, elections and reassignments.
#include "tests/unit/coordinator/controller/bench.h"

namespace odradek::coordinator::controller {
namespace {

Reply<ConfigItem> alter(Bench& bench, const Registration& by, std::vector<ConfigChange> changes,
                        bool dry = false) {
  return bench.call<ConfigItem>([&](Cluster&, int64_t deadline_ms, auto done) {
    return make_alter_configs(Bench::caller(by), std::move(changes), dry, deadline_ms, done);
  });
}

ConfigChange set_topic(const std::string& name, const std::string& key, const std::string& value,
                       bool incremental) {
  ConfigChange change;
  change.name = name;
  change.incremental = incremental;
  change.changes.emplace_back(key, value);
  return change;
}

TEST(Configs, ByCall) {
  Bench bench;
  Registration broker = bench.broker(0);
  ASSERT_FALSE(bench.create_topic(broker, Bench::topic("t")).error);
  EXPECT_FALSE(alter(bench, broker, {set_topic("t", "retention.ms", "1", true)}).items.at(0).error);
  EXPECT_FALSE(
      alter(bench, broker, {set_topic("t", "segment.bytes", "2", true)}).items.at(0).error);
  EXPECT_EQ(bench.data("/config/topics/t"),
            R"({"version":1,"config":{"retention.ms":"1","segment.bytes":"2"}})");
  EXPECT_EQ(bench.image()->topics.at("t")->configs.size(), 2u);
  EXPECT_FALSE(
      alter(bench, broker, {set_topic("t", "cleanup.policy", "compact", false)}).items.at(0).error);
  EXPECT_EQ(bench.data("/config/topics/t"),
            R"({"version":1,"config":{"cleanup.policy":"compact"}})");
  EXPECT_EQ(bench.children("/config/changes").size(), 3u);
  EXPECT_EQ(bench.data("/config/changes/config_change_0000000002"),
            R"({"version":2,"entity_path":"topics/t"})");
  ConfigChange everywhere;
  everywhere.broker = everywhere.incremental = true;
  everywhere.changes.emplace_back("log.retention.ms", "700");
  ConfigChange zero = everywhere;
  zero.name = "0";
  ConfigChange wrong = everywhere;
  wrong.name = "zero";
  auto reply = alter(bench, broker, {everywhere, zero, wrong, set_topic("nosuch", "a", "b", true)});
  EXPECT_FALSE(reply.items.at(0).error);
  EXPECT_FALSE(reply.items.at(1).error);
  EXPECT_EQ(reply.items.at(2).error->code(), Errc::invalid_request);
  EXPECT_EQ(reply.items.at(3).error->code(), Errc::unknown_topic_or_partition);
  EXPECT_EQ(bench.data("/config/brokers/<default>"),
            R"({"version":1,"config":{"log.retention.ms":"700"}})");
  EXPECT_EQ(bench.image()->default_broker_config.at("log.retention.ms"), "700");
  EXPECT_EQ(bench.image()->broker_configs.at(BrokerId(0)).size(), 1u);
  everywhere.changes[0].second.reset();
  EXPECT_FALSE(alter(bench, broker, {everywhere}).items.at(0).error);
  EXPECT_TRUE(bench.image()->default_broker_config.empty());
  EXPECT_FALSE(alter(bench, broker, {set_topic("t", "x", "y", false)}, true).items.at(0).error);
  EXPECT_EQ(bench.data("/config/topics/t"),
            R"({"version":1,"config":{"cleanup.policy":"compact"}})");
  bench.check_image();
}

TEST(Configs, ByHandAndNonsense) {
  Bench bench;
  Registration broker = bench.broker(0);
  ASSERT_FALSE(bench.create_topic(broker, Bench::topic("t")).error);
  ASSERT_FALSE(bench.set("/config/topics/t",
                         R"({"version":1,"config":{"retention.ms":5,"preallocate":true}})"));
  bench.settle();
  EXPECT_EQ(bench.image()->topics.at("t")->configs.at("retention.ms"), "5");
  EXPECT_EQ(bench.image()->topics.at("t")->configs.at("preallocate"), "true");
  // What cannot be read leaves what was.
  ASSERT_FALSE(bench.set("/config/topics/t", "nonsense"));
  bench.settle();
  EXPECT_EQ(bench.image()->topics.at("t")->configs.at("retention.ms"), "5");
  EXPECT_EQ(alter(bench, broker, {set_topic("t", "a", "b", true)}).items.at(0).error->code(),
            Errc::invalid_config);
  EXPECT_FALSE(alter(bench, broker, {set_topic("t", "a", "b", false)}).items.at(0).error);
  ASSERT_FALSE(bench.remove("/config/topics/t"));
  bench.settle();
  EXPECT_TRUE(bench.image()->topics.at("t")->configs.empty());
  bench.check_image();
}

TEST(Configs, SettingsOfATopicThatWasDeletedByHandGo) {
  Bench bench;
  Registration broker = bench.broker(0);
  NewTopic wanted = Bench::topic("t");
  wanted.configs["retention.ms"] = "1";
  ASSERT_FALSE(bench.create_topic(broker, wanted).error);
  bench.settle();
  std::vector<std::string> paths = bench.bottom_up("/brokers/topics/t");
  for (const std::string& path : paths) ASSERT_FALSE(bench.remove(path));
  bench.settle();
  EXPECT_FALSE(bench.exists("/config/topics/t"));
  // Settings that a tool writes for the next topic before the controller came to it are not those.
  ASSERT_FALSE(bench.create_topic(broker, wanted).error);
  bench.settle();
  std::vector<tree::Operation> ops;
  for (const std::string& path : bench.bottom_up("/brokers/topics/t"))
    ops.push_back(tree::DeleteOp(path));
  ops.push_back(tree::SetDataOp("/config/topics/t", R"({"version":1,"config":{"a":"b"}})"));
  ASSERT_FALSE(bench.zk(std::move(ops)));
  bench.settle();
  EXPECT_EQ(bench.data("/config/topics/t"), R"({"version":1,"config":{"a":"b"}})");
  EXPECT_TRUE(bench.image()->topics.empty());
  bench.check_image();
}

TEST(Configs, OldChangeNotificationsGo) {
  Bench bench;
  Registration broker = bench.broker(0);
  ASSERT_FALSE(bench.create_topic(broker, Bench::topic("t")).error);
  alter(bench, broker, {set_topic("t", "a", "b", true)});
  bench.wait(10 * 60 * 1000);
  alter(bench, broker, {set_topic("t", "a", "c", true)});
  EXPECT_EQ(bench.children("/config/changes").size(), 2u);
  bench.wait(6 * 60 * 1000);
  EXPECT_EQ(bench.children("/config/changes").size(), 1u);
  bench.wait(10 * 60 * 1000);
  EXPECT_EQ(bench.children("/config/changes").size(), 0u);
}

TEST(ProducerIds, BlocksFollowEachOther) {
  Bench bench;
  Registration broker = bench.broker(0);
  auto next = [&] {
    return bench.call<ProducerIdBlock>([&](Cluster&, int64_t deadline_ms, auto done) {
      return make_allocate_producer_ids(Bench::caller(broker), deadline_ms, done);
    });
  };
  EXPECT_EQ(next().items.at(0).first, 0);
  EXPECT_EQ(bench.data("/latest_producer_id_block"),
            R"({"version":1,"broker":0,"block_start":"0","block_end":"999"})");
  EXPECT_EQ(next().items.at(0).first, 1000);
  bench.crash();
  EXPECT_EQ(next().items.at(0).first, 2000);
  ASSERT_FALSE(bench.set("/latest_producer_id_block", "nonsense"));
  EXPECT_TRUE(next().error);
}

TEST(Partitions, AlterPartitionChecksWhatTheLeaderDecidedOn) {
  Bench bench;
  Registration broker = bench.broker(0);
  TopicItem made = bench.create_topic(broker, Bench::topic("t"));
  auto change = [&](int32_t leader_epoch, int32_t partition_epoch, std::vector<BrokerId> isr) {
    IsrChange change;
    change.topic = "t";
    change.topic_id = made.id;
    change.leader_epoch = LeaderEpoch(leader_epoch);
    change.partition_epoch = partition_epoch;
    change.isr = std::move(isr);
    auto reply = bench.call<IsrItem>([&](Cluster&, int64_t deadline_ms, auto done) {
      return make_alter_partition(Bench::caller(broker), {change}, deadline_ms, done);
    });
    return reply.items.at(0);
  };
  EXPECT_FALSE(change(0, 0, {BrokerId(0)}).error);
  EXPECT_EQ(change(1, 0, {BrokerId(0)}).error->code(), Errc::fenced_leader_epoch);
  EXPECT_EQ(change(0, 3, {BrokerId(0)}).error->code(), Errc::invalid_update_version);
  EXPECT_EQ(change(0, 0, {BrokerId(0), BrokerId(1)}).error->code(), Errc::invalid_request);
  EXPECT_EQ(change(0, 0, {}).error->code(), Errc::invalid_request);
}

// Two replicas, as a tool writes them by hand: one leads, the other is not in sync; then hands put
// it in sync.
TEST(Partitions, ElectionsAmongReplicas) {
  Bench bench;
  Registration zero = bench.broker(0);
  Registration one = bench.broker(1);
  ASSERT_FALSE(bench.create("/brokers/topics/t", R"({"version":2,"partitions":{"0":[0,1]}})"));
  bench.settle();
  EXPECT_EQ(bench.state("t", 0)->leader, BrokerId(0));
  EXPECT_EQ(bench.state("t", 0)->isr, std::vector<BrokerId>{BrokerId(0)});
  IsrChange grow;
  grow.topic = "t";
  grow.leader_epoch = LeaderEpoch(0);
  grow.partition_epoch = 0;
  grow.isr = {BrokerId(0), BrokerId(1)};
  auto grown = bench.call<IsrItem>([&](Cluster&, int64_t deadline_ms, auto done) {
    return make_alter_partition(Bench::caller(zero), {grow}, deadline_ms, done);
  });
  ASSERT_FALSE(grown.items.at(0).error) << grown.items[0].error->what();
  EXPECT_EQ(grown.items[0].now.partition_epoch, 1);
  // Controlled shutdown moves the leader and leaves nothing.
  auto moved = bench.call<TopicPartition>([&](Cluster& cluster, int64_t deadline_ms, auto done) {
    return make_controlled_shutdown(Bench::caller(zero), cluster.facts(), deadline_ms, done);
  });
  EXPECT_FALSE(moved.error);
  EXPECT_TRUE(moved.items.empty());
  EXPECT_EQ(bench.state("t", 0)->leader, BrokerId(1));
  EXPECT_EQ(bench.state("t", 0)->isr, std::vector<BrokerId>{BrokerId(1)});
  // Back in sync, and preferred.
  ASSERT_FALSE(
      bench.set("/brokers/topics/t/partitions/0/state",
                R"({"controller_epoch":1,"leader":1,"version":1,"leader_epoch":1,"isr":[1,0]})"));
  ASSERT_FALSE(bench.create(
      "/admin/preferred_replica_election",
      R"({"version":1,"partitions":[{"topic":"t","partition":0},{"topic":"no","partition":3}]})"));
  bench.settle();
  EXPECT_FALSE(bench.exists("/admin/preferred_replica_election"));
  EXPECT_EQ(bench.state("t", 0)->leader, BrokerId(0));
  EXPECT_EQ(bench.state("t", 0)->leader_epoch, LeaderEpoch(2));
  // The leader goes: the other one in sync leads.
  bench.leave(zero);
  EXPECT_EQ(bench.state("t", 0)->leader, BrokerId(1));
  EXPECT_EQ(bench.state("t", 0)->isr, std::vector<BrokerId>{BrokerId(1)});
  // It goes too, and only the one that is not in sync comes back: nobody leads.
  bench.leave(one);
  bench.broker(0);
  EXPECT_EQ(bench.state("t", 0)->leader, BrokerId(-1));
  bench.broker(1);
  EXPECT_EQ(bench.state("t", 0)->leader, BrokerId(1));
  bench.check_image();
}

TEST(Chores, NotificationsAndReassignments) {
  Bench bench;
  bench.broker(0);
  bench.broker(1);
  ASSERT_FALSE(bench.create("/brokers/topics/t", R"({"version":2,"partitions":{"0":[0]}})"));
  bench.settle();
  ASSERT_FALSE(bench.zk({tree::CreateOp("/isr_change_notification/isr_change_", "{}",
                                        tree::NodeKind::persistent, true)}));
  bench.settle();
  EXPECT_TRUE(bench.children("/isr_change_notification").empty());
  const std::string path = "/admin/reassign_partitions";
  ASSERT_FALSE(bench.create(
      path, R"({"version":1,"partitions":[{"topic":"t","partition":0,"replicas":[0]}]})"));
  bench.settle();
  EXPECT_FALSE(bench.exists(path));
  ASSERT_FALSE(
      bench.create(path, R"({"version":1,"partitions":[{"topic":"t","partition":0,"replicas":[1]},)"
                         R"({"topic":"gone","partition":0,"replicas":[1]}]})"));
  bench.settle();
  EXPECT_EQ(bench.data(path),
            R"({"version":1,"partitions":[{"topic":"t","partition":0,"replicas":[1]}]})");
  ASSERT_FALSE(bench.set(path, "nonsense"));
  bench.settle();
  EXPECT_FALSE(bench.exists(path));
  ASSERT_FALSE(bench.create("/admin/preferred_replica_election", "nonsense"));
  bench.settle();
  EXPECT_FALSE(bench.exists("/admin/preferred_replica_election"));
}

TEST(Chores, RecordsOfDeletedTopicsAreBounded) {
  Settings settings;
  settings.deleted_keep = 3;
  settings.deleted_keep_ms = 60'000;
  Bench bench(settings);
  Registration broker = bench.broker(0);
  for (int i = 0; i < 6; ++i) {
    ASSERT_FALSE(bench.create_topic(broker, Bench::topic("t")).error);
    bench.delete_topic(broker, "t");
  }
  bench.settle();
  EXPECT_EQ(bench.image()->deleted_topics.size(), 3u);
  bench.check_image();
  bench.wait(61'000);
  EXPECT_TRUE(bench.image()->deleted_topics.empty());
  bench.check_image();
}

TEST(Chores, ClientsCannotWriteOurRecords) {
  Bench bench;
  bench.broker(0);
  EXPECT_EQ(bench.create("/zookeeper/odradek/x"), Errc::no_auth);
  EXPECT_EQ(bench.remove("/zookeeper/odradek/clusters/%2F/brokers/0"), Errc::no_auth);
  EXPECT_EQ(bench.set("/zookeeper/odradek/clusters/%2F", "{}"), Errc::no_auth);
}

}  // namespace
}  // namespace odradek::coordinator::controller
