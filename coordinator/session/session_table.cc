#include "coordinator/session/session_table.h"

#include <algorithm>

namespace odradek::coordinator::session {

void SessionTable::leave_bucket(const Session& session) {
  auto bucket = buckets_.find(session.expires_ms);
  if (bucket == buckets_.end()) return;
  bucket->second.erase(session.id);
  if (bucket->second.empty()) buckets_.erase(bucket);
}

void SessionTable::add(SessionId id, int32_t timeout_ms, const tree::Password& password,
                       int64_t now_ms) {
  Session& session = sessions_[id];
  session.id = id;
  session.timeout_ms = timeout_ms;
  session.password = password;
  session.expires_ms = round_up(now_ms + timeout_ms);
  buckets_[session.expires_ms].insert(id);
}

void SessionTable::remove(SessionId id) {
  auto at = sessions_.find(id);
  if (at == sessions_.end()) return;
  leave_bucket(at->second);
  sessions_.erase(at);
}

Session* SessionTable::find(SessionId id) {
  auto at = sessions_.find(id);
  return at == sessions_.end() ? nullptr : &at->second;
}

const Session* SessionTable::find(SessionId id) const {
  auto at = sessions_.find(id);
  return at == sessions_.end() ? nullptr : &at->second;
}

bool SessionTable::touch(SessionId id, int64_t now_ms) {
  Session* session = find(id);
  if (!session || session->closing) return false;
  int64_t expires_ms = round_up(now_ms + session->timeout_ms);
  // a shorter time-out after a reconnect may move it back
  if (expires_ms == session->expires_ms) return true;
  leave_bucket(*session);
  session->expires_ms = expires_ms;
  buckets_[expires_ms].insert(id);
  return true;
}

void SessionTable::touch_all(int64_t now_ms) {
  for (SessionId id : ids()) touch(id, now_ms);
}

void SessionTable::mark_closing(Session& session) {
  leave_bucket(session);
  session.closing = true;
}

void SessionTable::forgive(int64_t now_ms) {
  last_tick_ms_ = now_ms;
  touch_all(now_ms);
}

namespace {
// So late a tick comes on a machine that is merely busy.
constexpr int64_t kBusyMs = 250;
}  // namespace

std::vector<SessionId> SessionTable::expire(int64_t now_ms) {
  if (now_ms - next_tick_ms() > std::max<int64_t>(tick_ms_ / 4, kBusyMs)) {
    forgive(now_ms);
    return {};
  }
  last_tick_ms_ = now_ms;
  std::vector<SessionId> expired;
  while (!buckets_.empty() && buckets_.begin()->first <= now_ms) {
    for (SessionId id : buckets_.begin()->second) {
      sessions_.at(id).closing = true;
      expired.push_back(id);
    }
    buckets_.erase(buckets_.begin());
  }
  std::sort(expired.begin(), expired.end());
  return expired;
}

std::vector<SessionId> SessionTable::ids() const {
  std::vector<SessionId> ids;
  ids.reserve(sessions_.size());
  for (const auto& [id, session] : sessions_) ids.push_back(id);
  std::sort(ids.begin(), ids.end());
  return ids;
}

SessionId first_session_id(uint8_t server_id, int64_t time_ms) {
  uint64_t id = static_cast<uint64_t>(time_ms) << 24 >> 8;
  return SessionId(static_cast<int64_t>(id | static_cast<uint64_t>(server_id) << 56));
}

}  // namespace odradek::coordinator::session
