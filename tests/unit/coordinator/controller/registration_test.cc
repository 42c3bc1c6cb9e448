// Brokers come and go: chroots, ids, znodes, the same broker again, another one under its id,
// foreign controllers.
#include "tests/unit/coordinator/controller/bench.h"

namespace odradek::coordinator::controller {
namespace {

TEST(Registration, FirstBrokerMakesTheCluster) {
  Bench bench;
  Registration broker = bench.broker(0);
  EXPECT_EQ(broker.broker_id, BrokerId(0));
  for (const auto& [path, data] : metadata::persistent_znodes())
    EXPECT_TRUE(bench.exists(path)) << path;
  EXPECT_EQ(bench.data("/feature"), R"({"features":{},"version":2,"status":1})");
  EXPECT_EQ(bench.data("/cluster/id"), R"({"version":"1","id":")" + broker.cluster_id + R"("})");
  EXPECT_EQ(broker.cluster_id.size(), 22u);
  EXPECT_EQ(
      bench.data("/brokers/ids/0"),
      R"({"features":{},"listener_security_protocol_map":{"PLAINTEXT":"PLAINTEXT"},)"
      R"("endpoints":["PLAINTEXT://host0:9092"],"jmx_port":-1,"port":9092,"host":"host0","version":5,)"
      R"("timestamp":"1600000000000"})");
  EXPECT_EQ(bench.data("/controller"),
            R"({"version":2,"brokerid":0,"timestamp":"1600000000000","kraftControllerEpoch":-1})");
  EXPECT_EQ(bench.data("/controller_epoch"), "1");
  auto stat = bench.pipeline->applied().stat("/brokers/ids/0");
  EXPECT_EQ(stat->ephemeral_owner, broker.session.session);
  EXPECT_EQ(stat->czxid.value(), broker.broker_epoch);
  EXPECT_NE(bench.pipeline->applied().stat("/controller")->ephemeral_owner, broker.session.session);
  // Only ZooKeeper's and Kafka's names stand at the top.
  EXPECT_EQ(bench.children("/"),
            (std::vector<std::string>{
                "admin", "brokers", "cluster", "config", "consumers", "controller",
                "controller_epoch", "delegation_token", "feature", "isr_change_notification",
                "latest_producer_id_block", "log_dir_event_notification", "zookeeper"}));
  EXPECT_EQ(bench.image()->controller, BrokerId(0));
  EXPECT_EQ(bench.image()->cluster_id, broker.cluster_id);
  bench.check_image();
}

TEST(Registration, ChrootIsMadeAndIdsAreGiven) {
  Bench bench;
  RegistrationRequest request = Bench::request(-1);
  auto first = bench.try_register(request, "/tutorial/two");
  ASSERT_TRUE(first) << first.error().what();
  EXPECT_EQ(first->broker_id, BrokerId(1001));
  EXPECT_EQ(bench.children("/tutorial/two/brokers/ids"), std::vector<std::string>{"1001"});
  request.directories[0].bytes[0] = 9;
  auto second = bench.try_register(request, "/tutorial/two");
  ASSERT_TRUE(second);
  EXPECT_EQ(second->broker_id, BrokerId(1002));
  EXPECT_FALSE(bench.exists("/brokers"));
  bench.settle();
  EXPECT_EQ(bench.cluster("/tutorial/two").image()->brokers.size(), 2u);
  bench.check_image("/tutorial/two");
}

TEST(Registration, ClustersOfTwoChrootsDoNotMeet) {
  Bench bench;
  Registration a = bench.broker(0, "/a");
  Registration b = bench.broker(0, "/b");
  EXPECT_NE(a.cluster_id, b.cluster_id);
  auto made = bench.create_topics(a, {Bench::topic("t")}, false, "/a");
  ASSERT_FALSE(made.error);
  bench.settle();
  EXPECT_EQ(bench.image("/a")->topics.size(), 1u);
  EXPECT_EQ(bench.image("/b")->topics.size(), 0u);
  EXPECT_TRUE(
      bench.create_topics(a, {Bench::topic("t")}, false, "/b").error);  // not registered there
}

TEST(Registration, TheSameBrokerSupersedesItself) {
  Bench bench;
  Registration first = bench.broker(0);
  ASSERT_FALSE(bench.create_topic(first, Bench::topic("t", 2)).error);
  bench.settle();
  EXPECT_EQ(bench.state("t", 0)->leader_epoch, LeaderEpoch(0));
  Registration second = bench.broker(0);
  EXPECT_EQ(second.superseded, first.session.session);
  EXPECT_GT(second.broker_epoch, first.broker_epoch);
  EXPECT_FALSE(bench.pipeline->session_alive(first.session.session));
  // It may have lost what was not synced: a new epoch.
  EXPECT_EQ(bench.state("t", 0)->leader_epoch, LeaderEpoch(1));
  EXPECT_EQ(bench.state("t", 0)->leader, BrokerId(0));
  // What the former one still asks is stale.
  auto reply = bench.create_topics(first, {Bench::topic("late")});
  ASSERT_TRUE(reply.error);
  EXPECT_EQ(reply.error->code(), Errc::stale_broker_epoch);
  bench.check_image();
}

TEST(Registration, AnotherBrokerUnderALivingIdIsRefused) {
  Bench bench;
  Registration first = bench.broker(0);
  RegistrationRequest other = Bench::request(0);
  other.directories[0].bytes[3] = 44;
  auto refused = bench.try_register(other);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Errc::duplicate_broker_id);
  EXPECT_NE(refused.error().what().find("broker.id"), std::string::npos);
  EXPECT_TRUE(bench.pipeline->session_alive(first.session.session));
  bench.leave(first);
  EXPECT_TRUE(bench.try_register(other));
}

TEST(Registration, ClusterIdMismatch) {
  Bench bench;
  RegistrationRequest request = Bench::request(0);
  request.cluster_id = "DFDswXJ1Q4q3yslhKpcg9Q";
  auto lost = bench.try_register(request);
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code(), Errc::cluster_id_mismatch);
  EXPECT_FALSE(bench.exists("/cluster"));  // nothing is made for a broker that is refused
  bench.broker(1);
  auto other = bench.try_register(request);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code(), Errc::cluster_id_mismatch);
}

TEST(Registration, ForeignBrokersAreLeftAlone) {
  Bench bench;
  ASSERT_FALSE(bench.create("/brokers"));
  ASSERT_FALSE(bench.create("/brokers/ids"));
  ASSERT_FALSE(bench.zk({tree::CreateOp("/brokers/ids/7", "{}", tree::NodeKind::ephemeral)}));
  auto refused = bench.try_register(Bench::request(0));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Errc::foreign_controller);
  EXPECT_EQ(bench.children("/brokers"), std::vector<std::string>{"ids"});
  ASSERT_FALSE(bench.remove("/brokers/ids/7"));
  ASSERT_FALSE(bench.zk({tree::CreateOp("/controller", "{}", tree::NodeKind::ephemeral)}));
  EXPECT_FALSE(bench.try_register(Bench::request(0)));
  ASSERT_FALSE(bench.remove("/controller"));
  EXPECT_TRUE(bench.try_register(Bench::request(0)));
}

TEST(Registration, AManagedClusterIsGuarded) {
  Bench bench;
  Registration broker = bench.broker(0);
  EXPECT_EQ(bench.create("/brokers/ids/1", "{}"), Errc::node_exists);
  EXPECT_EQ(bench.create("/controller", "{}"), Errc::node_exists);
  EXPECT_EQ(bench.zk({tree::CheckOp("/"), tree::CreateOp("/brokers/ids/3", "{}")}),
            Errc::node_exists);
  EXPECT_FALSE(bench.create("/other"));
  EXPECT_FALSE(bench.create("/other/controller", "{}"));
  // With the last broker gone a foreign one may come, and is left alone then.
  bench.leave(broker);
  EXPECT_FALSE(bench.exists("/controller"));
  EXPECT_FALSE(bench.zk({tree::CreateOp("/brokers/ids/1", "{}", tree::NodeKind::ephemeral)}));
  EXPECT_FALSE(bench.zk(
      {tree::CreateOp("/controller", R"({"version":1,"brokerid":1})", tree::NodeKind::ephemeral)}));
  EXPECT_FALSE(bench.create("/brokers/topics/x", R"({"version":1,"partitions":{"0":[1]}})"));
  bench.wait(60'000);
  EXPECT_FALSE(bench.exists("/brokers/topics/x/partitions"));
}

TEST(Registration, ControllerIsNamedAnewWhenItsBrokerGoes) {
  Bench bench;
  Registration zero = bench.broker(0);
  Registration one = bench.broker(1);
  EXPECT_EQ(bench.image()->controller, BrokerId(0));
  bench.leave(zero);
  EXPECT_EQ(bench.image()->controller, BrokerId(1));
  EXPECT_NE(bench.data("/controller").find("\"brokerid\":1"), std::string::npos);
  // Somebody deletes /controller, as people do to force an election.
  ASSERT_FALSE(bench.remove("/controller"));
  bench.settle();
  EXPECT_TRUE(bench.exists("/controller"));
  EXPECT_EQ(bench.data("/controller_epoch"), "2");
  bench.check_image();
  // Deleting a broker's znode leaves its session, and the controller sees a broker less.
  ASSERT_FALSE(bench.remove("/brokers/ids/1"));
  bench.settle();
  EXPECT_TRUE(bench.image()->brokers.empty());
  EXPECT_TRUE(bench.pipeline->session_alive(one.session.session));
  EXPECT_TRUE(bench.try_register(Bench::request(1)));
  EXPECT_FALSE(bench.pipeline->session_alive(one.session.session));
}

TEST(Registration, ARestartOfTheCoordinatorExpiresNobody) {
  Bench bench;
  Registration broker = bench.broker(0);
  ASSERT_FALSE(bench.create_topic(broker, Bench::topic("t")).error);
  bench.settle();
  for (int i = 2; i < 5; ++i) {
    bench.crash();
    EXPECT_EQ(bench.data("/controller_epoch"), std::to_string(i));
    EXPECT_TRUE(bench.pipeline->session_alive(broker.session.session));
    EXPECT_EQ(bench.state("t", 0)->leader_epoch, LeaderEpoch(0));
    EXPECT_EQ(bench.image()->topics.size(), 1u);
    bench.check_image();
  }
  // No session of a former process is left behind.
  EXPECT_EQ(bench.pipeline->sessions().size(), 2u);
  // The broker's epoch is good still.
  EXPECT_FALSE(bench.create_topic(broker, Bench::topic("u")).error);
}

}  // namespace
}  // namespace odradek::coordinator::controller
