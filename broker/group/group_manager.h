#pragma once
// GroupManager: this broker as group coordinator. A group lives with its __consumer_offsets
// partition, on that partition's shard; the public coroutines hop there and back, so they may be
// called from any shard.
//
// What survives a crash is what is in __consumer_offsets: offsets, and of each group the last
// assignment. A partition that this broker begins to lead is read in the background first; its
// groups answer coordinator_load_in_progress until then, and not_coordinator when the partition is
// led elsewhere.

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/group/types.h"
#include "broker/replica/partition_manager.h"
#include "common/clock.h"
#include "common/ids.h"
#include "common/result.h"
#include "common/runtime/executor.h"

namespace odradek::runtime {
class Shards;
class Background;
}  // namespace odradek::runtime

namespace odradek::broker::group {

inline constexpr std::string_view kOffsetsTopic = "__consumer_offsets";

// The absolute value of Java's String.hashCode, modulo the count (above 0).
PartitionId offsets_partition_of(std::string_view group_id, int32_t partition_count);

// A group's place: which partition of __consumer_offsets. The caller computes it with the partition
// count of the image (GroupSettings::offsets_topic_partitions where the topic does not exist yet).
class GroupManager final : public replica::LeadershipListener {
 public:
  template <typename T>
  using Awaitable = boost::asio::awaitable<T>;

  // What is pointed to outlives this object. Listens to PartitionManager: make it before that one's
  // start().
  GroupManager(GroupSettings settings, const Clock* clock, runtime::Shards* shards,
               runtime::Background* background, replica::PartitionManager* partitions);
  ~GroupManager() override;
  GroupManager(const GroupManager&) = delete;
  GroupManager& operator=(const GroupManager&) = delete;

  const GroupSettings& settings() const { return settings_; }
  // Partitions of __consumer_offsets: the image's number where the topic exists. Set on each image
  // that changes it.
  void set_partition_count(int32_t count) {
    partition_count_.store(count, std::memory_order_relaxed);
  }
  PartitionId partition_of(std::string_view group_id) const {
    return offsets_partition_of(group_id, partition_count_.load(std::memory_order_relaxed));
  }

  // join and sync wait as long as the group's rebalance lasts. The wait itself is on the caller's
  // shard: where the caller is cancelled or destroyed (its connection has gone) the group is told
  // to forget it.
  Awaitable<JoinResponse> join(JoinRequest request);
  Awaitable<SyncResponse> sync(SyncRequest request);
  Awaitable<std::optional<Errc>> heartbeat(HeartbeatRequest request);
  Awaitable<LeaveResponse> leave(LeaveRequest request);
  Awaitable<CommitResponse> commit(CommitRequest request);
  // Every partition asked for has a row; with nullopt every committed one has. An error stands for
  // the whole group.
  Awaitable<Result<std::vector<FetchedOffset>>> fetch(
      std::string group_id, std::optional<std::vector<TopicPartition>> partitions,
      bool require_stable);
  Awaitable<DeleteOffsetsResponse> delete_offsets(DeleteOffsetsRequest request);
  Awaitable<DescribedGroup> describe(std::string group_id);
  // Every group that this broker coordinates. The flag: some partition is still loading.
  Awaitable<std::pair<std::vector<ListedGroup>, bool>> list();
  Awaitable<DeleteGroupResponse> remove(std::string group_id);

  // Offsets of topics that are deleted by record (metadata::ImageChange::deleted) go. From any
  // thread.
  void topics_deleted(std::vector<std::string> topics);

  // Ends timers and answers all that wait with not_coordinator. Call once, before the shards stop.
  Awaitable<void> stop();

  void on_leader(replica::Partition& partition, LeaderEpoch leader_epoch) override;
  void on_not_leader(const TopicPartition& id) override;

 private:
  class Shard;
  struct Place {
    Shard* shard;
    runtime::Executor executor;
    PartitionId partition;
  };

  Place place_of(std::string_view group_id) const;
  // Runs `start(partition, token, on_reply)` on the group's shard and waits for the reply. Where
  // the partition does not serve now, `refuse(error)` makes the reply.
  template <typename Response, typename Start, typename Refuse>
  Awaitable<Response> call(Place place, std::string group_id, Start start, Refuse refuse);

  const GroupSettings settings_;
  runtime::Shards* shards_;
  replica::PartitionManager* partitions_;
  std::atomic<int32_t> partition_count_;
  std::atomic<RequestToken> last_token_ = 0;
  std::vector<std::unique_ptr<Shard>> by_shard_;  // by shard index; each touched on its shard only
};

}  // namespace odradek::broker::group
