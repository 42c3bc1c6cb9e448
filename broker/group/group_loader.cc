#include "broker/group/group_loader.h"

#include "broker/log/producer_state.h"
#include "broker/log/record.h"
#include "common/log/log.h"

namespace odradek::broker::group {

namespace {

constexpr size_t kMaxOpenedBatch = 64 << 20;
constexpr uint64_t kMaxLines = 20;

void unreadable(ReplayedBatches& replayed, Offset offset, const Error& error) {
  if (++replayed.unreadable <= kMaxLines) {
    LOG_WARN("server", "__consumer_offsets: offset {} cannot be read and is passed over: {}",
             offset.value(), error.what());
  }
}

}  // namespace

ReplayedBatches replay_batches(ByteView bytes, Offset from, Now now, GroupSet& set) {
  ReplayedBatches replayed;
  replayed.next = from;
  Outbox nobody;  // nothing waits while groups are loaded
  log::BatchWalker walker(bytes);
  while (walker.next()) {
    const log::BatchHeader& header = walker.header();
    replayed.next = header.next_offset();
    if (header.is_control()) {
      // a marker counts for what stands before it, wherever reading begins
      ++replayed.records;
      auto marker = log::parse_transaction_marker(walker.batch());
      if (!marker) {
        unreadable(replayed, header.base_offset, marker.error());
      } else if (*marker) {
        set.end_transaction(header.producer_id, !(*marker)->aborted);
      }
      continue;
    }
    auto records = log::RecordIterator::open(walker.batch(), kMaxOpenedBatch);
    if (!records) {
      unreadable(replayed, header.base_offset, records.error());
      continue;
    }
    std::optional<ProducerId> producer;
    if (header.is_transactional()) producer = header.producer_id;
    while (const log::RecordView* record = records->next()) {
      if (record->offset < from) continue;
      ++replayed.records;
      if (!record->key) continue;
      auto done = set.replay(*record->key, record->value, record->offset, producer, now, nobody);
      if (!done) unreadable(replayed, record->offset, done.error());
    }
    if (!records->ok()) unreadable(replayed, header.base_offset, records->error());
  }
  return replayed;
}

}  // namespace odradek::broker::group
