#pragma once
// DescribeCluster (60, KIP-700): brokers and controller.

#include <boost/asio/awaitable.hpp>

#include "broker/api/handler.h"

namespace odradek::broker::api {

boost::asio::awaitable<Answer> handle_describe_cluster(Services& services, RequestContext context,
                                                       ByteView body);

}  // namespace odradek::broker::api
