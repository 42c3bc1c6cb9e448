// Kafka's JSON, as captured from Kafka 2.5.0 and 3.5.2 (facts/znodes.tsv).
#include "coordinator/metadata/znodes.h"

#include <gtest/gtest.h>

namespace odradek::coordinator::metadata {
namespace {

TEST(Znodes, EncodedAsKafkaDoes) {
  Broker broker;
  broker.rack = "rack0";
  broker.endpoints = {{"PLAINTEXT", "127.0.0.1", 29192, "PLAINTEXT"},
                      {"INTERNAL", "127.0.0.1", 29193, "PLAINTEXT"}};
  const std::string captured =
      R"({"features":{},"listener_security_protocol_map":{"PLAINTEXT":"PLAINTEXT","INTERNAL":"PLAINTEXT"},)"
      R"("endpoints":["PLAINTEXT://127.0.0.1:29192","INTERNAL://127.0.0.1:29193"],"rack":"rack0","jmx_port":-1,)"
      R"("port":29192,"host":"127.0.0.1","version":5,"timestamp":"1600000000000"})";
  EXPECT_EQ(encode_broker(broker, -1, 1600000000000), captured);
  auto decoded = decode_broker(captured);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->endpoints, broker.endpoints);
  EXPECT_EQ(decoded->rack, broker.rack);

  broker.rack.reset();
  broker.endpoints = {{"SSL", "::1", 9093, "SSL"}};
  EXPECT_EQ(
      encode_broker(broker, 9999, 1),
      R"({"features":{},"listener_security_protocol_map":{"SSL":"SSL"},"endpoints":["SSL://[::1]:9093"],)"
      R"("jmx_port":9999,"port":-1,"host":null,"version":5,"timestamp":"1"})");
  EXPECT_EQ(decode_broker(encode_broker(broker, 9999, 1))->endpoints, broker.endpoints);

  EXPECT_EQ(encode_controller(BrokerId(0), 1600000000000),
            R"({"version":2,"brokerid":0,"timestamp":"1600000000000","kraftControllerEpoch":-1})");
  EXPECT_EQ(encode_config_change("topics/t1"), R"({"version":2,"entity_path":"topics/t1"})");
  EXPECT_EQ(encode_producer_ids({BrokerId(0), 0, 999}),
            R"({"version":1,"broker":0,"block_start":"0","block_end":"999"})");
  EXPECT_EQ(encode_configs({{"retention.ms", "-1"}}),
            R"({"version":1,"config":{"retention.ms":"-1"}})");
  EXPECT_EQ(encode_configs({{"quote\"", "한국어\n"}}),
            "{\"version\":1,\"config\":{\"quote\\\"\":\"한국어\\n\"}}");
}

TEST(Znodes, TopicsOfEveryVersion) {
  for (
      const char* data : {
          R"({"version":1,"partitions":{"1":[1,0],"0":[0]}})",
          R"({"version":2,"partitions":{"0":[0],"1":[1,0]},"adding_replicas":{"1":[0]},"removing_replicas":{}})",
          R"({"partitions":{"0":[0],"1":[1,0]},"topic_id":"v-2k0vXPS9Cc544cHYvxig","adding_replicas":{},"removing_replicas":{},"version":3})",
      }) {
    auto topic = decode_topic(data);
    ASSERT_TRUE(topic) << data;
    ASSERT_EQ(topic->partitions.size(), 2u);
    EXPECT_EQ(topic->partitions.at(1).replicas, (std::vector<BrokerId>{BrokerId(1), BrokerId(0)}));
  }
  const std::string captured =
      R"({"partitions":{"0":[1]},"topic_id":"v-2k0vXPS9Cc544cHYvxig","adding_replicas":{},"removing_replicas":{},"version":3})";
  EXPECT_EQ(encode_topic(*decode_topic(captured)), captured);
  EXPECT_FALSE(decode_topic(R"({"partitions":{"0":[0]},"adding_replicas":[]})"));
  EXPECT_FALSE(decode_topic(R"({"version":3})"));
}

TEST(Znodes, OurRecordsComeBack) {
  TopicLedger ledger;
  ledger.id = Uuid::random();
  ledger.czxid = Zxid(77);
  ledger.epochs = {3, -1, 0};
  auto read = decode_ledger(encode_ledger(ledger));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->id, ledger.id);
  EXPECT_EQ(read->czxid, ledger.czxid);
  EXPECT_EQ(read->epochs, ledger.epochs);

  BrokerIdentity identity;
  identity.directories = {Uuid::random(), Uuid::random()};
  identity.incarnation = Uuid::random();
  identity.session = SessionId(-5);  // ids with the high bit set are written as they are shown
  identity.delete_topic_enable = false;
  auto back = decode_identity(encode_identity(identity));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->directories, identity.directories);
  EXPECT_EQ(back->session, identity.session);
  EXPECT_FALSE(back->delete_topic_enable);

  auto own = decode_own(encode_own({"/a b/ü", SessionId(0x1000)}));
  ASSERT_TRUE(own);
  EXPECT_EQ(own->chroot, "/a b/ü");
  EXPECT_EQ(ClusterPaths::name_of_chroot(""), "%2F");
  EXPECT_EQ(ClusterPaths::name_of_chroot("/a/b%"), "%2Fa%2Fb%25");
}

TEST(Znodes, NonsenseGivesNothing) {
  for (const char* data :
       {"", "null", "[]", "1", "{", "\"x\"", "{}", R"({"partitions":3})", "\xff\xfe"}) {
    EXPECT_FALSE(decode_topic(data)) << data;
    EXPECT_FALSE(decode_state(data)) << data;
    EXPECT_FALSE(decode_broker(data)) << data;
    EXPECT_FALSE(decode_controller(data)) << data;
    EXPECT_FALSE(decode_producer_ids(data)) << data;
    EXPECT_FALSE(decode_partition_list(data)) << data;
    EXPECT_FALSE(decode_reassignment(data)) << data;
    EXPECT_FALSE(decode_ledger(data)) << data;
    EXPECT_FALSE(decode_identity(data)) << data;
  }
  EXPECT_FALSE(decode_state(R"({"leader":18446744073709551615,"leader_epoch":0,"isr":[]})"));
  EXPECT_FALSE(decode_producer_ids(R"({"block_start":"9","block_end":"3"})"));
}

}  // namespace
}  // namespace odradek::coordinator::metadata
