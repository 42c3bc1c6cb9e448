#include "broker/group/group_manager.h"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <unordered_map>
#include <utility>

#include "broker/group/group_partition.h"
#include "common/bytes/hash.h"
#include "common/check.h"
#include "common/log/log.h"
#include "common/runtime/background.h"
#include "common/runtime/owner.h"
#include "common/runtime/shards.h"
#include "common/runtime/spawn.h"

namespace odradek::broker::group {

namespace asio = boost::asio;

PartitionId offsets_partition_of(std::string_view group_id, int32_t partition_count) {
  CHECK(partition_count > 0);
  return PartitionId(java_hash_positive(group_id) % partition_count);
}

// The groups of one shard: its partitions and one timer for all of them. Touched on that shard
// only.
class GroupManager::Shard {
 public:
  Shard(runtime::Executor executor, std::shared_ptr<const GroupContext> context)
      : executor_(executor), context_(std::move(context)), timer_(executor) {}

  // nullptr where this broker is not the coordinator.
  std::shared_ptr<GroupPartition> find(PartitionId id) const {
    auto at = partitions_.find(id);
    return at == partitions_.end() ? nullptr : at->second;
  }

  void lead(const TopicPartition& id) {
    if (stopped_) return;
    auto& place = partitions_[id.partition];
    // a new leader epoch of a partition led already: nobody else has written to it
    if (place && place->status() != GroupPartition::Status::failed) return;
    if (place) place->end();
    place = std::make_shared<GroupPartition>(id, context_, executor_, [this] { arm(); });
    auto load = [](std::shared_ptr<GroupPartition> partition) -> asio::awaitable<void> {
      co_await partition->load();
    };
    runtime::spawn(executor_, load(place), "the loading of groups");
  }

  void resign(PartitionId id) {
    auto at = partitions_.find(id);
    if (at == partitions_.end()) return;
    auto partition = std::move(at->second);
    partitions_.erase(at);
    partition->end();
  }

  void stop() {
    stopped_ = true;
    timer_.cancel();
    auto partitions = std::exchange(partitions_, {});
    for (auto& [id, partition] : partitions) partition->end();
  }

  const std::unordered_map<PartitionId, std::shared_ptr<GroupPartition>>& partitions() const {
    return partitions_;
  }

 private:
  // Sets the timer where the next deadline is earlier than what it waits for.
  void arm() {
    if (stopped_) return;
    int64_t next_ms = kNever;
    for (const auto& [id, partition] : partitions_)
      next_ms = std::min(next_ms, partition->next_deadline_ms());
    if (next_ms >= armed_ms_) return;
    armed_ms_ = next_ms;
    int64_t wait_ms = std::max<int64_t>(next_ms - context_->clock->monotonic_ms(), 0);
    timer_.expires_after(std::chrono::milliseconds(wait_ms));
    timer_.async_wait([this](boost::system::error_code error) {
      if (error || stopped_) return;
      armed_ms_ = kNever;
      int64_t now_ms = context_->clock->monotonic_ms();
      std::vector<std::shared_ptr<GroupPartition>> due;
      for (const auto& [id, partition] : partitions_) {
        if (partition->next_deadline_ms() <= now_ms) due.push_back(partition);
      }
      for (const auto& partition : due) partition->tick();
      arm();
    });
  }

  runtime::Executor executor_;
  std::shared_ptr<const GroupContext> context_;
  asio::steady_timer timer_;
  int64_t armed_ms_ = kNever;
  std::unordered_map<PartitionId, std::shared_ptr<GroupPartition>> partitions_;
  bool stopped_ = false;
};

GroupManager::GroupManager(GroupSettings settings, const Clock* clock, runtime::Shards* shards,
                           runtime::Background* background, replica::PartitionManager* partitions)
    : settings_(settings),
      shards_(shards),
      partitions_(partitions),
      partition_count_(settings.offsets_topic_partitions) {
  auto context = std::make_shared<GroupContext>();
  context->settings = settings;
  context->clock = clock;
  context->background = background;
  context->partitions = partitions;
  for (size_t i = 0; i < shards->size(); ++i) {
    by_shard_.push_back(std::make_unique<Shard>(shards->executor(i), context));
  }
  partitions->listen(std::string(kOffsetsTopic), this);
}

GroupManager::~GroupManager() = default;

GroupManager::Place GroupManager::place_of(std::string_view group_id) const {
  TopicPartition id{std::string(kOffsetsTopic), partition_of(group_id)};
  size_t index = partitions_->owner_index(id);
  return Place{by_shard_[index].get(), shards_->executor(index), id.partition};
}

namespace {

// A reply on its way to the shard that asked.
template <typename Response>
struct Expected {
  explicit Expected(const asio::any_io_executor& own)
      : arrived(own, asio::steady_timer::time_point::max()) {}
  std::optional<Response> reply;
  asio::steady_timer arrived;  // cancelled when the reply is there
};

// On the frame of the coroutine that waits: when the frame goes without a reply, the group forgets
// the request.
template <typename Forget>
class ForgetUnlessReplied {
 public:
  explicit ForgetUnlessReplied(Forget forget) : forget_(std::move(forget)) {}
  ~ForgetUnlessReplied() {
    if (!replied_) forget_();
  }
  ForgetUnlessReplied(const ForgetUnlessReplied&) = delete;
  ForgetUnlessReplied& operator=(const ForgetUnlessReplied&) = delete;
  void replied() { replied_ = true; }

 private:
  Forget forget_;
  bool replied_ = false;
};

}  // namespace

template <typename Response, typename Start, typename Refuse>
asio::awaitable<Response> GroupManager::call(Place place, std::string group_id, Start start,
                                             Refuse refuse) {
  asio::any_io_executor own = co_await asio::this_coro::executor;
  auto expected = std::make_shared<Expected<Response>>(own);
  RequestToken token = last_token_.fetch_add(1, std::memory_order_relaxed) + 1;
  auto on_reply = [expected, own](ReplyBody body) {
    auto arrive = [expected, body = std::move(body)]() mutable {
      expected->reply = std::get<Response>(std::move(body));
      expected->arrived.cancel();
    };
    asio::dispatch(own, std::move(arrive));
  };
  ForgetUnlessReplied waiter([place, group_id = std::move(group_id), token] {
    asio::post(place.executor, [place, group_id, token] {
      if (auto partition = place.shard->find(place.partition)) partition->forget(group_id, token);
    });
  });
  auto run = [place, start = std::move(start), refuse = std::move(refuse),
              on_reply = std::move(on_reply), token]() mutable {
    auto partition = place.shard->find(place.partition);
    std::optional<Errc> error = partition ? partition->unready() : Errc::not_coordinator;
    if (error) {
      on_reply(refuse(*error));
    } else {
      start(*partition, token, std::move(on_reply));
    }
  };
  asio::dispatch(place.executor, std::move(run));
  // a cancelled caller leaves by an exception from here
  if (!expected->reply) co_await expected->arrived.async_wait(runtime::kAsTuple);
  if (!expected->reply) co_return Response();
  waiter.replied();
  co_return std::move(*expected->reply);
}

asio::awaitable<JoinResponse> GroupManager::join(JoinRequest request) {
  Place place = place_of(request.group_id);
  std::string group_id = request.group_id;
  auto refuse = [member_id = request.member_id](Errc error) {
    JoinResponse refused;
    refused.member_id = member_id;
    refused.error = error;
    return refused;
  };
  auto start = [request = std::move(request)](GroupPartition& partition, RequestToken token,
                                              GroupPartition::OnReply on_reply) {
    partition.join(request, token, std::move(on_reply));
  };
  co_return co_await call<JoinResponse>(place, std::move(group_id), std::move(start),
                                        std::move(refuse));
}

asio::awaitable<SyncResponse> GroupManager::sync(SyncRequest request) {
  Place place = place_of(request.group_id);
  std::string group_id = request.group_id;
  auto refuse = [](Errc error) {
    SyncResponse refused;
    // who joined before the coordinator moved here has to join again
    refused.error =
        error == Errc::coordinator_load_in_progress ? Errc::rebalance_in_progress : error;
    return refused;
  };
  auto start = [request = std::move(request)](GroupPartition& partition, RequestToken token,
                                              GroupPartition::OnReply on_reply) {
    partition.sync(request, token, std::move(on_reply));
  };
  co_return co_await call<SyncResponse>(place, std::move(group_id), std::move(start),
                                        std::move(refuse));
}

asio::awaitable<std::optional<Errc>> GroupManager::heartbeat(HeartbeatRequest request) {
  Place place = place_of(request.group_id);
  auto run = [place, &request]() -> std::optional<Errc> {
    auto partition = place.shard->find(place.partition);
    if (!partition) return Errc::not_coordinator;
    if (partition->status() == GroupPartition::Status::loading)
      return std::nullopt;  // it will be known in a moment
    if (auto error = partition->unready()) return error;
    return partition->heartbeat(request);
  };
  co_return co_await runtime::run_on(place.executor, std::move(run));
}

asio::awaitable<LeaveResponse> GroupManager::leave(LeaveRequest request) {
  Place place = place_of(request.group_id);
  auto run = [place, &request]() -> LeaveResponse {
    auto partition = place.shard->find(place.partition);
    LeaveResponse refused;
    refused.error = partition ? partition->unready() : Errc::not_coordinator;
    if (refused.error) return refused;
    return partition->leave(request);
  };
  co_return co_await runtime::run_on(place.executor, std::move(run));
}

asio::awaitable<CommitResponse> GroupManager::commit(CommitRequest request) {
  Place place = place_of(request.group_id);
  std::string group_id = request.group_id;
  auto refuse = [count = request.offsets.size()](Errc error) {
    CommitResponse refused;
    refused.offsets.assign(count, error);
    return refused;
  };
  auto start = [request = std::move(request)](GroupPartition& partition, RequestToken token,
                                              GroupPartition::OnReply on_reply) {
    partition.commit(request, token, std::move(on_reply));
  };
  co_return co_await call<CommitResponse>(place, std::move(group_id), std::move(start),
                                          std::move(refuse));
}

asio::awaitable<Result<std::vector<FetchedOffset>>> GroupManager::fetch(
    std::string group_id, std::optional<std::vector<TopicPartition>> partitions,
    bool require_stable) {
  Place place = place_of(group_id);
  auto run = [place, &group_id, &partitions,
              require_stable]() -> Result<std::vector<FetchedOffset>> {
    auto partition = place.shard->find(place.partition);
    auto error = partition ? partition->unready() : Errc::not_coordinator;
    if (error) return Error(*error, "the group's offsets are not here");
    return partition->groups().fetch(group_id, partitions, require_stable);
  };
  auto rows = co_await runtime::run_on(place.executor, std::move(run));
  co_return rows;
}

asio::awaitable<DeleteOffsetsResponse> GroupManager::delete_offsets(DeleteOffsetsRequest request) {
  Place place = place_of(request.group_id);
  std::string group_id = request.group_id;
  auto refuse = [](Errc error) {
    DeleteOffsetsResponse refused;
    refused.error = error;
    return refused;
  };
  auto start = [request = std::move(request)](GroupPartition& partition, RequestToken token,
                                              GroupPartition::OnReply on_reply) {
    partition.delete_offsets(request, token, std::move(on_reply));
  };
  co_return co_await call<DeleteOffsetsResponse>(place, std::move(group_id), std::move(start),
                                                 std::move(refuse));
}

asio::awaitable<DescribedGroup> GroupManager::describe(std::string group_id) {
  Place place = place_of(group_id);
  auto run = [place, &group_id]() -> DescribedGroup {
    auto partition = place.shard->find(place.partition);
    DescribedGroup refused;
    refused.group_id = group_id;
    refused.error = partition ? partition->unready() : Errc::not_coordinator;
    if (refused.error) return refused;
    return partition->groups().describe(group_id);
  };
  co_return co_await runtime::run_on(place.executor, std::move(run));
}

asio::awaitable<std::pair<std::vector<ListedGroup>, bool>> GroupManager::list() {
  std::pair<std::vector<ListedGroup>, bool> listed;
  for (size_t i = 0; i < by_shard_.size(); ++i) {
    Shard* shard = by_shard_[i].get();
    auto run = [shard]() {
      std::pair<std::vector<ListedGroup>, bool> own;
      for (const auto& [id, partition] : shard->partitions()) {
        if (partition->status() == GroupPartition::Status::loading) own.second = true;
        if (partition->status() != GroupPartition::Status::serving) continue;
        auto rows = partition->groups().list();
        own.first.insert(own.first.end(), std::make_move_iterator(rows.begin()),
                         std::make_move_iterator(rows.end()));
      }
      return own;
    };
    auto own = co_await runtime::run_on(shards_->executor(i), std::move(run));
    listed.second = listed.second || own.second;
    listed.first.insert(listed.first.end(), std::make_move_iterator(own.first.begin()),
                        std::make_move_iterator(own.first.end()));
  }
  co_return listed;
}

asio::awaitable<DeleteGroupResponse> GroupManager::remove(std::string group_id) {
  Place place = place_of(group_id);
  auto refuse = [](Errc error) { return DeleteGroupResponse{error}; };
  auto start = [group_id](GroupPartition& partition, RequestToken token,
                          GroupPartition::OnReply on_reply) {
    partition.remove(group_id, token, std::move(on_reply));
  };
  co_return co_await call<DeleteGroupResponse>(place, std::move(group_id), std::move(start),
                                               std::move(refuse));
}

void GroupManager::topics_deleted(std::vector<std::string> topics) {
  if (topics.empty()) return;
  for (size_t i = 0; i < by_shard_.size(); ++i) {
    Shard* shard = by_shard_[i].get();
    asio::post(shards_->executor(i), [shard, topics] {
      std::vector<std::shared_ptr<GroupPartition>> partitions;
      for (const auto& [id, partition] : shard->partitions()) partitions.push_back(partition);
      for (const auto& partition : partitions) partition->topics_deleted(topics);
    });
  }
}

asio::awaitable<void> GroupManager::stop() {
  for (size_t i = 0; i < by_shard_.size(); ++i) {
    Shard* shard = by_shard_[i].get();
    auto run = [shard] { shard->stop(); };
    co_await runtime::run_on(shards_->executor(i), std::move(run));
  }
}

void GroupManager::on_leader(replica::Partition& partition, LeaderEpoch) {
  by_shard_[partitions_->owner_index(partition.id())]->lead(partition.id());
}

void GroupManager::on_not_leader(const TopicPartition& id) {
  by_shard_[partitions_->owner_index(id)]->resign(id.partition);
}

}  // namespace odradek::broker::group
