#pragma once
// Work on partitions from a handler: grouped by shard, one hop a shard, in the order of the request
// within a shard.

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <string>
#include <vector>

#include "broker/api/handler.h"
#include "broker/metadata/image.h"
#include "broker/replica/partition_manager.h"
#include "common/ids.h"
#include "common/runtime/owner.h"

namespace odradek::broker::api {

// Runs work(index) for each of the items on the shard of id_of(index). `first_shard` goes first:
// callers that share a budget over all items take turns with it.
template <typename IdOf, typename Work>
boost::asio::awaitable<void> on_owners(Services& services, size_t count, size_t first_shard,
                                       IdOf id_of, Work work) {
  auto& partitions = *services.partitions;
  if (count == 1) {  // the usual case, without a list
    auto run = [&work] { work(size_t{0}); };
    co_await runtime::run_on(partitions.owner(id_of(0)), std::move(run));
    co_return;
  }
  const size_t shards = partitions.table().shard_count();
  std::vector<std::vector<size_t>> by_shard(shards);
  for (size_t i = 0; i < count; ++i) by_shard[partitions.owner_index(id_of(i))].push_back(i);
  for (size_t turn = 0; turn < shards; ++turn) {
    const auto& mine = by_shard[(first_shard + turn) % shards];
    if (mine.empty()) continue;
    auto run = [&work, &mine] {
      for (size_t i : mine) work(i);
    };
    co_await runtime::run_on(partitions.table().executor((first_shard + turn) % shards),
                             std::move(run));
  }
}

// A partition that the image says is led here, but whose log is still being opened: worth a
// moment's wait.
inline bool is_opening(const metadata::Image& image, const TopicPartition& id, BrokerId self) {
  const metadata::Partition* partition = image.partition(id.topic, id.partition);
  return partition != nullptr && partition->leader == self;
}

// What find() says of such a partition: the image that it looks at may also be a moment older.
inline bool may_be_opening(Errc code) {
  return code == Errc::not_leader_or_follower || code == Errc::unknown_topic_or_partition;
}

// What a client needs to find the leader without asking again (KIP-951); false where the image has
// none.
struct LeaderHint {
  int32_t leader_id = -1;
  int32_t leader_epoch = -1;
};
LeaderHint leader_hint(const metadata::Image& image, const TopicPartition& id);

// The errors that carry a hint.
bool wants_hint(int16_t error);

// Adds the endpoint of a hinted leader once.
template <typename NodeEndpoint>
void add_endpoint(const RequestContext& context, int32_t leader_id,
                  std::vector<NodeEndpoint>& endpoints) {
  const metadata::Broker* broker = context.image->broker(BrokerId(leader_id));
  const metadata::Endpoint* endpoint = broker ? broker->endpoint(context.listener) : nullptr;
  if (endpoint == nullptr) return;
  for (const NodeEndpoint& known : endpoints) {
    if (known.node_id == leader_id) return;
  }
  NodeEndpoint row;
  row.node_id = leader_id;
  row.host = endpoint->host;
  row.port = endpoint->port;
  row.rack = broker->rack;
  endpoints.push_back(std::move(row));
}

}  // namespace odradek::broker::api
