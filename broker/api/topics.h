#pragma once
// What the topic APIs share: names, automatic creation, waiting for this broker's logs, authorized
// operations.

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "broker/api/handler.h"
#include "broker/metadata/coordinator_client.h"
#include "broker/metadata/image.h"

namespace odradek::broker::api {

inline constexpr std::string_view kOffsetsTopicName = "__consumer_offsets";
inline constexpr std::string_view kTransactionsTopicName = "__transaction_state";
bool is_internal_topic(std::string_view name);
// Kafka's rules: letters, digits, '.', '_', '-'; at most 249; not "." or "..".
bool is_valid_topic_name(std::string_view name);

// Without an authorizer everything is allowed (KIP-430); the bits are AclOperation codes.
inline constexpr int32_t kAllTopicOperations = 3576;
inline constexpr int32_t kAllClusterOperations = 8096;

// Makes the topics with the broker's defaults. A row per name: none when it is there now, else the
// error for the client.
boost::asio::awaitable<std::map<std::string, ErrorCode>> create_automatically(
    Services& services, std::vector<std::string> names);

// After a change of these topics: waits until this broker's logs of them are as the image says, or
// the time is over.
boost::asio::awaitable<void> wait_for_logs(Services& services, std::vector<std::string> names,
                                           int64_t deadline_ms);

// An admin call's outer failure as a number and a sentence.
ErrorCode admin_error(const Error& error);

}  // namespace odradek::broker::api
