#pragma once
// DeleteRecords (21): moves log starts up (KIP-107).

#include <boost/asio/awaitable.hpp>

#include "broker/api/handler.h"

namespace odradek::broker::api {

boost::asio::awaitable<Answer> handle_delete_records(Services& services, RequestContext context,
                                                     ByteView body);

}  // namespace odradek::broker::api
