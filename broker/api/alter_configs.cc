#include "broker/api/alter_configs.h"

#include "broker/api/config_changes.h"
#include "proto/kafka/alter_configs.h"

namespace odradek::broker::api {

namespace {

ResourceChange change_of(const Services& services, const metadata::Image& image,
                         const kafka::AlterConfigsRequest::AlterConfigsResource& asked) {
  ResourceChange resource;
  resource.type = asked.resource_type;
  resource.name = asked.resource_name;
  resource.refused = check_resource(*services.settings, image, resource.type, resource.name);
  if (resource.refused) return resource;
  config::ConfigMap overrides;
  for (const auto& entry : asked.configs) {
    if (!entry.value) {
      resource.refused =
          Refused{ErrorCode::invalid_request, "Null value not supported for : " + entry.name};
      return resource;
    }
    if (!overrides.emplace(entry.name, *entry.value).second) {
      resource.refused =
          Refused{ErrorCode::invalid_request, "Error due to duplicate config keys : " + entry.name};
      return resource;
    }
  }
  resource.refused =
      check_overrides(*services.settings, image, resource.type, resource.name, overrides);
  resource.change.entity = entity_of(resource.type);
  resource.change.name = resource.name;
  resource.change.incremental = false;
  for (auto& [key, value] : overrides)
    resource.change.changes.emplace_back(key, metadata::ConfigOp::set, value);
  return resource;
}

}  // namespace

boost::asio::awaitable<Answer> handle_alter_configs(Services& services, RequestContext context,
                                                    ByteView body) {
  auto request = decode_request<kafka::AlterConfigsRequest>(context, body);
  if (!request) co_return bad_request(context, request.error());
  std::vector<ResourceChange> resources;
  for (const auto& asked : request->resources)
    resources.push_back(change_of(services, *context.image, asked));
  refuse_duplicates(resources);
  int64_t deadline = context.received_ms + services.settings->request_timeout_ms;
  co_await apply_changes(services, resources, request->validate_only, deadline);
  co_return respond(context, config_response<kafka::AlterConfigsResponse>(resources));
}

}  // namespace odradek::broker::api
