#pragma once
// OffsetTable: the committed offsets of one group, and those of transactions that are still open.
// Part of Group; only the replay of stored records writes it.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "broker/group/stored_records.h"
#include "common/ids.h"

namespace odradek::broker::group {

class OffsetTable {
 public:
  bool empty() const { return offsets_.empty(); }
  size_t size() const { return offsets_.size(); }
  bool has_pending() const { return !pending_.empty(); }
  bool is_pending(const TopicPartition& partition) const;

  // nullptr where none is committed.
  const StoredOffset* find(const TopicPartition& partition) const;
  void for_each(const std::function<void(const TopicPartition&, const StoredOffset&)>& visit) const;
  // Those for which `gone` is true, at most `limit`.
  std::vector<TopicPartition> select(
      const std::function<bool(const TopicPartition&, const StoredOffset&)>& gone,
      size_t limit) const;

  // `log_offset`: where the record stands in __consumer_offsets.
  void put(const TopicPartition& partition, StoredOffset value, Offset log_offset);
  void erase(const TopicPartition& partition);
  // A record of an open transaction counts when its commit marker comes.
  void put_pending(ProducerId producer, const TopicPartition& partition, StoredOffset value,
                   Offset log_offset);
  void end_transaction(ProducerId producer, bool commit);

 private:
  struct Entry {
    StoredOffset value;
    Offset log_offset;
  };
  std::map<TopicPartition, Entry> offsets_;
  std::map<ProducerId, std::map<TopicPartition, Entry>> pending_;
};

}  // namespace odradek::broker::group
