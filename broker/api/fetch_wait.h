#pragma once
// Waiting for records on several partitions, which may live on several shards.

#include <boost/asio/awaitable.hpp>
#include <vector>

#include "broker/api/handler.h"
#include "common/ids.h"

namespace odradek::broker::api {

// Suspends the caller until the high watermark of one of the partitions is above its end, one of
// them stops being led here or goes away, or the time is over. True unless the time is over. An
// event wakes it: nothing polls.
boost::asio::awaitable<bool> wait_for_data(Services& services,
                                           const std::vector<TopicPartition>& ids,
                                           std::vector<Offset> ends, int64_t timeout_ms);

}  // namespace odradek::broker::api
