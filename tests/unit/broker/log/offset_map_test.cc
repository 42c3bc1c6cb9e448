#include "broker/log/offset_map.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

namespace odradek::broker::log {
namespace {

TEST(OffsetMap, KeepsTheLatestOffsetOfEachKey) {
  OffsetMap map(1 << 20, 0.9);
  EXPECT_TRUE(map.put("a", Offset(3)));
  EXPECT_TRUE(map.put("b", Offset(4)));
  EXPECT_TRUE(map.put("a", Offset(9)));
  EXPECT_TRUE(map.put("a", Offset(7)));
  EXPECT_EQ(map.find("a"), Offset(9));
  EXPECT_EQ(map.find("b"), Offset(4));
  EXPECT_EQ(map.find("c"), std::nullopt);
  EXPECT_EQ(map.find(""), std::nullopt);
  EXPECT_EQ(map.size(), 2u);
}

TEST(OffsetMap, IsAMap) {
  OffsetMap map(8 << 20, 0.9);
  std::map<std::string, int64_t> model;
  std::mt19937_64 random(7);
  for (int64_t i = 0; i < 300'000; ++i) {
    const std::string key = "key " + std::to_string(random() % 150'000);
    ASSERT_TRUE(map.put(key, Offset(i)));
    model[key] = i;
  }
  EXPECT_EQ(map.size(), model.size());
  for (const auto& [key, offset] : model) ASSERT_EQ(map.find(key), Offset(offset)) << key;
  for (int i = 150'000; i < 160'000; ++i) {
    ASSERT_EQ(map.find("key " + std::to_string(i)), std::nullopt);
  }
}

TEST(OffsetMap, GrowsWithItsKeysAndNotBeyondItsBound) {
  constexpr size_t kBound = 1 << 20;
  OffsetMap map(kBound, 0.9);
  EXPECT_LT(map.memory(), 4096u);
  int64_t count = 0;
  while (map.put("key " + std::to_string(count), Offset(count))) {
    ++count;
    if (count == 1000) EXPECT_LT(map.memory(), 80'000u);
  }
  EXPECT_LT(map.memory(), kBound + 4096);
  // nearly all of the room is used, and never more than the load factor
  const auto slots = static_cast<double>(kBound / OffsetMap::kEntrySize);
  EXPECT_GT(static_cast<double>(count), slots * 0.9 * 0.85);
  EXPECT_LE(static_cast<double>(count), slots * 0.9);
  // what is known still changes
  EXPECT_TRUE(map.put("key 0", Offset(count + 5)));
  EXPECT_EQ(map.find("key 0"), Offset(count + 5));
  EXPECT_EQ(static_cast<int64_t>(map.size()), count);
  for (int64_t i = 1; i < count; ++i) ASSERT_EQ(map.find("key " + std::to_string(i)), Offset(i));
}

TEST(OffsetMap, HoldsAtLeastOneKey) {
  OffsetMap map(1, 0.9);
  EXPECT_TRUE(map.put("a", Offset(1)));
  EXPECT_FALSE(map.put("b", Offset(2)));
  EXPECT_EQ(map.find("a"), Offset(1));
  EXPECT_EQ(map.find("b"), std::nullopt);
}

}  // namespace
}  // namespace odradek::broker::log
