#pragma once
// Which seeds a test runs: 1 to `count`, or what the environment says: SIM_SEED=N only that one,
// SIM_SEEDS=N the first N. Where a test is split, each of its `parts` takes every so many'th.

#include <cstdint>
#include <vector>

namespace odradek::sim {

std::vector<uint64_t> seeds(uint64_t count, uint64_t part = 0, uint64_t parts = 1);
// Whether the environment chose: then a test that counts over all its seeds has nothing to say.
bool seeds_chosen();

}  // namespace odradek::sim
