#pragma once
// DeleteTopics (20): by name, from version 6 by id too.

#include <boost/asio/awaitable.hpp>

#include "broker/api/handler.h"

namespace odradek::broker::api {

boost::asio::awaitable<Answer> handle_delete_topics(Services& services, RequestContext context,
                                                    ByteView body);

}  // namespace odradek::broker::api
