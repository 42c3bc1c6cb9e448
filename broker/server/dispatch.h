#pragma once
// The table of the APIs that this broker serves: advertised versions, and who handles them.
// Immutable.

#include <cstdint>
#include <span>

#include "broker/api/handler.h"
#include "proto/kafka/api_keys.h"

namespace odradek::broker::server {

struct ApiRow {
  kafka::ApiKey key;
  int16_t min_version;  // as ApiVersions tells
  int16_t max_version;
  api::Handler handler;
};

// Ordered by key.
std::span<const ApiRow> served_apis();
// nullptr: not served.
const ApiRow* find_api(int16_t api_key);

}  // namespace odradek::broker::server
