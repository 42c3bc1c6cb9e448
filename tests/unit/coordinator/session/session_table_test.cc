#include "coordinator/session/session_table.h"

#include <gtest/gtest.h>

namespace odradek::coordinator::session {
namespace {

TEST(SessionTable, ExpiresInTicks) {
  SessionTable table(2000, 0);
  table.add(SessionId(1), 4000, {}, 500);   // 4500 → 6000
  table.add(SessionId(2), 4000, {}, 1999);  // 5999 → 6000
  table.add(SessionId(3), 4000, {}, 2000);  // 6000 → 8000
  EXPECT_EQ(table.next_tick_ms(), 2000);
  EXPECT_TRUE(table.expire(2000).empty());
  EXPECT_TRUE(table.expire(4000).empty());
  EXPECT_EQ(table.expire(6000), (std::vector<SessionId>{SessionId(1), SessionId(2)}));
  EXPECT_TRUE(table.find(SessionId(1))->closing);
  EXPECT_FALSE(table.touch(SessionId(1), 6000));
  EXPECT_TRUE(table.touch(SessionId(3), 6500));
  EXPECT_TRUE(table.expire(8000).empty());
  EXPECT_TRUE(table.expire(10000).empty());
  EXPECT_EQ(table.expire(12000), std::vector<SessionId>{SessionId(3)});
  EXPECT_TRUE(table.expire(14000).empty());  // nobody twice
}

TEST(SessionTable, AShorterTimeoutMovesTheExpiryBack) {
  SessionTable table(1000, 0);
  table.add(SessionId(1), 40000, {}, 0);
  table.find(SessionId(1))->timeout_ms = 4000;
  EXPECT_TRUE(table.touch(SessionId(1), 100));
  EXPECT_EQ(table.buckets().begin()->first, 5000);
  EXPECT_EQ(table.buckets().size(), 1u);
}

TEST(SessionTable, RemovedAndClosingOnesDoNotExpire) {
  SessionTable table(1000, 0);
  table.add(SessionId(1), 1000, {}, 0);
  table.add(SessionId(2), 1000, {}, 0);
  table.remove(SessionId(1));
  table.mark_closing(*table.find(SessionId(2)));
  for (int64_t now = 1000; now <= 5000; now += 1000) EXPECT_TRUE(table.expire(now).empty());
  EXPECT_EQ(table.size(), 1u);
}

TEST(SessionTable, AGapInTheTicksIsAStall) {
  SessionTable table(2000, 0);
  table.add(SessionId(1), 4000, {}, 0);
  EXPECT_TRUE(table.expire(30'000).empty());
  EXPECT_TRUE(table.expire(32'000).empty());
  EXPECT_TRUE(table.expire(34'000).empty());
  EXPECT_EQ(table.expire(36'000).size(), 1u);
}

// Whenever we stop, and for however long: a client that was heard of in time before has its full
// time-out behind it, or lives at least until it had the chance to speak again.
TEST(SessionTable, NoPauseOfOursEndsAClientThatLived) {
  constexpr int64_t kTickMs = 2000, kTimeoutMs = 4000;
  for (int64_t paused_at = 0; paused_at <= 2000; paused_at += 50) {
    for (int64_t pause_ms = 0; pause_ms <= 9000; pause_ms += 50) {
      SessionTable table(kTickMs, 0);
      // last heard of a third of its time-out before the pause
      table.add(SessionId(1), kTimeoutMs, {}, paused_at - kTimeoutMs / 3);
      int64_t now = paused_at;
      for (int64_t tick = kTickMs; tick <= paused_at; tick += kTickMs) {
        ASSERT_TRUE(table.expire(tick).empty());
      }
      now += pause_ms;
      if (now >= table.next_tick_ms()) {
        ASSERT_TRUE(table.expire(now).empty()) << paused_at << " + " << pause_ms;
      }
      ASSERT_TRUE(table.touch(SessionId(1), now));
    }
  }
}

TEST(SessionTable, FirstIdsHoldServerAndTime) {
  SessionId id = first_session_id(1, 1'795'237'000'000);
  EXPECT_EQ(id.value() >> 56, 1);
  EXPECT_GT(first_session_id(1, 1'795'237'000'001), id);
}

}  // namespace
}  // namespace odradek::coordinator::session
