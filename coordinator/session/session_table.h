#pragma once
// SessionTable: the living sessions, when each expires and who holds it now. The durable part (id,
// time-out, password) is in the store; what stands here is made from it at start. Lives on the tree
// thread.

#include <cstdint>
#include <map>
#include <memory>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "common/ids.h"
#include "coordinator/tree/operation.h"

namespace odradek::coordinator::session {

// The connection or stream that holds a session.
class SessionOwner {
 public:
  virtual ~SessionOwner() = default;
  // Closed or expired, by an applied transaction.
  virtual void session_ended(SessionId session) = 0;
  // Somebody came with the session's password: it is theirs now.
  virtual void session_moved(SessionId session) = 0;
};

struct Session {
  SessionId id;
  int32_t timeout_ms = 0;
  tree::Password password{};
  std::weak_ptr<SessionOwner> owner;
  int64_t expires_ms = 0;  // monotonic, a multiple of the tick
  bool closing = false;    // its closing transaction is on the way
};

class SessionTable {
 public:
  explicit SessionTable(int32_t tick_ms, int64_t now_ms)
      : tick_ms_(tick_ms), last_tick_ms_(now_ms) {}

  void add(SessionId id, int32_t timeout_ms, const tree::Password& password, int64_t now_ms);
  void remove(SessionId id);
  // Null where there is none. Closing ones are found too.
  Session* find(SessionId id);
  const Session* find(SessionId id) const;
  // Moves the expiry to now + time-out, rounded up to the next tick. False where there is none or
  // it is closing.
  bool touch(SessionId id, int64_t now_ms);
  // All, without moving their order: after a pause of the whole process.
  void touch_all(int64_t now_ms);

  // Sessions whose time is over at `now_ms`; they are marked as closing. Where the call comes more
  // than a quarter of a tick late the process was not running: everybody gets the full time-out and
  // nobody is named. A client is heard of each third of its time-out, which is two ticks at least
  // unless a setting says otherwise: whoever lived when we stopped has more left than a tick and a
  // quarter.
  std::vector<SessionId> expire(int64_t now_ms);
  // A tick in which nobody can be blamed: everybody gets the full time-out.
  void forgive(int64_t now_ms);
  int64_t next_tick_ms() const { return last_tick_ms_ + tick_ms_; }
  void mark_closing(Session& session);

  size_t size() const { return sessions_.size(); }
  // Expiry times with their sessions, soonest first (the dump command).
  const std::map<int64_t, std::unordered_set<SessionId>>& buckets() const { return buckets_; }
  std::vector<SessionId> ids() const;

 private:
  int64_t round_up(int64_t ms) const { return (ms / tick_ms_ + 1) * tick_ms_; }
  void leave_bucket(const Session& session);

  const int32_t tick_ms_;
  int64_t last_tick_ms_;
  std::unordered_map<SessionId, Session> sessions_;
  std::map<int64_t, std::unordered_set<SessionId>> buckets_;
};

// The first session id of a server: id in the high byte, then time, so that ids of restarts do not
// meet.
SessionId first_session_id(uint8_t server_id, int64_t time_ms);

}  // namespace odradek::coordinator::session
