#include "broker/log/leader_epoch_cache.h"

#include <gtest/gtest.h>

#include "tests/support/faulty_file_system.h"

namespace odradek::broker::log {
namespace {

class EpochCache : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(files_.make_dirs("/d").ok()); }
  LeaderEpochCache cache_with(std::vector<std::pair<int, int>> entries) {
    LeaderEpochCache cache(&files_, "/d/leader-epoch-checkpoint");
    for (auto [epoch, offset] : entries)
      EXPECT_TRUE(cache.assign(LeaderEpoch(epoch), Offset(offset)).ok());
    return cache;
  }
  static std::vector<std::pair<int, int>> of(const LeaderEpochCache& cache) {
    std::vector<std::pair<int, int>> all;
    for (const EpochEntry& entry : cache.entries()) {
      all.emplace_back(entry.epoch.value(), static_cast<int>(entry.start_offset.value()));
    }
    return all;
  }
  using Pairs = std::vector<std::pair<int, int>>;
  fs::FaultyFileSystem files_;
};

TEST_F(EpochCache, FileIsKafkas) {
  LeaderEpochCache cache = cache_with({{0, 0}, {2, 3}, {5, 6}});
  EXPECT_EQ(*files_.read_file("/d/leader-epoch-checkpoint", 100), "0\n3\n0 0\n2 3\n5 6\n");
  LeaderEpochCache again(&files_, "/d/leader-epoch-checkpoint");
  ASSERT_TRUE(again.load().ok());
  EXPECT_EQ(of(again), (Pairs{{0, 0}, {2, 3}, {5, 6}}));
  EXPECT_EQ(again.latest(), LeaderEpoch(5));
}

TEST_F(EpochCache, DamageIsSeen) {
  for (const char* text :
       {"", "x\n", "1\n0\n", "0\n", "0\n2\n0 0\n", "0\n1\n0 0 0\n", "0\n1\n-1 5\n", "0\n-1\n"}) {
    ASSERT_TRUE(
        files_.write_file_atomically("/d/leader-epoch-checkpoint", text, fs::Durability::full)
            .ok());
    LeaderEpochCache cache(&files_, "/d/leader-epoch-checkpoint");
    EXPECT_EQ(cache.load().error().code(), Errc::malformed) << text;
  }
}

TEST_F(EpochCache, AssignDropsWhatItContradicts) {
  EXPECT_EQ(of(cache_with({{1, 0}, {1, 5}})), (Pairs{{1, 0}}));
  EXPECT_EQ(of(cache_with({{1, 0}, {2, 5}, {3, 5}})), (Pairs{{1, 0}, {3, 5}}));
  EXPECT_EQ(of(cache_with({{1, 0}, {4, 5}, {3, 9}})), (Pairs{{1, 0}, {3, 9}}));
}

TEST_F(EpochCache, EndOffsets) {
  LeaderEpochCache cache = cache_with({{2, 10}, {4, 20}, {7, 30}});
  struct Row {
    int epoch, expected_epoch, expected_offset;
  } rows[] = {{-1, -1, -1}, {1, 1, 10}, {2, 2, 20}, {3, 2, 20},
              {4, 4, 30},   {6, 4, 30}, {7, 7, 99}, {8, -1, -1}};
  for (const Row& row : rows) {
    EpochEndOffset end = cache.end_offset_for(LeaderEpoch(row.epoch), Offset(99));
    EXPECT_EQ(end.leader_epoch.value(), row.expected_epoch) << row.epoch;
    EXPECT_EQ(end.end_offset.value(), row.expected_offset) << row.epoch;
  }
  EXPECT_FALSE(cache.epoch_at(Offset(9)).has_value());
  EXPECT_EQ(cache.epoch_at(Offset(19)), LeaderEpoch(2));
  EXPECT_EQ(cache.epoch_at(Offset(20)), LeaderEpoch(4));
}

TEST_F(EpochCache, Truncation) {
  struct Row {
    bool from_start;
    int offset;
    Pairs expected;
  } rows[] = {
      {false, 31, {{2, 10}, {4, 20}, {7, 30}}},
      {false, 30, {{2, 10}, {4, 20}}},
      {false, 5, {}},
      {true, 10, {{2, 10}, {4, 20}, {7, 30}}},
      {true, 15, {{2, 15}, {4, 20}, {7, 30}}},
      {true, 20, {{4, 20}, {7, 30}}},
      {true, 100, {{7, 100}}},
      {true, 5, {{2, 10}, {4, 20}, {7, 30}}},
  };
  for (const Row& row : rows) {
    LeaderEpochCache cache = cache_with({{2, 10}, {4, 20}, {7, 30}});
    ASSERT_TRUE((row.from_start ? cache.truncate_from_start(Offset(row.offset))
                                : cache.truncate_from_end(Offset(row.offset)))
                    .ok());
    EXPECT_EQ(of(cache), row.expected) << row.from_start << " " << row.offset;
  }
}

}  // namespace
}  // namespace odradek::broker::log
