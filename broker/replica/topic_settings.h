#pragma once
// From the resolved settings of a topic to what its log obeys.

#include "broker/log/log_config.h"
#include "broker/replica/partition_manager.h"
#include "common/config/topic_config.h"

namespace odradek::broker::replica {

// `producer_id_expiration_ms` is the broker's producer.id.expiration.ms.
TopicSettings topic_settings(const config::TopicConfig& topic, int64_t producer_id_expiration_ms);

}  // namespace odradek::broker::replica
