#pragma once
// CreateTopics (19): answers when this broker's image shows the topic and its logs here are open.

#include <boost/asio/awaitable.hpp>

#include "broker/api/handler.h"

namespace odradek::broker::api {

boost::asio::awaitable<Answer> handle_create_topics(Services& services, RequestContext context,
                                                    ByteView body);

}  // namespace odradek::broker::api
