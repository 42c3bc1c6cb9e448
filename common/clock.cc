#include "common/clock.h"

#include <chrono>

namespace odradek {

namespace {
template <typename C>
int64_t since_epoch_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(C::now().time_since_epoch()).count();
}
}  // namespace

int64_t SystemClock::wall_ms() const { return since_epoch_ms<std::chrono::system_clock>(); }
int64_t SystemClock::monotonic_ms() const { return since_epoch_ms<std::chrono::steady_clock>(); }

}  // namespace odradek
