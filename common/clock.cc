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

Stopwatch::Stopwatch() : begin_(std::chrono::steady_clock::now()) {}

int64_t Stopwatch::elapsed_us() const {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin_).count();
}

std::chrono::system_clock::time_point deadline_in_ms(int64_t ms) {
  return std::chrono::system_clock::now() + std::chrono::milliseconds(ms);
}

}  // namespace odradek
