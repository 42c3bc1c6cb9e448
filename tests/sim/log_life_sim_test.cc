// A log directory under every trouble that the disk in memory knows, held against a model after every
// step and every start (log/log_life.h).

#include <gtest/gtest.h>

#include <iostream>

#include "tests/sim/log/log_life.h"
#include "tests/sim/seeds.h"

namespace odradek::sim {
namespace {

constexpr uint64_t kSeeds = 1000;
constexpr uint64_t kParts = 4;  // tests that ctest may run at once

class LogLifeSim : public ::testing::TestWithParam<uint64_t> {};

TEST_P(LogLifeSim, KeepsWhatItPromises) {
  LogCounts counts;
  for (uint64_t seed : seeds(kSeeds, GetParam(), kParts)) {
    LogLife life(seed);
    life.run();
    ASSERT_TRUE(life.breaches().empty()) << life.report();
    counts.add(life.counts());
  }
  std::cout << counts.text() << std::endl;
  if (seeds_chosen()) return;
  // a simulation in which little happens shows little
  const int64_t runs = kSeeds / kParts;
  EXPECT_GT(counts.appends, runs * 40);
  EXPECT_GT(counts.refused, runs);
  EXPECT_GT(counts.duplicates, runs / 3);
  EXPECT_GT(counts.rolls, runs * 4);
  EXPECT_GT(counts.segments_deleted, runs / 2);
  EXPECT_GT(counts.truncations, runs * 2);
  EXPECT_GT(counts.flushes, runs * 5);
  EXPECT_GT(counts.clean_stops, runs);
  EXPECT_GT(counts.crashes, runs * 4);
  EXPECT_GT(counts.cut_in_the_middle, runs);
  EXPECT_GT(counts.lost, runs * 5);
  EXPECT_GT(counts.failed_starts, runs);
  EXPECT_GT(counts.full, runs);
  EXPECT_GT(counts.io_errors, runs);
  EXPECT_GT(counts.aborted, runs / 3);
}

INSTANTIATE_TEST_SUITE_P(Seeds, LogLifeSim, ::testing::Range(uint64_t{0}, kParts));

TEST(LogLifeItself, SameSeedIsTheSameRun) {
  auto digest = [](uint64_t seed) {
    LogLife life(seed);
    life.run();
    return life.digest();
  };
  for (uint64_t seed : {5u, 66u, 177u}) EXPECT_EQ(digest(seed), digest(seed)) << "seed " << seed;
  EXPECT_NE(digest(5), digest(6));
}

}  // namespace
}  // namespace odradek::sim
