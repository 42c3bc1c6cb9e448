#include "broker/group/group_loader.h"

#include "broker/log/record.h"
#include "common/log/log.h"

namespace odradek::broker::group {

namespace {

constexpr size_t kMaxOpenedBatch = 256 << 20;
constexpr uint64_t kMaxLines = 20;

// The key of a control record: version, then 0 for abort and 1 for commit; other types are not for us.
void replay_marker(const log::RecordView& record, ProducerId producer, GroupSet& set) {
  if (!record.key) return;
  ByteReader key(*record.key);
  key.i16();
  int16_t type = key.i16();
  if (key.ok() && (type == 0 || type == 1)) set.end_transaction(producer, type == 1);
}

void unreadable(ReplayedBatches& replayed, Offset offset, const Error& error) {
  if (++replayed.unreadable <= kMaxLines) {
    LOG_WARN("server", "__consumer_offsets: offset {} cannot be read and is passed over: {}", offset.value(),
             error.what());
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
      if (header.is_control()) {
        replay_marker(*record, header.producer_id, set);
        continue;
      }
      if (!record->key) continue;
      auto done = set.replay(*record->key, record->value, record->offset, producer, now, nobody);
      if (!done) unreadable(replayed, record->offset, done.error());
    }
    if (!records->ok()) unreadable(replayed, header.base_offset, records->error());
  }
  return replayed;
}

}  // namespace odradek::broker::group
