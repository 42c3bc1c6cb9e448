// The coordinator's ZooKeeper side under every trouble that the simulator knows: tree, sessions,
// watches and the order of requests. What is checked stands in tree/client_view.h and
// tree/journal.h.

#include <gtest/gtest.h>

#include <iostream>

#include "tests/sim/seeds.h"
#include "tests/sim/tree/tree_run.h"

namespace odradek::sim {
namespace {

constexpr uint64_t kSeeds = 1000;
constexpr uint64_t kParts = 4;  // tests that ctest may run at once

class TreeSim : public ::testing::TestWithParam<uint64_t> {};

TEST_P(TreeSim, KeepsItsPromises) {
  TreeCounts counts;
  for (uint64_t seed : seeds(kSeeds, GetParam(), kParts)) {
    TreeRun run(seed, Planted::none);
    run.run();
    ASSERT_TRUE(run.breaches().empty()) << run.report();
    counts.add(run.counts());
  }
  std::cout << counts.text() << std::endl;
  if (seeds_chosen()) return;
  // a simulation in which little happens shows little
  int64_t runs = kSeeds / kParts;
  EXPECT_GT(counts.writes, runs * 200);
  EXPECT_GT(counts.reads, runs * 200);
  EXPECT_GT(counts.refused, runs * 50);
  EXPECT_GT(counts.failed_multis, runs * 5);
  EXPECT_GT(counts.events, runs * 50);
  EXPECT_GT(counts.missed_events, runs * 2);
  EXPECT_GT(counts.resumed, runs * 10);
  EXPECT_GT(counts.expired, runs * 1);
  EXPECT_GT(counts.closed, runs * 1);
  EXPECT_GT(counts.sweeps, runs * 5);
  EXPECT_GT(counts.crashes, runs * 1);
  EXPECT_GT(counts.failed_disks, runs / 2);
  EXPECT_GT(counts.pauses, runs * 1);
  EXPECT_GT(counts.lost_to_crashes, runs * 1);
  EXPECT_GT(counts.audits, runs * 20);
}

INSTANTIATE_TEST_SUITE_P(Seeds, TreeSim, ::testing::Range(uint64_t{0}, kParts));

TEST(TreeSimItself, SameSeedIsTheSameRun) {
  auto digest = [](uint64_t seed) {
    TreeRun run(seed, Planted::none);
    run.run();
    return run.digest();
  };
  for (uint64_t seed : {3u, 77u, 150u}) EXPECT_EQ(digest(seed), digest(seed)) << "seed " << seed;
  EXPECT_NE(digest(3), digest(4));
}

constexpr uint64_t kPlantedSeeds = 40;

struct PlantedCase {
  const char* name;
  Planted planted;
  const char* found_as;  // in the words of the breach
};

// Into the test's name, which would hold addresses otherwise.
void PrintTo(const PlantedCase& each, std::ostream* out) { *out << each.name; }

class PlantedBug : public ::testing::TestWithParam<PlantedCase> {};

TEST_P(PlantedBug, IsFound) {
  int found = 0;
  std::string by;
  std::string others;
  for (uint64_t seed = 1; seed <= kPlantedSeeds; ++seed) {
    TreeRun run(seed, GetParam().planted);
    run.run();
    if (run.breaches().empty()) continue;
    ++found;
    if (run.breaches().front().find(GetParam().found_as) != std::string::npos) {
      by += " " + std::to_string(seed);
    } else {
      others += run.breaches().front() + "\n";
    }
  }
  std::cout << found << " of " << kPlantedSeeds << " seeds find it, for what it is these:" << by
            << std::endl;
  EXPECT_FALSE(by.empty()) << found << " found something else:\n" << others;
}

INSTANTIATE_TEST_SUITE_P(
    TreeSim, PlantedBug,
    ::testing::Values(
        PlantedCase{"EventAfterReply", Planted::event_after_reply, "it was told of"},
        PlantedCase{"EventLost", Planted::event_lost, "it was told of"},
        PlantedCase{"EventTwice", Planted::event_twice, "it was told of"},
        PlantedCase{"WatchLostAtReconnect", Planted::watch_lost_at_reconnect, "it was told of"},
        PlantedCase{"EphemeralBeforeExpiry", Planted::ephemeral_before_expiry,
                    "ends after a silence"},
        PlantedCase{"EphemeralLeftAfterClose", Planted::ephemeral_left_after_close, "children ("},
        PlantedCase{"ReadOvertakesWrite", Planted::read_overtakes_write, "is answered: "},
        PlantedCase{"ExpiredByOwnPause", Planted::expired_by_own_pause,
                    "the coordinator stood still"},
        PlantedCase{"SequenceReused", Planted::sequence_reused, "not as it should be"},
        PlantedCase{"ReplyBeforeFsync", Planted::reply_before_fsync,
                    "acknowledged writes are lost"},
        PlantedCase{"TornCommit", Planted::torn_commit, "by its stat"},
        PlantedCase{"SweptEarly", Planted::swept_early, "not due"}),
    [](const auto& each) { return each.param.name; });

}  // namespace
}  // namespace odradek::sim
