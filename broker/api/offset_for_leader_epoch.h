#pragma once
// OffsetForLeaderEpoch (23, KIP-320): where a leader epoch ends.

#include <boost/asio/awaitable.hpp>

#include "broker/api/handler.h"

namespace odradek::broker::api {

boost::asio::awaitable<Answer> handle_offset_for_leader_epoch(Services& services,
                                                              RequestContext context,
                                                              ByteView body);

}  // namespace odradek::broker::api
