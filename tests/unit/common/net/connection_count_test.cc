#include "common/net/connection_count.h"

#include <gtest/gtest.h>

namespace odradek::net {
namespace {

TEST(ConnectionCount, HoldsTheTotal) {
  ConnectionCount count({.total = 2});
  EXPECT_TRUE(count.enter("10.0.0.1"));
  EXPECT_TRUE(count.enter("10.0.0.2"));
  auto third = count.enter("10.0.0.3");
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().code(), Errc::limit_exceeded);
  count.leave("10.0.0.1");
  EXPECT_TRUE(count.enter("10.0.0.3"));
  EXPECT_EQ(count.total(), 2);
}

TEST(ConnectionCount, HoldsEachAddressAndItsOverride) {
  ConnectionLimits limits;
  limits.per_address = 1;
  limits.per_address_overrides = {{"10.0.0.9", 3}, {"10.0.0.8", 0}};
  ConnectionCount count(limits);
  EXPECT_TRUE(count.enter("10.0.0.1"));
  EXPECT_FALSE(count.enter("10.0.0.1"));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(count.enter("10.0.0.9"));
  EXPECT_FALSE(count.enter("10.0.0.9"));
  EXPECT_FALSE(count.enter("10.0.0.8"));
  count.leave("10.0.0.1");
  EXPECT_TRUE(count.enter("10.0.0.1"));
}

TEST(ConnectionCount, AnAddressThatNeverEnteredChangesNothing) {
  ConnectionCount count({});
  count.leave("10.0.0.1");
  EXPECT_EQ(count.total(), 0);
}

}  // namespace
}  // namespace odradek::net
