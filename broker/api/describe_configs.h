#pragma once
// DescribeConfigs (32): settings of topics and brokers with their sources (KIP-226).

#include <boost/asio/awaitable.hpp>

#include "broker/api/handler.h"

namespace odradek::broker::api {

boost::asio::awaitable<Answer> handle_describe_configs(Services& services, RequestContext context,
                                                       ByteView body);

}  // namespace odradek::broker::api
