#pragma once
// CreatePartitions (37).

#include <boost/asio/awaitable.hpp>

#include "broker/api/handler.h"

namespace odradek::broker::api {

boost::asio::awaitable<Answer> handle_create_partitions(Services& services, RequestContext context,
                                                        ByteView body);

}  // namespace odradek::broker::api
