#pragma once
// Produce (0): appends to the partitions that this broker leads.

#include <boost/asio/awaitable.hpp>

#include "broker/api/handler.h"

namespace odradek::broker::api {

boost::asio::awaitable<Answer> handle_produce(Services& services, RequestContext context,
                                              ByteView body);

}  // namespace odradek::broker::api
