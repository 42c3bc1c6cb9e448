// What a log says of its oldest data.
#include "common/format.h"
#include "tests/unit/broker/log/log_fixture.h"

namespace odradek::broker::log {
namespace {

class LogKeptTest : public LogTest {
 protected:
  // The times of 2020-09-13 12:26:40 UTC and later; a segment takes two batches.
  void fill(int batches) {
    config_->segment_bytes = static_cast<int64_t>(2 * batch_of(1, kNow).size());
    open();
    for (int i = 0; i < batches; ++i) must_append(1, kNow + i);
  }
  std::string why() { return log_->why_kept(log_->log_end_offset()); }
  void expect_says(const std::string& part) {
    EXPECT_NE(why().find(part), std::string::npos) << why() << "\n  does not say: " << part;
  }
  void expect_silent_about(const std::string& part) {
    EXPECT_EQ(why().find(part), std::string::npos) << why();
  }
};

TEST_F(LogKeptTest, AnEmptyLog) {
  open();
  EXPECT_EQ(why(), "nothing is here");
}

TEST_F(LogKeptTest, ByTimeUntilItIsDue) {
  clock_.jump_wall_ms(kNow + 10 - clock_.wall_ms());
  config_->retention_ms = 86'400'000;
  fill(4);
  expect_says("2 segments");
  expect_says("from offset 0, closed");
  expect_says("it stays until 2020-09-14 12:26:40 UTC by retention.ms=86400000");
  expect_says("retention.bytes=-1 sets no bound");
  clock_.jump_wall_ms(86'400'000);
  expect_says("it is older than retention.ms and goes with the next look at it");
  ASSERT_FALSE(log_->delete_old_segments(log_->log_end_offset())->empty());
  expect_silent_about("goes with the next look");
}

TEST_F(LogKeptTest, ATimestampThatIsStillToCome) {
  clock_.jump_wall_ms(kNow - 1000 - clock_.wall_ms());
  fill(4);
  expect_says("which is still to come");
}

TEST_F(LogKeptTest, ForEver) {
  clock_.jump_wall_ms(kNow - clock_.wall_ms());
  config_->retention_ms = -1;
  fill(4);
  expect_says("retention.ms=-1 keeps it for ever");
}

TEST_F(LogKeptTest, BySize) {
  clock_.jump_wall_ms(kNow + 10 - clock_.wall_ms());
  const auto one = static_cast<int64_t>(batch_of(1, kNow).size());
  config_->retention_ms = -1;
  config_->retention_bytes = 3 * one;
  fill(4);
  expect_says(format("it goes by retention.bytes={} once {} bytes more are written", 3 * one, one));
  must_append(1, kNow);
  expect_says("is exceeded and it goes with the next look at it");
  ASSERT_FALSE(log_->delete_old_segments(log_->log_end_offset())->empty());
  expect_says("from offset 2");
}

TEST_F(LogKeptTest, WhatOtherReplicasHaveNot) {
  clock_.jump_wall_ms(kNow + 10 - clock_.wall_ms());
  fill(4);
  EXPECT_NE(log_->why_kept(Offset(1)).find("they have all below offset 1"), std::string::npos);
}

TEST_F(LogKeptTest, BelowTheLogStart) {
  clock_.jump_wall_ms(kNow + 10 - clock_.wall_ms());
  fill(4);
  ASSERT_TRUE(log_->advance_log_start(Offset(3)));
  expect_says("it lies below the log start 3");
}

TEST_F(LogKeptTest, ACompactedLog) {
  clock_.jump_wall_ms(kNow + 10 - clock_.wall_ms());
  config_->cleanup_delete = false;
  config_->cleanup_compact = true;
  fill(4);
  expect_says("compaction keeps the last value of each key");
  expect_silent_about("retention");
}

}  // namespace
}  // namespace odradek::broker::log
