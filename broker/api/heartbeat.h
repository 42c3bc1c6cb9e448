#pragma once
// Heartbeat (12): a member is alive, and learns whether it has to join again.

#include <boost/asio/awaitable.hpp>

#include "broker/api/handler.h"

namespace odradek::broker::api {

boost::asio::awaitable<Answer> handle_heartbeat(Services& services, RequestContext context,
                                                ByteView body);

}  // namespace odradek::broker::api
