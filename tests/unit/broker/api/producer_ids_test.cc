// Producer ids from blocks; the loop runs on the test's thread.
#include "broker/api/producer_ids.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <new>

namespace odradek::broker::api {
namespace {

namespace asio = boost::asio;

class ProducerIdsTest : public testing::Test {
 protected:
  // Asks for an id; the answer goes to `got` once there is one.
  void ask() {
    auto next = [](ProducerIds& ids, std::vector<int64_t>& got) -> asio::awaitable<void> {
      auto id = co_await ids.next();
      got.push_back(id ? id->value() : -1);
    };
    asio::co_spawn(loop_, next(ids_, got_), [this](const std::exception_ptr& thrown) {
      if (thrown) ++thrown_;
    });
  }
  void poll() {
    loop_.restart();
    while (loop_.poll() > 0) {
    }
  }

  asio::awaitable<Result<metadata::ProducerIdBlock>> allocate() {
    ++asked_;
    co_await answered_.wait_ms(60'000);
    if (std::exchange(throw_once_, false)) throw std::bad_alloc();
    if (refused_) co_return Error(Errc::unavailable, "the coordinator is not there");
    metadata::ProducerIdBlock block;
    block.first = ProducerId(1000 * asked_);
    block.size = 2;
    co_return block;
  }

  asio::io_context loop_{1};
  runtime::Signal answered_;
  ProducerIds ids_{loop_.get_executor(), [this] { return allocate(); }};
  std::vector<int64_t> got_;
  int asked_ = 0;
  int thrown_ = 0;
  bool throw_once_ = false;
  bool refused_ = false;
};

TEST_F(ProducerIdsTest, OneQuestionForAllThatWait) {
  for (int i = 0; i < 3; ++i) ask();
  poll();
  EXPECT_EQ(asked_, 1);
  answered_.notify_all();
  poll();
  EXPECT_EQ(got_, (std::vector<int64_t>{1000, 1001}));
  EXPECT_EQ(asked_, 2);
  answered_.notify_all();
  poll();
  EXPECT_EQ(got_, (std::vector<int64_t>{1000, 1001, 2000}));
}

TEST_F(ProducerIdsTest, ARefusalIsEverybodys) {
  refused_ = true;
  ask();
  ask();
  poll();
  answered_.notify_all();
  poll();
  EXPECT_EQ(got_, (std::vector<int64_t>{-1, -1}));
  EXPECT_EQ(asked_, 1);
}

TEST_F(ProducerIdsTest, AQuestionThatThrowsIsAskedAgain) {
  throw_once_ = true;
  ask();
  ask();
  poll();
  answered_.notify_all();
  poll();
  EXPECT_EQ(thrown_, 1);
  EXPECT_EQ(asked_, 2) << "the other would wait for an answer that nobody asks for";
  answered_.notify_all();
  poll();
  EXPECT_EQ(got_, (std::vector<int64_t>{2000}));
}

}  // namespace
}  // namespace odradek::broker::api
