#pragma once
// What is looked at before RocksDB opens a store for writing, because it would not see it, or would
// mend it in a way that loses acknowledged writes: a missing CURRENT (it would begin anew), a log
// file damaged in a length (it would drop the rest), a log file or an end of the MANIFEST that is
// missing (it would go on without). Every commit carries its number (layout.h, chain_key), so a gap
// shows. store_exists is for all, the rest for rocks_*.cc.

#include <cstdint>
#include <string>

#include "common/fs/file_system.h"

namespace rocksdb {
class Status;
struct Options;
}  // namespace rocksdb

namespace odradek::coordinator::store {

struct StoreState {
  bool is_new = false;   // nothing was ever committed here
  uint64_t commits = 0;  // the number of the last one
};

// Whether a store was ever begun in the folder, which need not be there. store_damaged where it was
// and its file CURRENT is missing: RocksDB would begin anew.
Result<bool> store_exists(fs::FileSystem& files, const std::string& path);

// `options` are those that the store will be opened with. Cuts off what a crash left of the last
// write; changes nothing else. Errors: store_damaged, which names the file; locked, io_error, ….
Result<StoreState> check_store(fs::FileSystem& files, const rocksdb::Options& options,
                               const std::string& path);

// As rocks_error, for a status that opening gave: RocksDB names the MANIFEST where a table that it
// lists is damaged, and a log file by its number; here the file is found that is meant.
Error open_error(fs::FileSystem& files, const rocksdb::Options& options, const std::string& path,
                 const rocksdb::Status& status);

// The value of chain_key in the commit of this number, and the way back; 0 where it does not decode.
std::string encode_commit_number(uint64_t number);
uint64_t decode_commit_number(std::string_view value);

}  // namespace odradek::coordinator::store
