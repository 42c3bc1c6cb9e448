#pragma once
// What compaction leaves of one record batch (KIP-98, KIP-534). Pure: bytes and rules in, bytes out.
//
// Of a key the record with its latest offset stays, records without a key go, and so does a tombstone
// whose time has come. A batch of format 2 keeps its base offset, its last offset and all that its
// producer wrote into the header, whichever records go; the first pass that sees a tombstone (or a
// marker without data) notes in the batch when that may go: attribute bit 6, base timestamp. Messages
// of formats 0 and 1 stay in their format.

#include <cstdint>
#include <optional>

#include "broker/log/offset_map.h"
#include "broker/log/record_batch.h"
#include "common/bytes/byte_writer.h"
#include "common/result.h"

namespace odradek::broker::log {

// The same for all batches of a segment.
struct FilterRules {
  const OffsetMap* latest = nullptr;
  Offset known_to{-1};  // `latest` knows the keys up to this offset; what comes later stays
  int64_t now_ms = 0;
  int64_t delete_retention_ms = 0;
  bool keep_legacy_tombstones = true;  // formats 0 and 1, which have no room for a time
  size_t max_decompressed = 0;
  std::optional<compress::Codec> codec_with_level;  // the codec that `level` is meant for
  std::optional<int> level;
};

// What is known of the batch beside its records.
struct BatchFate {
  bool drop_records = false;       // aborted, or a marker whose time has come
  bool keep_empty = false;         // the last of an active producer: its sequence must be known
  bool marker_without_data = false;  // a marker that may go after delete.retention.ms
};

struct FilteredBatch {
  enum class Kind { removed, unchanged, rewritten };
  Kind kind = Kind::removed;
  // Unless removed: of what stays.
  Offset last_offset{-1};
  int64_t max_timestamp = kNoTimestamp;
  int32_t records_read = 0;
  int32_t records_kept = 0;
};

// `batch` is one whole batch with a checksum that is right. The new bytes are appended to `out` where
// the kind is rewritten. corrupt_record: it cannot be read, for whatever reason lies in its bytes.
Result<FilteredBatch> filter_batch(const BatchHeader& header, ByteView batch,
                                   const BatchFate& fate, const FilterRules& rules, Bytes& out);

}  // namespace odradek::broker::log
