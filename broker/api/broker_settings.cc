#include "broker/api/broker_settings.h"

namespace odradek::broker::api {

BrokerSettings::BrokerSettings(const config::Settings& settings)
    : num_partitions(settings.get_int("num.partitions")),
      default_replication_factor(
          static_cast<int16_t>(settings.get_int("default.replication.factor"))),
      auto_create_topics(settings.get_bool("auto.create.topics.enable")),
      delete_topics(settings.get_bool("delete.topic.enable")),
      fetch_max_bytes(settings.get_int("fetch.max.bytes")),
      max_fetch_sessions(settings.get_int("max.incremental.fetch.session.cache.slots")),
      offsets_topic_partitions(settings.get_int("offsets.topic.num.partitions")),
      request_timeout_ms(settings.get_int("request.timeout.ms")),
      file(&settings) {}

config::BrokerConfigs BrokerSettings::layers(const metadata::Image& image) const {
  config::BrokerConfigs layers;
  layers.settings = file;
  layers.dynamic_default = &image.default_broker_config;
  auto own = image.broker_configs.find(broker_id);
  if (own != image.broker_configs.end()) layers.dynamic_broker = &own->second;
  return layers;
}

}  // namespace odradek::broker::api
