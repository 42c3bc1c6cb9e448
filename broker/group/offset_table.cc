#include "broker/group/offset_table.h"

#include <utility>

namespace odradek::broker::group {

bool OffsetTable::is_pending(const TopicPartition& partition) const {
  for (const auto& [producer, entries] : pending_) {
    if (entries.contains(partition)) return true;
  }
  return false;
}

const StoredOffset* OffsetTable::find(const TopicPartition& partition) const {
  auto at = offsets_.find(partition);
  return at == offsets_.end() ? nullptr : &at->second.value;
}

void OffsetTable::for_each(
    const std::function<void(const TopicPartition&, const StoredOffset&)>& visit) const {
  for (const auto& [partition, entry] : offsets_) visit(partition, entry.value);
}

std::vector<TopicPartition> OffsetTable::select(
    const std::function<bool(const TopicPartition&, const StoredOffset&)>& gone,
    size_t limit) const {
  std::vector<TopicPartition> selected;
  for (const auto& [partition, entry] : offsets_) {
    if (selected.size() >= limit) break;
    if (gone(partition, entry.value)) selected.push_back(partition);
  }
  return selected;
}

void OffsetTable::put(const TopicPartition& partition, StoredOffset value, Offset log_offset) {
  offsets_.insert_or_assign(partition, Entry{std::move(value), log_offset});
}

void OffsetTable::erase(const TopicPartition& partition) {
  offsets_.erase(partition);
  for (auto at = pending_.begin(); at != pending_.end();) {
    at->second.erase(partition);
    at = at->second.empty() ? pending_.erase(at) : std::next(at);
  }
}

void OffsetTable::put_pending(ProducerId producer, const TopicPartition& partition,
                              StoredOffset value, Offset log_offset) {
  pending_[producer].insert_or_assign(partition, Entry{std::move(value), log_offset});
}

void OffsetTable::end_transaction(ProducerId producer, bool commit) {
  auto ended = pending_.extract(producer);
  if (ended.empty() || !commit) return;
  for (auto& [partition, entry] : ended.mapped()) {
    auto at = offsets_.find(partition);
    // a commit outside of the transaction may have overtaken it: the later record in the log counts
    if (at == offsets_.end() || at->second.log_offset < entry.log_offset) {
      offsets_.insert_or_assign(partition, std::move(entry));
    }
  }
}

}  // namespace odradek::broker::group
