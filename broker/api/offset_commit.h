#pragma once
// OffsetCommit (8): stores how far a group has read. Version 0 is kept in the same place as the
// others.

#include <boost/asio/awaitable.hpp>

#include "broker/api/handler.h"

namespace odradek::broker::api {

boost::asio::awaitable<Answer> handle_offset_commit(Services& services, RequestContext context,
                                                    ByteView body);

}  // namespace odradek::broker::api
