#include "broker/api/api_versions.h"

#include "broker/api/served_versions.h"
#include "proto/kafka/api_versions.h"

namespace odradek::broker::api {

namespace {

bool is_name(const std::string& text) {
  auto edge = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  if (text.empty() || !edge(text.front()) || !edge(text.back())) return false;
  for (char c : text) {
    if (!edge(c) && c != '-' && c != '.') return false;
  }
  return true;
}

}  // namespace

boost::asio::awaitable<Answer> handle_api_versions(Services& services, RequestContext context,
                                                   ByteView body) {
  kafka::ApiVersionsResponse response;
  for (const ServedVersions& row : served_versions()) {
    response.api_keys.push_back({static_cast<int16_t>(row.key), row.min, row.max});
  }
  const auto known = std::find_if(
      served_versions().begin(), served_versions().end(),
      [](const ServedVersions& row) { return row.key == kafka::ApiKey::kApiVersions; });
  if (context.version < known->min || context.version > known->max) {
    // a newer client: it reads version 0 and asks again (KIP-511)
    response.error_code = wire(ErrorCode::unsupported_version);
    context.version = 0;
    co_return respond(context, response);
  }
  auto request = decode_request<kafka::ApiVersionsRequest>(context, body);
  if (!request) co_return bad_request(context, request.error());
  if (context.version >= 3 &&
      (!is_name(request->client_software_name) || !is_name(request->client_software_version))) {
    response.error_code = wire(ErrorCode::invalid_request);
    response.api_keys.clear();
  }
  co_return respond(context, response);
}

}  // namespace odradek::broker::api
