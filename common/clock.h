#pragma once
// Time as an argument: services use SystemClock, tests and the simulator ManualClock.

#include <chrono>
#include <cstdint>

namespace odradek {

class Clock {
 public:
  virtual ~Clock() = default;
  // Milliseconds since 1970-01-01 UTC; may jump.
  virtual int64_t wall_ms() const = 0;
  // Milliseconds since some fixed moment; never goes back.
  virtual int64_t monotonic_ms() const = 0;
};

class SystemClock final : public Clock {
 public:
  int64_t wall_ms() const override;
  int64_t monotonic_ms() const override;
};

// How long something really took, for figures and warnings; nothing is decided by it.
class Stopwatch {
 public:
  Stopwatch();
  int64_t elapsed_us() const;

 private:
  std::chrono::steady_clock::time_point begin_;
};

// For libraries that take a deadline as a moment of the system's clock.
std::chrono::system_clock::time_point deadline_in_ms(int64_t ms);

class ManualClock final : public Clock {
 public:
  explicit ManualClock(int64_t wall_ms = 1'600'000'000'000) : wall_ms_(wall_ms) {}
  int64_t wall_ms() const override { return wall_ms_; }
  int64_t monotonic_ms() const override { return monotonic_ms_; }
  void advance_ms(int64_t ms) {
    wall_ms_ += ms;
    monotonic_ms_ += ms;
  }
  // The wall clock alone jumps, as when a person or NTP sets it.
  void jump_wall_ms(int64_t ms) { wall_ms_ += ms; }

 private:
  int64_t wall_ms_;
  int64_t monotonic_ms_ = 0;
};

}  // namespace odradek
