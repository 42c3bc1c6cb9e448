// Quotas through the pipeline: the stats change with each write, and hard limits refuse.
#include "coordinator/tree/quota.h"

#include "tests/unit/coordinator/pipeline/fixture.h"

namespace odradek::coordinator::pipeline {
namespace {

using tree::CreateOp;
using tree::DeleteOp;
using tree::NodeKind;
using tree::SetDataOp;

class QuotaTest : public PipelineFixture {
 protected:
  QuotaTest() { session = new_session(40000); }

  // As the shell makes it.
  void set_quota(const std::string& path, const std::string& limits) {
    std::string node = "/zookeeper/quota";
    for (size_t at = 0; at < path.size();) {
      size_t end = std::min(path.find('/', at + 1), path.size());
      node += path.substr(at, end - at);
      ask(session, CreateOp(node));
      at = end;
    }
    EXPECT_TRUE(ask(session, CreateOp(node + "/zookeeper_limits", limits)).ok());
    EXPECT_TRUE(ask(session, CreateOp(node + "/zookeeper_stats", "count=0,bytes=0")).ok());
  }
  std::string stats(const std::string& path) const {
    auto node = pipeline->applied().get(tree::quota_stats_path(path));
    return node ? std::string(node->bytes()) : "(none)";
  }
  Errc create(const std::string& path, const std::string& data = "") {
    return error_of(ask(session, CreateOp(path, data)));
  }

  SessionId session;
};

TEST_F(QuotaTest, StatsFollowEveryWrite) {
  create("/a", "12345");
  create("/a/b", "1");
  create("/other", "x");
  set_quota("/a", "count=-1,bytes=-1");
  EXPECT_EQ(stats("/a"), "count=2,bytes=6");
  create("/a/b/c", "22");
  EXPECT_EQ(stats("/a"), "count=3,bytes=8");
  ask(session, SetDataOp("/a/b", "4444"));
  EXPECT_EQ(stats("/a"), "count=3,bytes=11");
  ask(session, SetDataOp("/a/b", std::nullopt));
  EXPECT_EQ(stats("/a"), "count=3,bytes=7");
  ask(session, CreateOp("/a/e", "eeee", NodeKind::ephemeral));
  EXPECT_EQ(stats("/a"), "count=4,bytes=11");
  ask(session, DeleteOp("/a/b/c"));
  EXPECT_EQ(stats("/a"), "count=3,bytes=9");
  create("/other/x", "xxx");
  ask(session, SetDataOp("/other", "yy"));
  EXPECT_EQ(stats("/a"), "count=3,bytes=9");
  // an ephemeral that goes with its session
  pipeline->close_session(session, [](WriteReply) {});
  committer.run();
  EXPECT_EQ(stats("/a"), "count=2,bytes=5");
  ASSERT_TRUE(internal({tree::DeleteTreeOp("/a")}).ok());
  EXPECT_EQ(stats("/a"), "count=0,bytes=0");
}

TEST_F(QuotaTest, TheStatsZnodeChangesNothingButItsData) {
  create("/a");
  set_quota("/a", "count=-1,bytes=-1");
  std::string path = tree::quota_stats_path("/a");
  tree::Stat before = *pipeline->applied().stat(path);
  clock.advance_ms(1000);
  create("/a/b", std::string(12345, 'x'));
  tree::Stat after = *pipeline->applied().stat(path);
  EXPECT_EQ(stats("/a"), "count=2,bytes=12345");
  EXPECT_EQ(after.data_length, 19);
  after.data_length = before.data_length;
  EXPECT_EQ(after, before);
}

TEST_F(QuotaTest, TheNearestQuotaCounts) {
  create("/a");
  create("/a/b");
  set_quota("/a", "count=-1,bytes=-1");
  set_quota("/a/b", "count=-1,bytes=-1");
  create("/a/b/c", "1");
  create("/a/bb", "22");
  EXPECT_EQ(stats("/a/b"), "count=2,bytes=1");
  EXPECT_EQ(stats("/a"), "count=3,bytes=2");
}

TEST_F(QuotaTest, ARefusedMultiCountsNothing) {
  create("/a");
  set_quota("/a", "count=-1,bytes=-1");
  EXPECT_FALSE(multi(session, {CreateOp("/a/b", "1"), DeleteOp("/a/none")}).ok());
  EXPECT_EQ(stats("/a"), "count=1,bytes=0");
  // and one that makes the quota itself counts what it makes
  EXPECT_TRUE(multi(session, {CreateOp("/m"), CreateOp("/zookeeper/quota/m"),
                              CreateOp("/zookeeper/quota/m/zookeeper_limits", "count=5,bytes=-1"),
                              CreateOp("/m/1", "x"),
                              CreateOp("/zookeeper/quota/m/zookeeper_stats", "count=0,bytes=0"),
                              CreateOp("/m/2", "y"), SetDataOp("/m/1", "xx"), DeleteOp("/m/2")})
                  .ok());
  EXPECT_EQ(stats("/m"), "count=2,bytes=2");
  // one that is refused makes none
  EXPECT_FALSE(multi(session, {CreateOp("/zookeeper/quota/other"),
                               CreateOp("/zookeeper/quota/other/zookeeper_limits", ""),
                               DeleteOp("/none")})
                   .ok());
  create("/other");
  create("/other/x");
}

TEST_F(QuotaTest, WhatIsOnTheWayCounts) {
  create("/a");
  set_quota("/a", "count=-1,bytes=-1");
  for (const char* path : {"/a/1", "/a/2", "/a/3"}) {
    std::vector<tree::Operation> operations{CreateOp(path, "x")};
    pipeline->write(Write(session, anybody(), operations, false), [](WriteReply) {});
  }
  // the stats znode that is made now sees them
  ask(session, DeleteOp(tree::quota_stats_path("/a")));
  EXPECT_EQ(stats("/a"), "(none)");
  std::vector<tree::Operation> gone{DeleteOp("/a/1")};
  pipeline->write(Write(session, anybody(), gone, false), [](WriteReply) {});
  ask(session, CreateOp(tree::quota_stats_path("/a"), "count=0,bytes=0"));
  EXPECT_EQ(stats("/a"), "count=3,bytes=2");
}

TEST_F(QuotaTest, HardLimitsRefuseWhereTheyAreEnforced) {
  options.rules.enforce_quota = true;
  restart();
  create("/a", "12345");
  set_quota("/a", "count=2,bytes=6=;byteHardLimit=10;countHardLimit=3");
  EXPECT_EQ(create("/a/1"), Errc::internal);  // no error
  EXPECT_EQ(create("/a/2"), Errc::internal);  // above the soft limit
  EXPECT_EQ(create("/a/3"), Errc::quota_exceeded);
  EXPECT_EQ(stats("/a"), "count=3,bytes=5");
  EXPECT_EQ(error_of(ask(session, SetDataOp("/a/1", "123456"))), Errc::quota_exceeded);
  EXPECT_EQ(error_of(ask(session, SetDataOp("/a/1", "123456", 99))), Errc::quota_exceeded);
  EXPECT_TRUE(ask(session, SetDataOp("/a/1", "12345")).ok());
  EXPECT_EQ(stats("/a"), "count=3,bytes=10");
  // the same size is no growth
  EXPECT_TRUE(ask(session, SetDataOp("/a/1", "54321")).ok());
  EXPECT_TRUE(ask(session, DeleteOp("/a/2")).ok());
  // each part of a multi is looked at with those before it
  auto refused = multi(session, {CreateOp("/a/m1"), CreateOp("/a/m2")});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.failure->index, 1u);
  EXPECT_EQ(refused.failure->error.code(), Errc::quota_exceeded);
  // the service's own hand is not held up, and counts
  EXPECT_TRUE(internal({CreateOp("/a/i1"), CreateOp("/a/i2")}).ok());
  EXPECT_EQ(stats("/a"), "count=4,bytes=10");
}

TEST_F(QuotaTest, HardLimitsAreOnlySaidWhereTheyAreNotEnforced) {
  create("/a");
  set_quota("/a", "count=-1,bytes=-1=;byteHardLimit=1;countHardLimit=1");
  EXPECT_EQ(create("/a/1", "123"), Errc::internal);
  EXPECT_EQ(stats("/a"), "count=2,bytes=3");
}

TEST_F(QuotaTest, LimitsThatCannotBeRead) {
  create("/a");
  set_quota("/a", "rubbish");
  EXPECT_EQ(create("/a/1"), Errc::internal);
  options.rules.enforce_quota = true;
  restart();
  EXPECT_EQ(create("/a/2"), Errc::malformed);
  ask(session, SetDataOp(tree::quota_limits_path("/a"), "count=1,bytes=1"));
  EXPECT_EQ(create("/a/2"), Errc::internal);
}

TEST_F(QuotaTest, StatsThatCannotBeReadAreCountedAnew) {
  create("/a", "123");
  set_quota("/a", "count=-1,bytes=-1");
  ask(session, SetDataOp(tree::quota_stats_path("/a"), "rubbish"));
  create("/a/b", "45");
  EXPECT_EQ(stats("/a"), "count=2,bytes=5");
}

TEST_F(QuotaTest, AQuotaEndsWithItsLimits) {
  create("/a");
  set_quota("/a", "count=-1,bytes=-1");
  ask(session, DeleteOp(tree::quota_limits_path("/a")));
  create("/a/b");
  EXPECT_EQ(stats("/a"), "count=1,bytes=0");
}

TEST_F(QuotaTest, AStartCountsAnew) {
  create("/a", "123");
  set_quota("/a", "count=-1,bytes=-1");
  create("/a/b", "45");
  restart(true);
  EXPECT_EQ(stats("/a"), "count=2,bytes=5");
  // a tree from elsewhere, with stats that are wrong
  ask(session, SetDataOp(tree::quota_stats_path("/a"), "count=77,bytes=77"));
  Zxid before = pipeline->last_zxid();
  int64_t bytes = pipeline->applied_store().totals()->data_bytes;
  restart();
  EXPECT_EQ(stats("/a"), "count=2,bytes=5");
  EXPECT_EQ(pipeline->last_zxid(), before);
  EXPECT_EQ(pipeline->applied_store().totals()->data_bytes, bytes - 2);
  create("/a/c", "6");
  EXPECT_EQ(stats("/a"), "count=3,bytes=6");
}

}  // namespace
}  // namespace odradek::coordinator::pipeline
