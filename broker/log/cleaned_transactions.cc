#include "broker/log/cleaned_transactions.h"

#include <algorithm>

#include "broker/log/producer_state.h"

namespace odradek::broker::log {

CleanedTransactions::CleanedTransactions(std::vector<AbortedEntry> aborted)
    : ahead_(std::move(aborted)) {
  std::sort(ahead_.begin(), ahead_.end(), [](const AbortedEntry& left, const AbortedEntry& right) {
    return left.first_offset > right.first_offset;
  });
}

void CleanedTransactions::begin_up_to(const BatchHeader& header) {
  while (!ahead_.empty() && ahead_.back().first_offset <= header.last_offset()) {
    const AbortedEntry entry = ahead_.back();
    ahead_.pop_back();
    // one whose marker lies behind says nothing of what is to come
    if (entry.last_offset >= header.base_offset) {
      aborted_.try_emplace(entry.producer_id, Aborted{entry});
    }
  }
}

bool CleanedTransactions::is_aborted(const BatchHeader& header) {
  begin_up_to(header);
  if (!header.is_transactional()) return false;
  auto found = aborted_.find(header.producer_id);
  if (found != aborted_.end() && found->second.entry.last_offset < header.base_offset) {
    aborted_.erase(found);  // its marker is gone
    found = aborted_.end();
  }
  if (found == aborted_.end()) {
    committed_.insert(header.producer_id);
    return false;
  }
  found->second.has_data = true;
  return true;
}

bool CleanedTransactions::is_marker_without_data(const BatchHeader& header, ByteView batch) {
  begin_up_to(header);
  if (header.record_count == 0) return true;  // emptied by an earlier pass
  const Result<std::optional<TransactionMarker>> marker = parse_transaction_marker(batch);
  if (!marker || !*marker) return false;  // another kind of control batch, or none that we know
  if (!(*marker)->aborted) return committed_.erase(header.producer_id) == 0;
  auto found = aborted_.find(header.producer_id);
  if (found == aborted_.end()) return true;
  const Aborted ended = found->second;
  aborted_.erase(found);
  if (ended.has_data) kept_.push_back(ended.entry);
  return !ended.has_data;
}

std::vector<AbortedEntry> CleanedTransactions::take_kept() { return std::exchange(kept_, {}); }

}  // namespace odradek::broker::log
