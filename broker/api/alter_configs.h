#pragma once
// AlterConfigs (33): replaces all overrides of a topic or broker.

#include <boost/asio/awaitable.hpp>

#include "broker/api/handler.h"

namespace odradek::broker::api {

boost::asio::awaitable<Answer> handle_alter_configs(Services& services, RequestContext context,
                                                    ByteView body);

}  // namespace odradek::broker::api
