#pragma once
// The APIs that this broker serves with the versions that it tells: those of Kafka 4.x, so that
// every client from 2.5 on finds one that it knows. Produce is told from 0, since clients decide by
// its upper end what they may compress with; its versions below 3 are answered with
// UNSUPPORTED_VERSION.

#include <cstdint>
#include <span>

#include "proto/kafka/api_keys.h"

namespace odradek::broker::api {

struct ServedVersions {
  kafka::ApiKey key;
  int16_t min;
  int16_t max;
};

// Ordered by key.
std::span<const ServedVersions> served_versions();

}  // namespace odradek::broker::api
