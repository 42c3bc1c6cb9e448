// Message sets of formats 0 and 1 as clients of old may send them, and their way there and back: nothing may be read
// past its end, nothing may grow without bound, and what becomes a batch must be one that a log takes and that reads
// the same when it is made a message set again.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "broker/log/append_check.h"
#include "broker/log/message_set.h"
#include "broker/log/record.h"
#include "common/bytes/crc32.h"
#include "common/check.h"

namespace {

using namespace odradek;
using namespace odradek::broker::log;

constexpr size_t kMaxOpened = 1 << 20;
constexpr int64_t kNow = 1'600'000'000'000;

// The first byte: bit 0 the format that is asked for, bit 1 LogAppendTime, bit 7 right checksums, which no fuzzer
// guesses.
void fix_checksums(std::string& set) {
  BatchWalker walker(set);
  while (walker.next()) {
    if (walker.header().magic > 1) continue;
    const uint32_t crc = crc32(walker.batch().substr(16));
    for (size_t i = 0; i < 4; ++i) {
      set[walker.position() + 12 + i] = static_cast<char>(crc >> (24 - 8 * i));
    }
  }
}

struct Line {
  std::optional<std::string> key, value;
  bool operator==(const Line&) const = default;
};

// All records, which must all be there where `whole`.
std::vector<Line> lines_of(ByteView batches, bool whole) {
  std::vector<Line> lines;
  BatchWalker walker(batches);
  while (walker.next()) {
    if (whole) CHECK(check_crc(walker.header(), walker.batch()).ok());
    Result<RecordIterator> records = RecordIterator::open(walker.batch(), kMaxOpened);
    if (whole) CHECK(records.ok());
    if (!records) continue;
    while (const RecordView* record = records->next()) {
      Line line;
      if (record->key) line.key = std::string(*record->key);
      if (record->value) line.value = std::string(*record->value);
      lines.push_back(std::move(line));
    }
    if (whole) CHECK(records->ok());
  }
  if (whole) CHECK(walker.ok() && walker.rest().empty());
  return lines;
}

void look_at_messages(ByteView bytes) {
  (void)lines_of(bytes, false);
  (void)last_offset_of_messages(bytes);
  BatchWalker walker(bytes);
  while (walker.next()) (void)parse_message(walker.batch());
  for (int8_t magic : {0, 1}) {
    Result<Bytes> set = to_message_set(bytes, magic, Offset(3), kMaxOpened);
    if (set) CHECK(set->size() <= bytes.size() + 40 * (kMaxOpened + bytes.size()));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const uint8_t bits = data[0];
  std::string set(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (bits & 0x80) fix_checksums(set);
  look_at_messages(set);
  Result<Bytes> batch = to_record_batch(set, kMaxOpened);
  if (!batch) {
    CHECK(!batch.error().what().empty());
    return 0;
  }
  if (batch->empty()) return 0;
  const std::vector<Line> lines = lines_of(*batch, true);
  CHECK(!lines.empty());
  LogConfig config;
  config.max_decompressed_bytes = kMaxOpened;
  if (bits & 2) config.timestamp_type = TimestampType::log_append_time;
  Bytes taken = *batch;
  Result<PreparedAppend> prepared = prepare_append(taken, config, AppendOrigin::client, kNow);
  if (prepared) {
    CHECK(prepared->record_count == static_cast<int32_t>(lines.size()));
    CHECK(prepared->offset_count == prepared->record_count);
    const std::span<char> stored = prepared->bytes();
    CHECK(lines_of(ByteView(stored.data(), stored.size()), true) == lines);
  }
  const int8_t magic = bits & 1;
  Result<Bytes> back = to_message_set(*batch, magic, Offset(0), kMaxOpened);
  if (!back) return 0;
  CHECK(lines_of(*back, true) == lines);
  Result<Bytes> again = to_record_batch(*back, kMaxOpened);
  CHECK(again.ok());
  CHECK(lines_of(*again, true) == lines);
  return 0;
}
