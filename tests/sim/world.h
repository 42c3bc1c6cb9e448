#pragma once
// World: the simulator's time, chance and order of events. One seed is one run: everything that
// happens is an event of this queue, and every choice comes from random(). trace() feeds a digest,
// so that two runs of a seed can be compared, and keeps the last steps for whoever looks for the
// cause of a breach.

#include <cstdint>
#include <deque>
#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.h"

namespace odradek::sim {

class World {
 public:
  explicit World(uint64_t seed) : seed_(seed), random_(seed) {}
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  uint64_t seed() const { return seed_; }
  ManualClock& clock() { return clock_; }
  int64_t now_ms() const { return clock_.monotonic_ms(); }

  // 0 .. bound-1
  uint64_t below(uint64_t bound) { return random_() % bound; }
  int64_t between(int64_t low, int64_t high) {  // both inclusive
    return low + static_cast<int64_t>(below(static_cast<uint64_t>(high - low + 1)));
  }
  bool chance(int percent) { return below(100) < static_cast<uint64_t>(percent); }

  // Runs `event` after the delay; events of one moment run in an order that the seed chooses.
  void after(int64_t delay_ms, std::function<void()> event);
  // Runs events until the time is reached or a breach was noted.
  void run_until(int64_t end_ms);

  void trace(std::string_view what);
  uint64_t digest() const { return digest_; }
  // The last steps that were traced, one a line, each with its time.
  std::string last_steps() const;

  // An invariant does not hold. The first one ends the run.
  void breach(std::string what);
  const std::vector<std::string>& breaches() const { return breaches_; }

 private:
  struct Event {
    int64_t at_ms;
    uint64_t order;
    uint64_t number;
    std::function<void()> run;
  };
  static bool later(const Event& a, const Event& b) {  // the heap's top is the soonest
    if (a.at_ms != b.at_ms) return a.at_ms > b.at_ms;
    if (a.order != b.order) return a.order > b.order;
    return a.number > b.number;
  }
  struct Step {
    int64_t at_ms;
    std::string what;
  };

  const uint64_t seed_;
  std::mt19937_64 random_;
  ManualClock clock_;
  std::vector<Event> events_;  // a heap
  uint64_t next_number_ = 0;
  uint64_t digest_ = 14695981039346656037ULL;  // FNV-1a
  std::deque<Step> steps_;
  std::vector<std::string> breaches_;
};

// A process of the simulation: what was sent to it, or scheduled by it, before it crashed does not
// reach it afterwards; what is due while it is paused waits for the end of the pause.
class Node {
 public:
  Node(World& world, std::string name) : world_(world), name_(std::move(name)) {}

  World& world() { return world_; }
  const std::string& name() const { return name_; }
  bool up() const { return up_; }
  uint64_t incarnation() const { return incarnation_; }
  void start() { up_ = true; }
  void stop() {
    up_ = false;
    paused_until_ms_ = 0;
    ++incarnation_;
  }
  // Stands still for so long, as a process that gets no time, or a machine that sleeps.
  void pause(int64_t ms) { paused_until_ms_ = world_.now_ms() + ms; }
  bool paused() const { return world_.now_ms() < paused_until_ms_; }
  // Runs on this node after the delay, unless it crashed meanwhile.
  void after(int64_t delay_ms, std::function<void()> event);

 private:
  World& world_;
  std::string name_;
  bool up_ = false;
  int64_t paused_until_ms_ = 0;
  uint64_t incarnation_ = 0;
};

}  // namespace odradek::sim
