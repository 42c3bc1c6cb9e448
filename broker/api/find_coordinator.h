#pragma once
// FindCoordinator (10): which broker keeps a group. Makes __consumer_offsets when it is not there.

#include <boost/asio/awaitable.hpp>

#include "broker/api/handler.h"

namespace odradek::broker::api {

boost::asio::awaitable<Answer> handle_find_coordinator(Services& services, RequestContext context,
                                                       ByteView body);

}  // namespace odradek::broker::api
