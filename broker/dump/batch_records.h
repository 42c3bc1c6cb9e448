#pragma once
// The records of one batch of any format: magic 2 by broker/log's RecordIterator, formats 0 and 1 message by
// message, each with its checksum.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "broker/dump/batch_file.h"
#include "common/result.h"

namespace odradek::broker::dump {

// What a compressed batch may become when it is opened: the broker's default bound
// (max.decompressed.message.bytes). A longer one ends the tool with a sentence.
inline constexpr size_t kMaxOpened = 256 << 20;

// Valid during the visit only.
struct DumpedRecord {
  int64_t offset = 0;
  int64_t timestamp_ms = -1;
  std::optional<ByteView> key;
  std::optional<ByteView> value;
  // magic 2
  int32_t sequence = -1;
  std::vector<ByteView> header_keys;
  // formats 0 and 1
  bool is_valid = true;
  uint32_t crc = 0;
};

using VisitRecord = std::function<Result<void>(const DumpedRecord&)>;

// Shows every record, those in front of a damaged one too. Reads the whole batch into memory. An
// Error is the exception with which Kafka's tool ends, or the visitor's.
Result<void> for_each_record(const BatchFile& file, const FileBatch& batch,
                             const VisitRecord& visit);

}  // namespace odradek::broker::dump
