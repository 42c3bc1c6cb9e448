#include "broker/replica/partition_table.h"

namespace odradek::broker::replica {

PartitionTable::PartitionTable(const runtime::Shards& shards) {
  for (size_t i = 0; i < shards.size(); ++i) {
    executors_.push_back(shards.executor(i));
    shards_.push_back(std::make_unique<Shard>());
  }
}

std::shared_ptr<Partition> PartitionTable::find(const TopicPartition& id) const {
  const Shard& shard = *shards_[shard_of(id)];
  auto found = shard.partitions.find(id);
  return found == shard.partitions.end() ? nullptr : found->second;
}

}  // namespace odradek::broker::replica
