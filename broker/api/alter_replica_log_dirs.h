#pragma once
// AlterReplicaLogDirs (KIP-113): replicas of this broker move to another of its log directories. The
// answer says that the moves have begun; DescribeLogDirs shows how far they are.

#include "broker/api/handler.h"

namespace odradek::broker::api {

boost::asio::awaitable<Answer> handle_alter_replica_log_dirs(Services& services,
                                                             RequestContext context, ByteView body);

}  // namespace odradek::broker::api
