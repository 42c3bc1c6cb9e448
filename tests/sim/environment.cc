// The simulated processes restart thousands of times: only their errors are worth a line.

#include <gtest/gtest.h>

#include "common/log/log.h"

namespace odradek::sim {
namespace {

class QuietLog : public ::testing::Environment {
 public:
  void SetUp() override {
    LogOptions options;
    options.level = LogLevel::error;
    log_open(options);
  }
};

const auto* const kQuietLog = ::testing::AddGlobalTestEnvironment(new QuietLog);

}  // namespace
}  // namespace odradek::sim
