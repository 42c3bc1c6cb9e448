#pragma once
// DescribeTopicPartitions (75, KIP-966): topics page by page.

#include <boost/asio/awaitable.hpp>

#include "broker/api/handler.h"

namespace odradek::broker::api {

boost::asio::awaitable<Answer> handle_describe_topic_partitions(Services& services,
                                                                RequestContext context,
                                                                ByteView body);

}  // namespace odradek::broker::api
