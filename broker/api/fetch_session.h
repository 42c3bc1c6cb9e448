#pragma once
// Fetch sessions (KIP-227): the broker remembers which partitions a client reads, so that a request
// names only what changed and an answer only what has news. FetchSessionCache is one shard's part:
// plain state, time as an argument, nothing survives a restart (clients open new sessions). A
// session's id names its shard (id modulo the shards), so that it can be used from any connection.

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "broker/api/error_code.h"
#include "broker/log/log.h"
#include "common/ids.h"
#include "proto/kafka/fetch.h"

namespace odradek::broker::api {

// One partition that is to be read, as the client said it last.
struct FetchTarget {
  std::string topic;  // up to version 12
  Uuid topic_id;      // from version 13
  int32_t partition = 0;
  int32_t current_leader_epoch = -1;
  int32_t last_fetched_epoch = -1;
  int64_t fetch_offset = 0;
  int64_t log_start_offset = -1;
  int32_t max_bytes = 0;
};

// What was found there.
struct FetchOutcome {
  kafka::FetchResponsePartitionData data;  // without records
  log::LogSlice slice;
};

enum class FetchKind {
  sessionless,  // every partition is answered, nothing is remembered
  full,         // the same, and a session is opened if there is room
  incremental,  // only partitions with news are answered
};

struct FetchPlan {
  ErrorCode error = ErrorCode::none;  // for the whole answer
  FetchKind kind = FetchKind::sessionless;
  int32_t session_id = 0;
  int32_t epoch = 0;  // of an incremental fetch: what the session expects next
  bool by_id = false;
  std::vector<FetchTarget> targets;  // in the order in which they are to be read
};

class FetchSessionCache {
 public:
  // Ids are shard, shard + shard_count, ...; at most max_sessions at once; a session that was used
  // within eviction_ms is not pushed out by one of no more partitions.
  FetchSessionCache(size_t shard, size_t shard_count, size_t max_sessions, int64_t eviction_ms);

  // For a request of session id and epoch that begins, goes on with, or ends a session of this
  // shard, or uses none.
  FetchPlan begin(const kafka::FetchRequest& request, int16_t version, int64_t now_ms);

  // Once the partitions are read; outcomes stand in the order of plan.targets. Opens the session of
  // a full fetch (the id is put into the plan), or marks in `news` what an incremental answer has
  // to contain.
  void complete(FetchPlan& plan, const std::vector<FetchOutcome>& outcomes, std::vector<bool>& news,
                int64_t now_ms);

  size_t sessions() const { return sessions_.size(); }
  size_t partitions() const { return partitions_; }

 private:
  struct Key {
    std::string topic;
    Uuid topic_id;
    int32_t partition;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    size_t operator()(const Key& key) const;
  };
  struct Cached {
    FetchTarget target;
    int64_t high_watermark = -1;    // as told last
    int64_t log_start_offset = -1;  // of the log, as told last
  };
  struct Session {
    int32_t id = 0;
    int32_t epoch = 1;
    bool by_id = false;
    bool of_follower = false;  // replicas are never pushed out by consumers
    int64_t created_ms = 0;
    int64_t used_ms = 0;
    std::list<Cached> partitions;  // the next fetch reads in this order
    std::unordered_map<Key, std::list<Cached>::iterator, KeyHash> index;
  };

  static Key key_of(const FetchTarget& target);
  void put(Session& session, FetchTarget target, int64_t high_watermark, int64_t log_start_offset);
  void erase(int32_t id);
  bool make_room(size_t size, bool of_follower, int64_t now_ms);
  int32_t new_id();

  const int32_t shard_;
  const int32_t shard_count_;
  const size_t max_sessions_;
  const int64_t eviction_ms_;
  size_t partitions_ = 0;
  std::unordered_map<int32_t, std::unique_ptr<Session>> sessions_;
};

// All shards' caches; each is touched on its shard only.
class FetchSessions {
 public:
  FetchSessions(size_t shards, size_t max_sessions, int64_t eviction_ms);
  size_t shard_of(int32_t session_id) const {
    return static_cast<size_t>(session_id) % caches_.size();
  }
  FetchSessionCache& cache(size_t shard) { return *caches_[shard]; }

 private:
  std::vector<std::unique_ptr<FetchSessionCache>> caches_;
};

}  // namespace odradek::broker::api
