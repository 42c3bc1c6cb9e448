#pragma once
// What a broker is started with: `broker server.properties [--override key=value]…` and the
// environment, read, checked and turned into the settings of its parts.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "broker/group/types.h"
#include "broker/log/log_manager.h"
#include "broker/replica/partition_manager.h"
#include "broker/server/server.h"
#include "common/config/listeners.h"
#include "common/config/settings.h"
#include "common/config/topic_config.h"
#include "common/result.h"

namespace odradek::broker::server {

struct Options {
  config::Settings settings{config::broker_settings()};
  config::Listeners listeners;
  std::string log_directory;  // LOG_DIR: where server.log goes; empty: standard output only
  std::optional<int64_t> memory_budget_bytes;  // -Xmx of KAFKA_HEAP_OPTS
  std::vector<std::string> notes;              // about the environment, for the log
};

// One line with what is wrong and what is allowed.
Result<Options> read_options(int argc, char** argv);

ServerSettings server_settings(const Options& options);
group::GroupSettings group_settings(const config::Settings& settings);
replica::ReplicaSettings replica_settings(const config::Settings& settings);
// log.cleaner.*, which kafka-configs changes while the broker runs.
replica::CleanerSettings cleaner_settings(const config::BrokerConfigs& configs);

}  // namespace odradek::broker::server
