#include "coordinator/tree/quota.h"

#include <gtest/gtest.h>

namespace odradek::coordinator::tree {
namespace {

using Q = QuotaNumbers;

TEST(Quota, PathsOfItsZnodes) {
  EXPECT_EQ(quota_limits_path("/a/b"), "/zookeeper/quota/a/b/zookeeper_limits");
  EXPECT_EQ(quota_stats_path("/a"), "/zookeeper/quota/a/zookeeper_stats");
  EXPECT_EQ(quota_of("/zookeeper/quota/a/b/zookeeper_limits", kQuotaLimits), "/a/b");
  EXPECT_EQ(quota_of("/zookeeper/quota/a/zookeeper_stats", kQuotaStats), "/a");
  EXPECT_EQ(quota_of("/zookeeper/quota/a/zookeeper_stats", kQuotaLimits), std::nullopt);
  EXPECT_EQ(quota_of("/zookeeper/quota/zookeeper_limits", kQuotaLimits), "");
  EXPECT_EQ(quota_of("/zookeeper/quotas/a/zookeeper_limits", kQuotaLimits), std::nullopt);
  EXPECT_EQ(quota_of("/a/zookeeper_limits", kQuotaLimits), std::nullopt);
}

// What zkCli 3.8.4 and the server write.
TEST(Quota, NumbersAsText) {
  for (const char* text : {"count=5,bytes=-1", "count=2,bytes=9",
                           "count=5,bytes=20=;byteHardLimit=100;countHardLimit=4"}) {
    auto numbers = Q::parse(text);
    ASSERT_TRUE(numbers.ok()) << text;
    EXPECT_EQ(numbers->text(), text);
  }
  auto numbers = Q::parse("countHardLimit=4,count=+5;;bytes=-7=");
  ASSERT_TRUE(numbers.ok());
  EXPECT_EQ(numbers->get(Q::kCount), 5);
  EXPECT_EQ(numbers->get(Q::kBytes), -7);
  EXPECT_EQ(numbers->get(Q::kCountHardLimit), 4);
  EXPECT_EQ(numbers->get(Q::kByteHardLimit), -1);
  EXPECT_EQ(numbers->text(), "count=5,bytes=-7=;countHardLimit=4");
  EXPECT_EQ(Q::parse("")->text(), "count=-1,bytes=-1");
  EXPECT_EQ(Q::parse("other=1")->text(), "count=-1,bytes=-1=;other=1");
  EXPECT_EQ(Q::parse("count==5")->get(Q::kCount), -1);
}

TEST(Quota, TextsThatZooKeeperCannotRead) {
  for (const char* text : {"rubbish", "count", "count=", "count=x", ",count=1", "count=1,bytes",
                           "count=99999999999999999999", "count=+-1"}) {
    EXPECT_FALSE(Q::parse(text).ok()) << text;
  }
}

}  // namespace
}  // namespace odradek::coordinator::tree
