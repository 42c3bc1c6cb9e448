#pragma once
// Metadata (3): brokers, topics, leaders; makes a topic that is asked for where
// auto.create.topics.enable allows it.

#include <boost/asio/awaitable.hpp>

#include "broker/api/handler.h"

namespace odradek::broker::api {

boost::asio::awaitable<Answer> handle_metadata(Services& services, RequestContext context,
                                               ByteView body);

}  // namespace odradek::broker::api
