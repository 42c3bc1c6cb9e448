#pragma once
// The one place where our errors become Kafka's numbers. The switch in the .cc has no default: a
// new Errc without a line there does not compile.

#include <cstdint>
#include <string>

#include "broker/api/error_code.h"
#include "common/error.h"
#include "common/result.h"

namespace odradek::broker::api {

// An Errc that says nothing to a client becomes unknown_server_error, never a time-out.
ErrorCode to_kafka(Errc code);

// The number for a response field; unknown failures are logged with `where` first.
int16_t error_number(const Error& error, const char* where);

// For versions older than KAFKA_STORAGE_ERROR (KIP-112): their clients look for another leader.
inline ErrorCode without_storage_error(ErrorCode code) {
  return code == ErrorCode::kafka_storage_error ? ErrorCode::not_leader_or_follower : code;
}

}  // namespace odradek::broker::api
