#pragma once
// DeleteGroups (42): removes groups without members (KIP-229).

#include <boost/asio/awaitable.hpp>

#include "broker/api/handler.h"

namespace odradek::broker::api {

boost::asio::awaitable<Answer> handle_delete_groups(Services& services, RequestContext context,
                                                    ByteView body);

}  // namespace odradek::broker::api
