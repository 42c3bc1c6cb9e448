#pragma once
// An Env for RocksDB under which its log files grow ahead of what is written to them.
//
// A sync of a file that has grown waits for the file system's journal, and so for whatever else the
// machine writes; a sync of bytes that were there before waits for these alone. RocksDB's own
// preallocation leaves the size of the file as it is and does not help. So a log file is extended
// by zeros, a piece at a time, and cut to its length when it is closed. After a crash zeros stand
// at its end, which look_at_log_file calls reserved.

#include <cstdint>
#include <memory>

namespace rocksdb {
class Env;
}

namespace odradek::coordinator::store {

// `base` must outlive it. `piece_bytes`: how far ahead; what is reserved is written twice.
std::unique_ptr<rocksdb::Env> reserve_logs(rocksdb::Env* base, uint64_t piece_bytes);

}  // namespace odradek::coordinator::store
