#include "coordinator/controller/placement.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace odradek::coordinator::controller {
namespace {

std::vector<metadata::Broker> brokers(int count, std::vector<std::string> racks = {}) {
  std::vector<metadata::Broker> made;
  for (int i = 0; i < count; ++i) {
    metadata::Broker& broker = made.emplace_back();
    broker.id = BrokerId(i);
    if (!racks.empty() && !racks[static_cast<size_t>(i)].empty())
      broker.rack = racks[static_cast<size_t>(i)];
  }
  return made;
}

std::vector<std::vector<int>> numbers(const std::vector<std::vector<BrokerId>>& placed) {
  std::vector<std::vector<int>> lists;
  for (const auto& replicas : placed) {
    lists.emplace_back();
    for (BrokerId id : replicas) lists.back().push_back(id.value());
  }
  return lists;
}

TEST(Placement, RoundRobinWithAShift) {
  auto placed = place(brokers(5), 10, 3, {0, 0, 0});
  ASSERT_TRUE(placed);
  // The layout that Kafka documents for five brokers, ten partitions and three replicas.
  std::vector<std::vector<int>> wanted = {{0, 1, 2}, {1, 2, 3}, {2, 3, 4}, {3, 4, 0}, {4, 0, 1},
                                          {0, 2, 3}, {1, 3, 4}, {2, 4, 0}, {3, 0, 1}, {4, 1, 2}};
  EXPECT_EQ(numbers(*placed), wanted);
}

TEST(Placement, GoesOnWhereThePartitionsEnd) {
  auto placed = place(brokers(3), 3, 1, {0, 0, 4});
  ASSERT_TRUE(placed);
  EXPECT_EQ(numbers(*placed), (std::vector<std::vector<int>>{{1}, {2}, {0}}));
}

TEST(Placement, RacksAlternate) {
  auto placed = place(brokers(6, {"a", "a", "b", "b", "c", "c"}), 12, 3, {1, 2, 0});
  ASSERT_TRUE(placed);
  std::map<int, int> leaders, replicas;
  for (const auto& list : numbers(*placed)) {
    std::set<int> racks;
    for (int id : list) racks.insert(id / 2), ++replicas[id];
    EXPECT_EQ(racks.size(), 3u);
    ++leaders[list[0]];
  }
  for (int id = 0; id < 6; ++id) {
    EXPECT_EQ(leaders[id], 2);
    EXPECT_EQ(replicas[id], 6);
  }
}

TEST(Placement, SomeWithoutRackIsRefused) {
  auto placed = place(brokers(2, {"a", ""}), 1, 1, {});
  ASSERT_FALSE(placed);
  EXPECT_EQ(placed.error().code(), Errc::invalid_replication_factor);
}

}  // namespace
}  // namespace odradek::coordinator::controller
