#include "coordinator/server/connection_throttle.h"

#include <algorithm>
#include <cmath>

namespace odradek::coordinator::server {

ConnectionThrottle::ConnectionThrottle(ConnectionThrottleSettings settings, int64_t now_ms,
                                       std::function<double()> random)
    : settings_(settings),
      random_(std::move(random)),
      tokens_(settings.max_tokens),
      filled_ms_(now_ms),
      frozen_ms_(now_ms) {}

bool ConnectionThrottle::admit(int64_t now_ms) {
  if (settings_.max_tokens == 0) return true;
  int64_t passed_ms = now_ms - filled_ms_;
  if (passed_ms > settings_.fill_time_ms) {
    // in doubles: a long pause times a large count does not fit into an integer
    double filled = static_cast<double>(passed_ms) * settings_.fill_count / settings_.fill_time_ms;
    tokens_ = static_cast<int32_t>(
        std::min<double>(tokens_ + std::floor(filled), settings_.max_tokens));
    filled_ms_ = now_ms;
  }
  if (settings_.freeze_time_ms != -1 && !passes_by_chance(now_ms)) return false;
  if (tokens_ < 1) return false;
  --tokens_;
  return true;
}

bool ConnectionThrottle::passes_by_chance(int64_t now_ms) {
  if (now_ms - frozen_ms_ > settings_.freeze_time_ms) {
    double low = std::round(settings_.max_tokens * settings_.decrease_ratio);
    if (tokens_ == 0) {
      drop_chance_ = std::min(drop_chance_ + settings_.drop_increase, 1.0);
    } else if (deficit() <= low) {
      drop_chance_ = std::max(drop_chance_ - settings_.drop_decrease, 0.0);
    }
    frozen_ms_ = now_ms;
  }
  return random_() >= drop_chance_;
}

}  // namespace odradek::coordinator::server
