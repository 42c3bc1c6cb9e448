#include "common/net/memory_budget.h"

#include <gtest/gtest.h>

#include <string>

namespace odradek::net {
namespace {

TEST(MemoryBudget, GivesUntilItIsUsedUpThenToOneSenior) {
  MemoryBudget budget(100);
  MemoryBudget::Share a, b, c;
  int granted = 0;
  auto note = [&granted] { ++granted; };
  EXPECT_TRUE(budget.take(a, 60, note));
  EXPECT_TRUE(budget.take(b, 60, note)) << "beyond the budget: the senior";
  EXPECT_TRUE(b.senior);
  EXPECT_TRUE(budget.take(b, 60, note)) << "the senior goes on";
  EXPECT_FALSE(budget.take(c, 10, note));
  EXPECT_EQ(granted, 0);
  budget.give_back(b);
  EXPECT_EQ(granted, 1);
  EXPECT_EQ(c.bytes, 10u);
  EXPECT_EQ(budget.used(), 70u);
  budget.give_back(a);
  budget.give_back(c);
  EXPECT_EQ(budget.used(), 0u);
}

TEST(MemoryBudget, ServesInOrder) {
  MemoryBudget budget(100);
  MemoryBudget::Share full, senior, first, second;
  std::string order;
  EXPECT_TRUE(budget.take(full, 100, nullptr));
  EXPECT_TRUE(budget.take(senior, 1, nullptr));
  EXPECT_FALSE(budget.take(first, 50, [&] { order += "1"; }));
  EXPECT_FALSE(budget.take(second, 1, [&] { order += "2"; })) << "not past the one that waits";
  budget.give_back(senior);
  EXPECT_EQ(order, "1") << "the first one is the senior now";
  budget.give_back(full);
  EXPECT_EQ(order, "12");
}

}  // namespace
}  // namespace odradek::net
