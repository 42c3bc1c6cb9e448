#pragma once
// ApiVersions (18): which APIs are served, and in which versions. No feature is finalized.

#include <boost/asio/awaitable.hpp>

#include "broker/api/handler.h"

namespace odradek::broker::api {

boost::asio::awaitable<Answer> handle_api_versions(Services& services, RequestContext context,
                                                   ByteView body);

}  // namespace odradek::broker::api
