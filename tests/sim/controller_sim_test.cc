// The controller under crashes of everybody: one leader an epoch, and in the end the tree is as it should be.

#include <gtest/gtest.h>

#include <memory>

#include "tests/sim/seeds.h"
#include "tests/sim/sim_cluster.h"

namespace odradek::sim {
namespace {

struct Outcome {
  uint64_t digest = 0;
  size_t epochs = 0;  // leader epochs seen
  std::vector<std::string> breaches;
  std::string steps;
};

constexpr int64_t kTroubleMs = 25'000;
constexpr int64_t kQuietMs = 40'000;

Outcome run_cluster(uint64_t seed, bool edge_triggered) {
  World world(seed);
  SimCoordinator coordinator(world);
  LeaderWatch::Seen seen;
  bool first_start = true;
  coordinator.add_part([&](SimCoordinator& at) -> std::unique_ptr<CoordinatorPart> {
    bool blind = edge_triggered && !first_start;
    first_start = false;
    return std::make_unique<ControllerPart>(at, blind);
  });
  coordinator.add_part([&](SimCoordinator& at) { return std::make_unique<LeaderWatch>(at, seen); });
  std::vector<std::unique_ptr<SimBroker>> brokers;
  for (int id = 1; id <= 3; ++id) brokers.push_back(std::make_unique<SimBroker>(world, coordinator, id));
  Hand hand(world, coordinator);

  coordinator.start();
  for (auto& broker : brokers) broker->start();
  hand.start(kTroubleMs);
  std::function<void()> trouble = [&] {
    if (world.now_ms() > kTroubleMs) return;
    if (world.chance(40)) {
      coordinator.crash();
      for (auto& broker : brokers) broker->coordinator_gone();
      world.after(world.between(1, 1500), [&] { coordinator.start(); });
    } else {
      SimBroker* broker = brokers[world.below(brokers.size())].get();
      broker->crash();
      world.after(world.between(1, 5000), [broker] { broker->start(); });
    }
    world.after(world.between(5001, 8000), trouble);
  };
  world.after(world.between(500, 4000), trouble);
  world.run_until(kTroubleMs + kQuietMs);

  Outcome outcome;
  outcome.digest = world.digest();
  outcome.epochs = seen.size();
  outcome.breaches = world.breaches();
  outcome.steps = world.last_steps();
  if (outcome.breaches.empty()) outcome.breaches = unconverged(coordinator);
  return outcome;
}

TEST(ControllerSim, OneLeaderAnEpochAndConvergence) {
  size_t epochs = 0;
  for (uint64_t seed : seeds(200)) {
    Outcome outcome = run_cluster(seed, false);
    ASSERT_TRUE(outcome.breaches.empty())
        << "seed " << seed << ": " << outcome.breaches.front() << "\n" << outcome.steps;
    epochs += outcome.epochs;
  }
  if (!seeds_chosen()) EXPECT_GT(epochs, 200u * 5);
}

TEST(ControllerSim, SameSeedIsTheSameRun) {
  for (uint64_t seed : {2u, 99u}) {
    EXPECT_EQ(run_cluster(seed, false).digest, run_cluster(seed, false).digest) << "seed " << seed;
  }
  EXPECT_NE(run_cluster(2, false).digest, run_cluster(3, false).digest);
}

TEST(ControllerSim, PlantedEdgeTriggeredControllerIsFound) {
  int found = 0;
  for (uint64_t seed = 1; seed <= 20; ++seed) found += !run_cluster(seed, true).breaches.empty();
  EXPECT_GT(found, 0);
}

}  // namespace
}  // namespace odradek::sim
