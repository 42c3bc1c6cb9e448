#include "broker/api/handler.h"

#include "proto/kafka/api_keys.h"

namespace odradek::broker::api {

void begin_response(const RequestContext& context, ByteWriter& out) {
  kafka::encode_response_header(out, static_cast<kafka::ApiKey>(context.api_key), context.version,
                                context.correlation_id);
}

Answer bad_request(const RequestContext& context, const Error& error) {
  std::string api(kafka::name_of(static_cast<kafka::ApiKey>(context.api_key)));
  return Answer::close("a " + api + " request of version " + std::to_string(context.version) +
                       " cannot be read: " + error.what());
}

Answer bad_request(const RequestContext& context, const char* what) {
  return bad_request(context, Error(Errc::malformed, std::string(what) + " does not decode"));
}

}  // namespace odradek::broker::api
