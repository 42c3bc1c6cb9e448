#pragma once
// run_on: the one way to hop from one owner to another inside a coroutine (style: name the
// function, then await).
//   auto append = [partition, batch = std::move(batch)]() mutable { return
//   partition->append(std::move(batch)); }; auto placed = co_await run_on(partition->owner(),
//   std::move(append));

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <optional>
#include <type_traits>
#include <utility>

#include "common/runtime/executor.h"

namespace odradek::runtime {

namespace detail {
template <typename Fn, typename R>
awaitable<void> call_into(Fn& fn, std::optional<R>& result) {
  result.emplace(fn());
  co_return;
}
template <typename Fn>
awaitable<void> call(Fn& fn) {
  fn();
  co_return;
}
}  // namespace detail

// Runs fn on the owner, then continues on the caller's own executor. Called on the owner itself it
// does not hop. fn is a plain function: it must not suspend.
template <typename Fn>
awaitable<std::invoke_result_t<Fn&>> run_on(Executor owner, Fn fn) {
  using R = std::invoke_result_t<Fn&>;
  if (owner.running_in_this_thread()) {
    if constexpr (std::is_void_v<R>) {
      fn();
      co_return;
    } else {
      co_return fn();
    }
  }
  auto own = co_await asio::this_coro::executor;
  if constexpr (std::is_void_v<R>) {
    co_await asio::co_spawn(owner, detail::call(fn), asio::use_awaitable);
    co_await asio::post(own, asio::use_awaitable);
  } else {
    std::optional<R> result;
    co_await asio::co_spawn(owner, detail::call_into(fn, result), asio::use_awaitable);
    co_await asio::post(own, asio::use_awaitable);
    co_return std::move(*result);
  }
}

// The same for a coroutine that runs on the owner: `make` is called there and gives the awaitable.
template <typename Make>
auto await_on(Executor owner, Make make) -> std::invoke_result_t<Make&> {
  using R = typename std::invoke_result_t<Make&>::value_type;
  if (owner.running_in_this_thread()) {
    if constexpr (std::is_void_v<R>) {
      co_await make();
      co_return;
    } else {
      co_return co_await make();
    }
  }
  auto own = co_await asio::this_coro::executor;
  if constexpr (std::is_void_v<R>) {
    auto body = [](Make& made) -> awaitable<void> { co_await made(); };
    co_await asio::co_spawn(owner, body(make), asio::use_awaitable);
    co_await asio::post(own, asio::use_awaitable);
  } else {
    std::optional<R> result;
    auto body = [](Make& made, std::optional<R>& into) -> awaitable<void> {
      into.emplace(co_await made());
    };
    co_await asio::co_spawn(owner, body(make, result), asio::use_awaitable);
    co_await asio::post(own, asio::use_awaitable);
    co_return std::move(*result);
  }
}

}  // namespace odradek::runtime
