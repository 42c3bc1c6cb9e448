#include "coordinator/server/peer_log.h"

#include <gtest/gtest.h>

namespace odradek::coordinator::server {
namespace {

TEST(PeerLog, EachAddressHasItsShareOfAMinute) {
  ManualClock clock;
  PeerLog log(clock, 3);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(log.warn("10.0.0.1", "line"), i < 3) << i;
  EXPECT_TRUE(log.warn("10.0.0.2", "line"));
  clock.advance_ms(59'999);
  EXPECT_FALSE(log.warn("10.0.0.1", "line"));
  clock.advance_ms(1);
  EXPECT_TRUE(log.warn("10.0.0.1", "line"));
}

TEST(PeerLog, AMinuteBeginsWithTheFirstLine) {
  ManualClock clock;
  PeerLog log(clock, 1);
  clock.advance_ms(1'000'000);
  EXPECT_TRUE(log.warn("a", "line"));
  clock.advance_ms(30'000);
  EXPECT_FALSE(log.warn("a", "line"));
  log.sweep();
  EXPECT_FALSE(log.warn("a", "line"));
  clock.advance_ms(30'000);
  log.sweep();
  EXPECT_TRUE(log.warn("a", "line"));
}

TEST(PeerLog, ManyAddressesShareWhatIsLeft) {
  ManualClock clock;
  PeerLog log(clock, 2);
  int lines = 0;
  for (int i = 0; i < 20'000; ++i) lines += log.warn("10.0." + std::to_string(i), "line");
  EXPECT_EQ(lines, 10'002);
}

}  // namespace
}  // namespace odradek::coordinator::server
