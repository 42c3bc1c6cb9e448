#include "broker/api/fetch_session.h"

#include <sys/random.h>

#include <algorithm>

namespace odradek::broker::api {

namespace {

constexpr int32_t kInitialEpoch = 0;
constexpr int32_t kFinalEpoch = -1;

int32_t next_epoch(int32_t epoch) { return epoch == INT32_MAX ? 1 : epoch + 1; }

bool from_follower(const kafka::FetchRequest& request) {
  return request.replica_id >= 0 || request.replica_state.replica_id >= 0;
}

std::vector<FetchTarget> targets_of(const kafka::FetchRequest& request) {
  std::vector<FetchTarget> targets;
  for (const auto& topic : request.topics) {
    for (const auto& partition : topic.partitions) {
      FetchTarget target;
      target.topic = topic.topic;
      target.topic_id = topic.topic_id;
      target.partition = partition.partition;
      target.current_leader_epoch = partition.current_leader_epoch;
      target.last_fetched_epoch = partition.last_fetched_epoch;
      target.fetch_offset = partition.fetch_offset;
      target.log_start_offset = partition.log_start_offset;
      target.max_bytes = partition.partition_max_bytes;
      targets.push_back(std::move(target));
    }
  }
  return targets;
}

FetchPlan refused(ErrorCode error) {
  FetchPlan plan;
  plan.error = error;
  return plan;
}

}  // namespace

size_t FetchSessionCache::KeyHash::operator()(const Key& key) const {
  return std::hash<std::string>()(key.topic) ^ std::hash<Uuid>()(key.topic_id) ^
         static_cast<size_t>(key.partition) * 0x9e3779b97f4a7c15ull;
}

FetchSessionCache::FetchSessionCache(size_t shard, size_t shard_count, size_t max_sessions,
                                     int64_t eviction_ms)
    : shard_(static_cast<int32_t>(shard)),
      shard_count_(static_cast<int32_t>(shard_count)),
      max_sessions_(max_sessions),
      eviction_ms_(eviction_ms) {}

FetchSessionCache::Key FetchSessionCache::key_of(const FetchTarget& target) {
  return {target.topic, target.topic_id, target.partition};
}

FetchPlan FetchSessionCache::begin(const kafka::FetchRequest& request, int16_t version,
                                   int64_t now_ms) {
  FetchPlan plan;
  plan.by_id = version >= 13;
  if (version < 7 || request.session_epoch == kInitialEpoch ||
      request.session_epoch == kFinalEpoch) {
    if (version >= 7 && request.session_id != 0) erase(request.session_id);
    plan.targets = targets_of(request);
    bool opens = version >= 7 && request.session_epoch == kInitialEpoch && !plan.targets.empty();
    plan.kind = opens ? FetchKind::full : FetchKind::sessionless;
    plan.epoch = from_follower(request) ? 1 : 0;  // of a full fetch: who opens it
    return plan;
  }
  auto found = sessions_.find(request.session_id);
  if (found == sessions_.end()) return refused(ErrorCode::fetch_session_id_not_found);
  Session& session = *found->second;
  if (session.by_id != plan.by_id) return refused(ErrorCode::fetch_session_topic_id_error);
  if (session.epoch != request.session_epoch)
    return refused(ErrorCode::invalid_fetch_session_epoch);

  for (FetchTarget& target : targets_of(request)) put(session, std::move(target), -1, -1);
  for (const auto& topic : request.forgotten_topics_data) {
    for (int32_t partition : topic.partitions) {
      auto known = session.index.find(Key{topic.topic, topic.topic_id, partition});
      if (known == session.index.end()) continue;
      session.partitions.erase(known->second);
      session.index.erase(known);
      --partitions_;
    }
  }
  session.used_ms = now_ms;
  if (session.partitions.empty()) {  // nothing left to remember
    erase(request.session_id);
    return plan;
  }
  session.epoch = next_epoch(session.epoch);
  plan.kind = FetchKind::incremental;
  plan.session_id = session.id;
  plan.epoch = session.epoch;
  plan.targets.reserve(session.partitions.size());
  for (const Cached& cached : session.partitions) plan.targets.push_back(cached.target);
  return plan;
}

void FetchSessionCache::complete(FetchPlan& plan, const std::vector<FetchOutcome>& outcomes,
                                 std::vector<bool>& news, int64_t now_ms) {
  news.assign(outcomes.size(), true);
  if (plan.kind == FetchKind::full) {
    bool of_follower = plan.epoch == 1;
    if (!make_room(plan.targets.size(), of_follower, now_ms)) return;
    auto session = std::make_unique<Session>();
    session->id = new_id();
    session->by_id = plan.by_id;
    session->of_follower = of_follower;
    session->created_ms = session->used_ms = now_ms;
    plan.session_id = session->id;
    for (size_t i = 0; i < plan.targets.size(); ++i) {
      put(*session, plan.targets[i], outcomes[i].data.high_watermark,
          outcomes[i].data.log_start_offset);
    }
    sessions_.emplace(session->id, std::move(session));
    return;
  }
  if (plan.kind != FetchKind::incremental) return;
  auto found = sessions_.find(plan.session_id);
  if (found == sessions_.end() || found->second->epoch != plan.epoch) {
    plan.error =
        ErrorCode::invalid_fetch_session_epoch;  // another connection went on with it meanwhile
    return;
  }
  Session& session = *found->second;
  session.used_ms = now_ms;
  for (size_t i = 0; i < outcomes.size(); ++i) {
    auto known = session.index.find(key_of(plan.targets[i]));
    if (known == session.index.end()) continue;
    Cached& cached = *known->second;
    const auto& data = outcomes[i].data;
    bool has_records = outcomes[i].slice.size > 0;
    bool failed = data.error_code != 0;
    news[i] = has_records || failed || data.high_watermark != cached.high_watermark ||
              data.log_start_offset != cached.log_start_offset || data.diverging_epoch.epoch >= 0 ||
              data.preferred_read_replica >= 0;
    // a failure is told again until it has gone
    cached.high_watermark = failed ? -1 : data.high_watermark;
    cached.log_start_offset = failed ? -1 : data.log_start_offset;
    // who was served goes to the back, so that nobody starves behind max bytes
    if (has_records)
      session.partitions.splice(session.partitions.end(), session.partitions, known->second);
  }
}

void FetchSessionCache::put(Session& session, FetchTarget target, int64_t high_watermark,
                            int64_t log_start_offset) {
  auto known = session.index.find(key_of(target));
  if (known != session.index.end()) {
    known->second->target = std::move(target);
    return;
  }
  Key key = key_of(target);
  session.partitions.push_back({std::move(target), high_watermark, log_start_offset});
  session.index.emplace(std::move(key), std::prev(session.partitions.end()));
  ++partitions_;
}

void FetchSessionCache::erase(int32_t id) {
  auto found = sessions_.find(id);
  if (found == sessions_.end()) return;
  partitions_ -= found->second->partitions.size();
  sessions_.erase(found);
}

bool FetchSessionCache::make_room(size_t size, bool of_follower, int64_t now_ms) {
  if (max_sessions_ == 0) return false;
  if (sessions_.size() < max_sessions_) return true;
  // who goes first: unused for long; then a consumer before a follower, few partitions before many
  const Session* victim = nullptr;
  auto stale = [&](const Session& session) { return now_ms - session.used_ms > eviction_ms_; };
  auto weaker = [&](const Session& a, const Session& b) {
    if (stale(a) != stale(b)) return stale(a);
    if (a.of_follower != b.of_follower) return !a.of_follower;
    if (a.partitions.size() != b.partitions.size())
      return a.partitions.size() < b.partitions.size();
    return a.used_ms < b.used_ms;
  };
  for (const auto& [id, session] : sessions_) {
    if (victim == nullptr || weaker(*session, *victim)) victim = session.get();
  }
  bool older = now_ms - victim->created_ms > eviction_ms_;
  bool allowed = stale(*victim) || (of_follower && !victim->of_follower) ||
                 (older && of_follower == victim->of_follower && size > victim->partitions.size());
  if (!allowed) return false;
  erase(victim->id);
  return true;
}

int32_t FetchSessionCache::new_id() {
  while (true) {
    uint32_t random = 0;
    if (getrandom(&random, sizeof random, 0) != sizeof random)
      random = static_cast<uint32_t>(sessions_.size()) * 7919;
    int32_t id = static_cast<int32_t>(random & 0x3fffffff) / shard_count_ * shard_count_ + shard_;
    if (id != 0 && !sessions_.contains(id)) return id;
  }
}

FetchSessions::FetchSessions(size_t shards, size_t max_sessions, int64_t eviction_ms) {
  for (size_t i = 0; i < shards; ++i) {
    size_t share = (max_sessions + shards - 1) / shards;
    caches_.push_back(std::make_unique<FetchSessionCache>(i, shards, share, eviction_ms));
  }
}

}  // namespace odradek::broker::api
