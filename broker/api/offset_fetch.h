#pragma once
// OffsetFetch (9): how far a group has read.

#include <boost/asio/awaitable.hpp>

#include "broker/api/handler.h"

namespace odradek::broker::api {

boost::asio::awaitable<Answer> handle_offset_fetch(Services& services, RequestContext context,
                                                   ByteView body);

}  // namespace odradek::broker::api
