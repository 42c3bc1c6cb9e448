// The tree under crashes: what a client was told is there afterwards.

#include <gtest/gtest.h>

#include <memory>

#include "tests/sim/sim_coordinator.h"
#include "tests/sim/tree_client.h"
#include "tests/sim/world.h"

namespace odradek::sim {
namespace {

struct Outcome {
  uint64_t digest = 0;
  int acknowledged = 0;
  std::vector<std::string> breaches;
};

constexpr int64_t kRunMs = 20'000;

// `skip_syncs`: the planted bug, a reply before the fsync.
Outcome run_tree(uint64_t seed, bool skip_syncs) {
  World world(seed);
  SimCoordinator coordinator(world);
  coordinator.store().skip_syncs(skip_syncs);
  std::vector<std::unique_ptr<TreeClient>> clients;
  for (int number = 0; number < 3; ++number) {
    clients.push_back(std::make_unique<TreeClient>(world, coordinator, number));
  }
  coordinator.start();
  for (auto& client : clients) client->start();
  std::function<void()> crash_and_return = [&] {
    if (world.now_ms() > kRunMs - 2000) return;
    coordinator.crash();
    for (auto& client : clients) client->disconnected();
    world.after(world.between(1, 1500), [&] {
      coordinator.start();
      world.after(world.between(1, 4000), crash_and_return);
    });
  };
  world.after(world.between(1, 4000), crash_and_return);
  world.run_until(kRunMs);
  Outcome outcome;
  for (auto& client : clients) {
    // what is in flight at the end may still come; what was told must be there
    outcome.acknowledged += client->acknowledged();
  }
  outcome.digest = world.digest();
  outcome.breaches = world.breaches();
  return outcome;
}

TEST(TreeSim, NoAcknowledgedZnodeIsLost) {
  int acknowledged = 0;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    Outcome outcome = run_tree(seed, false);
    ASSERT_TRUE(outcome.breaches.empty()) << "seed " << seed << ": " << outcome.breaches.front();
    acknowledged += outcome.acknowledged;
  }
  EXPECT_GT(acknowledged, 200 * 100);
}

TEST(TreeSim, SameSeedIsTheSameRun) {
  for (uint64_t seed : {3u, 77u, 150u}) {
    Outcome first = run_tree(seed, false);
    Outcome second = run_tree(seed, false);
    EXPECT_EQ(first.digest, second.digest) << "seed " << seed;
    EXPECT_EQ(first.acknowledged, second.acknowledged);
  }
  EXPECT_NE(run_tree(3, false).digest, run_tree(4, false).digest);
}

TEST(TreeSim, PlantedReplyBeforeTheFsyncIsFound) {
  int found = 0;
  for (uint64_t seed = 1; seed <= 20; ++seed) found += !run_tree(seed, true).breaches.empty();
  EXPECT_GT(found, 0);
}

}  // namespace
}  // namespace odradek::sim
