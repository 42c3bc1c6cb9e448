#pragma once
// What the config APIs share: resources by type and name, and the check of new overrides.

#include <cstdint>
#include <optional>
#include <string>

#include "broker/api/broker_settings.h"
#include "broker/api/error_code.h"
#include "broker/metadata/coordinator_client.h"
#include "broker/metadata/image.h"
#include "common/config/settings.h"

namespace odradek::broker::api {

// Kafka's numbers of config resources.
enum class ResourceType : int8_t { unknown = 0, topic = 2, broker = 4, broker_logger = 8 };

struct Refused {
  ErrorCode code;
  std::string message;
};

// Whether this broker can speak of the resource: the topic exists, the broker id is its own or
// empty (all brokers).
std::optional<Refused> check_resource(const BrokerSettings& settings, const metadata::Image& image,
                                      int8_t type, const std::string& name);

// The overrides that the resource has now.
const config::ConfigMap& overrides_of(const metadata::Image& image, int8_t type,
                                      const std::string& name);

// Whether these may be all its overrides.
std::optional<Refused> check_overrides(const BrokerSettings& settings, const metadata::Image& image,
                                       int8_t type, const std::string& name,
                                       const config::ConfigMap& overrides);

metadata::ConfigEntity entity_of(int8_t type);

}  // namespace odradek::broker::api
