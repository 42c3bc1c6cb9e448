#pragma once
// kafka-dump-log: the files of a partition's log as text (Kafka's DumpLogSegments, as 3.5.2 prints it). Only
// reads; a batch is held in memory whole, and what it becomes when opened is bounded.

#include <memory>
#include <string>
#include <vector>

#include "broker/dump/index_text.h"
#include "broker/dump/output.h"
#include "broker/dump/segment_text.h"
#include "common/fs/file_system.h"

namespace odradek::broker::dump {

struct DumpOptions {
  SegmentOptions segment;
  IndexOptions index;
};

// Dumps file after file, each by the suffix of its name, and says on standard error at the end what does
// not fit together. An Error is the exception with which Kafka's tool ends: nothing follows it.
Result<void> dump_files(fs::FileSystem& files, const std::vector<std::string>& paths,
                        const DumpOptions& options, Output& output);

}  // namespace odradek::broker::dump
