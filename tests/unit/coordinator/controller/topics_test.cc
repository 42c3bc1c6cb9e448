// Topics made, changed and deleted by gRPC and by hand.
#include <set>

#include "tests/unit/coordinator/controller/bench.h"

namespace odradek::coordinator::controller {
namespace {

const char* kOnePartition =
    R"({"version":2,"partitions":{"0":[0]},"adding_replicas":{},"removing_replicas":{}})";

TEST(Topics, MadeByCall) {
  Bench bench;
  Registration broker = bench.broker(0);
  NewTopic wanted = Bench::topic("t1", 3);
  wanted.configs["retention.ms"] = "1000";
  TopicItem made = bench.create_topic(broker, wanted);
  ASSERT_FALSE(made.error) << made.error->what();
  EXPECT_EQ(made.partitions, 3);
  EXPECT_EQ(made.replication_factor, 1);
  EXPECT_EQ(bench.data("/brokers/topics/t1"),
            R"({"partitions":{"0":[0],"1":[0],"2":[0]},"topic_id":")" + made.id.to_string() +
                R"(","adding_replicas":{},"removing_replicas":{},"version":3})");
  EXPECT_EQ(bench.data("/config/topics/t1"), R"({"version":1,"config":{"retention.ms":"1000"}})");
  EXPECT_EQ(bench.data("/brokers/topics/t1/partitions/2/state"),
            R"({"controller_epoch":1,"leader":0,"version":1,"leader_epoch":0,"isr":[0]})");
  auto image = bench.image();
  ASSERT_EQ(image->topics.size(), 1u);
  EXPECT_EQ(image->topics.at("t1")->id, made.id);
  EXPECT_EQ(image->topics.at("t1")->partitions.size(), 3u);
  EXPECT_EQ(image->topics.at("t1")->configs.at("retention.ms"), "1000");
  bench.check_image();
}

TEST(Topics, RulesOfNewTopics) {
  Bench bench;
  Registration broker = bench.broker(0);
  ASSERT_FALSE(bench.create_topic(broker, Bench::topic("a.b")).error);
  struct Row {
    const char* name;
    NewTopic topic;
    Errc code;
    const char* what;
  };
  NewTopic both = Bench::topic("both", 1);
  both.assignments[0] = {BrokerId(0)};
  NewTopic gap = Bench::topic("gap", -1, -1);
  gap.assignments[0] = gap.assignments[2] = {BrokerId(0)};
  NewTopic unknown = Bench::topic("unknown", -1, -1);
  unknown.assignments[0] = {BrokerId(9)};
  NewTopic twice = Bench::topic("twice", -1, -1);
  twice.assignments[0] = {BrokerId(0), BrokerId(0)};
  std::vector<Row> rows = {
      {"exists", Bench::topic("a.b"), Errc::topic_exists, "Topic 'a.b' already exists."},
      {"collides", Bench::topic("a_b"), Errc::invalid_topic_name,
       "Topic 'a_b' collides with existing topics: a.b"},
      {"empty", Bench::topic(""), Errc::invalid_topic_name,
       "Topic name is invalid: the empty string is not allowed"},
      {"dots", Bench::topic(".."), Errc::invalid_topic_name,
       "Topic name is invalid: '..' is not allowed"},
      {"slash", Bench::topic("bad/name"), Errc::invalid_topic_name,
       "Topic name is invalid: 'bad/name' contains one or more characters other than ASCII "
       "alphanumerics, '.', '_' and "
       "'-'"},
      {"no partitions", Bench::topic("t", 0), Errc::invalid_partitions,
       "Number of partitions must be larger than 0."},
      {"no replicas", Bench::topic("t", 1, 0), Errc::invalid_replication_factor,
       "Replication factor must be larger than 0."},
      {"too many replicas", Bench::topic("t", 1, 2), Errc::invalid_replication_factor,
       "Replication factor: 2 larger than available brokers: 1."},
      {"counts and assignments", both, Errc::invalid_request, nullptr},
      {"gap", gap, Errc::invalid_replica_assignment,
       "partitions should be a consecutive 0-based integer sequence"},
      {"unknown broker", unknown, Errc::invalid_replica_assignment, nullptr},
      {"twice", twice, Errc::invalid_replica_assignment, nullptr},
      {"huge", Bench::topic("t", 2'000'000'000), Errc::invalid_partitions, nullptr},
  };
  for (Row& row : rows) {
    TopicItem made = bench.create_topic(broker, row.topic);
    ASSERT_TRUE(made.error) << row.name;
    EXPECT_EQ(made.error->code(), row.code) << row.name;
    if (row.what != nullptr) EXPECT_EQ(made.error->what(), row.what) << row.name;
  }
  TopicItem longest = bench.create_topic(broker, Bench::topic(std::string(249, 'n')));
  EXPECT_FALSE(longest.error);
  TopicItem longer = bench.create_topic(broker, Bench::topic(std::string(250, 'n')));
  ASSERT_TRUE(longer.error);
  EXPECT_EQ(longer.error->what(), "Topic name is invalid: the length of '" + std::string(250, 'n') +
                                      "' is longer than the max allowed length 249");
  // Two brokers: the count would do, but replication comes later.
  bench.broker(1);
  TopicItem replicated = bench.create_topic(broker, Bench::topic("t", 1, 2));
  ASSERT_TRUE(replicated.error);
  EXPECT_EQ(replicated.error->code(), Errc::invalid_replication_factor);
  auto dry = bench.create_topics(broker, {Bench::topic("dry", 4)}, true);
  ASSERT_FALSE(dry.items.at(0).error);
  EXPECT_EQ(dry.items[0].partitions, 4);
  EXPECT_FALSE(bench.exists("/brokers/topics/dry"));
  bench.check_image();
}

TEST(Topics, SpreadOverBrokersAndElectedAgain) {
  Bench bench;
  std::vector<Registration> brokers;
  for (int i = 0; i < 3; ++i) brokers.push_back(bench.broker(i));
  ASSERT_FALSE(bench.create_topic(brokers[0], Bench::topic("t", 6)).error);
  bench.settle();
  std::map<BrokerId, int> led;
  for (int i = 0; i < 6; ++i) ++led[bench.state("t", i)->leader];
  for (int i = 0; i < 3; ++i) EXPECT_EQ(led[BrokerId(i)], 2);
  bench.leave(brokers[1]);
  for (int i = 0; i < 6; ++i) {
    auto state = bench.state("t", i);
    bool gone = state->isr[0] == BrokerId(1);
    EXPECT_EQ(state->leader, gone ? BrokerId(-1) : state->isr[0]);
    EXPECT_EQ(state->leader_epoch, LeaderEpoch(gone ? 1 : 0));
    EXPECT_EQ(state->isr.size(), 1u);
  }
  bench.check_image();
  bench.broker(1);
  for (int i = 0; i < 6; ++i) {
    auto state = bench.state("t", i);
    EXPECT_EQ(state->leader, state->isr[0]);
    EXPECT_EQ(state->leader_epoch, LeaderEpoch(state->isr[0] == BrokerId(1) ? 2 : 0));
  }
  bench.check_image();
}

TEST(Topics, MadeByHand) {
  Bench bench;
  bench.broker(0);
  // kafka-topics --zookeeper of 2.5 writes the settings, then the topic.
  ASSERT_FALSE(
      bench.create("/config/topics/x", R"({"version":1,"config":{"segment.bytes":"1500"}})"));
  ASSERT_FALSE(bench.create("/brokers/topics/x", kOnePartition));
  bench.settle();
  auto topic = bench.image()->topics.at("x");
  EXPECT_EQ(topic->configs.at("segment.bytes"), "1500");
  EXPECT_EQ(topic->partitions.at(0).leader, BrokerId(0));
  EXPECT_EQ(bench.data("/brokers/topics/x"),
            R"({"partitions":{"0":[0]},"topic_id":")" + topic->id.to_string() +
                R"(","adding_replicas":{},"removing_replicas":{},"version":3})");
  EXPECT_EQ(bench.data("/brokers/topics/x/partitions/0/state"),
            R"({"controller_epoch":1,"leader":0,"version":1,"leader_epoch":0,"isr":[0]})");
  bench.check_image();
  // The same tool adds partitions, and forgets the id.
  ASSERT_FALSE(
      bench.set("/brokers/topics/x", R"({"version":2,"partitions":{"0":[0],"1":[0],"2":[0]}})"));
  bench.settle();
  auto more = bench.image()->topics.at("x");
  EXPECT_EQ(more->id, topic->id);
  EXPECT_EQ(more->partitions.size(), 3u);
  EXPECT_EQ(more->partitions[2].leader, BrokerId(0));
  EXPECT_TRUE(bench.exists("/brokers/topics/x/partitions/2/state"));
  bench.check_image();
}

// Replicas rewritten by hand are no way to move a partition: its records are where they are.
TEST(Topics, ReplicasRewrittenByHandMoveNothing) {
  Bench bench;
  bench.broker(0);
  bench.broker(1);
  ASSERT_FALSE(bench.create("/brokers/topics/x", kOnePartition));
  bench.settle();
  ASSERT_FALSE(bench.set("/brokers/topics/x", R"({"version":2,"partitions":{"0":[1],"1":[1]}})"));
  bench.settle();
  auto topic = bench.image()->topics.at("x");
  EXPECT_EQ(topic->partitions[0].leader, BrokerId(0));
  EXPECT_EQ(topic->partitions[0].replicas, std::vector<BrokerId>{BrokerId(0)});
  EXPECT_EQ(topic->partitions[1].leader, BrokerId(1));
  bench.broker(0);
  EXPECT_EQ(bench.image()->topics.at("x")->partitions[0].leader, BrokerId(0));
  bench.check_image();
}

// Whatever is written over a topic's znode, no image in between shows another topic, or one
// partition less.
TEST(Topics, ATopicStaysTheSameWhateverIsWrittenOverIt) {
  for (bool crash : {false, true}) {
    Bench bench;
    Registration broker = bench.broker(0);
    TopicItem made = bench.create_topic(broker, Bench::topic("t", 2));
    bench.settle();
    bool same = true;
    auto watch = [&](const Cluster& cluster) {
      auto found = cluster.image()->topics.find("t");
      same &= found != cluster.image()->topics.end() && found->second->id == made.id &&
              found->second->partitions.size() >= 2 &&
              found->second->partitions[1].replicas.size() == 1;
    };
    for (const char* data :
         {R"({"version":1,"partitions":{"0":[0],"1":[0],"2":[0]}})", "nonsense", "",
          R"({"version":2,"partitions":{"0":[0]}})", R"({"version":2,"partitions":{}})",
          R"({"version":3,"topic_id":"v-2k0vXPS9Cc544cHYvxig","partitions":{"0":[0]}})"}) {
      if (!crash) bench.runner->controller().on_image(watch);
      ASSERT_FALSE(bench.set("/brokers/topics/t", data)) << data;
      if (crash) bench.crash();
      bench.settle();
      ASSERT_TRUE(same) << data;
      auto image = bench.image();
      ASSERT_TRUE(image->topics.contains("t")) << data;
      const metadata::Topic& topic = *image->topics.at("t");
      EXPECT_EQ(topic.id, made.id) << data;
      ASSERT_GE(topic.partitions.size(), 2u) << data;
      for (const metadata::Partition& partition : topic.partitions)
        EXPECT_EQ(partition.leader, BrokerId(0)) << data;
      if (crash) bench.check_image();
    }
    EXPECT_TRUE(bench.image()->deleted_topics.empty());
    // A call that writes it anew heals it.
    auto reply = bench.call<TopicItem>([&](Cluster&, int64_t deadline_ms, auto done) {
      return make_create_partitions(Bench::caller(broker), {{"t", 4, {}}}, false, deadline_ms,
                                    done);
    });
    ASSERT_FALSE(reply.items.at(0).error) << reply.items[0].error->what();
    bench.settle();
    EXPECT_NE(bench.data("/brokers/topics/t").find(R"({"0":[0],"1":[0],"2":[0],"3":[0]})"),
              std::string::npos);
  }
}

TEST(Topics, NonsenseByHandIsLeftAlone) {
  Bench bench;
  Registration broker = bench.broker(0);
  for (const char* data :
       {"", "{", "[]", R"({"partitions":[]})", R"({"partitions":{"x":[0]}})",
        R"({"partitions":{"2000000000":[0]}})", R"({"partitions":{"-1":[0]}})",
        R"({"partitions":{"0":["a"]}})", R"({"partitions":{"0":[99999999999]}})"}) {
    ASSERT_FALSE(bench.create("/brokers/topics/x", data)) << data;
    bench.settle();
    EXPECT_EQ(bench.image()->topics.count("x"), 0u) << data;
    EXPECT_FALSE(bench.exists("/brokers/topics/x/partitions")) << data;
    ASSERT_FALSE(bench.remove("/brokers/topics/x")) << data;
    bench.settle();
  }
  // A state that is overwritten with nonsense is written anew, with a later epoch.
  ASSERT_FALSE(bench.create_topic(broker, Bench::topic("t")).error);
  ASSERT_FALSE(bench.set("/brokers/topics/t/partitions/0/state", "nonsense"));
  bench.settle();
  EXPECT_EQ(bench.state("t", 0)->leader_epoch, LeaderEpoch(1));
  EXPECT_EQ(bench.image()->topics.at("t")->partitions[0].leader, BrokerId(0));
  // One with an epoch that is over gets one above all that were.
  ASSERT_FALSE(
      bench.set("/brokers/topics/t/partitions/0/state",
                R"({"controller_epoch":1,"leader":0,"version":1,"leader_epoch":0,"isr":[0]})"));
  bench.settle();
  EXPECT_EQ(bench.state("t", 0)->leader_epoch, LeaderEpoch(2));
  ASSERT_FALSE(bench.set(
      "/brokers/topics/t/partitions/0/state",
      R"({"controller_epoch":1,"leader":0,"version":1,"leader_epoch":2147483647,"isr":[0]})"));
  bench.settle();
  EXPECT_EQ(bench.state("t", 0)->leader_epoch, LeaderEpoch(3));
  bench.check_image();
}

TEST(Topics, DeletedByCallAndByMarker) {
  Bench bench;
  Registration broker = bench.broker(0);
  for (const char* how : {"call", "marker"}) {
    TopicItem made = bench.create_topic(broker, Bench::topic("t", 5));
    ASSERT_FALSE(made.error) << how;
    if (std::string(how) == "call") {
      auto reply = bench.delete_topic(broker, "t");
      ASSERT_FALSE(reply.error);
      EXPECT_FALSE(reply.items.at(0).error);
    } else {
      ASSERT_FALSE(bench.create("/admin/delete_topics/t"));
    }
    bench.settle();
    EXPECT_FALSE(bench.exists("/brokers/topics/t"));
    EXPECT_FALSE(bench.exists("/config/topics/t"));
    EXPECT_FALSE(bench.exists("/admin/delete_topics/t"));
    EXPECT_TRUE(bench.image()->topics.empty());
    ASSERT_FALSE(bench.image()->deleted_topics.empty());
    EXPECT_EQ(bench.image()->deleted_topics.back().id, made.id);
    EXPECT_EQ(bench.image()->deleted_topics.back().name, "t");
    bench.check_image();
  }
  auto unknown = bench.delete_topic(broker, "nosuch");
  EXPECT_EQ(unknown.items.at(0).error->code(), Errc::unknown_topic_or_partition);
  ASSERT_FALSE(bench.create("/admin/delete_topics/nosuch"));
  bench.settle();
  EXPECT_FALSE(bench.exists("/admin/delete_topics/nosuch"));
}

TEST(Topics, DeletionCanBeForbidden) {
  Bench bench;
  RegistrationRequest request = Bench::request(0);
  request.delete_topic_enable = false;
  auto broker = bench.try_register(request);
  ASSERT_TRUE(broker);
  bench.settle();
  ASSERT_FALSE(bench.create_topic(*broker, Bench::topic("t")).error);
  EXPECT_EQ(bench.delete_topic(*broker, "t").items.at(0).error->code(),
            Errc::topic_deletion_disabled);
  ASSERT_FALSE(bench.create("/admin/delete_topics/t"));
  bench.settle();
  EXPECT_TRUE(bench.exists("/brokers/topics/t/partitions/0/state"));
  EXPECT_FALSE(bench.exists("/admin/delete_topics/t"));
}

// deleteall, node by node, the controller at work between any two steps, and up to the settle time
// late.
TEST(Topics, DeleteallNodeByNode) {
  for (int pause_ms : {0, 1, 1'000, 4'999}) {
    Bench bench;
    Registration broker = bench.broker(0);
    TopicItem made = bench.create_topic(broker, Bench::topic("quickstart", 3));
    ASSERT_FALSE(made.error);
    bench.settle();
    for (const std::string& path : bench.bottom_up("/brokers/topics/quickstart")) {
      ASSERT_FALSE(bench.remove(path)) << path << " after " << pause_ms;
      bench.wait(pause_ms);
    }
    bench.wait(20'000);
    EXPECT_FALSE(bench.exists("/brokers/topics/quickstart"));
    EXPECT_FALSE(bench.exists("/config/topics/quickstart"));
    EXPECT_TRUE(bench.image()->topics.empty());
    ASSERT_EQ(bench.image()->deleted_topics.size(), 1u);
    EXPECT_EQ(bench.image()->deleted_topics[0].id, made.id);
    bench.check_image();
  }
}

// The same with the coordinator killed between any two steps.
TEST(Topics, DeleteallAcrossCrashes) {
  Bench probe;
  ASSERT_FALSE(probe.create_topic(probe.broker(0), Bench::topic("t", 2)).error);
  probe.settle();
  size_t steps = probe.bottom_up("/brokers/topics/t").size();
  for (size_t crash_after = 0; crash_after <= steps; ++crash_after) {
    Bench bench;
    Registration broker = bench.broker(0);
    TopicItem made = bench.create_topic(broker, Bench::topic("t", 2));
    bench.settle();
    std::vector<std::string> paths = bench.bottom_up("/brokers/topics/t");
    for (size_t i = 0; i < paths.size(); ++i) {
      if (i == crash_after) bench.crash();
      ASSERT_FALSE(bench.remove(paths[i])) << paths[i] << " crash after " << crash_after;
    }
    if (crash_after == paths.size()) bench.crash();
    bench.wait(20'000);
    EXPECT_TRUE(bench.image()->topics.empty()) << crash_after;
    ASSERT_EQ(bench.image()->deleted_topics.size(), 1u) << crash_after;
    EXPECT_EQ(bench.image()->deleted_topics[0].id, made.id);
    bench.check_image();
  }
}

TEST(Topics, DeleteallAsOneMulti) {
  Bench bench;
  Registration broker = bench.broker(0);
  TopicItem made = bench.create_topic(broker, Bench::topic("t", 3));
  bench.settle();
  std::vector<tree::Operation> ops;
  for (const std::string& path : bench.bottom_up("/brokers/topics/t"))
    ops.push_back(tree::DeleteOp(path));
  ASSERT_FALSE(bench.zk(std::move(ops)));
  // In the very image in which it is gone its record stands.
  bench.settle();
  EXPECT_TRUE(bench.image()->topics.empty());
  EXPECT_EQ(bench.image()->deleted_topics.at(0).id, made.id);
  bench.check_image();
  TopicItem again = bench.create_topic(broker, Bench::topic("t"));
  ASSERT_FALSE(again.error);
  EXPECT_NE(again.id, made.id);
  bench.check_image();
}

// No image shows a topic gone without the record of its deletion.
TEST(Topics, TheRecordComesWithTheDeletion) {
  Bench bench;
  Registration broker = bench.broker(0);
  TopicItem made = bench.create_topic(broker, Bench::topic("t", 2));
  bench.settle();
  bool seen_without = false;
  bench.runner->controller().on_image([&](const Cluster& cluster) {
    bool there = cluster.image()->topics.contains("t");
    bool recorded = !cluster.image()->deleted_topics.empty();
    if (!there && !recorded) seen_without = true;
  });
  for (const std::string& path : bench.bottom_up("/brokers/topics/t"))
    ASSERT_FALSE(bench.remove(path));
  // And made again at once, by hand, under the same name: another topic.
  ASSERT_FALSE(bench.create("/brokers/topics/t", kOnePartition));
  bench.settle();
  EXPECT_FALSE(seen_without);
  ASSERT_TRUE(bench.image()->topics.contains("t"));
  EXPECT_NE(bench.image()->topics.at("t")->id, made.id);
  EXPECT_EQ(bench.image()->topics.at("t")->partitions.size(), 1u);
  EXPECT_EQ(bench.image()->topics.at("t")->partitions[0].leader, BrokerId(0));
  EXPECT_EQ(bench.image()->deleted_topics.at(0).id, made.id);
}

TEST(Topics, APastedIdIsReplaced) {
  Bench bench;
  Registration broker = bench.broker(0);
  TopicItem made = bench.create_topic(broker, Bench::topic("t"));
  bench.settle();
  std::string data = bench.data("/brokers/topics/t");
  ASSERT_FALSE(bench.create("/brokers/topics/copy", data));
  bench.settle();
  EXPECT_NE(bench.image()->topics.at("copy")->id, made.id);
  EXPECT_EQ(bench.image()->topics.at("t")->id, made.id);
  bench.delete_topic(broker, "t");
  ASSERT_FALSE(bench.create("/brokers/topics/t", data));  // from a backup
  bench.settle();
  EXPECT_NE(bench.image()->topics.at("t")->id, made.id);
  bench.check_image();
}

TEST(Topics, AStateThatIsDeletedComesBackAboveItsEpoch) {
  for (bool crash : {false, true}) {
    Bench bench;
    Registration broker = bench.broker(0);
    ASSERT_FALSE(bench.create_topic(broker, Bench::topic("t", 2)).error);
    Registration again = bench.broker(0);  // epoch 1 now
    ASSERT_FALSE(bench.remove("/brokers/topics/t/partitions/0/state"));
    if (crash) bench.crash();
    bench.settle();
    EXPECT_FALSE(bench.state("t", 0));
    EXPECT_EQ(bench.image()->topics.at("t")->partitions[0].leader, BrokerId(-1));
    EXPECT_EQ(bench.image()->topics.at("t")->partitions[1].leader, BrokerId(0));
    bench.wait(4'900);
    EXPECT_FALSE(bench.state("t", 0));
    bench.wait(200);
    ASSERT_TRUE(bench.state("t", 0));
    EXPECT_EQ(bench.state("t", 0)->leader_epoch, LeaderEpoch(2));
    EXPECT_EQ(bench.image()->topics.at("t")->partitions[0].leader, BrokerId(0));
    bench.check_image();
  }
}

TEST(Topics, WithoutBrokersNothingIsLedAndDeletionsAreKept) {
  Bench bench;
  Registration broker = bench.broker(0);
  TopicItem gone = bench.create_topic(broker, Bench::topic("gone"));
  ASSERT_FALSE(bench.create_topic(broker, Bench::topic("stays")).error);
  bench.leave(broker);
  EXPECT_EQ(bench.state("stays", 0)->leader, BrokerId(-1));
  EXPECT_EQ(bench.state("stays", 0)->isr, std::vector<BrokerId>{BrokerId(0)});
  for (const std::string& path : bench.bottom_up("/brokers/topics/gone"))
    ASSERT_FALSE(bench.remove(path));
  ASSERT_FALSE(bench.create("/brokers/topics/new", kOnePartition));
  bench.crash();
  bench.wait(10'000);
  EXPECT_FALSE(bench.exists("/brokers/topics/new/partitions"));
  bench.broker(0);
  EXPECT_EQ(bench.state("stays", 0)->leader, BrokerId(0));
  EXPECT_EQ(bench.state("new", 0)->leader, BrokerId(0));
  ASSERT_EQ(bench.image()->deleted_topics.size(), 1u);
  EXPECT_EQ(bench.image()->deleted_topics[0].id, gone.id);
  bench.check_image();
}

TEST(Topics, MorePartitions) {
  Bench bench;
  Registration broker = bench.broker(0);
  ASSERT_FALSE(bench.create_topic(broker, Bench::topic("t", 3)).error);
  auto grow = [&](int32_t total, Assignments assignments = {}, bool dry = false) {
    auto reply = bench.call<TopicItem>([&](Cluster&, int64_t deadline_ms, auto done) {
      return make_create_partitions(Bench::caller(broker), {{"t", total, assignments}}, dry,
                                    deadline_ms, done);
    });
    return reply.items.at(0);
  };
  EXPECT_EQ(grow(2).error->what(),
            "Topic currently has 3 partitions, which is higher than the requested 2.");
  EXPECT_EQ(grow(3).error->what(), "Topic already has 3 partitions.");
  EXPECT_EQ(grow(5, {{BrokerId(0)}}).error->code(), Errc::invalid_replica_assignment);
  EXPECT_EQ(grow(4, {{BrokerId(5)}}).error->code(), Errc::invalid_replica_assignment);
  EXPECT_FALSE(grow(4, {}, true).error);
  bench.settle();
  EXPECT_EQ(bench.image()->topics.at("t")->partitions.size(), 3u);
  EXPECT_FALSE(grow(5).error);
  bench.settle();
  EXPECT_EQ(bench.image()->topics.at("t")->partitions.size(), 5u);
  EXPECT_EQ(bench.state("t", 4)->leader, BrokerId(0));
  bench.check_image();
}

// Whatever moment the coordinator dies in, it converges to the same.
TEST(Topics, ConvergesAfterAnyCrash) {
  for (int crash_at = 0; crash_at < 14; ++crash_at) {
    Bench bench;
    int steps = 0;
    auto go = [&] {
      while (bench.committer->waiting()) {
        if (steps++ == crash_at) {
          bench.crash();
          return false;
        }
        bench.step();
      }
      return true;
    };
    Registration broker;
    auto settle_or_crash = [&] {
      while (!go()) {
      }
      bench.settle();
    };
    auto asked = bench.runner->controller().register_broker("", Bench::request(0), 1'000'000,
                                                            [&](Result<Registration> outcome) {
                                                              if (outcome) broker = *outcome;
                                                            });
    ASSERT_TRUE(asked);
    bench.runner->tick();
    settle_or_crash();
    if (!bench.exists("/brokers/ids/0")) bench.broker(0);
    ASSERT_FALSE(
        bench.create("/brokers/topics/x", R"({"version":2,"partitions":{"0":[0],"1":[0]}})"));
    settle_or_crash();
    ASSERT_FALSE(bench.create("/admin/delete_topics/x"));
    settle_or_crash();
    ASSERT_FALSE(bench.create("/brokers/topics/y", kOnePartition));
    settle_or_crash();
    bench.wait(30'000 - 20'000);
    if (!bench.exists("/brokers/ids/0")) bench.broker(0);
    bench.wait(6'000);
    EXPECT_EQ(bench.image()->topics.count("x"), 0u) << crash_at;
    ASSERT_EQ(bench.image()->topics.count("y"), 1u) << crash_at;
    EXPECT_EQ(bench.image()->topics.at("y")->partitions[0].leader, BrokerId(0)) << crash_at;
    EXPECT_FALSE(bench.exists("/admin/delete_topics/x")) << crash_at;
    EXPECT_EQ(bench.image()->controller, BrokerId(0)) << crash_at;
    EXPECT_EQ(bench.image()->deleted_topics.size(), 1u) << crash_at;
    bench.check_image();
  }
}

}  // namespace
}  // namespace odradek::coordinator::controller
