// The simulated processes restart thousands of times: only their errors are worth a line, unless
// SIM_LOG is set. And the seeds that the environment chooses (seeds.h).

#include <gtest/gtest.h>

#include <cstdlib>

#include "common/log/log.h"
#include "tests/sim/seeds.h"

namespace odradek::sim {
namespace {

class QuietLog : public ::testing::Environment {
 public:
  void SetUp() override {
    LogOptions options;
    options.level = std::getenv("SIM_LOG") ? LogLevel::debug : LogLevel::error;
    log_open(options);
  }
};

const auto* const kQuietLog = ::testing::AddGlobalTestEnvironment(new QuietLog);

uint64_t number(const char* name) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : 0;
}

}  // namespace

bool seeds_chosen() { return number("SIM_SEED") != 0 || number("SIM_SEEDS") != 0; }

std::vector<uint64_t> seeds(uint64_t count, uint64_t part, uint64_t parts) {
  if (uint64_t one = number("SIM_SEED")) {
    return part == 0 ? std::vector<uint64_t>{one} : std::vector<uint64_t>();
  }
  if (uint64_t chosen = number("SIM_SEEDS")) count = chosen;
  std::vector<uint64_t> seeds;
  for (uint64_t seed = 1 + part; seed <= count; seed += parts) seeds.push_back(seed);
  return seeds;
}

}  // namespace odradek::sim
