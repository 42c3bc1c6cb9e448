#include "coordinator/pipeline/container_sweep.h"

namespace odradek::coordinator::pipeline {

namespace {
// What is found beyond that waits for the next check.
constexpr size_t kMaxQueue = 100'000;
constexpr int64_t kMinuteMs = 60'000;
}  // namespace

bool ContainerSweep::over(const tree::Stat& stat, int64_t wall_ms) const {
  if (stat.num_children > 0) return false;
  int64_t age_ms = wall_ms - stat.mtime_ms;
  if (stat.kind == tree::NodeKind::ttl) return age_ms > stat.ttl_ms;
  if (stat.kind != tree::NodeKind::container) return false;
  if (stat.created_children > 0) return true;
  return options_.max_never_used_ms != 0 && age_ms > options_.max_never_used_ms;
}

std::vector<std::string> ContainerSweep::due(const store::StoreTree& tree, int64_t now_ms,
                                             int64_t wall_ms) {
  if (queue_.empty() && now_ms >= next_check_ms_) {
    next_check_ms_ = now_ms + options_.check_interval_ms;
    next_delete_ms_ = now_ms;
    tree.for_each_swept([&](std::string_view path) {
      if (queue_.size() >= kMaxQueue) return;
      auto stat = tree.stat(path);
      if (stat && over(*stat, wall_ms)) queue_.emplace_back(path);
    });
  }
  std::vector<std::string> gone;
  int64_t apart_ms = kMinuteMs / options_.max_per_minute;
  for (; !queue_.empty() && now_ms >= next_delete_ms_; next_delete_ms_ += apart_ms) {
    auto stat = tree.stat(queue_.front());
    if (stat && over(*stat, wall_ms)) gone.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  return gone;
}

}  // namespace odradek::coordinator::pipeline
