#include "broker/api/config_resource.h"

#include <charconv>

#include "broker/api/topics.h"
#include "common/config/broker_rules.h"
#include "common/config/topic_config.h"

namespace odradek::broker::api {

namespace {

const config::ConfigMap kNone;

bool is(int8_t type, ResourceType wanted) { return type == static_cast<int8_t>(wanted); }

std::optional<int32_t> number(const std::string& text) {
  int32_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<Refused> check_broker_id(const BrokerSettings& settings, const std::string& name,
                                       bool empty_allowed) {
  if (name.empty() && empty_allowed) return std::nullopt;
  auto id = number(name);
  if (!id) {
    return Refused{ErrorCode::invalid_request, "Broker id must be an integer, but it is: " + name};
  }
  if (*id != settings.broker_id.value()) {
    return Refused{ErrorCode::invalid_request,
                   "Unexpected broker id, expected " + std::to_string(settings.broker_id.value()) +
                       (empty_allowed ? " or empty string" : "") + ", but received " + name};
  }
  return std::nullopt;
}

}  // namespace

std::optional<Refused> check_resource(const BrokerSettings& settings, const metadata::Image& image,
                                      int8_t type, const std::string& name) {
  if (is(type, ResourceType::topic)) {
    if (!is_valid_topic_name(name)) {
      return Refused{ErrorCode::invalid_topic_exception,
                     "The topic name '" + name + "' is not valid."};
    }
    if (image.topic(name) == nullptr) {
      return Refused{ErrorCode::unknown_topic_or_partition,
                     "The topic '" + name + "' does not exist."};
    }
    return std::nullopt;
  }
  if (is(type, ResourceType::broker)) return check_broker_id(settings, name, true);
  if (is(type, ResourceType::broker_logger)) return check_broker_id(settings, name, false);
  return Refused{ErrorCode::invalid_request, "Unsupported resource type: " + std::to_string(type)};
}

const config::ConfigMap& overrides_of(const metadata::Image& image, int8_t type,
                                      const std::string& name) {
  if (is(type, ResourceType::topic)) {
    const metadata::Topic* topic = image.topic(name);
    return topic ? topic->configs : kNone;
  }
  if (!is(type, ResourceType::broker)) return kNone;
  if (name.empty()) return image.default_broker_config;
  auto found = image.broker_configs.find(BrokerId(number(name).value_or(-1)));
  return found == image.broker_configs.end() ? kNone : found->second;
}

std::optional<Refused> check_overrides(const BrokerSettings& settings, const metadata::Image& image,
                                       int8_t type, const std::string& name,
                                       const config::ConfigMap& overrides) {
  if (is(type, ResourceType::topic)) {
    if (auto wrong = config::refuse_topic_config(overrides, settings.layers(image))) {
      return Refused{ErrorCode::invalid_config, *wrong};
    }
    return std::nullopt;
  }
  if (is(type, ResourceType::broker)) {
    const config::ConfigMap& before = overrides_of(image, type, name);
    for (const auto& [key, value] : overrides) {
      auto old = before.find(key);
      if (old != before.end() && old->second == value) continue;  // stays as it is
      if (auto wrong = config::refuse_dynamic_broker_config(key, value, !name.empty())) {
        return Refused{ErrorCode::invalid_request, *wrong};
      }
    }
    return std::nullopt;
  }
  return Refused{ErrorCode::invalid_request,
                 "The levels of loggers cannot be altered at run time here."};
}

metadata::ConfigEntity entity_of(int8_t type) {
  return is(type, ResourceType::topic) ? metadata::ConfigEntity::topic
                                       : metadata::ConfigEntity::broker;
}

}  // namespace odradek::broker::api
