#pragma once
// Waiting with a deadline on an owner's loop. State code takes Clock; these stand at the edges,
// around it.

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <chrono>
#include <functional>
#include <list>
#include <memory>

#include "common/runtime/executor.h"

namespace odradek::runtime {

// Suspends the caller on its own executor.
inline awaitable<void> sleep_ms(int64_t ms) {
  asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::milliseconds(ms));
  co_await timer.async_wait(kAsTuple);
}

// Signal: coroutines of one owner wait for something to happen, each with its own deadline.
// Everything on the owner's thread. A notify without a waiter is forgotten: look at the state
// before waiting.
class Signal {
 public:
  Signal() = default;
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;

  // True where notified, false at the deadline. The Signal must outlive the wait.
  awaitable<bool> wait_ms(int64_t timeout_ms) {
    asio::steady_timer timer(co_await asio::this_coro::executor,
                             std::chrono::milliseconds(timeout_ms));
    Waiter waiter{&timer, false};
    auto place = waiters_.insert(waiters_.end(), &waiter);
    co_await timer.async_wait(kAsTuple);
    if (!waiter.notified) waiters_.erase(place);
    co_return waiter.notified;
  }

  void notify_all() {
    while (!waiters_.empty()) notify_one();
  }
  void notify_one() {
    if (waiters_.empty()) return;
    Waiter* waiter = waiters_.front();
    waiters_.pop_front();
    waiter->notified = true;
    waiter->timer->cancel();
  }

 private:
  struct Waiter {
    asio::steady_timer* timer;
    bool notified;
  };
  std::list<Waiter*> waiters_;
};

// RepeatingTimer calls `fn` on the executor's loop; fn returns the milliseconds until its next
// call, or below 0 to end. stop (or destruction) on that loop's thread, or after the loop has
// ended.
class RepeatingTimer {
 public:
  RepeatingTimer(Executor executor, std::function<int64_t()> fn)
      : state_(std::make_shared<State>(executor, std::move(fn))) {}
  ~RepeatingTimer() { stop(); }
  RepeatingTimer(const RepeatingTimer&) = delete;
  RepeatingTimer& operator=(const RepeatingTimer&) = delete;

  void start(int64_t first_ms) { arm(state_, first_ms); }
  void stop() {
    state_->ended = true;
    state_->timer.cancel();
  }

 private:
  struct State {
    State(Executor executor, std::function<int64_t()> fn_in)
        : timer(executor), fn(std::move(fn_in)) {}
    asio::steady_timer timer;
    std::function<int64_t()> fn;
    bool ended = false;
  };
  static void arm(std::shared_ptr<State> state, int64_t ms) {
    auto& timer = state->timer;
    timer.expires_after(std::chrono::milliseconds(ms));
    timer.async_wait([state = std::move(state)](boost::system::error_code error) mutable {
      if (error || state->ended) return;
      int64_t next_ms = state->fn();
      if (next_ms >= 0 && !state->ended) arm(std::move(state), next_ms);
    });
  }

  std::shared_ptr<State> state_;
};

}  // namespace odradek::runtime
