#pragma once
// PartitionTable: the partitions of each shard. A shard's part is touched on that shard's thread
// only. The shard of a partition is a function of its name, so that everyone can hop to it without
// asking.

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "broker/replica/partition.h"
#include "common/ids.h"
#include "common/runtime/executor.h"
#include "common/runtime/owner.h"
#include "common/runtime/shards.h"

namespace odradek::broker::replica {

class PartitionTable {
 public:
  struct Shard {
    std::unordered_map<TopicPartition, std::shared_ptr<Partition>> partitions;
    std::unordered_set<TopicPartition>
        failed;  // assigned to this broker, but their log cannot be opened
  };

  explicit PartitionTable(const runtime::Shards& shards);

  size_t shard_of(const TopicPartition& id) const {
    return std::hash<TopicPartition>()(id) % shards_.size();
  }
  runtime::Executor executor(size_t shard) const { return executors_[shard]; }
  runtime::Executor owner(const TopicPartition& id) const { return executors_[shard_of(id)]; }
  size_t shard_count() const { return shards_.size(); }

  // On the owner only. Null where it is not there.
  std::shared_ptr<Partition> find(const TopicPartition& id) const;
  Shard& shard(size_t index) { return *shards_[index]; }
  Shard& shard_for(const TopicPartition& id) { return *shards_[shard_of(id)]; }

  // Runs fn(Shard&) on each shard, one after another.
  template <typename Fn>
  boost::asio::awaitable<void> on_every_shard(Fn fn) {
    for (size_t i = 0; i < shards_.size(); ++i) {
      auto run = [this, i, &fn] { fn(*shards_[i]); };
      co_await runtime::run_on(executors_[i], std::move(run));
    }
  }

 private:
  std::vector<runtime::Executor> executors_;
  std::vector<std::unique_ptr<Shard>> shards_;
};

}  // namespace odradek::broker::replica
