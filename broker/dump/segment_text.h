#pragma once
// A .log file as text: a line for each batch, and below it one for each record where that is asked for.

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "broker/dump/output.h"
#include "broker/dump/record_text.h"
#include "common/fs/file_system.h"

namespace odradek::broker::dump {

struct SegmentOptions {
  bool deep = false;  // open the batches
  // Keys and values of the records; null: not printed. Means something with `deep` only.
  const RecordDecoder* decoder = nullptr;
  bool skip_record_metadata = false;
  int32_t max_bytes = INT32_MAX;  // of the file's front; batches that end behind it are left out
};

// Records that are not followed by the next offset: first and second of each pair.
using OffsetPairs = std::vector<std::pair<int64_t, int64_t>>;

// An Error is the exception with which Kafka's tool ends; what came before it is printed.
Result<void> dump_segment(fs::FileSystem& files, const std::string& path,
                          const SegmentOptions& options, OffsetPairs& non_consecutive,
                          Output& output);

}  // namespace odradek::broker::dump
