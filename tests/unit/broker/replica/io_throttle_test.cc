#include "broker/replica/io_throttle.h"

#include <gtest/gtest.h>

#include <limits>

namespace odradek::broker::replica {
namespace {

TEST(IoThrottle, SpreadsBytesOverTime) {
  ManualClock clock;
  IoThrottle throttle(1'000'000, clock);
  int64_t waited = 0;
  for (int i = 0; i < 100; ++i) {
    const int64_t wait = throttle.spend(100'000);
    waited += wait;
    clock.advance_ms(wait);
  }
  EXPECT_EQ(waited, 10'000);
}

TEST(IoThrottle, TimeWithoutWorkIsNotSavedUp) {
  ManualClock clock;
  IoThrottle throttle(1000, clock);
  clock.advance_ms(1'000'000);
  EXPECT_EQ(throttle.spend(500), 500);
}

TEST(IoThrottle, TwoAtOnceShareTheBound) {
  ManualClock clock;
  IoThrottle throttle(1000, clock);
  EXPECT_EQ(throttle.spend(500), 500);
  EXPECT_EQ(throttle.spend(500), 1000);
}

TEST(IoThrottle, TheDefaultIsNoBound) {
  ManualClock clock;
  IoThrottle throttle(std::numeric_limits<double>::max(), clock);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(throttle.spend(uint64_t{1} << 40), 0);
}

TEST(IoThrottle, ABoundOfNothingIsABoundStill) {
  ManualClock clock;
  IoThrottle throttle(0, clock);
  EXPECT_EQ(throttle.spend(10), 10'000);
}

TEST(IoThrottle, ANewBoundCountsForWhatComesThen) {
  ManualClock clock;
  IoThrottle throttle(1000, clock);
  EXPECT_EQ(throttle.spend(500), 500);
  throttle.set_rate(100);
  EXPECT_EQ(throttle.spend(500), 5500);
}

}  // namespace
}  // namespace odradek::broker::replica
