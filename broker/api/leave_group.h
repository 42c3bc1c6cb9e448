#pragma once
// LeaveGroup (13): members go.

#include <boost/asio/awaitable.hpp>

#include "broker/api/handler.h"

namespace odradek::broker::api {

boost::asio::awaitable<Answer> handle_leave_group(Services& services, RequestContext context,
                                                  ByteView body);

}  // namespace odradek::broker::api
