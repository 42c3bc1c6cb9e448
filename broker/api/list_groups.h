#pragma once
// ListGroups (16): the groups that this broker coordinates.

#include <boost/asio/awaitable.hpp>

#include "broker/api/handler.h"

namespace odradek::broker::api {

boost::asio::awaitable<Answer> handle_list_groups(Services& services, RequestContext context,
                                                  ByteView body);

}  // namespace odradek::broker::api
