#include "coordinator/store/rocks_error.h"

#include <rocksdb/status.h>

#include "common/format.h"

namespace odradek::coordinator::store {

Error damaged_store(const std::string& path, const std::string& what) {
  return Error(Errc::store_damaged,
               format("the data directory {} is damaged: {}; restore it from a backup "
                      "(coordinator-admin restore), or move it away to begin with an empty tree",
                      path, what));
}

Error no_room(const std::string& path) {
  return Error(Errc::disk_full,
               format("no room in the data directory {}: free space on its disk", path));
}

Error rocks_error(const rocksdb::Status& status, const std::string& path) {
  std::string text = status.ToString();
  auto says = [&](const char* words) { return text.find(words) != std::string::npos; };
  if (says("lock ") && (says("Resource temporarily unavailable") || says("No locks available") ||
                        says("lock hold by current process"))) {
    return Error(Errc::locked,
                 format("the data directory {} is in use by another process; stop the other "
                        "coordinator, or give this one a dataDir of its own",
                        path));
  }
  if (says("Permission denied") || says("Read-only file system")) {
    return Error(Errc::permission_denied,
                 format("cannot write the data directory {}: {}; give its owner and rights to "
                        "the user that runs the coordinator (chown -R)",
                        path, text));
  }
  if (status.IsNoSpace() || says("No space left")) return no_room(path);
  if (status.IsCorruption() || says("Corruption") || says("No such file or directory")) {
    return damaged_store(path, text);
  }
  return Error(Errc::io_error, format("cannot use the data directory {}: {}", path, text));
}

}  // namespace odradek::coordinator::store
