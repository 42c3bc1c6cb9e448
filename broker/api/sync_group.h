#pragma once
// SyncGroup (14): takes the leader's assignment, answers with the member's part of it.

#include <boost/asio/awaitable.hpp>

#include "broker/api/handler.h"

namespace odradek::broker::api {

boost::asio::awaitable<Answer> handle_sync_group(Services& services, RequestContext context,
                                                 ByteView body);

}  // namespace odradek::broker::api
