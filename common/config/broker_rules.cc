#include "common/config/broker_rules.h"

#include <algorithm>

#include "common/config/values.h"

namespace odradek::config {
namespace {

constexpr int64_t kMinuteMs = 60'000;
constexpr int64_t kHourMs = 60 * kMinuteMs;

// The first of these settings that has a value, in milliseconds.
struct Unit {
  std::string_view key;
  int64_t ms;
};

std::optional<int64_t> first_of(const BrokerConfigs& broker, std::initializer_list<Unit> units) {
  for (const Unit& unit : units) {
    auto text = broker.value(unit.key);
    auto number = text ? parse_integer(*text) : std::nullopt;
    if (!number) continue;
    int64_t ms = 0;
    if (__builtin_mul_overflow(*number, unit.ms, &ms)) ms = INT64_MAX;
    return ms;
  }
  return std::nullopt;
}

Result<void> check_broker_id(const Settings& settings) {
  bool has_id = settings.get_int("broker.id") != -1;
  bool has_node_id = settings.get_int("node.id") != -1;
  if (has_id && has_node_id && settings.get_int("broker.id") != settings.get_int("node.id")) {
    return settings.refuse("node.id", "broker.id is " +
                                          std::to_string(settings.get_int("broker.id")) +
                                          "; both name the same number");
  }
  std::string_view key = has_id ? "broker.id" : "node.id";
  int32_t id = broker_id(settings);
  bool generated = settings.get_bool("broker.id.generation.enable");
  int32_t reserved = settings.get_int("reserved.broker.max.id");
  if (generated && (id < -1 || id > reserved)) {
    return settings.refuse(
        key, "expected -1 to have one generated, or a number from 0 to reserved.broker.max.id (" +
                 std::to_string(reserved) + ")");
  }
  if (!generated && id < 0) {
    return settings.refuse("broker.id",
                           "expected a number from 0 up, since broker.id.generation.enable=false");
  }
  return {};
}

Result<void> check_groups(const Settings& settings) {
  if (settings.get_int("group.min.session.timeout.ms") >
      settings.get_int("group.max.session.timeout.ms")) {
    return settings.refuse("group.min.session.timeout.ms",
                           "it is above group.max.session.timeout.ms=" +
                               settings.get_string("group.max.session.timeout.ms"));
  }
  int32_t acks = settings.get_int("offsets.commit.required.acks");
  int32_t replicas = settings.get_int("offsets.topic.replication.factor");
  if (acks < -1 || acks > replicas) {
    return settings.refuse("offsets.commit.required.acks",
                           "expected -1 or a number up to offsets.topic.replication.factor (" +
                               std::to_string(replicas) + ")");
  }
  int32_t codec = settings.get_int("offsets.topic.compression.codec");
  if (codec < 0 || codec > 4) {
    return settings.refuse("offsets.topic.compression.codec",
                           "expected 0 (none), 1 (gzip), 2 (snappy), 3 (lz4) or 4 (zstd)");
  }
  return {};
}

Result<void> check_retention(const Settings& settings) {
  for (std::string_view key :
       {"log.retention.ms", "log.retention.minutes", "log.retention.hours"}) {
    if (!settings.has(key)) continue;
    int64_t value = settings.get_long(key);
    if (value < -1 || value == 0)
      return settings.refuse(key, "expected -1 for no bound, or a number from 1 up");
  }
  if (settings.has("log.roll.ms") && settings.get_long("log.roll.ms") < 1) {
    return settings.refuse("log.roll.ms", "expected an integer from 1 up");
  }
  for (std::string_view key : {"log.roll.jitter.ms", "log.flush.interval.ms"}) {
    if (settings.has(key) && settings.get_long(key) < 0)
      return settings.refuse(key, "expected an integer from 0 up");
  }
  return {};
}

Result<void> check_cleaner(const Settings& settings) {
  constexpr int64_t kLeastPerThread = 1 << 20;
  const int64_t threads = std::max(settings.get_int("log.cleaner.threads"), 1);
  if (settings.get_long("log.cleaner.dedupe.buffer.size") / threads <= kLeastPerThread) {
    return settings.refuse("log.cleaner.dedupe.buffer.size",
                           "log.cleaner.dedupe.buffer.size must be at least 1MB per cleaner "
                           "thread (log.cleaner.threads is " +
                               std::to_string(threads) + ")");
  }
  return {};
}

// host:number, separated by commas.
bool is_override_list(std::string_view text) {
  for (const std::string& part : parse_list(text)) {
    size_t colon = part.rfind(':');
    if (colon == 0 || colon == std::string::npos) return false;
    auto number = parse_integer(std::string_view(part).substr(colon + 1));
    if (!number || *number < 0 || *number > INT32_MAX) return false;
  }
  return true;
}

Result<void> check_network(const Settings& settings) {
  if (!is_override_list(settings.get_string("max.connections.per.ip.overrides"))) {
    return settings.refuse("max.connections.per.ip.overrides",
                           "expected host:number, separated by commas");
  }
  if (settings.get_int("max.connections.per.ip") == 0 &&
      settings.get_string("max.connections.per.ip.overrides").empty()) {
    return settings.refuse("max.connections.per.ip",
                           "0 needs max.connections.per.ip.overrides, or nobody could connect");
  }
  for (std::string_view key : {"socket.send.buffer.bytes", "socket.receive.buffer.bytes"}) {
    int32_t size = settings.get_int(key);
    if (size != -1 && size < 1)
      return settings.refuse(key, "expected -1 for the system's own, or an integer from 1 up");
  }
  int64_t queued = settings.get_long("queued.max.request.bytes");
  if (queued > 0 && queued < settings.get_int("socket.request.max.bytes")) {
    return settings.refuse("queued.max.request.bytes",
                           "expected -1 for no bound, or at least socket.request.max.bytes (" +
                               settings.get_string("socket.request.max.bytes") + ")");
  }
  return {};
}

bool is_listener_only(std::string_view key) {
  return (key.starts_with("ssl.") || key.starts_with("sasl.")) &&
         key != "sasl.mechanism.inter.broker.protocol";
}

}  // namespace

Result<void> check_broker_settings(const Settings& settings) {
  if (settings.find_string("zookeeper.connect").value_or("").empty()) {
    if (settings.is_set("process.roles")) {
      return settings.refuse("process.roles",
                             "this is a configuration for KRaft; set zookeeper.connect to the "
                             "coordinator instead, as zookeeper.connect=localhost:2181");
    }
    return settings.refuse(
        "zookeeper.connect",
        "it is required; expected host:port of the coordinator, as localhost:2181");
  }
  if (log_dirs(settings).empty())
    return settings.refuse("log.dirs", "expected at least one directory");
  for (auto check : {check_broker_id, check_groups, check_retention, check_cleaner, check_network}) {
    if (auto done = check(settings); !done) return done;
  }
  return {};
}

int32_t broker_id(const Settings& settings) {
  int32_t id = settings.get_int("broker.id");
  return id != -1 ? id : settings.get_int("node.id");
}

std::vector<std::string> log_dirs(const Settings& settings) {
  bool many = settings.find_string("log.dirs").has_value();
  std::vector<std::string> out;
  for (std::string& dir :
       parse_list(settings.find_string(many ? "log.dirs" : "log.dir").value_or(""))) {
    if (!dir.empty() && std::find(out.begin(), out.end(), dir) == out.end())
      out.push_back(std::move(dir));
  }
  return out;
}

std::optional<std::string> refuse_dynamic_broker_config(std::string_view key,
                                                        const std::optional<std::string>& value,
                                                        bool per_broker) {
  std::string set = "Set(" + std::string(key) + ")";
  const SettingTable& table = broker_settings();
  if (key.starts_with("listener.name.")) {
    if (!per_broker) return "Cannot update these configs at default cluster level: " + set;
    std::string_view rest = key.substr(std::string_view("listener.name.").size());
    size_t dot = rest.find('.');
    const Setting* setting =
        dot == std::string_view::npos ? nullptr : table.find(rest.substr(dot + 1));
    return setting != nullptr && value ? refuse_value(*setting, key, *value) : std::nullopt;
  }
  const Setting* setting = table.find(key);
  if (setting == nullptr) return std::nullopt;  // kept for whoever reads it, as Kafka does
  if (setting->update == Update::read_only)
    return "Cannot update these configs dynamically: " + set;
  if (is_listener_only(key)) {
    return "These security configs can be dynamically updated only per-listener using the listener "
           "prefix: " +
           set;
  }
  if (setting->update == Update::per_broker && !per_broker) {
    return "Cannot update these configs at default cluster level: " + set;
  }
  return value ? refuse_value(*setting, key, *value) : std::nullopt;
}

int64_t log_retention_ms(const BrokerConfigs& broker) {
  int64_t ms = first_of(broker, {{"log.retention.ms", 1},
                                 {"log.retention.minutes", kMinuteMs},
                                 {"log.retention.hours", kHourMs}})
                   .value_or(168 * kHourMs);
  return ms < 0 ? -1 : ms;
}

int64_t log_roll_ms(const BrokerConfigs& broker) {
  return first_of(broker, {{"log.roll.ms", 1}, {"log.roll.hours", kHourMs}})
      .value_or(168 * kHourMs);
}

int64_t log_roll_jitter_ms(const BrokerConfigs& broker) {
  return first_of(broker, {{"log.roll.jitter.ms", 1}, {"log.roll.jitter.hours", kHourMs}})
      .value_or(0);
}

int64_t log_flush_interval_ms(const BrokerConfigs& broker) {
  return first_of(broker, {{"log.flush.interval.ms", 1}, {"log.flush.scheduler.interval.ms", 1}})
      .value_or(INT64_MAX);
}

}  // namespace odradek::config
