#pragma once
// The settings that handlers look at, read once from server.properties. Immutable after start.

#include <cstdint>
#include <memory>
#include <string>

#include "broker/metadata/image.h"
#include "common/config/settings.h"
#include "common/config/topic_config.h"
#include "common/ids.h"

namespace odradek::broker::api {

class BrokerSettings {
 public:
  explicit BrokerSettings(const config::Settings& settings);

  // Known after the registration.
  BrokerId broker_id{-1};

  int32_t num_partitions;              // num.partitions
  int16_t default_replication_factor;  // default.replication.factor
  bool auto_create_topics;             // auto.create.topics.enable
  bool delete_topics;                  // delete.topic.enable
  int32_t fetch_max_bytes;             // fetch.max.bytes
  int32_t max_fetch_sessions;          // max.incremental.fetch.session.cache.slots
  int32_t offsets_topic_partitions;
  int32_t request_timeout_ms;    // request.timeout.ms
  const config::Settings* file;  // server.properties

  // The layers below a topic's own settings; they point into `image`, which must outlive the
  // result.
  config::BrokerConfigs layers(const metadata::Image& image) const;
};

}  // namespace odradek::broker::api
