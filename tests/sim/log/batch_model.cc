#include "tests/sim/log/batch_model.h"

#include <algorithm>

#include "broker/log/message_set.h"
#include "common/check.h"
#include "common/format.h"

namespace odradek::sim {

using namespace broker::log;  // NOLINT: batches are all that is spoken of here

namespace {
constexpr size_t kMaxOpened = 1 << 20;

BatchHeader header_of(ByteView batch) {
  Result<BatchHeader> header = parse_batch_header(batch);
  CHECK(header.ok());
  return *header;
}

BatchOptions options_of(const Sender& sender) {
  BatchOptions options;
  options.producer_id = sender.id;
  options.producer_epoch = sender.epoch;
  options.base_sequence = sender.sequence;
  options.transactional = sender.transactional;
  return options;
}
}  // namespace

int64_t BatchMaker::timestamp() {
  if (world_.chance(4)) return kNoTimestamp;
  const int64_t now = world_.clock().wall_ms();
  if (world_.chance(10)) return now + world_.between(0, 5000);  // a clock that is fast
  return now - (world_.chance(15) ? world_.between(0, 20'000) : world_.between(0, 20));
}

ModelBatch BatchMaker::make(BatchOptions options, int count) {
  if (world_.chance(40)) options.codec = static_cast<compress::Codec>(world_.below(5));
  RecordBatchBuilder builder(options);
  ModelBatch batch;
  int64_t time = timestamp();
  for (int i = 0; i < count; ++i) {
    ModelRecord record;
    if (world_.chance(20)) time = timestamp();
    // a producer without a time would be forgotten at once
    if (options.producer_id.value() >= 0 && time < 0) time = world_.clock().wall_ms();
    record.offset = options.base_offset + i;
    record.timestamp_ms = time;
    if (compacted_ || !world_.chance(10)) record.key = "k" + std::to_string(world_.below(5));
    if (!world_.chance(5)) {
      record.value = std::to_string(++number_) + std::string(world_.below(40), 'v');
    }
    builder.add(record.timestamp_ms, record.key, record.value);
    batch.records.push_back(std::move(record));
  }
  Result<Bytes> built = builder.build();
  CHECK(built.ok());
  batch.bytes = *built;
  batch.header = header_of(batch.bytes);
  return batch;
}

Offer BatchMaker::batch(const Sender& sender, int count) {
  Offer offer;
  offer.batches.push_back(make(options_of(sender), count));
  offer.bytes = offer.batches.back().bytes;
  return offer;
}

Offer BatchMaker::old_client() {
  ModelBatch batch = make({}, static_cast<int>(world_.between(1, 4)));
  if (batch.header.codec() == compress::Codec::zstd) return this->batch({}, 1);
  const int8_t magic = world_.chance(50) ? 0 : 1;
  Result<Bytes> set = to_message_set(batch.bytes, magic, Offset(0), kMaxOpened);
  CHECK(set.ok());
  Result<Bytes> made = to_record_batch(*set, kMaxOpened);
  CHECK(made.ok());
  if (magic == 0) {
    for (ModelRecord& record : batch.records) record.timestamp_ms = kNoTimestamp;
  }
  batch.bytes = *made;
  batch.header = header_of(batch.bytes);
  Offer offer;
  offer.bytes = batch.bytes;
  offer.batches.push_back(std::move(batch));
  return offer;
}

Offer BatchMaker::coordinator_set() {
  Offer offer;
  offer.origin = AppendOrigin::coordinator;
  for (int64_t count = world_.between(1, 3); count > 0; --count) {
    offer.batches.push_back(make({}, static_cast<int>(world_.between(1, 3))));
    offer.bytes += offer.batches.back().bytes;
  }
  return offer;
}

Offer BatchMaker::marker(const Sender& sender, bool aborts, int32_t coordinator_epoch) {
  const int64_t now = world_.clock().wall_ms();
  Result<Bytes> bytes =
      build_transaction_marker(aborts ? ControlType::abort : ControlType::commit, sender.id,
                               sender.epoch, coordinator_epoch, now);
  CHECK(bytes.ok());
  Result<RecordIterator> records = RecordIterator::open(*bytes, kMaxOpened);
  CHECK(records.ok());
  const RecordView* record = records->next();
  CHECK(record != nullptr);
  ModelBatch batch;
  batch.records.push_back(
      {Offset(0), now, std::string(record->key.value()), std::string(record->value.value())});
  batch.header = header_of(*bytes);
  batch.aborts = aborts;
  batch.coordinator_epoch = coordinator_epoch;
  batch.bytes = *bytes;
  Offer offer;
  offer.origin = AppendOrigin::coordinator;
  offer.bytes = *bytes;
  offer.batches.push_back(std::move(batch));
  return offer;
}

// Messages of the formats before batches, as an old segment of the leader has them.
void BatchMaker::add_old(Offer& offer, Offset first) {
  BatchOptions options;
  options.base_offset = first;
  ModelBatch batch = make(options, static_cast<int>(world_.between(1, 4)));
  if (batch.header.codec() == compress::Codec::zstd) return;
  const int8_t magic = world_.chance(50) ? 0 : 1;
  Result<Bytes> set = to_message_set(batch.bytes, magic, first, kMaxOpened);
  CHECK(set.ok());
  if (magic == 0) {
    for (ModelRecord& record : batch.records) record.timestamp_ms = kNoTimestamp;
  }
  BatchWalker walker(*set);
  const bool wrapped = header_of(*set).codec() != compress::Codec::none;
  for (size_t i = 0; walker.next(); ++i) {
    ModelBatch one;
    one.header = walker.header();
    one.bytes = Bytes(walker.batch());
    if (wrapped) {
      one.records = batch.records;
    } else {
      one.records.push_back(batch.records.at(i));
    }
    offer.batches.push_back(std::move(one));
  }
  offer.bytes += *set;
}

Offer BatchMaker::fetched(Offset first, LeaderEpoch epoch, const std::vector<Sender>& senders) {
  Offer offer;
  for (const Sender& sender : senders) {
    // compacted away at the leader
    if (compacted_ && world_.chance(20)) first = first + world_.between(1, 5);
    if (sender.id.value() < 0 && world_.chance(30)) {
      add_old(offer, first);
    } else {
      BatchOptions options = options_of(sender);
      options.base_offset = first;
      options.leader_epoch = epoch;
      offer.batches.push_back(make(options, static_cast<int>(world_.between(1, 5))));
      offer.bytes += offer.batches.back().bytes;
    }
    if (!offer.batches.empty()) first = offer.batches.back().next();
  }
  return offer;
}

}  // namespace odradek::sim
