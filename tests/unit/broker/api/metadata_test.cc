#include "broker/api/metadata.h"

#include "broker/api/api_versions.h"
#include "broker/api/describe_cluster.h"
#include "broker/api/describe_topic_partitions.h"
#include "broker/api/served_versions.h"
#include "broker/api/topics.h"
#include "proto/kafka/api_versions.h"
#include "proto/kafka/describe_cluster.h"
#include "proto/kafka/describe_topic_partitions.h"
#include "proto/kafka/metadata.h"
#include "tests/unit/broker/api/api_fixture.h"

namespace odradek::broker::api {
namespace {

class MetadataTest : public ApiTest {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    make_topic("a", 2);
    make_topic("__consumer_offsets", 1);
    auto next = std::make_shared<metadata::Image>(*image_);
    next->cluster_id = "cluster";
    next->controller = BrokerId(1);
    metadata::Broker broker;
    broker.id = BrokerId(1);
    broker.endpoints.push_back({"PLAINTEXT", "host", 9092, "PLAINTEXT"});
    broker.endpoints.push_back({"INTERNAL", "inside", 9094, "PLAINTEXT"});
    next->brokers[BrokerId(1)] = broker;
    image_ = next;
  }

  kafka::MetadataResponse ask_for(std::optional<std::vector<std::string>> names, int16_t version) {
    kafka::MetadataRequest asked;
    asked.allow_auto_topic_creation = false;
    asked.topics.reset();
    if (names) {
      asked.topics.emplace();
      for (const auto& name : *names) asked.topics->push_back({Uuid{}, name});
    }
    Bytes bytes = bytes_of(ask(handle_metadata, asked, version));
    return read<kafka::MetadataResponse>(bytes, version);
  }
};

TEST_F(MetadataTest, AllTopicsInEveryVersion) {
  for (int16_t version = 1; version <= 13; ++version) {
    auto response = ask_for(std::nullopt, version);
    ASSERT_EQ(response.brokers.size(), 1u);
    EXPECT_EQ(response.brokers[0].host, "host");
    EXPECT_EQ(response.brokers[0].port, 9092);
    EXPECT_EQ(response.controller_id, 1);
    ASSERT_EQ(response.topics.size(), 2u) << version;
    EXPECT_TRUE(response.topics[0].is_internal);
    EXPECT_EQ(response.topics[1].name, "a");
    ASSERT_EQ(response.topics[1].partitions.size(), 2u);
    EXPECT_EQ(response.topics[1].partitions[1].leader_id, 1);
    EXPECT_EQ(response.topics[1].partitions[1].replica_nodes, std::vector<int32_t>{1});
  }
  EXPECT_EQ(ask_for(std::vector<std::string>{}, 0).topics.size(), 2u)
      << "version 0: an empty list is all";
  EXPECT_EQ(ask_for(std::vector<std::string>{}, 1).topics.size(), 0u);
}

TEST_F(MetadataTest, ALeaderWithoutThisListenerHasTheErrorThatTheVersionKnows) {
  auto next = std::make_shared<metadata::Image>(*image_);
  auto& endpoints = next->brokers[BrokerId(1)].endpoints;
  std::erase_if(endpoints, [](const auto& endpoint) { return endpoint.listener == "PLAINTEXT"; });
  image_ = next;
  for (int16_t version = 0; version <= 13; ++version) {
    auto response = ask_for(std::vector<std::string>{"a"}, version);
    ASSERT_EQ(response.topics[0].partitions.size(), 2u);
    EXPECT_EQ(response.topics[0].partitions[0].leader_id, -1);
    EXPECT_EQ(response.topics[0].partitions[0].error_code,
              wire(version < 6 ? ErrorCode::leader_not_available : ErrorCode::listener_not_found))
        << version;
    EXPECT_EQ(response.topics[0].partitions[0].replica_nodes.size(), version == 0 ? 0u : 1u);
    EXPECT_EQ(response.topics[0].partitions[0].isr_nodes.size(), version == 0 ? 0u : 1u);
  }
}

TEST_F(MetadataTest, Version0NamesOnlyReplicasThatItsClientCanReach) {
  auto next = std::make_shared<metadata::Image>(*image_);
  auto topic = std::make_shared<metadata::Topic>(*next->topic("a"));
  topic->partitions[0].replicas = {BrokerId(1), BrokerId(2)};
  next->topics["a"] = topic;
  image_ = next;
  auto old = ask_for(std::vector<std::string>{"a"}, 0).topics[0].partitions[0];
  EXPECT_EQ(old.error_code, wire(ErrorCode::replica_not_available));
  EXPECT_EQ(old.leader_id, 1);
  EXPECT_EQ(old.replica_nodes, std::vector<int32_t>{1});
  auto newer = ask_for(std::vector<std::string>{"a"}, 1).topics[0].partitions[0];
  EXPECT_EQ(newer.error_code, 0);
  EXPECT_EQ(newer.replica_nodes, (std::vector<int32_t>{1, 2}));
}

TEST_F(MetadataTest, UnknownAndImpossibleNames) {
  auto response = ask_for(std::vector<std::string>{"a", "b", "x y", ""}, 9);
  ASSERT_EQ(response.topics.size(), 4u);
  EXPECT_EQ(response.topics[0].error_code, 0);
  EXPECT_EQ(response.topics[1].error_code, wire(ErrorCode::unknown_topic_or_partition));
  EXPECT_EQ(response.topics[2].error_code, wire(ErrorCode::invalid_topic_exception));
  EXPECT_EQ(response.topics[3].error_code, wire(ErrorCode::invalid_topic_exception));
}

TEST_F(MetadataTest, ById) {
  kafka::MetadataRequest asked;
  asked.topics->push_back({image_->topic("a")->id, std::nullopt});
  asked.topics->push_back({Uuid::random(), std::nullopt});
  Bytes bytes = bytes_of(ask(handle_metadata, asked, 12));
  auto response = read<kafka::MetadataResponse>(bytes, 12);
  ASSERT_EQ(response.topics.size(), 2u);
  EXPECT_EQ(response.topics[0].name, "a");
  EXPECT_EQ(response.topics[1].error_code, wire(ErrorCode::unknown_topic_id));
  EXPECT_FALSE(response.topics[1].name.has_value());
}

TEST_F(MetadataTest, ClustersAreDescribed) {
  for (int16_t version = 0; version <= 2; ++version) {
    kafka::DescribeClusterRequest asked;
    asked.include_cluster_authorized_operations = true;
    Bytes bytes = bytes_of(ask(handle_describe_cluster, asked, version));
    auto response = read<kafka::DescribeClusterResponse>(bytes, version);
    EXPECT_EQ(response.cluster_id, "cluster");
    EXPECT_EQ(response.controller_id, 1);
    EXPECT_EQ(response.cluster_authorized_operations, kAllClusterOperations);
    ASSERT_EQ(response.brokers.size(), 1u);
  }
}

TEST_F(MetadataTest, TopicsPageByPage) {
  kafka::DescribeTopicPartitionsRequest asked;
  asked.response_partition_limit = 2;
  Bytes bytes = bytes_of(ask(handle_describe_topic_partitions, asked, 0));
  auto first = read<kafka::DescribeTopicPartitionsResponse>(bytes, 0);
  ASSERT_EQ(first.topics.size(), 2u);
  EXPECT_EQ(first.topics[1].partitions.size(), 1u);
  ASSERT_TRUE(first.next_cursor.has_value());
  EXPECT_EQ(first.next_cursor->topic_name, "a");
  EXPECT_EQ(first.next_cursor->partition_index, 1);
  asked.cursor.emplace();
  asked.cursor->topic_name = "a";
  asked.cursor->partition_index = 1;
  bytes = bytes_of(ask(handle_describe_topic_partitions, asked, 0));
  auto second = read<kafka::DescribeTopicPartitionsResponse>(bytes, 0);
  ASSERT_EQ(second.topics.size(), 1u);
  ASSERT_EQ(second.topics[0].partitions.size(), 1u);
  EXPECT_EQ(second.topics[0].partitions[0].partition_index, 1);
  EXPECT_FALSE(second.next_cursor.has_value());
}

TEST_F(MetadataTest, ApiVersionsAnswersEveryVersion) {
  kafka::ApiVersionsRequest asked;
  asked.client_software_name = "test";
  asked.client_software_version = "1.0";
  for (int16_t version = 0; version <= 4; ++version) {
    Bytes bytes = bytes_of(ask(handle_api_versions, asked, version));
    auto response = read<kafka::ApiVersionsResponse>(bytes, version);
    EXPECT_EQ(response.error_code, 0);
    EXPECT_EQ(response.api_keys.size(), served_versions().size());
    EXPECT_TRUE(response.finalized_features.empty());
  }
  asked.client_software_name = "no spaces here";
  Bytes bytes = bytes_of(ask(handle_api_versions, asked, 3));
  EXPECT_EQ(read<kafka::ApiVersionsResponse>(bytes, 3).error_code,
            wire(ErrorCode::invalid_request));
}

TEST_F(MetadataTest, ANewerApiVersionsIsAnsweredInVersion0) {
  std::optional<Answer> answer;
  auto call = [&]() -> asio::awaitable<void> {
    answer.emplace(co_await handle_api_versions(services_, context(kafka::ApiKey::kApiVersions, 9),
                                                "anything"));
  };
  run(call());
  Bytes bytes = bytes_of(*answer);
  // int32 correlation id, int16 error, int32 count, then 6 bytes a row
  ByteReader in(bytes);
  EXPECT_EQ(in.i32(), 77);
  EXPECT_EQ(in.i16(), wire(ErrorCode::unsupported_version));
  EXPECT_EQ(in.i32(), static_cast<int32_t>(served_versions().size()));
  EXPECT_EQ(in.remaining(), 6 * served_versions().size());
}

TEST(TopicNames, KafkasRules) {
  EXPECT_TRUE(is_valid_topic_name("a.b_c-D9"));
  EXPECT_TRUE(is_valid_topic_name(std::string(249, 'a')));
  for (const std::string& name :
       {std::string(), std::string("."), std::string(".."), std::string("a b"),
        std::string("\xc3\xa4"), std::string(250, 'a')}) {
    EXPECT_FALSE(is_valid_topic_name(name)) << name;
  }
}

}  // namespace
}  // namespace odradek::broker::api
