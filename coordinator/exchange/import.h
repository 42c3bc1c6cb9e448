#pragma once
// import_data: what a real ZooKeeper left (its newest whole snapshot and the transactions behind it)
// as a new store. It happens once, before anything is served: either the store's folder is there
// afterwards with all of it, or not at all. ZooKeeper's files are only read.

#include <string>

#include "common/fs/file_system.h"
#include "coordinator/exchange/data_files.h"
#include "coordinator/store/layout.h"
#include "coordinator/store/rocks_store.h"

namespace odradek::coordinator::exchange {

inline std::string import_dir(const std::string& store_dir) { return store_dir + ".import"; }

struct ImportOptions {
  std::string store_dir;  // must not be there; import_dir is used meanwhile
  // Logs without any snapshot are taken as the whole history (snapshot.trust.empty; an ensemble of
  // 3.4 may have left that).
  bool trust_empty = false;
  uint8_t server_id = 0;  // ours; no session id that is imported is given out again
  size_t cache_bytes = 16u << 20;
  store::RocksOptions rocks = [] {
    store::RocksOptions options;
    options.write_buffer_bytes = 16u << 20;
    return options;
  }();
};

struct ImportReport {
  store::Totals totals;
  size_t sessions = 0;
  std::string snapshot;      // the file; empty where there was none
  int64_t transactions = 0;  // that stood in the logs behind it
  Zxid seen;                 // the greatest zxid in the files; the store begins an epoch later
};

// Errors are one line each, with file and offset where it is about their content: malformed,
// bad_compression; not_found where the files do not make a whole tree; disk_full, io_error and
// permission_denied of reading and writing.
Result<ImportReport> import_data(fs::FileSystem& files, const DataFiles& data,
                                 const ImportOptions& options);

// The first zxid of the epoch behind this one's: above whatever anybody was told.
Zxid next_epoch(Zxid zxid);

}  // namespace odradek::coordinator::exchange
