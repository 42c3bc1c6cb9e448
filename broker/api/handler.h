#pragma once
// What a handler of one Kafka API is given and gives back. A handler is a coroutine on the shard of
// its connection:
//
//   boost::asio::awaitable<Answer> handle_heartbeat(Services& services, RequestContext context,
//   ByteView body);
//
// `body` stays valid until the coroutine has ended, and belongs to this request alone: record
// batches in it may be changed in place. The next request of a connection starts when the coroutine
// has ended; what may be waited for behind that (replication) goes into Answer::later. A handler
// hops to an owner with runtime::run_on, holds no lock, and answers decode failures by
// bad_request(). It never throws: what it calls returns Result.

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "broker/api/answer.h"
#include "broker/api/error_code.h"
#include "common/bytes/byte_reader.h"
#include "common/bytes/byte_writer.h"
#include "common/clock.h"
#include "common/result.h"

namespace odradek::runtime {
class Shards;
class Background;
}  // namespace odradek::runtime
namespace odradek::broker::metadata {
class Image;
class CoordinatorClient;
}  // namespace odradek::broker::metadata
namespace odradek::broker::replica {
class PartitionManager;
}
namespace odradek::broker::group {
class GroupManager;
}

namespace odradek::broker::api {

class BrokerSettings;
class FetchSessions;
class ProducerIds;

// One per process; made in main.cc before the listener opens, outlives every connection. All
// members are thread-safe or hop by themselves.
struct Services {
  const BrokerSettings* settings = nullptr;
  const Clock* clock = nullptr;
  runtime::Shards* shards = nullptr;
  runtime::Background* background = nullptr;
  metadata::CoordinatorClient* coordinator = nullptr;
  replica::PartitionManager* partitions = nullptr;
  group::GroupManager* groups = nullptr;
  FetchSessions* fetch_sessions = nullptr;
  ProducerIds* producer_ids = nullptr;
};

class RequestContext {
 public:
  int16_t api_key = 0;
  int16_t version = 0;
  int32_t correlation_id = 0;
  std::string client_id;    // empty where the client sent null
  std::string peer;         // "127.0.0.1:50122", for log lines
  std::string peer_host;    // "127.0.0.1": group members' host is "/" + this
  std::string listener;     // name of the listener the request came on, upper case: "PLAINTEXT"
  int64_t received_ms = 0;  // Clock::monotonic_ms when the frame was complete
  std::shared_ptr<const metadata::Image> image;  // taken once: a request sees one cluster
};

// The response header of the request (its form depends on API and version).
void begin_response(const RequestContext& context, ByteWriter& out);

// Header and response. `Response` is a generated message.
template <typename Response>
Answer respond(const RequestContext& context, const Response& response) {
  ByteWriter out;
  begin_response(context, out);
  response.encode(out, context.version);
  return Answer(out.take());
}

// For a body that does not decode: the connection is closed with a log line, as Kafka does.
Answer bad_request(const RequestContext& context, const Error& error);
Answer bad_request(const RequestContext& context, const char* what);

// Decodes a generated request; the error is for bad_request().
template <typename Request>
Result<Request> decode_request(const RequestContext& context, ByteView body) {
  ByteReader in(body);
  return Request::decode(in, context.version);
}

using Handler = boost::asio::awaitable<Answer> (*)(Services& services, RequestContext context,
                                                   ByteView body);

}  // namespace odradek::broker::api
