#pragma once
// IncrementalAlterConfigs (44, KIP-339): sets, deletes, appends to and subtracts from single
// settings.

#include <boost/asio/awaitable.hpp>

#include "broker/api/handler.h"

namespace odradek::broker::api {

boost::asio::awaitable<Answer> handle_incremental_alter_configs(Services& services,
                                                                RequestContext context,
                                                                ByteView body);

}  // namespace odradek::broker::api
