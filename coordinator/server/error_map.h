#pragma once
// From our error codes to ZooKeeper's numbers.

#include "common/error.h"
#include "proto/zookeeper/opcodes.h"

namespace odradek::coordinator::server {

zookeeper::ErrorCode zookeeper_error(Errc code);

}  // namespace odradek::coordinator::server
