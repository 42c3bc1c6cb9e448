// Record batches as a producer or a disk may bring them: nothing may be read past its end, nothing
// may grow without bound, and what the checks let through must read back.
#include <cstddef>
#include <cstdint>
#include <string>

#include "broker/log/append_check.h"
#include "broker/log/batch_filter.h"
#include "broker/log/producer_state.h"
#include "broker/log/record.h"
#include "common/check.h"

namespace {

using namespace odradek;
using namespace odradek::broker::log;

constexpr size_t kMaxOpened = 1 << 20;

// The first byte: bits of the topic's settings; bit 7 asks for right checksums, which no fuzzer
// guesses.
LogConfig config_of(uint8_t bits) {
  LogConfig config;
  config.max_decompressed_bytes = kMaxOpened;
  config.cleanup_compact = bits & 1;
  if (bits & 2) config.timestamp_type = TimestampType::log_append_time;
  if (bits & 4) config.timestamp_before_max_ms = 1000;
  if (bits & 8) config.compression = static_cast<compress::Codec>((bits >> 4 & 7) % 5);
  return config;
}

void read_all(ByteView batches) {
  BatchWalker walker(batches);
  while (walker.next()) {
    (void)check_crc(walker.header(), walker.batch());
    Result<RecordIterator> records = RecordIterator::open(walker.batch(), kMaxOpened);
    if (!records) continue;
    while (const RecordView* record = records->next()) (void)record->headers();
    if (walker.header().is_control()) (void)parse_transaction_marker(walker.batch());
  }
}

// What compaction leaves of a batch is a batch, with offsets of the old one.
void compact(ByteView batches, uint8_t bits) {
  OffsetMap latest(4096, 0.9);
  for (const char* key : {"", "key", "key0"}) latest.put(key, Offset(bits));
  FilterRules rules;
  rules.latest = &latest;
  rules.known_to = Offset(bits & 1 ? 2 : 1000);
  rules.now_ms = 1'700'000'000'000;
  rules.keep_legacy_tombstones = bits & 2;
  rules.max_decompressed = kMaxOpened;
  BatchFate fate;
  fate.drop_records = bits & 4;
  fate.keep_empty = bits & 8;
  fate.marker_without_data = bits & 16;
  BatchWalker walker(batches);
  while (walker.next()) {
    const BatchHeader& old = walker.header();
    if (old.last_offset_delta < 0) continue;
    Bytes out;
    Result<FilteredBatch> filtered = filter_batch(old, walker.batch(), fate, rules, out);
    if (!filtered || filtered->kind != FilteredBatch::Kind::rewritten) {
      CHECK(filtered || filtered.error().code() == Errc::corrupt_record);
      continue;
    }
    BatchWalker again(out);
    CHECK(again.next() && again.rest().empty() && check_crc(again.header(), again.batch()));
    CHECK(again.header().last_offset() == filtered->last_offset);
    CHECK(old.magic < 2 || again.header().last_offset() == old.last_offset());
    Result<RecordIterator> records = RecordIterator::open(again.batch(), 2 * kMaxOpened);
    CHECK(records.ok());
    int32_t kept = 0;
    while (records->next()) ++kept;
    CHECK(records->ok() && kept == filtered->records_kept);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const uint8_t bits = data[0];
  std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  read_all(bytes);
  compact(bytes, bits);
  ProducerStates states;
  (void)states.load_snapshot(bytes, 0, 1000);
  if (bits & 0x80) {
    BatchWalker walker(bytes);
    while (walker.next()) {
      if (walker.header().magic == 2)
        set_crc(std::span<char>(bytes).subspan(walker.position(), walker.header().size()));
    }
  }
  const LogConfig config = config_of(bits);
  for (AppendOrigin origin : {AppendOrigin::client, AppendOrigin::coordinator}) {
    std::string copy = bytes;
    (void)must_be_opened(copy, config);
    Result<PreparedAppend> prepared = prepare_append(copy, config, origin, 1'600'000'000'000);
    if (!prepared) continue;
    std::span<char> taken = prepared->bytes();
    BatchWalker walker(ByteView(taken.data(), taken.size()));
    int64_t offsets = 0;
    while (walker.next()) {
      CHECK(check_crc(walker.header(), walker.batch()).ok());
      offsets += walker.header().last_offset_delta + 1;
      if (!states.check(walker.header(), {"t", PartitionId(0)})) continue;
      states.note(walker.header(), std::nullopt);
    }
    CHECK(walker.ok() && walker.rest().empty() && offsets == prepared->offset_count);
  }
  return 0;
}
