#include "broker/api/incremental_alter_configs.h"

#include <algorithm>
#include <set>

#include "broker/api/config_changes.h"
#include "common/config/topic_config.h"
#include "common/config/values.h"
#include "proto/kafka/incremental_alter_configs.h"

namespace odradek::broker::api {

namespace {

enum class Operation : int8_t { set = 0, remove = 1, append = 2, subtract = 3 };
using Asked = kafka::IncrementalAlterConfigsRequest::AlterConfigsResource;

// The list that an append or subtract starts from: the resource's own value, else the one in
// effect.
std::vector<std::string> current_list(const BrokerSettings& settings, const metadata::Image& image,
                                      int8_t type, const config::Setting& setting,
                                      const config::ConfigMap& overrides) {
  auto own = overrides.find(setting.name);
  if (own != overrides.end()) return config::parse_list(own->second);
  auto layers = settings.layers(image);
  std::optional<std::string> value;
  if (type == static_cast<int8_t>(ResourceType::topic)) {
    value = config::resolve_topic_value(setting, {}, layers);
  } else {
    value = layers.value(setting.name);
  }
  return value ? config::parse_list(*value) : std::vector<std::string>();
}

std::string joined(const std::vector<std::string>& list) {
  std::string text;
  for (const std::string& part : list) {
    if (!text.empty()) text += ',';
    text += part;
  }
  return text;
}

// Works the operations into `overrides`, and names what changes.
std::optional<Refused> work_in(const BrokerSettings& settings, const metadata::Image& image,
                               const Asked& asked, config::ConfigMap& overrides,
                               metadata::ConfigChange& change) {
  bool topic = asked.resource_type == static_cast<int8_t>(ResourceType::topic);
  const auto& table = topic ? config::topic_settings() : config::broker_settings();
  std::set<std::string> seen;
  for (const auto& entry : asked.configs) {
    if (!seen.insert(entry.name).second) {
      return Refused{ErrorCode::invalid_request,
                     "Error due to duplicate config keys : " + entry.name};
    }
    auto operation = static_cast<Operation>(entry.config_operation);
    if (entry.config_operation < 0 || entry.config_operation > 3) {
      return Refused{ErrorCode::invalid_request,
                     "Unknown config operation " + std::to_string(entry.config_operation)};
    }
    if (operation == Operation::remove) {
      overrides.erase(entry.name);
      change.changes.emplace_back(entry.name, metadata::ConfigOp::remove, std::string());
      continue;
    }
    if (!entry.value)
      return Refused{ErrorCode::invalid_request, "Null value not supported for : " + entry.name};
    std::string value = *entry.value;
    if (operation != Operation::set) {
      const config::Setting* setting = table.find(entry.name);
      if (setting == nullptr || setting->type != config::Type::list) {
        return Refused{ErrorCode::invalid_request,
                       std::string("Config value ") +
                           (operation == Operation::append ? "append" : "subtract") +
                           " is not allowed for config key: " + entry.name};
      }
      auto list = current_list(settings, image, asked.resource_type, *setting, overrides);
      for (const std::string& part : config::parse_list(value)) {
        auto found = std::find(list.begin(), list.end(), part);
        if (operation == Operation::append && found == list.end()) list.push_back(part);
        if (operation == Operation::subtract && found != list.end()) list.erase(found);
      }
      value = joined(list);
    }
    overrides[entry.name] = value;
    change.changes.emplace_back(entry.name, metadata::ConfigOp::set, std::move(value));
  }
  return std::nullopt;
}

ResourceChange change_of(const Services& services, const metadata::Image& image,
                         const Asked& asked) {
  ResourceChange resource;
  resource.type = asked.resource_type;
  resource.name = asked.resource_name;
  resource.refused = check_resource(*services.settings, image, resource.type, resource.name);
  if (resource.refused) return resource;
  resource.change.entity = entity_of(resource.type);
  resource.change.name = resource.name;
  resource.change.incremental = true;
  config::ConfigMap overrides = overrides_of(image, resource.type, resource.name);
  resource.refused = work_in(*services.settings, image, asked, overrides, resource.change);
  if (!resource.refused) {
    resource.refused =
        check_overrides(*services.settings, image, resource.type, resource.name, overrides);
  }
  return resource;
}

}  // namespace

boost::asio::awaitable<Answer> handle_incremental_alter_configs(Services& services,
                                                                RequestContext context,
                                                                ByteView body) {
  auto request = decode_request<kafka::IncrementalAlterConfigsRequest>(context, body);
  if (!request) co_return bad_request(context, request.error());
  std::vector<ResourceChange> resources;
  for (const auto& asked : request->resources)
    resources.push_back(change_of(services, *context.image, asked));
  refuse_duplicates(resources);
  int64_t deadline = context.received_ms + services.settings->request_timeout_ms;
  co_await apply_changes(services, resources, request->validate_only, deadline);
  co_return respond(context, config_response<kafka::IncrementalAlterConfigsResponse>(resources));
}

}  // namespace odradek::broker::api
