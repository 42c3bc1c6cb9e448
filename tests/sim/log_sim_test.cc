// A partition's log under crashes: what a producer was told is there, once, and in its order.

#include <gtest/gtest.h>

#include <memory>

#include "tests/sim/seeds.h"
#include "tests/sim/sim_partition.h"
#include "tests/sim/sim_producer.h"
#include "tests/sim/world.h"

namespace odradek::sim {
namespace {

using CrashMode = fs::FaultyFileSystem::CrashMode;

struct Outcome {
  uint64_t digest = 0;
  int acknowledged = 0;
  std::vector<std::string> breaches;
  std::string steps;
};

constexpr int64_t kRunMs = 8'000;

Outcome run_log(uint64_t seed, PartitionBugs bugs) {
  World world(seed);
  SimPartition partition(world, bugs);
  std::vector<std::unique_ptr<SimProducer>> producers;
  bool idempotent = world.chance(50);
  for (int number = 0; number < 2; ++number) {
    producers.push_back(std::make_unique<SimProducer>(world, partition, number, idempotent));
  }
  auto check = [&] {
    if (!world.breaches().empty()) return;
    std::vector<std::string> values = partition.records();
    for (auto& producer : producers) producer->check(values);
  };
  partition.start();
  for (auto& producer : producers) producer->start();
  std::function<void()> crash_and_return = [&] {
    if (world.now_ms() > kRunMs - 1500) return;
    constexpr CrashMode kModes[] = {CrashMode::lose_unsynced, CrashMode::keep_prefix, CrashMode::keep_all};
    partition.crash(kModes[world.below(3)]);
    for (auto& producer : producers) producer->disconnected();
    world.after(world.between(1, 300), [&] {
      partition.start();
      check();
      world.after(world.between(1, 1500), crash_and_return);
    });
  };
  world.after(world.between(1, 1500), crash_and_return);
  world.run_until(kRunMs);
  if (partition.up()) check();
  Outcome outcome;
  for (auto& producer : producers) outcome.acknowledged += producer->acknowledged();
  outcome.digest = world.digest();
  outcome.breaches = world.breaches();
  outcome.steps = world.last_steps();
  return outcome;
}

TEST(LogSim, NoAcknowledgedRecordIsLost) {
  int acknowledged = 0;
  for (uint64_t seed : seeds(200)) {
    Outcome outcome = run_log(seed, {});
    ASSERT_TRUE(outcome.breaches.empty())
        << "seed " << seed << ": " << outcome.breaches.front() << "\n" << outcome.steps;
    acknowledged += outcome.acknowledged;
  }
  if (!seeds_chosen()) EXPECT_GT(acknowledged, 200 * 100);
}

TEST(LogSim, SameSeedIsTheSameRun) {
  for (uint64_t seed : {5u, 66u, 177u}) {
    Outcome first = run_log(seed, {});
    EXPECT_EQ(first.digest, run_log(seed, {}).digest) << "seed " << seed;
  }
  EXPECT_NE(run_log(5, {}).digest, run_log(6, {}).digest);
}

TEST(LogSim, PlantedReplyBeforeTheFsyncIsFound) {
  int found = 0;
  for (uint64_t seed = 1; seed <= 20; ++seed) found += !run_log(seed, {.reply_before_fsync = true}).breaches.empty();
  EXPECT_GT(found, 0);
}

TEST(LogSim, PlantedReorderedAppendIsFound) {
  int found = 0;
  for (uint64_t seed = 1; seed <= 20; ++seed) found += !run_log(seed, {.reordered_append = true}).breaches.empty();
  EXPECT_GT(found, 0);
}

}  // namespace
}  // namespace odradek::sim
