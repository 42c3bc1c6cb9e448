#pragma once
// IoThrottle: how long to wait so that no more than so many bytes a second are read and written.
// Pure arithmetic on a clock; the waiting is the caller's. Any number of callers on one owner.

#include <cstdint>

#include "common/clock.h"

namespace odradek::broker::replica {

class IoThrottle {
 public:
  // At or below 0: one byte a second. As much as a double holds: no bound.
  IoThrottle(double bytes_per_second, const Clock& clock);

  void set_rate(double bytes_per_second);
  // Notes bytes that were moved; milliseconds to wait before the next, 0 for none.
  int64_t spend(uint64_t bytes);

 private:
  double bytes_per_ms_;
  const Clock& clock_;
  double paid_until_ms_;  // of the clock: when the bytes so far are within the bound
};

}  // namespace odradek::broker::replica
