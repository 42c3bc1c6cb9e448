#include "broker/replica/io_throttle.h"

#include <algorithm>

namespace odradek::broker::replica {

namespace {
constexpr double kLongestWaitMs = 86'400'000;
}

IoThrottle::IoThrottle(double bytes_per_second, const Clock& clock)
    : clock_(clock), paid_until_ms_(static_cast<double>(clock.monotonic_ms())) {
  set_rate(bytes_per_second);
}

void IoThrottle::set_rate(double bytes_per_second) {
  bytes_per_ms_ = std::max(bytes_per_second, 1.0) / 1000;
}

int64_t IoThrottle::spend(uint64_t bytes) {
  const auto now = static_cast<double>(clock_.monotonic_ms());
  paid_until_ms_ = std::max(paid_until_ms_, now) + static_cast<double>(bytes) / bytes_per_ms_;
  return static_cast<int64_t>(std::min(paid_until_ms_ - now, kLongestWaitMs));
}

}  // namespace odradek::broker::replica
