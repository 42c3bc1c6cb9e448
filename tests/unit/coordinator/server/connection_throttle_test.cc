#include "coordinator/server/connection_throttle.h"

#include <gtest/gtest.h>

namespace odradek::coordinator::server {
namespace {

double never() { return 1.0; }

TEST(ConnectionThrottle, IsOffByDefault) {
  ConnectionThrottle throttle({}, 0, never);
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(throttle.admit(0));
  EXPECT_EQ(throttle.deficit(), 0);
  EXPECT_EQ(throttle.drop_chance(), 0);
}

TEST(ConnectionThrottle, TokensComeBackWithTime) {
  ConnectionThrottleSettings settings;
  settings.max_tokens = 3;
  settings.fill_time_ms = 100;
  settings.fill_count = 2;
  ConnectionThrottle throttle(settings, 0, never);
  for (int i = 1; i <= 3; ++i) {
    EXPECT_TRUE(throttle.admit(0));
    EXPECT_EQ(throttle.deficit(), i);
  }
  EXPECT_FALSE(throttle.admit(0));
  EXPECT_FALSE(throttle.admit(100)) << "not before the time is over";
  EXPECT_TRUE(throttle.admit(150));  // 150 ms are three tokens
  EXPECT_EQ(throttle.deficit(), 1);
  EXPECT_TRUE(throttle.admit(1'000'000'000'000)) << "a long pause fills it and does no more";
  EXPECT_EQ(throttle.deficit(), 1);
}

TEST(ConnectionThrottle, TheChanceToBeRefusedFollowsTheBucket) {
  ConnectionThrottleSettings settings;
  settings.max_tokens = 1;
  settings.fill_time_ms = 1'000'000;
  settings.freeze_time_ms = 10;
  settings.drop_increase = 0.4;
  settings.drop_decrease = 0.3;
  double random = 0.99;
  ConnectionThrottle throttle(settings, 0, [&] { return random; });
  EXPECT_TRUE(throttle.admit(0));
  EXPECT_FALSE(throttle.admit(11)) << "empty";
  EXPECT_DOUBLE_EQ(throttle.drop_chance(), 0.4);
  EXPECT_FALSE(throttle.admit(12)) << "frozen";
  EXPECT_DOUBLE_EQ(throttle.drop_chance(), 0.4);
  EXPECT_FALSE(throttle.admit(30));
  EXPECT_FALSE(throttle.admit(50));
  EXPECT_DOUBLE_EQ(throttle.drop_chance(), 1.0);
  int64_t now_ms = 2'000'000;
  random = 0.6;
  EXPECT_FALSE(throttle.admit(now_ms)) << "full again, but 0.7 is still above";
  EXPECT_DOUBLE_EQ(throttle.drop_chance(), 0.7);
  EXPECT_TRUE(throttle.admit(now_ms + 20));
  EXPECT_DOUBLE_EQ(throttle.drop_chance(), 0.4);
}

}  // namespace
}  // namespace odradek::coordinator::server
