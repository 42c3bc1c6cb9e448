#pragma once
// OffsetDelete (47): removes offsets of topics that the group does not subscribe to (KIP-496).

#include <boost/asio/awaitable.hpp>

#include "broker/api/handler.h"

namespace odradek::broker::api {

boost::asio::awaitable<Answer> handle_offset_delete(Services& services, RequestContext context,
                                                    ByteView body);

}  // namespace odradek::broker::api
