#pragma once
// The templates behind AdminClient's calls, for its own .cc files.

#include <string>

#include "broker/cli/admin_client.h"

namespace odradek::broker::cli {

template <typename Response, typename Request>
Response AdminClient::send(const Target& target, const Request& request, std::string_view call,
                           int64_t deadline_ms, int16_t max_version, int16_t min_version) {
  Answer answer = exchange(
      target, Request::kApiKey, Versions{min_version, max_version},
      [&request](ByteWriter& out, int16_t version) { request.encode(out, version); }, call,
      deadline_ms);
  ByteReader in(answer.body);
  auto decoded = Response::decode(in, answer.version);
  if (!decoded) {
    throw KafkaError(
        "org.apache.kafka.common.protocol.types.SchemaException",
        "The answer to " + std::string(call) + " is not understood: " + decoded.error().what());
  }
  return std::move(*decoded);
}

template <typename Fn>
auto AdminClient::with_retries(int64_t deadline_ms, Fn attempt) {
  while (true) {
    try {
      return attempt();
    } catch (const KafkaError& error) {
      if (!error.retriable() || odradek::cli::now_ms() >= deadline_ms) throw;
      if (error.code() == kNotController) controller_.reset();
      if (error.code() == kNotCoordinator || error.code() == kCoordinatorNotAvailable)
        coordinators_.clear();
    }
    pause(deadline_ms);
  }
}

}  // namespace odradek::broker::cli
