#pragma once
// BoundedQueue: from any threads to any threads. At its bound try_push refuses and the caller
// decides.

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

namespace odradek::runtime {

template <typename T>
class BoundedQueue {
 public:
  explicit BoundedQueue(size_t bound) : bound_(bound) {}

  // False where the queue is full or closed; `value` is then untouched.
  bool try_push(T& value) { return push_below(value, bound_); }
  bool try_push(T&& value) { return push_below(value, bound_); }
  // Past the bound: for callers that are bounded themselves. False where the queue is closed.
  bool push(T&& value) { return push_below(value, SIZE_MAX); }

  // Waits for a value; nothing once the queue is closed (what was queued is dropped with the
  // queue).
  std::optional<T> pop() {
    std::unique_lock lock(mutex_);
    ready_.wait(lock, [this] { return closed_ || !values_.empty(); });
    if (closed_) return std::nullopt;
    std::optional<T> value(std::move(values_.front()));
    values_.pop_front();
    return value;
  }

  void close() {
    std::lock_guard lock(mutex_);
    closed_ = true;
    ready_.notify_all();
  }
  // Takes out what is left, so that it is destroyed outside of the lock.
  std::deque<T> drain() {
    std::lock_guard lock(mutex_);
    return std::exchange(values_, {});
  }
  size_t size() const {
    std::lock_guard lock(mutex_);
    return values_.size();
  }

 private:
  bool push_below(T& value, size_t bound) {
    std::lock_guard lock(mutex_);
    if (closed_ || values_.size() >= bound) return false;
    values_.push_back(std::move(value));
    ready_.notify_one();
    return true;
  }

  const size_t bound_;
  mutable std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<T> values_;
  bool closed_ = false;
};

}  // namespace odradek::runtime
