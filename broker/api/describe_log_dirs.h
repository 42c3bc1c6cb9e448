#pragma once
// DescribeLogDirs (35): where the replicas of this broker lie, and how large they are (KIP-113).

#include <boost/asio/awaitable.hpp>

#include "broker/api/handler.h"

namespace odradek::broker::api {

boost::asio::awaitable<Answer> handle_describe_log_dirs(Services& services, RequestContext context,
                                                        ByteView body);

}  // namespace odradek::broker::api
