#pragma once
// InitProducerId (22): producer ids for idempotent producers. A transactional id is refused for
// good.

#include <boost/asio/awaitable.hpp>

#include "broker/api/handler.h"

namespace odradek::broker::api {

boost::asio::awaitable<Answer> handle_init_producer_id(Services& services, RequestContext context,
                                                       ByteView body);

}  // namespace odradek::broker::api
