#pragma once
// Background: a small pool of threads for what blocks (fsync, cold reads, opening, compacting,
// recompressing). The end comes back to the owner as an event. Tasks start in the order they were
// given; with more than one thread they overlap.

#include <boost/asio/async_result.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "common/result.h"
#include "common/runtime/bounded_queue.h"
#include "common/runtime/executor.h"
#include "common/runtime/thrown.h"

namespace odradek::runtime {

class Background {
 public:
  using Task = std::function<void()>;

  Background(std::string name, size_t threads, size_t max_queued);
  ~Background();  // stops
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  // Runs fn on a pool thread and resumes the caller on its own executor with the result. Where fn
  // gives a Result, what it throws (memory that is short, a library) comes back as its error, so
  // that the caller's way for errors is the only one; else it is rethrown in the caller. fn may
  // refer to the caller's locals. Not bounded by max_queued: a caller waits here, and callers are
  // bounded. A pool that has stopped: cancelled, or operation_aborted is thrown.
  template <typename Fn>
  awaitable<std::invoke_result_t<Fn&>> run(Fn fn);

  // Runs fn on a pool thread, then done(result) on the executor (done() where fn returns nothing).
  // False, and neither runs, where max_queued tasks wait already or the pool has stopped. fn throws
  // only where it gives a Result, which then has the error.
  template <typename Fn, typename Done>
  [[nodiscard]] bool post(Fn fn, Executor executor, Done done);
  // Nobody is told of the end. The task does not throw.
  [[nodiscard]] bool post(Task task) { return queue_.try_push(std::move(task)); }

  // Lets running tasks end, drops the ones that wait, joins. Call before the executors of callers
  // are destroyed.
  void stop();
  size_t queued() const { return queue_.size(); }

 private:
  void work();

  BoundedQueue<Task> queue_;
  std::vector<std::thread> threads_;
};

namespace detail {
template <typename T>
inline constexpr bool kIsResult = false;
template <typename T>
inline constexpr bool kIsResult<Result<T>> = true;
}  // namespace detail

template <typename Fn>
awaitable<std::invoke_result_t<Fn&>> Background::run(Fn fn) {
  using R = std::invoke_result_t<Fn&>;
  using Held = std::conditional_t<std::is_void_v<R>, bool, R>;
  auto executor = co_await asio::this_coro::executor;
  std::optional<Held> result;
  std::exception_ptr thrown;
  auto initiate = [this, &fn, &result, &thrown, executor](auto handler) {
    auto resume = std::make_shared<decltype(handler)>(std::move(handler));
    bool queued = queue_.push([&fn, &result, &thrown, executor, resume]() mutable {
      try {
        if constexpr (std::is_void_v<R>) {
          fn();
          result.emplace(true);
        } else {
          result.emplace(fn());
        }
      } catch (...) {
        thrown = std::current_exception();
      }
      asio::post(executor, [resume = std::move(resume)]() mutable { (*resume)(); });
    });
    if (!queued) {
      thrown = std::make_exception_ptr(boost::system::system_error(
          asio::error::operation_aborted, "the background pool has stopped"));
      asio::post(executor, [resume]() mutable { (*resume)(); });
    }
  };
  auto token = asio::use_awaitable;
  co_await asio::async_initiate<asio::use_awaitable_t<>, void()>(std::move(initiate), token);
  if (thrown) {
    if constexpr (detail::kIsResult<R>) {
      co_return error_of(thrown);
    } else {
      std::rethrow_exception(thrown);
    }
  }
  if constexpr (!std::is_void_v<R>) co_return std::move(*result);
}

template <typename Fn, typename Done>
bool Background::post(Fn fn, Executor executor, Done done) {
  using R = std::invoke_result_t<Fn&>;
  // std::function wants copies: both are held once
  auto both = std::make_shared<std::pair<Fn, Done>>(std::move(fn), std::move(done));
  return queue_.try_push(Task([both, executor] {
    if constexpr (std::is_void_v<R>) {
      both->first();
      asio::post(executor, [both] { both->second(); });
    } else {
      std::shared_ptr<R> result;
      if constexpr (detail::kIsResult<R>) {
        try {
          result = std::make_shared<R>(both->first());
        } catch (...) {
          result = std::make_shared<R>(error_of(std::current_exception()));
        }
      } else {
        result = std::make_shared<R>(both->first());
      }
      asio::post(executor, [both, result] { both->second(std::move(*result)); });
    }
  }));
}

}  // namespace odradek::runtime
