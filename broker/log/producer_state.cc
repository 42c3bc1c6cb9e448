#include "broker/log/producer_state.h"

#include <algorithm>

#include "broker/log/record.h"
#include "common/bytes/crc32c.h"
#include "common/format.h"

namespace odradek::broker::log {
namespace {

constexpr size_t kSnapshotHeader = 10;  // version, crc, count
constexpr size_t kSnapshotEntry = 46;
constexpr int16_t kSnapshotVersion = 1;

bool follows(int32_t last_sequence, int32_t next_sequence) {
  return static_cast<int64_t>(next_sequence) == static_cast<int64_t>(last_sequence) + 1 ||
         (next_sequence == 0 && last_sequence == std::numeric_limits<int32_t>::max());
}

}  // namespace

void ProducerEntry::add(const ProducerBatch& batch) {
  if (batch_count == batches.size()) {
    std::move(batches.begin() + 1, batches.end(), batches.begin());
    --batch_count;
  }
  batches[batch_count++] = batch;
}

Result<std::optional<TransactionMarker>> parse_transaction_marker(ByteView batch) {
  Result<RecordIterator> records = RecordIterator::open(batch, 1 << 16);
  if (!records) return records.error();
  const RecordView* record = records->next();
  if (!record || !record->key) return std::optional<TransactionMarker>();
  ByteReader key(*record->key);
  key.i16();  // version
  int16_t type = key.i16();
  if (!key.ok() || (type != 0 && type != 1)) return std::optional<TransactionMarker>();
  TransactionMarker marker;
  marker.aborted = type == 0;
  ByteReader value(record->value.value_or(ByteView()));
  value.i16();
  marker.coordinator_epoch = value.i32();
  if (!value.ok()) marker.coordinator_epoch = -1;
  return std::optional<TransactionMarker>(marker);
}

Result<std::optional<ProducerBatch>> ProducerStates::check(const BatchHeader& header,
                                                           const TopicPartition& id) const {
  auto found = entries_.find(header.producer_id);
  // Of a producer that is not known any more every sequence is taken (KIP-360).
  if (found == entries_.end()) return std::optional<ProducerBatch>();
  const ProducerEntry& entry = found->second;
  if (header.producer_epoch == entry.epoch) {
    for (size_t i = 0; i < entry.batch_count; ++i) {
      const ProducerBatch& batch = entry.batches[i];
      if (batch.first_sequence() == header.base_sequence &&
          batch.last_sequence == header.last_sequence()) {
        return std::optional<ProducerBatch>(batch);
      }
    }
  }
  if (header.producer_epoch < entry.epoch) {
    return Error(
        Errc::invalid_producer_epoch,
        format("Epoch of producer {} in {} is {}, which is smaller than the last seen epoch {}",
               header.producer_id.value(), id.to_string(), header.producer_epoch.value(),
               entry.epoch.value()));
  }
  if (header.producer_epoch != entry.epoch) {
    if (header.base_sequence != 0 && entry.epoch.value() >= 0) {
      return Error(Errc::out_of_order_sequence,
                   format("Invalid sequence number for new epoch of producer {} in partition {}: "
                          "{} (request epoch), {} "
                          "(seq. number), {} (current producer epoch)",
                          header.producer_id.value(), id.to_string(), header.producer_epoch.value(),
                          header.base_sequence, entry.epoch.value()));
    }
    return std::optional<ProducerBatch>();
  }
  if (!follows(entry.last_sequence(), header.base_sequence)) {
    return Error(Errc::out_of_order_sequence,
                 format("Out of order sequence number for producer {} in partition {}: {} "
                        "(incoming seq. number), {} "
                        "(current end sequence number)",
                        header.producer_id.value(), id.to_string(), header.base_sequence,
                        entry.last_sequence()));
  }
  return std::optional<ProducerBatch>();
}

std::optional<ProducerStates::Completed> ProducerStates::note(
    const BatchHeader& header, const std::optional<TransactionMarker>& marker) {
  end_offset_ = header.next_offset();
  if (!header.has_producer_id()) return std::nullopt;
  if (header.is_control() && !marker) return std::nullopt;
  ProducerEntry& entry = entries_[header.producer_id];
  if (entry.epoch != header.producer_epoch) {
    entry.epoch = header.producer_epoch;
    entry.batch_count = 0;
  }
  entry.last_timestamp_ms = header.max_timestamp;
  if (marker) {
    entry.coordinator_epoch = marker->coordinator_epoch;
    if (!entry.transaction_first_offset) return std::nullopt;
    Completed completed;
    completed.aborted = marker->aborted;
    completed.entry.producer_id = header.producer_id;
    completed.entry.first_offset = *entry.transaction_first_offset;
    completed.entry.last_offset = header.last_offset();
    open_transactions_.erase(*entry.transaction_first_offset);
    entry.transaction_first_offset.reset();
    completed.entry.last_stable_offset = first_unstable_offset().value_or(header.next_offset());
    return completed;
  }
  entry.add({header.last_sequence(), header.last_offset(), header.last_offset_delta,
             header.max_timestamp});
  if (header.is_transactional() && !entry.transaction_first_offset) {
    entry.transaction_first_offset = header.base_offset;
    open_transactions_[header.base_offset] = header.producer_id;
  }
  return std::nullopt;
}

std::optional<Offset> ProducerStates::first_unstable_offset() const {
  if (open_transactions_.empty()) return std::nullopt;
  return open_transactions_.begin()->first;
}

void ProducerStates::remove_expired(int64_t now_ms, int64_t expiration_ms) {
  std::erase_if(entries_, [&](const auto& item) {
    return !item.second.transaction_first_offset &&
           item.second.last_timestamp_ms <= now_ms - expiration_ms;
  });
}

void ProducerStates::clear() {
  entries_.clear();
  open_transactions_.clear();
  end_offset_ = Offset(0);
}

Bytes ProducerStates::encode_snapshot() const {
  ByteWriter out;
  out.reserve(kSnapshotHeader + entries_.size() * kSnapshotEntry);
  out.i16(kSnapshotVersion);
  out.u32(0);
  out.i32(static_cast<int32_t>(entries_.size()));
  // in the order of the ids, so that the same state is the same bytes
  std::vector<ProducerId> ids;
  ids.reserve(entries_.size());
  for (const auto& [id, entry] : entries_) ids.push_back(id);
  std::sort(ids.begin(), ids.end());
  for (ProducerId id : ids) {
    const ProducerEntry& entry = entries_.at(id);
    const ProducerBatch last = entry.last_batch() ? *entry.last_batch() : ProducerBatch();
    out.i64(id.value());
    out.i16(entry.epoch.value());
    out.i32(last.last_sequence);
    out.i64(last.last_offset.value());
    out.i32(last.offset_delta);
    out.i64(entry.last_timestamp_ms);
    out.i32(entry.coordinator_epoch);
    out.i64(entry.transaction_first_offset ? entry.transaction_first_offset->value() : -1);
  }
  uint32_t crc = crc32c(ByteView(out.buffer()).substr(6));
  out.patch_i32(2, static_cast<int32_t>(crc));
  return out.take();
}

Result<void> ProducerStates::load_snapshot(ByteView bytes, int64_t now_ms, int64_t expiration_ms) {
  auto damaged = [](std::string why) {
    return Error(Errc::corrupt_record, "a producer snapshot " + std::move(why));
  };
  ByteReader reader(bytes);
  int16_t version = reader.i16();
  uint32_t crc = reader.u32();
  int32_t count = reader.i32();
  if (!reader.ok()) return damaged("is cut");
  if (version != kSnapshotVersion) return damaged(format("of unknown version {}", version));
  if (crc32c(bytes.substr(6)) != crc) return damaged("has a wrong checksum");
  if (count < 0 || reader.remaining() != static_cast<size_t>(count) * kSnapshotEntry) {
    return damaged("has a wrong length");
  }
  clear();
  for (int32_t i = 0; i < count; ++i) {
    ProducerId id(reader.i64());
    ProducerEntry entry;
    entry.epoch = ProducerEpoch(reader.i16());
    ProducerBatch last;
    last.last_sequence = reader.i32();
    last.last_offset = Offset(reader.i64());
    last.offset_delta = reader.i32();
    last.timestamp_ms = entry.last_timestamp_ms = reader.i64();
    entry.coordinator_epoch = reader.i32();
    int64_t first = reader.i64();
    if (last.last_offset.value() >= 0) entry.add(last);
    if (first >= 0) {
      entry.transaction_first_offset = Offset(first);
      open_transactions_[Offset(first)] = id;
    } else if (entry.last_timestamp_ms <= now_ms - expiration_ms) {
      continue;
    }
    entries_[id] = entry;
  }
  return {};
}

}  // namespace odradek::broker::log
