#pragma once
// The files of a ZooKeeper data directory: which snapshots and logs there are.

#include <optional>
#include <string>
#include <vector>

#include "common/fs/file_system.h"
#include "common/ids.h"

namespace odradek::coordinator::exchange {

struct DataFile {
  std::string path;
  Zxid zxid;  // of its name: a snapshot's last transaction, a log's first
  uint64_t bytes = 0;
};

struct DataFiles {
  std::vector<DataFile> snapshots;  // newest first
  std::vector<DataFile> logs;       // oldest first
  Zxid epoch_begin;  // of an ensemble's member: the first zxid of the last epoch that it knows of
  bool empty() const { return snapshots.empty() && logs.empty(); }
  // The greatest zxid that a name tells.
  Zxid newest() const;
};

// Looks into version-2 of both directories (one, where they are the same); where there is none,
// there are no files. bad_setting where logs stand in one of two directories that should hold
// snapshots alone, or the other way round: ZooKeeper refuses that too, since something would be
// missed.
Result<DataFiles> list_data_files(fs::FileSystem& files, const std::string& data_dir,
                                  const std::string& data_log_dir);

// "snapshot.1f" or "snapshot.1f.gz", prefix "snapshot" → 0x1f. Nothing for other names, and for one
// that was not renamed to its own yet.
std::optional<Zxid> zxid_of_name(std::string_view name, std::string_view prefix);

}  // namespace odradek::coordinator::exchange
