#pragma once
// The .index and .timeindex files as text, held against the .log file beside them.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "broker/dump/output.h"
#include "common/fs/file_system.h"

namespace odradek::broker::dump {

struct IndexOptions {
  bool sanity_only = false;  // the check of a broker's start
  bool verify_only = false;  // entries are not printed
  int32_t max_message_size = 5 * 1024 * 1024;
};

// An entry's offset, and the last offset of the batch that lies at its position.
using IndexMismatches = std::vector<std::pair<int64_t, int64_t>>;

struct TimeIndexErrors {
  using Pairs = std::vector<std::pair<int64_t, int64_t>>;
  Pairs mismatches;        // timestamp of the entry, of the log
  Pairs out_of_order;      // timestamp of the entry, of the one before
  Pairs not_found;         // offset of the entry, of the log (-1: no such)
};

// An Error is the exception with which Kafka's tool ends; what came before it is printed.
Result<void> dump_offset_index(fs::FileSystem& files, const std::string& path,
                               const IndexOptions& options, IndexMismatches& mismatches,
                               Output& output);
Result<void> dump_time_index(fs::FileSystem& files, const std::string& path,
                             const IndexOptions& options, TimeIndexErrors& errors, Output& output);

}  // namespace odradek::broker::dump
