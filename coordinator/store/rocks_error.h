#pragma once
// RocksDB says in words only what happened; here its words become our errors. For rocks_*.cc.

#include <string>

#include "common/error.h"

namespace rocksdb {
class Status;
}

namespace odradek::coordinator::store {

// One line with cause and remedy: locked, permission_denied, disk_full, store_damaged, io_error.
Error rocks_error(const rocksdb::Status& status, const std::string& path);
Error no_room(const std::string& path);
// store_damaged: `what` names the file and says what is wrong with it.
Error damaged_store(const std::string& path, const std::string& what);

}  // namespace odradek::coordinator::store
