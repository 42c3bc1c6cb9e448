// One connection over a socket pair; the loop runs on the test's thread, the handlers are the
// test's own.
#include "broker/server/connection.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <deque>
#include <new>
#include <optional>

#include "broker/metadata/coordinator_client.h"
#include "common/runtime/scope_exit.h"
#include "proto/kafka/api_keys.h"

namespace odradek::broker::server {
namespace {

namespace asio = boost::asio;
using api::Answer;

// What the handlers of these tests look at.
struct World {
  std::vector<int32_t> started;  // correlation ids, in the order of their handlers
  std::deque<std::pair<int32_t, std::unique_ptr<runtime::Signal>>> later;
  std::vector<int32_t> cancelled;  // later answers that ended with their connection
};
World* world = nullptr;

Bytes answer_bytes(int32_t correlation_id) {
  ByteWriter out;
  out.i32(correlation_id);
  return out.take();
}

asio::awaitable<Answer> at_once(api::Services&, api::RequestContext context, ByteView) {
  world->started.push_back(context.correlation_id);
  co_return Answer(answer_bytes(context.correlation_id));
}

// An answer of `kLarge` bytes behind its correlation id.
constexpr size_t kLarge = 4 << 20;
asio::awaitable<Answer> large(api::Services&, api::RequestContext context, ByteView) {
  world->started.push_back(context.correlation_id);
  co_return Answer(answer_bytes(context.correlation_id) + Bytes(kLarge, 'x'));
}

asio::awaitable<Answer> when_told(int32_t correlation_id, runtime::Signal* told) {
  co_await told->wait_ms(60'000);
  co_return Answer(answer_bytes(correlation_id));
}

asio::awaitable<Answer> afterwards(api::Services&, api::RequestContext context, ByteView) {
  world->started.push_back(context.correlation_id);
  world->later.emplace_back(context.correlation_id, std::make_unique<runtime::Signal>());
  co_return Answer::later(when_told(context.correlation_id, world->later.back().second.get()));
}

// Its handler waits, as a Fetch does for records.
asio::awaitable<Answer> long_poll(api::Services&, api::RequestContext context, ByteView) {
  world->started.push_back(context.correlation_id);
  world->later.emplace_back(context.correlation_id, std::make_unique<runtime::Signal>());
  co_await world->later.back().second->wait_ms(60'000);
  co_return Answer(answer_bytes(context.correlation_id) + Bytes(kLarge, 'x'));
}

asio::awaitable<Answer> until_gone(int32_t correlation_id) {
  bool told = false;
  runtime::ScopeExit left([&] {
    if (!told) world->cancelled.push_back(correlation_id);
  });
  runtime::Signal never;
  told = co_await never.wait_ms(60'000);
  co_return Answer(answer_bytes(correlation_id));
}

asio::awaitable<Answer> like_a_join(api::Services&, api::RequestContext context, ByteView) {
  co_return Answer::later_unless_gone(until_gone(context.correlation_id));
}

asio::awaitable<Answer> throws(api::Services&, api::RequestContext, ByteView) {
  throw std::bad_alloc();
  co_return Answer::nothing();
}

asio::awaitable<Answer> throw_later(runtime::Signal* told) {
  co_await told->wait_ms(60'000);
  throw std::bad_alloc();
}

asio::awaitable<Answer> throws_later(api::Services&, api::RequestContext context, ByteView) {
  world->later.emplace_back(context.correlation_id, std::make_unique<runtime::Signal>());
  co_return Answer::later(throw_later(world->later.back().second.get()));
}

asio::awaitable<Answer> never(api::Services&, api::RequestContext context, ByteView) {
  world->started.push_back(context.correlation_id);
  co_return Answer::nothing();
}

asio::awaitable<Answer> broken(api::Services&, api::RequestContext, ByteView) {
  co_return Answer::close("a test");
}

const ApiRow kRows[] = {
    {kafka::ApiKey::kProduce, 0, 3, afterwards},
    {kafka::ApiKey::kFetch, 0, 3, at_once},
    {kafka::ApiKey::kListOffsets, 0, 0, never},
    {kafka::ApiKey::kMetadata, 0, 0, broken},
    {kafka::ApiKey::kOffsetCommit, 0, 0, throws},
    {kafka::ApiKey::kOffsetFetch, 0, 0, throws_later},
    {kafka::ApiKey::kJoinGroup, 0, 0, like_a_join},
    {kafka::ApiKey::kHeartbeat, 0, 0, large},
    {kafka::ApiKey::kLeaveGroup, 0, 0, long_poll},
};
const ApiRow* find_row(int16_t key) {
  for (const ApiRow& row : kRows) {
    if (static_cast<int16_t>(row.key) == key) return &row;
  }
  return nullptr;
}

class ConnectionTest : public testing::Test {
 protected:
  void SetUp() override {
    world = &world_;
    services_.clock = &clock_;
    services_.coordinator = &coordinator_;
    int fds[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    client_ = fds[1];
    net::Accepted accepted;
    accepted.fd = fds[0];
    accepted.address = "127.0.0.1";
    connection_ =
        std::make_shared<Connection>(loop_.get_executor(), std::move(accepted), "PLAINTEXT",
                                     settings_, services_, budget_, find_row);
    asio::co_spawn(loop_, connection_->run(), [this](std::exception_ptr) { ended_ = true; });
    poll();
  }
  void TearDown() override {
    connection_->close();
    for (auto& [id, signal] : world_.later) signal->notify_all();
    poll();
    ::close(client_);
  }

  void poll() {
    loop_.restart();
    while (loop_.poll() > 0) {
    }
  }

  void send(int16_t key, int16_t version, int32_t correlation_id) {
    ByteWriter out;
    out.i32(2 + 2 + 4 + 2);
    out.i16(key);
    out.i16(version);
    out.i32(correlation_id);
    out.i16(-1);
    ASSERT_EQ(::send(client_, out.buffer().data(), out.buffer_size(), 0),
              static_cast<ssize_t>(out.buffer_size()));
  }

  // Correlation ids of the answers that are there.
  std::vector<int32_t> answers() {
    poll();
    char buffer[4096];
    ssize_t got = ::recv(client_, buffer, sizeof buffer, MSG_DONTWAIT);
    std::vector<int32_t> ids;
    if (got <= 0) return ids;
    ByteReader in(ByteView(buffer, static_cast<size_t>(got)));
    while (in.remaining() > 0) {
      EXPECT_EQ(in.i32(), 4);
      ids.push_back(in.i32());
    }
    return ids;
  }

  // The size of the next answer, read to its end; nothing where it does not come.
  std::optional<size_t> read_one() {
    Bytes prefix = read_bytes(4);
    if (prefix.size() < 4) return std::nullopt;
    auto size = static_cast<size_t>(ByteReader(prefix).i32());
    if (read_bytes(size).size() < size) return std::nullopt;
    return size;
  }
  // As many as come, up to `count`.
  Bytes read_bytes(size_t count) {
    Bytes all;
    Bytes part(65536, '\0');
    while (all.size() < count) {
      poll();
      ssize_t got =
          ::recv(client_, part.data(), std::min(part.size(), count - all.size()), MSG_DONTWAIT);
      if (got <= 0) break;
      all.append(part, 0, static_cast<size_t>(got));
    }
    return all;
  }

  void tell(int32_t correlation_id) {
    for (auto& [id, signal] : world_.later) {
      if (id == correlation_id) signal->notify_all();
    }
  }

  asio::io_context loop_{1};
  ManualClock clock_;
  World world_;
  net::MemoryBudget budget_{1 << 20};
  ConnectionSettings settings_;
  metadata::CoordinatorClient coordinator_{loop_.get_executor()};
  api::Services services_;
  std::shared_ptr<Connection> connection_;
  int client_ = -1;
  bool ended_ = false;
};

TEST_F(ConnectionTest, AnswersInRequestOrderThoughLaterOnesAreReadyFirst) {
  send(0, 0, 1);
  send(1, 0, 2);
  send(0, 0, 3);
  send(1, 0, 4);
  poll();
  EXPECT_EQ(world_.started, (std::vector<int32_t>{1, 2, 3, 4}))
      << "requests take effect without waiting";
  EXPECT_EQ(answers(), std::vector<int32_t>{});
  tell(3);
  EXPECT_EQ(answers(), std::vector<int32_t>{});
  tell(1);
  EXPECT_EQ(answers(), (std::vector<int32_t>{1, 2, 3, 4}));
}

TEST_F(ConnectionTest, ReadsNothingMoreWhileTooManyAnswersWait) {
  for (int32_t i = 0; i < 100; ++i) send(0, 0, i);
  poll();
  EXPECT_EQ(world_.started.size(), Connection::kMaxWaiting);
  tell(0);
  poll();
  EXPECT_EQ(world_.started.size(), Connection::kMaxWaiting + 1);
}

TEST_F(ConnectionTest, ReadsNothingMoreWhileTooManyBytesWait) {
  settings_.max_waiting_bytes = 2 * kLarge;
  send(0, 0, 1);
  for (int32_t i = 2; i <= 9; ++i) send(12, 0, i);
  poll();
  EXPECT_EQ(world_.started, (std::vector<int32_t>{1, 2, 3}));
  tell(1);
  std::vector<size_t> bodies;
  while (bodies.size() < 9) {
    auto size = read_one();
    ASSERT_TRUE(size) << "answer " << bodies.size() + 1 << " does not come";
    bodies.push_back(*size);
  }
  EXPECT_EQ(world_.started.size(), 9u);
  EXPECT_EQ(std::count(bodies.begin(), bodies.end(), 4 + kLarge), 8);
}

TEST_F(ConnectionTest, ARequestWithoutAnAnswerHoldsNobodyUp) {
  send(2, 0, 1);
  send(1, 0, 2);
  EXPECT_EQ(answers(), (std::vector<int32_t>{2}));
  EXPECT_EQ(world_.started, (std::vector<int32_t>{1, 2}));
}

TEST_F(ConnectionTest, ClosesOnWhatIsNotServed) {
  send(77, 0, 1);
  poll();
  EXPECT_TRUE(ended_);
}

TEST_F(ConnectionTest, ClosesOnAVersionThatIsNotServed) {
  send(1, 4, 1);
  poll();
  EXPECT_TRUE(ended_);
}

TEST_F(ConnectionTest, ClosesWhenAHandlerSaysSo) {
  send(3, 0, 1);
  poll();
  EXPECT_TRUE(ended_);
}

TEST_F(ConnectionTest, AHandlerThatThrowsEndsTheConnectionAndWhatWaitsOnIt) {
  send(11, 0, 1);
  poll();
  EXPECT_EQ(world_.cancelled, std::vector<int32_t>{});
  send(8, 0, 2);
  poll();
  EXPECT_TRUE(ended_);
  EXPECT_EQ(world_.cancelled, std::vector<int32_t>{1});
}

TEST_F(ConnectionTest, ALaterAnswerThatThrowsEndsTheConnection) {
  send(9, 0, 1);
  send(11, 0, 2);
  send(1, 0, 3);
  EXPECT_EQ(answers(), std::vector<int32_t>{});
  EXPECT_FALSE(ended_);
  tell(1);
  poll();
  EXPECT_TRUE(ended_) << "its place would be waited for for ever";
  EXPECT_EQ(world_.cancelled, std::vector<int32_t>{2});
}

TEST_F(ConnectionTest, AClosedConnectionWaitsForNoAnswer) {
  send(11, 0, 1);
  for (int32_t i = 2; i <= 100; ++i) send(1, 0, i);
  poll();
  EXPECT_EQ(world_.started.size(), Connection::kMaxWaiting - 1);
  connection_->close();
  poll();
  EXPECT_TRUE(ended_);
  EXPECT_EQ(world_.cancelled, std::vector<int32_t>{1});
}

TEST_F(ConnectionTest, IsIdleOnlyWhenNothingIsBeingDone) {
  EXPECT_FALSE(connection_->is_idle(clock_.monotonic_ms(), 1000));
  clock_.advance_ms(1001);
  EXPECT_TRUE(connection_->is_idle(clock_.monotonic_ms(), 1000));
  send(1, 0, 1);
  poll();
  EXPECT_FALSE(connection_->is_idle(clock_.monotonic_ms(), 1000));
}

TEST_F(ConnectionTest, APeerThatDoesNotReadItsAnswerIsIdleInTheEnd) {
  send(12, 0, 1);
  poll();
  clock_.advance_ms(1000);
  EXPECT_FALSE(connection_->is_idle(clock_.monotonic_ms(), 1000));
  EXPECT_EQ(read_bytes(kLarge / 2).size(), kLarge / 2) << "it reads, if slowly";
  clock_.advance_ms(1000);
  EXPECT_FALSE(connection_->is_idle(clock_.monotonic_ms(), 1000));
  clock_.advance_ms(1);
  EXPECT_TRUE(connection_->is_idle(clock_.monotonic_ms(), 1000));
  connection_->close();
  poll();
  EXPECT_TRUE(ended_);
}

TEST_F(ConnectionTest, ALongPollIsNotIdleHoweverLongItWaits) {
  send(13, 0, 1);
  poll();
  clock_.advance_ms(5000);
  EXPECT_FALSE(connection_->is_idle(clock_.monotonic_ms(), 1000));
  tell(1);
  poll();
  EXPECT_FALSE(connection_->is_idle(clock_.monotonic_ms(), 1000)) << "the answer is under way";
  clock_.advance_ms(1001);
  EXPECT_TRUE(connection_->is_idle(clock_.monotonic_ms(), 1000)) << "and nobody reads it";
}

TEST_F(ConnectionTest, APeerThatDoesNotReadIsIdleThoughAnotherRequestIsHandled) {
  settings_.max_waiting_bytes = 100 * kLarge;
  send(0, 0, 1);
  send(12, 0, 2);
  send(13, 0, 3);
  poll();
  tell(1);
  poll();
  EXPECT_EQ(world_.started, (std::vector<int32_t>{1, 2, 3}));
  clock_.advance_ms(1001);
  EXPECT_TRUE(connection_->is_idle(clock_.monotonic_ms(), 1000));
}

TEST(Dispatch, EveryAdvertisedApiHasAHandlerAndTheRangesAreKafkas) {
  int16_t last = -1;
  for (const ApiRow& row : served_apis()) {
    EXPECT_NE(row.handler, nullptr);
    EXPECT_GT(static_cast<int16_t>(row.key), last);
    EXPECT_LE(row.min_version, row.max_version);
    last = static_cast<int16_t>(row.key);
  }
  EXPECT_EQ(find_api(0)->min_version, 0);
  EXPECT_EQ(find_api(0)->max_version, 13);
  EXPECT_EQ(find_api(1)->min_version, 0);
  EXPECT_EQ(find_api(24), nullptr) << "transactions are not served";
  EXPECT_EQ(find_api(17), nullptr) << "nor is SASL";
}

}  // namespace
}  // namespace odradek::broker::server
