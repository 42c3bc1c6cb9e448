#pragma once
// ListOffsets (2): offsets by time.

#include <boost/asio/awaitable.hpp>

#include "broker/api/handler.h"

namespace odradek::broker::api {

boost::asio::awaitable<Answer> handle_list_offsets(Services& services, RequestContext context,
                                                   ByteView body);

}  // namespace odradek::broker::api
