#pragma once
// Access: the store that coordinator-admin works on: a running coordinator's, by gRPC (remote), or
// that of a data directory whose coordinator is stopped (local). One thread.

#include <functional>
#include <memory>
#include <string>

#include "coordinator/exchange/backup_folder.h"
#include "coordinator/exchange/snapshot_writer.h"
#include "coordinator/store/store_check.h"

namespace odradek::coordinator::admin {

struct Restored {
  Zxid zxid;  // that the tree goes on with
  int64_t znodes = 0;
  int64_t sessions = 0;
  std::string note;  // a sentence more for whoever asked; may be empty
};

class Access {
 public:
  virtual ~Access() = default;
  // Calls `found` for each finding. Damage of the files is a finding too.
  virtual Result<store::CheckReport> check(
      const std::function<void(const std::string&)>& found) = 0;
  virtual Result<exchange::SnapshotFacts> write_snapshot(const exchange::ByteSink& sink) = 0;
  // Sends the store's files as they are at one moment; what they hold, but for the list.
  virtual Result<exchange::BackupFacts> copy_files(const exchange::PieceSink& sink) = 0;
  // Puts a backup, whose files are known to be whole, in the place of the store.
  virtual Result<Restored> restore(fs::FileSystem& files, const std::string& folder,
                                   const exchange::BackupFacts& facts) = 0;
};

// host:port. Nothing is asked before the first call.
std::unique_ptr<Access> remote_access(const std::string& server);
// `data_dir` as zookeeper.properties has it. locked where a coordinator has the store open.
std::unique_ptr<Access> local_access(fs::FileSystem& files, const std::string& data_dir);

}  // namespace odradek::coordinator::admin
