#include "tests/sim/world.h"

#include <algorithm>

#include "common/format.h"

namespace odradek::sim {

namespace {
constexpr size_t kStepsKept = 120;
}  // namespace

void World::after(int64_t delay_ms, std::function<void()> event) {
  events_.push_back(Event{now_ms() + delay_ms, random_(), next_number_++, std::move(event)});
  std::push_heap(events_.begin(), events_.end(), later);
}

void World::run_until(int64_t end_ms) {
  while (!events_.empty() && breaches_.empty() && events_.front().at_ms <= end_ms) {
    std::pop_heap(events_.begin(), events_.end(), later);
    Event event = std::move(events_.back());
    events_.pop_back();
    if (event.at_ms > now_ms()) clock_.advance_ms(event.at_ms - now_ms());
    event.run();
  }
  if (breaches_.empty() && end_ms > now_ms()) clock_.advance_ms(end_ms - now_ms());
}

void World::trace(std::string_view what) {
  auto feed = [this](unsigned char byte) { digest_ = (digest_ ^ byte) * 1099511628211ULL; };
  for (char c : what) feed(static_cast<unsigned char>(c));
  for (int shift = 0; shift < 64; shift += 8) feed(static_cast<unsigned char>(now_ms() >> shift));
  if (steps_.size() == kStepsKept) steps_.pop_front();
  steps_.push_back({now_ms(), std::string(what)});
}

std::string World::last_steps() const {
  std::string all;
  for (const Step& step : steps_) all += format("{:>8} ms  {}\n", step.at_ms, step.what);
  return all;
}

void World::breach(std::string what) {
  trace("BREACH: " + what);
  breaches_.push_back(std::move(what));
}

void Node::after(int64_t delay_ms, std::function<void()> event) {
  world_.after(delay_ms, [this, incarnation = incarnation_, event = std::move(event)]() mutable {
    if (!up_ || incarnation_ != incarnation) return;
    if (paused()) {
      after(paused_until_ms_ - world_.now_ms(), std::move(event));
    } else {
      event();
    }
  });
}

}  // namespace odradek::sim
