#include "broker/api/fetch_session.h"

#include <gtest/gtest.h>

namespace odradek::broker::api {
namespace {

constexpr int16_t kByName = 12;
constexpr int16_t kById = 13;

struct Wanted {
  std::string topic;
  int32_t partition;
  int64_t offset;
};

kafka::FetchRequest request(int32_t id, int32_t epoch, std::vector<Wanted> wanted,
                            std::vector<std::pair<std::string, int32_t>> forgotten = {}) {
  kafka::FetchRequest made;
  made.session_id = id;
  made.session_epoch = epoch;
  for (const Wanted& want : wanted) {
    kafka::FetchRequest::FetchTopic topic;
    topic.topic = want.topic;
    kafka::FetchRequest::FetchPartition partition;
    partition.partition = want.partition;
    partition.fetch_offset = want.offset;
    partition.partition_max_bytes = 1000;
    topic.partitions.push_back(partition);
    made.topics.push_back(topic);
  }
  for (const auto& [name, partition] : forgotten) {
    kafka::FetchRequest::ForgottenTopic topic;
    topic.topic = name;
    topic.partitions.push_back(partition);
    made.forgotten_topics_data.push_back(topic);
  }
  return made;
}

FetchOutcome outcome(int64_t high_watermark, size_t bytes = 0, int16_t error = 0) {
  FetchOutcome made;
  made.data.high_watermark = high_watermark;
  made.data.log_start_offset = 0;
  made.data.error_code = error;
  made.slice.size = bytes;
  return made;
}

class FetchSessionTest : public testing::Test {
 protected:
  // A session over a-0 and a-1, both empty.
  int32_t open(FetchSessionCache& cache, int64_t now = 0) {
    auto plan = cache.begin(request(0, 0, {{"a", 0, 0}, {"a", 1, 0}}), kByName, now);
    EXPECT_EQ(plan.kind, FetchKind::full);
    std::vector<bool> news;
    cache.complete(plan, {outcome(0), outcome(0)}, news, now);
    EXPECT_EQ(news, (std::vector<bool>{true, true}));
    return plan.session_id;
  }

  FetchSessionCache cache_{1, 4, 10, 120'000};
};

TEST_F(FetchSessionTest, IdsNameTheShard) {
  for (int i = 0; i < 5; ++i) {
    int32_t id = open(cache_);
    EXPECT_GT(id, 0);
    EXPECT_EQ(id % 4, 1);
  }
  EXPECT_EQ(cache_.sessions(), 5u);
  EXPECT_EQ(cache_.partitions(), 10u);
}

TEST_F(FetchSessionTest, AnIncrementalFetchAnswersWithNewsOnly) {
  int32_t id = open(cache_);
  auto plan = cache_.begin(request(id, 1, {}), kByName, 1);
  ASSERT_EQ(plan.kind, FetchKind::incremental);
  ASSERT_EQ(plan.targets.size(), 2u);
  std::vector<bool> news;
  cache_.complete(plan, {outcome(0), outcome(5, 100)}, news, 1);
  EXPECT_EQ(news, (std::vector<bool>{false, true}));

  // what was served is read last the next time; nothing new means an empty answer
  plan = cache_.begin(request(id, 2, {{"a", 1, 5}}), kByName, 2);
  ASSERT_EQ(plan.targets.size(), 2u);
  EXPECT_EQ(plan.targets[0].partition, 0);
  EXPECT_EQ(plan.targets[1].partition, 1);
  EXPECT_EQ(plan.targets[1].fetch_offset, 5);
  cache_.complete(plan, {outcome(0), outcome(5)}, news, 2);
  EXPECT_EQ(news, (std::vector<bool>{false, false}));

  // a high watermark that moved is news without records
  plan = cache_.begin(request(id, 3, {}), kByName, 3);
  cache_.complete(plan, {outcome(1), outcome(5)}, news, 3);
  EXPECT_EQ(news, (std::vector<bool>{true, false}));
}

TEST_F(FetchSessionTest, AnErrorIsToldUntilItHasGoneAndThenTheRecovery) {
  int32_t id = open(cache_);
  std::vector<bool> news;
  for (int32_t epoch = 1; epoch <= 2; ++epoch) {
    auto plan = cache_.begin(request(id, epoch, {}), kByName, epoch);
    cache_.complete(plan, {outcome(-1, 0, 6), outcome(0)}, news, epoch);
    EXPECT_EQ(news, (std::vector<bool>{true, false}));
  }
  auto plan = cache_.begin(request(id, 3, {}), kByName, 3);
  cache_.complete(plan, {outcome(0), outcome(0)}, news, 3);
  EXPECT_EQ(news, (std::vector<bool>{true, false}));
}

TEST_F(FetchSessionTest, PartitionsJoinAndAreForgotten) {
  int32_t id = open(cache_);
  auto plan = cache_.begin(request(id, 1, {{"b", 7, 3}}, {{"a", 0}}), kByName, 1);
  ASSERT_EQ(plan.targets.size(), 2u);
  EXPECT_EQ(plan.targets[0].topic, "a");
  EXPECT_EQ(plan.targets[0].partition, 1);
  EXPECT_EQ(plan.targets[1].topic, "b");
  std::vector<bool> news;
  cache_.complete(plan, {outcome(0), outcome(3)}, news, 1);
  EXPECT_EQ(news, (std::vector<bool>{false, true})) << "a new partition is told once";
  // the last one gone: the session is over
  plan = cache_.begin(request(id, 2, {}, {{"a", 1}, {"b", 7}}), kByName, 2);
  EXPECT_EQ(plan.kind, FetchKind::sessionless);
  EXPECT_EQ(plan.session_id, 0);
  EXPECT_EQ(cache_.sessions(), 0u);
  EXPECT_EQ(cache_.partitions(), 0u);
}

TEST_F(FetchSessionTest, RefusesWrongIdsEpochsAndKindsOfNames) {
  int32_t id = open(cache_);
  EXPECT_EQ(cache_.begin(request(id + 4, 1, {}), kByName, 1).error,
            ErrorCode::fetch_session_id_not_found);
  EXPECT_EQ(cache_.begin(request(id, 2, {}), kByName, 1).error,
            ErrorCode::invalid_fetch_session_epoch);
  EXPECT_EQ(cache_.begin(request(id, 1, {}), kById, 1).error,
            ErrorCode::fetch_session_topic_id_error);
  EXPECT_EQ(cache_.begin(request(id, 1, {}), kByName, 1).error, ErrorCode::none);
  EXPECT_EQ(cache_.begin(request(id, 1, {}), kByName, 1).error,
            ErrorCode::invalid_fetch_session_epoch)
      << "a request that is sent twice";
}

TEST_F(FetchSessionTest, EpochMinusOneEndsTheSession) {
  int32_t id = open(cache_);
  auto plan = cache_.begin(request(id, -1, {{"a", 0, 0}}), kByName, 1);
  EXPECT_EQ(plan.kind, FetchKind::sessionless);
  EXPECT_EQ(cache_.sessions(), 0u);
}

TEST_F(FetchSessionTest, EpochZeroReplacesTheSession) {
  int32_t id = open(cache_);
  auto plan = cache_.begin(request(id, 0, {{"a", 0, 0}}), kByName, 1);
  EXPECT_EQ(plan.kind, FetchKind::full);
  std::vector<bool> news;
  cache_.complete(plan, {outcome(0)}, news, 1);
  EXPECT_NE(plan.session_id, id);
  EXPECT_EQ(cache_.sessions(), 1u);
}

TEST_F(FetchSessionTest, BeforeVersion7ThereAreNone) {
  auto plan = cache_.begin(request(0, 0, {{"a", 0, 0}}), 6, 0);
  EXPECT_EQ(plan.kind, FetchKind::sessionless);
}

TEST(FetchSessionEviction, KeepsUsedSessionsAndPushesOutStaleOnes) {
  FetchSessionCache cache(0, 1, 2, 120'000);
  std::vector<bool> news;
  auto open = [&](size_t partitions, int64_t now) {
    std::vector<Wanted> wanted;
    std::vector<FetchOutcome> outcomes;
    for (size_t i = 0; i < partitions; ++i) {
      wanted.push_back({"t", static_cast<int32_t>(i), 0});
      outcomes.push_back(outcome(0));
    }
    auto plan = cache.begin(request(0, 0, wanted), kByName, now);
    cache.complete(plan, outcomes, news, now);
    return plan.session_id;
  };
  int32_t small = open(1, 0);
  int32_t large = open(5, 0);
  EXPECT_NE(small, 0);
  EXPECT_NE(large, 0);
  EXPECT_EQ(open(9, 1'000), 0) << "both are fresh";
  // after the eviction time a larger one may push out the smaller one, also when that is in use
  auto plan = cache.begin(request(small, 1, {}), kByName, 119'000);
  cache.complete(plan, {outcome(0)}, news, 119'000);
  plan = cache.begin(request(large, 1, {}), kByName, 119'000);
  cache.complete(plan, std::vector<FetchOutcome>(5), news, 119'000);
  int32_t third = open(3, 121'000);
  EXPECT_NE(third, 0);
  EXPECT_EQ(cache.begin(request(small, 2, {}), kByName, 121'000).error,
            ErrorCode::fetch_session_id_not_found);
  EXPECT_EQ(cache.begin(request(large, 2, {}), kByName, 121'000).error, ErrorCode::none);
  // unused for long: anyone goes in its place
  EXPECT_NE(open(1, 400'000), 0);
  EXPECT_LE(cache.sessions(), 2u);
}

TEST(FetchSessionEviction, NoSlotsMeansNoSessions) {
  FetchSessionCache cache(0, 1, 0, 120'000);
  auto plan = cache.begin(request(0, 0, {{"a", 0, 0}}), kByName, 0);
  std::vector<bool> news;
  cache.complete(plan, {outcome(0)}, news, 0);
  EXPECT_EQ(plan.session_id, 0);
}

}  // namespace
}  // namespace odradek::broker::api
