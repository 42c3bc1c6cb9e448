#include "broker/api/describe_configs.h"

#include <algorithm>

#include "broker/api/broker_settings.h"
#include "broker/api/config_resource.h"
#include "common/config/describe.h"
#include "proto/kafka/describe_configs.h"

namespace odradek::broker::api {

namespace {

using kafka::DescribeConfigsResponse;
constexpr int8_t kLoggerSource = 6;  // DYNAMIC_BROKER_LOGGER_CONFIG
constexpr const char* kLoggers[] = {"controller", "root", "server", "state-change"};

std::vector<config::DescribedConfig> describe(const BrokerSettings& settings,
                                              const metadata::Image& image, int8_t type,
                                              const std::string& name) {
  if (type == static_cast<int8_t>(ResourceType::topic)) {
    return config::describe_topic_configs(overrides_of(image, type, name), settings.layers(image));
  }
  if (type == static_cast<int8_t>(ResourceType::broker)) {
    if (name.empty()) return config::describe_default_broker_configs(image.default_broker_config);
    return config::describe_broker_configs(settings.layers(image));
  }
  std::vector<config::DescribedConfig> loggers;
  for (const char* logger : kLoggers) {
    config::DescribedConfig described;
    described.name = logger;
    described.value = "INFO";
    described.source = static_cast<config::ConfigSource>(kLoggerSource);
    loggers.push_back(std::move(described));
  }
  return loggers;
}

DescribeConfigsResponse::DescribeConfigsResourceResult row_of(config::DescribedConfig described,
                                                              bool synonyms, bool documentation) {
  DescribeConfigsResponse::DescribeConfigsResourceResult row;
  row.config_type = static_cast<int8_t>(described.type());
  row.documentation.reset();
  if (documentation && described.setting != nullptr)
    row.documentation = std::string(described.setting->about);
  row.name = std::move(described.name);
  row.value = std::move(described.value);
  row.read_only = described.read_only;
  row.is_default = described.source == config::ConfigSource::built_in;
  row.config_source = static_cast<int8_t>(described.source);
  row.is_sensitive = described.sensitive;
  if (synonyms) {
    for (auto& synonym : described.synonyms) {
      row.synonyms.push_back(
          {std::move(synonym.name), std::move(synonym.value), static_cast<int8_t>(synonym.source)});
    }
  }
  return row;
}

}  // namespace

boost::asio::awaitable<Answer> handle_describe_configs(Services& services, RequestContext context,
                                                       ByteView body) {
  auto request = decode_request<kafka::DescribeConfigsRequest>(context, body);
  if (!request) co_return bad_request(context, request.error());
  DescribeConfigsResponse response;
  for (const auto& resource : request->resources) {
    auto& result = response.results.emplace_back();
    result.resource_type = resource.resource_type;
    result.resource_name = resource.resource_name;
    result.error_message.reset();
    auto refused = check_resource(*services.settings, *context.image, resource.resource_type,
                                  resource.resource_name);
    if (refused) {
      result.error_code = wire(refused->code);
      result.error_message = std::move(refused->message);
      continue;
    }
    const auto& keys = resource.configuration_keys;
    for (auto& described : describe(*services.settings, *context.image, resource.resource_type,
                                    resource.resource_name)) {
      if (keys && std::find(keys->begin(), keys->end(), described.name) == keys->end()) continue;
      result.configs.push_back(
          row_of(std::move(described), request->include_synonyms, request->include_documentation));
    }
  }
  co_return respond(context, response);
}

}  // namespace odradek::broker::api
