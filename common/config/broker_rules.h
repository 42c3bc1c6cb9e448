#pragma once
// What Kafka checks between settings of a broker, and the values that depend on several of them.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/config/settings.h"
#include "common/config/topic_config.h"

namespace odradek::config {

// bad_setting of one line: zookeeper.connect missing, broker.id out of its range,
// group.min.session.timeout.ms above the maximum, and so on.
Result<void> check_broker_settings(const Settings& settings);

// broker.id, or node.id where only that is given; -1: one is to be generated (above
// reserved.broker.max.id).
int32_t broker_id(const Settings& settings);

// log.dirs, else log.dir; without duplicates, not empty after check_broker_settings.
std::vector<std::string> log_dirs(const Settings& settings);

// Dynamic settings of a broker (AlterConfigs): Kafka's words for what is wrong with one; nothing
// where it is right. `per_broker` is false for the defaults of all brokers.
std::optional<std::string> refuse_dynamic_broker_config(std::string_view key,
                                                        const std::optional<std::string>& value,
                                                        bool per_broker);

// A value with Kafka's precedence, log.retention.ms before .minutes before .hours, in milliseconds;
// -1: no bound.
int64_t log_retention_ms(const BrokerConfigs& broker);
int64_t log_roll_ms(const BrokerConfigs& broker);
int64_t log_roll_jitter_ms(const BrokerConfigs& broker);
// log.flush.interval.ms, else log.flush.scheduler.interval.ms.
int64_t log_flush_interval_ms(const BrokerConfigs& broker);

}  // namespace odradek::config
