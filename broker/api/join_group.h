#pragma once
// JoinGroup (11): answers when the group has a new generation.

#include <boost/asio/awaitable.hpp>

#include "broker/api/handler.h"

namespace odradek::broker::api {

boost::asio::awaitable<Answer> handle_join_group(Services& services, RequestContext context,
                                                 ByteView body);

}  // namespace odradek::broker::api
