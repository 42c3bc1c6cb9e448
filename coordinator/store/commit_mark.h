#pragma once
// CommitMark: the file COMMITS beside RocksDB's. It says how many commits the store has at least, so
// that a store that lost its newest file, or was cut shorter, is not taken for a whole one: nothing
// in what is left of it would tell. Written at each start and clean stop and whenever RocksDB begins
// a new log file; text, three lines, with a checksum.

#include <cstdint>
#include <optional>
#include <string>

#include "common/fs/file_system.h"

namespace odradek::coordinator::store {

std::string commit_mark_path(const std::string& directory);
// Nothing where there is no such file, and where it is damaged, with a log line: the store may be
// whole without it.
Result<std::optional<uint64_t>> read_commit_mark(fs::FileSystem& files,
                                                 const std::string& directory);
// After a crash the file says the old or the new number.
Result<void> write_commit_mark(fs::FileSystem& files, const std::string& directory,
                               uint64_t commits);

}  // namespace odradek::coordinator::store
