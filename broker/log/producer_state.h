#pragma once
// What a log remembers of idempotent and transactional producers (KIP-98, KIP-360): the last five
// batches of each, its epoch, its open transaction. Owner: the log's. In snapshots (NAME.snapshot)
// at roll and clean stop; what came after the newest one is replayed from the segments at open.

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "broker/log/record_batch.h"
#include "broker/log/transaction_index.h"
#include "common/bytes/byte_writer.h"
#include "common/ids.h"
#include "common/result.h"

namespace odradek::broker::log {

struct ProducerBatch {
  int32_t last_sequence = kNoSequence;
  Offset last_offset{-1};
  int32_t offset_delta = 0;
  int64_t timestamp_ms = -1;
  int32_t first_sequence() const {
    return advance_sequence(last_sequence, -static_cast<int64_t>(offset_delta));
  }
  Offset first_offset() const { return last_offset - offset_delta; }
};

struct ProducerEntry {
  ProducerEpoch epoch{-1};
  uint8_t batch_count = 0;
  std::array<ProducerBatch, 5> batches;  // oldest first
  int32_t coordinator_epoch = -1;
  int64_t last_timestamp_ms = -1;
  std::optional<Offset> transaction_first_offset;

  const ProducerBatch* last_batch() const {
    return batch_count ? &batches[batch_count - 1] : nullptr;
  }
  int32_t last_sequence() const { return batch_count ? last_batch()->last_sequence : kNoSequence; }
  void add(const ProducerBatch& batch);
};

// The content of a control batch that ends a transaction.
struct TransactionMarker {
  bool aborted = false;
  int32_t coordinator_epoch = -1;
};
// Nothing for other kinds of control batches. `batch` is whole.
Result<std::optional<TransactionMarker>> parse_transaction_marker(ByteView batch);

class ProducerStates {
 public:
  // Before the append of a client's batch: the batch that it repeats, or nothing. Errors:
  // invalid_producer_epoch, out_of_order_sequence. A batch without a producer id is not asked
  // about.
  Result<std::optional<ProducerBatch>> check(const BatchHeader& header,
                                             const TopicPartition& id) const;

  // After the append and in replays. `header` has its offsets. Where a marker ends a transaction
  // that began here, what belongs into the transaction index when it was aborted.
  struct Completed {
    AbortedEntry entry;
    bool aborted = false;
  };
  std::optional<Completed> note(const BatchHeader& header,
                                const std::optional<TransactionMarker>& marker);

  std::optional<Offset> first_unstable_offset() const;
  void remove_expired(int64_t now_ms, int64_t expiration_ms);
  void clear();
  bool empty() const { return entries_.empty(); }
  size_t size() const { return entries_.size(); }
  const std::unordered_map<ProducerId, ProducerEntry>& entries() const { return entries_; }

  // Every offset below it is in this state.
  Offset end_offset() const { return end_offset_; }
  void set_end_offset(Offset offset) { end_offset_ = offset; }

  // NAME.snapshot: int16 version 1, uint32 CRC-32C of what follows it, int32 count, entries of 46
  // bytes.
  Bytes encode_snapshot() const;
  // Replaces the state; entries that are expired at now_ms are left out. corrupt_record where it is
  // damaged.
  Result<void> load_snapshot(ByteView bytes, int64_t now_ms, int64_t expiration_ms);

 private:
  std::unordered_map<ProducerId, ProducerEntry> entries_;
  std::map<Offset, ProducerId> open_transactions_;  // by first offset
  Offset end_offset_{0};
};

}  // namespace odradek::broker::log
