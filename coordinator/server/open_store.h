#pragma once
// open_store: the coordinator's store as a start finds it, or makes it: a restore that waits is put
// in place, and a data directory that a real ZooKeeper left becomes our tree, once.

#include <memory>

#include "coordinator/server/settings.h"
#include "coordinator/store/rocks_store.h"

namespace odradek::coordinator::server {

// The error is one line with cause and remedy.
Result<std::unique_ptr<store::RocksStore>> open_store(const ServerSettings& settings,
                                                      const store::RocksOptions& options);

}  // namespace odradek::coordinator::server
