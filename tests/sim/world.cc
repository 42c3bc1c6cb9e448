#include "tests/sim/world.h"

namespace odradek::sim {

void World::after(int64_t delay_ms, std::function<void()> event) {
  events_.push(Event{now_ms() + delay_ms, random_(), next_number_++, std::move(event)});
}

void World::run_until(int64_t end_ms) {
  while (!events_.empty() && breaches_.empty() && events_.top().at_ms <= end_ms) {
    Event event = events_.top();
    events_.pop();
    if (event.at_ms > now_ms()) clock_.advance_ms(event.at_ms - now_ms());
    event.run();
  }
  if (breaches_.empty() && end_ms > now_ms()) clock_.advance_ms(end_ms - now_ms());
}

void World::trace(std::string_view what) {
  auto feed = [this](unsigned char byte) { digest_ = (digest_ ^ byte) * 1099511628211ULL; };
  for (char c : what) feed(static_cast<unsigned char>(c));
  for (int shift = 0; shift < 64; shift += 8) feed(static_cast<unsigned char>(now_ms() >> shift));
}

void World::breach(std::string what) { breaches_.push_back(std::move(what)); }

}  // namespace odradek::sim
