#include "tests/sim/tree/wire.h"

#include "common/format.h"

namespace odradek::sim {

std::string Wire::address() const {
  return odradek::format("10.0.{}.{}", number >> 8, number & 255);
}

void Stream::write(std::string_view frame) {
  if (finished_ || ended_) return;
  on_the_way_ += frame;
  written_ += frame.size();
  frame_ends_.push_back(written_);
  move();
}

void Stream::finish() {
  if (finished_ || ended_) return;
  finished_ = true;
  move();
}

void Stream::cut(int64_t heard_after_ms) {
  if (ended_ || cut_) return;
  cut_ = finished_ = true;
  on_the_way_.clear();
  if (heard_after_ms < 0) {
    ended_ = true;
  } else {
    world_.after(heard_after_ms, [self = shared_from_this()] { self->end(); });
  }
}

void Stream::move() {
  if (moving_ || ended_) return;
  moving_ = true;
  world_.after(world_.between(0, network_.most_delay_ms), [self = shared_from_this()] {
    self->moving_ = false;
    self->arrive();
  });
}

void Stream::arrive() {
  if (ended_ || cut_) return;
  if (on_the_way_.empty()) {
    if (finished_) end();
    return;
  }
  size_t size = on_the_way_.size();
  if (world_.chance(15)) size = 1 + world_.below(size);
  std::string piece = on_the_way_.substr(0, size);
  on_the_way_.erase(0, size);
  arrived_ += size;
  int frames = 0;
  for (; !frame_ends_.empty() && frame_ends_.front() <= arrived_; ++frames) frame_ends_.pop_front();
  if (!on_the_way_.empty() || finished_) move();
  // the receiver may let go of the stream meanwhile
  if (auto handler = on_bytes) handler(std::move(piece), frames);
}

void Stream::end() {
  if (ended_) return;
  ended_ = true;
  if (auto handler = on_end) handler();
}

}  // namespace odradek::sim
