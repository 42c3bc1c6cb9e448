#pragma once
// A restore in two steps, so that a crash at any moment leaves the former store or the new one:
//
//   STORE.checkpoint while a backup is made: a copy that is linked, not written
//   STORE.incoming   what is sent; counts for nothing
//   STORE.restored   checked: the next start puts it in place (finish_restore)
//   STORE            the store
//   STORE.replaced   the one before the last restore, kept until the next

#include <memory>
#include <optional>
#include <string>

#include "common/fs/file_system.h"
#include "coordinator/store/layout.h"
#include "coordinator/store/rocks_store.h"
#include "coordinator/store/store_check.h"

namespace odradek::coordinator::exchange {

inline std::string checkpoint_dir(const std::string& store_dir) {
  return store_dir + ".checkpoint";
}
inline std::string incoming_dir(const std::string& store_dir) { return store_dir + ".incoming"; }
inline std::string restored_dir(const std::string& store_dir) { return store_dir + ".restored"; }
inline std::string replaced_dir(const std::string& store_dir) { return store_dir + ".replaced"; }

// Held while folders are moved: two processes must not both do so. locked, with a sentence, where
// another has it.
Result<std::unique_ptr<fs::FileLock>> lock_folders(fs::FileSystem& files,
                                                   const std::string& store_dir);

// Whether a store that could not be opened for this reason may be replaced: it is broken, and not
// just out of reach (in use, of another user, on a full disk).
bool is_broken(const Error& error);

// Looks at every block of STORE.incoming and at what it says, and makes it STORE.restored.
// store_damaged with the first finding where it does not fit together.
Result<store::CheckReport> accept_restore(fs::FileSystem& files, const std::string& store_dir,
                                          const store::RocksOptions& options);

struct RestoreReport {
  store::Totals totals;
  Zxid former_zxid;      // the last one of the store that was replaced; 0 where there was none
  std::string kept;      // where that store is now; empty where there was none
  std::string not_read;  // why the last zxid of that store is not known; mostly empty
};

// Puts STORE.restored in place, if there is one; no process may have the store open. The zxid goes
// on in a new epoch, above every one that either store ever gave out, and `m restored` says where;
// so clients see that time went on, and those that remember a zxid before it are told to look again
// at what they watch. Nothing where no restore waits.
Result<std::optional<RestoreReport>> finish_restore(fs::FileSystem& files,
                                                    const std::string& store_dir,
                                                    const store::RocksOptions& options);

}  // namespace odradek::coordinator::exchange
