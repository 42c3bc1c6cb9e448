#include "common/net/memory_budget.h"

namespace odradek::net {

bool MemoryBudget::grant(Share& share, size_t bytes) {
  bool fits = used_ + bytes <= total_;
  if (!fits && !share.senior) {
    if (has_senior_) return false;
    has_senior_ = share.senior = true;
  }
  used_ += bytes;
  share.bytes += bytes;
  return true;
}

bool MemoryBudget::take(Share& share, size_t bytes, std::function<void()> granted) {
  std::lock_guard lock(mutex_);
  if ((waiting_.empty() || share.senior) && grant(share, bytes)) return true;
  waiting_.push_back({&share, bytes, std::move(granted)});
  return false;
}

std::deque<std::function<void()>> MemoryBudget::serve_waiting() {
  std::deque<std::function<void()>> served;
  while (!waiting_.empty() && grant(*waiting_.front().share, waiting_.front().bytes)) {
    served.push_back(std::move(waiting_.front().granted));
    waiting_.pop_front();
  }
  return served;
}

void MemoryBudget::give_back(Share& share) {
  std::deque<std::function<void()>> served;
  {
    std::lock_guard lock(mutex_);
    used_ -= share.bytes;
    if (share.senior) has_senior_ = false;
    share = Share();
    served = serve_waiting();
  }
  for (auto& granted : served) granted();
}

size_t MemoryBudget::used() const {
  std::lock_guard lock(mutex_);
  return used_;
}

}  // namespace odradek::net
