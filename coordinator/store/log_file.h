#pragma once
// LogFile: what stands in one of RocksDB's log files (NNNNNN.log, MANIFEST-NNNNNN), looked at before
// RocksDB reads it. RocksDB's own reader takes a record whose length is damaged for one that a crash
// cut short: it drops it, with all that stands behind it, and says nothing.
//
// Records stand in blocks of 32 KiB: crc u32 (masked CRC-32C of type and payload) | length u16 |
// type u8 (1 whole, 2 first, 3 middle, 4 last piece) | payload, little endian; a rest of a block
// below 7 bytes is zero. One write is synced before the next begins. So what a crash may leave is
// one write at the end of the file that is cut, or whose sectors did not all arrive (they read as
// zeros), and behind it the zeros that reserved_logs.h laid down; whatever else is not right was
// damaged later.

#include <cstdint>
#include <string>

#include "common/fs/file_system.h"

namespace odradek::coordinator::store {

struct LogFileState {
  enum class End {
    whole,
    reserved,  // whole, and nothing but zeros stands behind good_bytes
    torn,     // by a crash: what stands behind good_bytes was never acknowledged
    damaged,  // bytes that had been on the disk have changed
  };
  End end = End::whole;
  uint64_t good_bytes = 0;  // up to the end of the last whole write
  std::string why;          // where it is not whole: "at byte 123: …"
};

// Reads all of it. Errors: those of the file system.
Result<LogFileState> look_at_log_file(fs::File& file);

}  // namespace odradek::coordinator::store
