#pragma once
// Message formats 0 and 1: what clients before Kafka 0.11 send and read, and what old segments hold.
// A message is an entry of its own; a compressed one (a wrapper) holds a set of them in its value.
// The layout is in record_batch.h. Pure functions over the caller's bytes; any thread.

#include <optional>

#include "broker/log/record_batch.h"
#include "common/bytes/byte_writer.h"
#include "common/result.h"

namespace odradek::broker::log {

struct Message {
  BatchHeader header;  // as parse_batch_header has it
  std::optional<ByteView> key;
  std::optional<ByteView> value;  // of a wrapper: the set inside, compressed
};

// The message at the front of the bytes. Its checksum is not looked at. corrupt_record where it is
// cut, or its key and value do not fill it.
Result<Message> parse_message(ByteView bytes);

// The offset of the last message of a set without wrappers. corrupt_record where it is empty or cut.
Result<Offset> last_offset_of_messages(ByteView set);

// A message of this format with its checksum. The timestamp is left out of format 0.
void write_message(ByteWriter& out, int8_t magic, Offset offset, int16_t attributes,
                   int64_t timestamp_ms, std::optional<ByteView> key,
                   std::optional<ByteView> value);

// One batch of format 2 that stands for what a client of old sent (Produce below version 3), with
// the codec that the set has and offsets from 0. `set` may end within a message, which is no part
// of it; empty where no message is whole. Errors, as Kafka's: corrupt_record (checksum, sizes),
// invalid_record (two wrappers, or a wrapper and more; a wrapper of format 1 whose inner offsets do
// not count from 0), invalid_timestamp (append time set by a client), record_too_large (an opened
// set beyond `max_decompressed`), bad_compression.
Result<Bytes> to_record_batch(ByteView set, size_t max_decompressed);

// What a client of old reads (Fetch below version 4) in place of these whole batches: format 0 or 1.
// Headers, producers and control batches do not exist there. Batches of that format or an older one
// are left as they are; of the others, records below `from` are left out where they are not
// compressed. Empty where nothing is left. unsupported_compression_type for zstd, else the errors of
// RecordIterator.
Result<Bytes> to_message_set(ByteView batches, int8_t magic, Offset from, size_t max_decompressed);

}  // namespace odradek::broker::log
