#pragma once
// DescribeGroups (15): state, members and assignments of groups.

#include <boost/asio/awaitable.hpp>

#include "broker/api/handler.h"

namespace odradek::broker::api {

boost::asio::awaitable<Answer> handle_describe_groups(Services& services, RequestContext context,
                                                      ByteView body);

}  // namespace odradek::broker::api
