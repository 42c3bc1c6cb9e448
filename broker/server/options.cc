#include "broker/server/options.h"

#include <unistd.h>

#include <algorithm>

#include "common/config/arguments.h"
#include "common/config/broker_rules.h"
#include "common/config/java_memory.h"
#include "common/config/properties.h"
#include "common/config/setting.h"
#include "common/config/values.h"
#include "common/fs/real_file_system.h"

namespace odradek::broker::server {

namespace {

constexpr const char* kUsage = "usage: broker server.properties [--override key=value]...";

void note_environment(std::vector<std::string>& notes) {
  if (*config::environment("JMX_PORT") != '\0') {
    notes.push_back("JMX_PORT has no effect: this broker runs without a JVM and has no JMX");
  }
  if (*config::environment("KAFKA_LOG4J_OPTS") != '\0') {
    notes.push_back(
        "KAFKA_LOG4J_OPTS has no effect: log lines go to the files in LOG_DIR at level INFO");
  }
  if (*config::environment("KAFKA_OPTS") != '\0') {
    notes.push_back("KAFKA_OPTS has no effect: this broker runs without a JVM");
  }
}

// What requests that arrive may take: queued.max.request.bytes, or half of -Xmx, or an eighth of
// the machine.
size_t frame_memory(const Options& options) {
  constexpr int64_t kMost = int64_t{1} << 30;
  int64_t set = options.settings.get_long("queued.max.request.bytes");
  if (set > 0) return static_cast<size_t>(set);
  if (options.memory_budget_bytes) return static_cast<size_t>(*options.memory_budget_bytes / 2);
  int64_t machine = static_cast<int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE);
  return static_cast<size_t>(std::min(machine / 8, kMost));
}

std::map<std::string, int64_t> address_limits(const std::string& text) {
  std::map<std::string, int64_t> limits;
  for (const std::string& entry : config::parse_list(text)) {
    size_t colon = entry.rfind(':');
    if (colon == std::string::npos) continue;
    if (auto limit = config::parse_integer(entry.substr(colon + 1)))
      limits[entry.substr(0, colon)] = *limit;
  }
  return limits;
}

}  // namespace

Result<Options> read_options(int argc, char** argv) {
  auto arguments = config::read_arguments(argc, argv, kUsage);
  if (!arguments) return arguments.error();
  fs::RealFileSystem files;
  auto properties = config::Properties::read(files, arguments->file);
  if (!properties) return properties.error();
  auto settings =
      config::load_settings(config::broker_settings(), *properties, arguments->overrides);
  if (!settings) return settings.error();
  auto checked = config::check_broker_settings(*settings);
  if (!checked) return checked.error();
  auto listeners = config::parse_listeners(*settings);
  if (!listeners) return listeners.error();
  auto budget = config::heap_budget("KAFKA_HEAP_OPTS", config::environment("KAFKA_HEAP_OPTS"));
  if (!budget) return budget.error();
  Options options;
  options.settings = std::move(*settings);
  options.listeners = std::move(*listeners);
  options.log_directory = config::environment("LOG_DIR");
  options.memory_budget_bytes = *budget;
  note_environment(options.notes);
  return options;
}

ServerSettings server_settings(const Options& options) {
  const config::Settings& file = options.settings;
  ServerSettings settings;
  for (const config::Endpoint& endpoint : options.listeners.listeners) {
    ListenAddress address;
    address.name = endpoint.listener_name;
    address.host = endpoint.host;
    address.port = endpoint.port;
    settings.listeners.push_back(std::move(address));
  }
  settings.backlog = file.get_int("socket.listen.backlog.size");
  settings.limits.total = file.get_int("max.connections");
  settings.limits.per_address = file.get_int("max.connections.per.ip");
  settings.limits.per_address_overrides =
      address_limits(file.get_string("max.connections.per.ip.overrides"));
  settings.connection.max_request_bytes =
      static_cast<size_t>(file.get_int("socket.request.max.bytes"));
  settings.connection.max_waiting_bytes =
      static_cast<size_t>(file.get_long("odradek.connection.max.waiting.bytes"));
  settings.connection.max_idle_ms = file.get_long("connections.max.idle.ms");
  settings.connection.send_buffer_bytes = file.get_int("socket.send.buffer.bytes");
  settings.connection.receive_buffer_bytes = file.get_int("socket.receive.buffer.bytes");
  settings.frame_memory_bytes = frame_memory(options);
  return settings;
}

group::GroupSettings group_settings(const config::Settings& file) {
  group::GroupSettings settings;
  settings.min_session_timeout_ms = file.get_int("group.min.session.timeout.ms");
  settings.max_session_timeout_ms = file.get_int("group.max.session.timeout.ms");
  settings.initial_rebalance_delay_ms = file.get_int("group.initial.rebalance.delay.ms");
  settings.max_size = file.get_int("group.max.size");
  settings.offsets_retention_ms = file.get_long("offsets.retention.minutes") * 60000;
  settings.offsets_retention_check_ms = file.get_long("offsets.retention.check.interval.ms");
  settings.offset_metadata_max_bytes = file.get_int("offset.metadata.max.bytes");
  settings.offsets_commit_required_acks =
      static_cast<int16_t>(file.get_int("offsets.commit.required.acks"));
  settings.offsets_commit_timeout_ms = file.get_int("offsets.commit.timeout.ms");
  settings.offsets_load_buffer_bytes = file.get_int("offsets.load.buffer.size");
  settings.offsets_topic_partitions = file.get_int("offsets.topic.num.partitions");
  settings.offsets_topic_replication_factor =
      static_cast<int16_t>(file.get_int("offsets.topic.replication.factor"));
  settings.offsets_topic_segment_bytes = file.get_int("offsets.topic.segment.bytes");
  settings.offsets_topic_compression =
      static_cast<int8_t>(file.get_int("offsets.topic.compression.codec"));
  return settings;
}

replica::ReplicaSettings replica_settings(const config::Settings& file) {
  replica::ReplicaSettings settings;
  settings.recovery_threads =
      static_cast<size_t>(file.get_int("num.recovery.threads.per.data.dir"));
  settings.retention_check_ms = file.get_long("log.retention.check.interval.ms");
  settings.directory_max_bytes = file.get_long("log.dirs.max.bytes");
  settings.group_flush = file.get_string("log.flush.policy") == "group";
  settings.flush_check_ms = file.get_long("log.flush.scheduler.interval.ms");
  if (file.is_set("log.flush.interval.ms") && settings.flush_check_ms == INT64_MAX) {
    settings.flush_check_ms = file.get_long("log.flush.interval.ms");
  }
  settings.recovery_checkpoint_ms = file.get_long("log.flush.offset.checkpoint.interval.ms");
  settings.log_start_checkpoint_ms = file.get_long("log.flush.start.offset.checkpoint.interval.ms");
  settings.high_watermark_checkpoint_ms =
      file.get_long("replica.high.watermark.checkpoint.interval.ms");
  settings.producer_expiry_check_ms = file.get_long("producer.id.expiration.check.interval.ms");
  return settings;
}

replica::CleanerSettings cleaner_settings(const config::BrokerConfigs& configs) {
  const auto integer = [&configs](std::string_view key) {
    return config::parse_integer(configs.value(key).value_or("")).value_or(0);
  };
  const auto number = [&configs](std::string_view key) {
    return config::parse_double(configs.value(key).value_or("")).value_or(0);
  };
  replica::CleanerSettings settings;
  settings.enable = configs.value("log.cleaner.enable") != "false";
  settings.threads = static_cast<int32_t>(integer("log.cleaner.threads"));
  settings.backoff_ms = integer("log.cleaner.backoff.ms");
  settings.dedupe_buffer_bytes = integer("log.cleaner.dedupe.buffer.size");
  settings.load_factor = number("log.cleaner.io.buffer.load.factor");
  settings.io_buffer_bytes = integer("log.cleaner.io.buffer.size");
  settings.max_bytes_per_second = number("log.cleaner.io.max.bytes.per.second");
  return settings;
}

}  // namespace odradek::broker::server
