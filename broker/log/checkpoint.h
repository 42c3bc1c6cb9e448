#pragma once
// Offset checkpoints of a data directory: "0", the count, then "TOPIC PARTITION OFFSET" each, a
// line each. Written whole, to NAME.tmp first. Pure functions and file calls; any thread, one
// writer a file.

#include <map>
#include <string>

#include "common/fs/file_system.h"
#include "common/ids.h"
#include "common/result.h"

namespace odradek::broker::log {

using Offsets = std::map<TopicPartition, Offset>;

// Empty where the file is absent; malformed where it is damaged.
Result<Offsets> read_checkpoint(fs::FileSystem& files, const std::string& path);
Result<void> write_checkpoint_file(fs::FileSystem& files, const std::string& path,
                                   const Offsets& offsets);

}  // namespace odradek::broker::log
