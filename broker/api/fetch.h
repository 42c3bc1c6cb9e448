#pragma once
// Fetch (1): record batches by file range; waits for min bytes; sessions (KIP-227).

#include <boost/asio/awaitable.hpp>

#include "broker/api/handler.h"

namespace odradek::broker::api {

boost::asio::awaitable<Answer> handle_fetch(Services& services, RequestContext context,
                                            ByteView body);

}  // namespace odradek::broker::api
