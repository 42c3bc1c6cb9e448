#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "common/runtime/background.h"
#include "common/runtime/bounded_queue.h"
#include "common/runtime/owner.h"
#include "common/runtime/scope_exit.h"
#include "common/runtime/shards.h"
#include "common/runtime/spawn.h"
#include "common/runtime/timer.h"

namespace odradek::runtime {
namespace {

template <typename T>
T run_at(Executor executor, awaitable<T> task) {
  return asio::co_spawn(executor, std::move(task), asio::use_future).get();
}

// No default constructor, cannot be copied.
struct Payload {
  explicit Payload(std::string text_in) : text(std::make_unique<std::string>(std::move(text_in))) {}
  std::unique_ptr<std::string> text;
};

TEST(Shards, EachHasItsThread) {
  Shards shards("test", 2);
  shards.start();
  for (size_t i = 0; i < 2; ++i) {
    std::promise<std::optional<size_t>> seen;
    asio::post(shards.executor(i), [&] { seen.set_value(Shards::current()); });
    EXPECT_EQ(seen.get_future().get(), i);
  }
  EXPECT_EQ(Shards::current(), std::nullopt);
  shards.stop();
  shards.stop();
}

TEST(Shards, HandlersThatWaitAreDestroyedWithThem) {
  auto held = std::make_shared<int>(1);
  {
    Shards shards("test", 1);
    asio::post(shards.executor(0), [held] {});
    EXPECT_EQ(held.use_count(), 2);
  }
  EXPECT_EQ(held.use_count(), 1);
}

awaitable<std::string> hop(Executor owner) {
  auto before = Shards::current();
  auto make = [text = std::string("made on ")]() mutable {
    return Payload(text + std::to_string(*Shards::current()));
  };
  Payload payload = co_await run_on(owner, std::move(make));
  auto nothing = [] {};
  co_await run_on(owner, nothing);
  EXPECT_EQ(Shards::current(), before);
  co_return *payload.text;
}

TEST(RunOn, HopsToTheOwnerAndBack) {
  Shards shards("test", 2);
  shards.start();
  EXPECT_EQ(run_at(shards.executor(0), hop(shards.executor(1))), "made on 1");
  EXPECT_EQ(run_at(shards.executor(0), hop(shards.executor(0))), "made on 0");
  shards.stop();
}

awaitable<int> throws_over_there(Executor owner) {
  auto bad = []() -> int { throw std::runtime_error("over there"); };
  try {
    co_return co_await run_on(owner, bad);
  } catch (const std::runtime_error&) {
  }
  co_return -1;
}

TEST(RunOn, ExceptionsComeBack) {
  Shards shards("test", 2);
  shards.start();
  EXPECT_EQ(run_at(shards.executor(0), throws_over_there(shards.executor(1))), -1);
  shards.stop();
}

awaitable<size_t> await_there(Executor owner) {
  auto body = []() -> awaitable<size_t> {
    co_await sleep_ms(1);
    co_return *Shards::current();
  };
  co_return co_await await_on(owner, body);
}

TEST(AwaitOn, RunsACoroutineOnTheOwner) {
  Shards shards("test", 2);
  shards.start();
  EXPECT_EQ(run_at(shards.executor(0), await_there(shards.executor(1))), 1u);
  EXPECT_EQ(run_at(shards.executor(1), await_there(shards.executor(1))), 1u);
  shards.stop();
}

awaitable<std::string> in_background(Background& background) {
  std::string local = "local";
  auto work = [&local] {
    EXPECT_EQ(Shards::current(), std::nullopt);
    return Payload(local + " and back");
  };
  Payload payload = co_await background.run(work);
  EXPECT_EQ(Shards::current(), 0u);
  auto bad = []() -> int { throw std::runtime_error("disk"); };
  bool thrown = false;
  try {
    co_await background.run(bad);
  } catch (const std::runtime_error&) {
    thrown = true;
  }
  EXPECT_TRUE(thrown);
  auto nothing = [] {};
  co_await background.run(nothing);
  co_return *payload.text;
}

TEST(Background, RunsAndComesBack) {
  Shards shards("test", 1);
  Background background("pool", 2, 10);
  shards.start();
  EXPECT_EQ(run_at(shards.executor(0), in_background(background)), "local and back");
  background.stop();
  // a pool that has stopped answers with an exception, not never
  EXPECT_THROW(run_at(shards.executor(0), in_background(background)), std::runtime_error);
  shards.stop();
}

awaitable<std::vector<Error>> errors_of_work(Background& background) {
  std::vector<Error> errors;
  auto value = []() -> Result<Payload> { throw std::bad_alloc(); };
  auto first = co_await background.run(value);
  if (!first) errors.push_back(first.error());
  auto nothing = []() -> Result<void> { throw std::runtime_error("a library"); };
  auto second = co_await background.run(nothing);
  if (!second) errors.push_back(second.error());
  background.stop();
  auto third = co_await background.run(nothing);
  if (!third) errors.push_back(third.error());
  co_return errors;
}

TEST(Background, WhatAResultsWorkThrowsIsItsError) {
  Shards shards("test", 1);
  Background background("pool", 1, 10);
  shards.start();
  auto errors = run_at(shards.executor(0), errors_of_work(background));
  ASSERT_EQ(errors.size(), 3u);
  EXPECT_EQ(errors[0].code(), Errc::internal);
  EXPECT_EQ(errors[1].what(), "a library");
  EXPECT_EQ(errors[2].code(), Errc::cancelled);
  shards.stop();
}

TEST(Background, PostedWorkThatThrowsIsToldAsAnError) {
  Shards shards("test", 1);
  shards.start();
  Background background("pool", 1, 10);
  std::promise<bool> ended;
  auto work = []() -> Result<void> { throw std::bad_alloc(); };
  auto done = [&ended](const Result<void>& result) { ended.set_value(result.ok()); };
  ASSERT_TRUE(background.post(work, shards.executor(0), done));
  EXPECT_FALSE(ended.get_future().get());
  background.stop();
  shards.stop();
}

// Abandoned work would leave somebody waiting for ever: the process ends instead.
TEST(SpawnDeathTest, AnExceptionThatEscapesEndsTheProcess) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  auto work = []() -> awaitable<void> {
    throw std::runtime_error("nobody catches this");
    co_return;
  };
  auto run = [&work] {
    asio::io_context context(1);
    spawn(context.get_executor(), work(), "a test");
    context.run();
  };
  EXPECT_DEATH(run(), "escaped from a test: nobody catches this");
}

TEST(Spawn, ACancelledWaitJustEnds) {
  asio::io_context context(1);
  auto work = []() -> awaitable<void> {
    throw boost::system::system_error(asio::error::operation_aborted);
    co_return;
  };
  spawn(context.get_executor(), work(), "a test");
  EXPECT_GT(context.run(), 0u);
}

TEST(ScopeExit, RunsHoweverTheScopeIsLeft) {
  asio::io_context context(1);
  int left = 0;
  Signal signal;
  auto work = [&](bool throws) -> awaitable<void> {
    ScopeExit leaving([&left] { ++left; });
    if (throws) throw std::runtime_error("out");
    co_await signal.wait_ms(60'000);
  };
  asio::co_spawn(context, work(true), asio::detached);
  asio::co_spawn(context, work(false), asio::detached);
  while (context.poll() > 0) {
  }
  EXPECT_EQ(left, 1);
  signal.notify_all();
  while (context.poll() > 0) {
  }
  EXPECT_EQ(left, 2);
}

TEST(Background, PostIsBoundedAndTellsTheEnd) {
  Shards shards("test", 1);
  shards.start();
  Background background("pool", 1, 2);
  std::promise<void> gate;
  auto opened = gate.get_future().share();
  std::promise<void> running;
  ASSERT_TRUE(background.post([&] {
    running.set_value();
    opened.wait();
  }));
  running.get_future().wait();
  std::promise<int> ended;
  ASSERT_TRUE(background.post([] { return 5; }, shards.executor(0),
                              [&](int value) { ended.set_value(value); }));
  ASSERT_TRUE(background.post([] {}));
  EXPECT_FALSE(background.post([] {}));
  gate.set_value();
  EXPECT_EQ(ended.get_future().get(), 5);
  background.stop();
  EXPECT_FALSE(background.post([] {}));
  shards.stop();
}

awaitable<bool> wait_for(Signal& signal, int64_t timeout_ms, int& waiting) {
  ++waiting;
  co_return co_await signal.wait_ms(timeout_ms);
}

TEST(Signal, WakesAllOrTimesOut) {
  asio::io_context context(1);
  Signal signal;
  int waiting = 0;
  auto first = asio::co_spawn(context, wait_for(signal, 60'000, waiting), asio::use_future);
  auto second = asio::co_spawn(context, wait_for(signal, 60'000, waiting), asio::use_future);
  auto third = asio::co_spawn(context, wait_for(signal, 1, waiting), asio::use_future);
  while (third.wait_for(std::chrono::seconds(0)) != std::future_status::ready) context.run_one();
  EXPECT_FALSE(third.get());
  EXPECT_EQ(waiting, 3);
  signal.notify_all();
  context.run();
  EXPECT_TRUE(first.get());
  EXPECT_TRUE(second.get());
}

TEST(RepeatingTimer, RepeatsUntilItSaysSo) {
  asio::io_context context(1);
  int calls = 0;
  RepeatingTimer timer(context.get_executor(), [&]() -> int64_t { return ++calls < 3 ? 0 : -1; });
  timer.start(0);
  context.run();
  EXPECT_EQ(calls, 3);
}

TEST(RepeatingTimer, IsSilentOnceItIsGone) {
  asio::io_context context(1);
  int calls = 0;
  {
    RepeatingTimer timer(context.get_executor(), [&]() -> int64_t {
      ++calls;
      return 0;
    });
    timer.start(0);
  }
  context.run();
  EXPECT_EQ(calls, 0);
}

TEST(BoundedQueue, RefusesAtItsBoundAndEndsWhenClosed) {
  BoundedQueue<int> queue(2);
  EXPECT_TRUE(queue.try_push(1));
  EXPECT_TRUE(queue.try_push(2));
  EXPECT_FALSE(queue.try_push(3));
  EXPECT_TRUE(queue.push(4));
  EXPECT_EQ(queue.pop(), 1);
  queue.close();
  EXPECT_EQ(queue.pop(), std::nullopt);
  EXPECT_FALSE(queue.push(5));
  EXPECT_EQ(queue.drain().size(), 2u);
}

}  // namespace
}  // namespace odradek::runtime
