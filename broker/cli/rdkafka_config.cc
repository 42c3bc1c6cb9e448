#include "broker/cli/rdkafka_config.h"

#include <algorithm>
#include <array>
#include <set>

#include "common/cli/text.h"

namespace odradek::broker::cli {
namespace {

using odradek::cli::lower;
using odradek::cli::parse_int;

struct Renamed {
  std::string_view java;
  std::string_view librdkafka;
};

// Only names that differ; the many equal ones are passed as they are.
constexpr std::array kRenamed = {
    Renamed{"max.request.size", "message.max.bytes"},
    Renamed{"receive.buffer.bytes", "socket.receive.buffer.bytes"},
    Renamed{"send.buffer.bytes", "socket.send.buffer.bytes"},
    Renamed{"fetch.max.wait.ms", "fetch.wait.max.ms"},
    Renamed{"socket.connection.setup.timeout.ms", "socket.connection.setup.timeout.ms"},
};

// Settings of the Java clients that mean nothing to a native program.
const std::set<std::string_view>& without_counterpart() {
  static const std::set<std::string_view> names = {"key.serializer",
                                                   "value.serializer",
                                                   "key.deserializer",
                                                   "value.deserializer",
                                                   "interceptor.classes",
                                                   "metric.reporters",
                                                   "metrics.num.samples",
                                                   "metrics.recording.level",
                                                   "metrics.sample.window.ms",
                                                   "auto.include.jmx.reporter",
                                                   "max.block.ms",
                                                   "max.poll.records",
                                                   "default.api.timeout.ms",
                                                   "exclude.internal.topics",
                                                   "internal.leave.group.on.close",
                                                   "metadata.max.idle.ms",
                                                   "security.providers",
                                                   "socket.connection.setup.timeout.max.ms",
                                                   "partitioner.ignore.keys",
                                                   "partitioner.adaptive.partitioning.enable",
                                                   "partitioner.availability.timeout.ms",
                                                   "retry.backoff.max.ms",
                                                   "group.protocol",
                                                   "enable.metrics.push"};
  return names;
}

std::string simple_class_name(const std::string& name) {
  size_t at = name.find_last_of(".$");
  return at == std::string::npos ? name : name.substr(at + 1);
}

Error bad_value(const std::string& name, const std::string& value, const std::string& why) {
  return Error(Errc::bad_setting, "org.apache.kafka.common.config.ConfigException: Invalid value " +
                                      value + " for configuration " + name +
                                      (why.empty() ? "" : ": " + why));
}

Result<void> set(rd_kafka_conf_t* conf, const std::string& java_name, const std::string& name,
                 const std::string& value) {
  char why[512];
  switch (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), why, sizeof why)) {
    case RD_KAFKA_CONF_OK:
      return {};
    case RD_KAFKA_CONF_INVALID:
      return bad_value(java_name, value, why);
    case RD_KAFKA_CONF_UNKNOWN:
      break;
  }
  odradek::cli::log_line(
      "WARN", "These configurations '[" + java_name + "]' were supplied but are not used yet.",
      "org.apache.kafka.clients.admin.AdminClientConfig");
  return {};
}

// Strategies of the Java consumer by class name, or librdkafka's own names.
std::string assignment_strategy(const std::string& classes) {
  std::vector<std::string> names;
  for (const auto& part : odradek::cli::split(classes, ',')) {
    std::string name = simple_class_name(std::string(odradek::cli::trim(part)));
    if (name == "RangeAssignor") name = "range";
    if (name == "RoundRobinAssignor") name = "roundrobin";
    if (name == "CooperativeStickyAssignor") name = "cooperative-sticky";
    if (name == "StickyAssignor") name = "range";
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  // The two protocols cannot be mixed here; a list of both means the eager one first, as the Java
  // default does.
  if (names.size() > 1) std::erase(names, "cooperative-sticky");
  return odradek::cli::join(names, ",");
}

std::string partitioner(const std::string& java_class) {
  std::string name = simple_class_name(java_class);
  if (name.empty() || name == "DefaultPartitioner" || name == "BuiltInPartitioner")
    return "murmur2_random";
  if (name == "RoundRobinPartitioner" || name == "UniformStickyPartitioner") return "random";
  return java_class;
}

Result<void> set_one(rd_kafka_conf_t* conf, const std::string& name, const std::string& value,
                     ClientRole role) {
  if (without_counterpart().contains(name)) return {};
  if (name == "buffer.memory") {
    auto bytes = parse_int(value);
    if (!bytes || *bytes < 0) return bad_value(name, value, "Not a number of type LONG");
    return set(conf, name, "queue.buffering.max.kbytes",
               std::to_string(std::clamp<int64_t>(*bytes / 1024, 1, INT32_MAX)));
  }
  if (name == "compression.type") {
    static const std::set<std::string> codecs = {"none", "gzip", "snappy", "lz4", "zstd"};
    if (!codecs.contains(value))
      return bad_value(name, value, "String must be one of: none, gzip, snappy, lz4, zstd");
    return set(conf, name, "compression.codec", value);
  }
  if (name == "partitioner.class") return set(conf, name, "partitioner", partitioner(value));
  if (name == "partition.assignment.strategy") {
    return set(conf, name, "partition.assignment.strategy", assignment_strategy(value));
  }
  if (name == "metadata.max.age.ms") {
    if (auto done = set(conf, name, "topic.metadata.refresh.interval.ms", value); !done)
      return done;
    return set(conf, name, "metadata.max.age.ms", value);
  }
  if (name == "retries" || name == "linger.ms" || name == "batch.size" || name == "acks" ||
      name == "enable.idempotence" || name == "delivery.timeout.ms") {
    if (role == ClientRole::consumer) return {};
  }
  for (const auto& renamed : kRenamed) {
    if (renamed.java == name) return set(conf, name, std::string(renamed.librdkafka), value);
  }
  if (name == "auto.offset.reset" && lower(value) == "none") return set(conf, name, name, "error");
  return set(conf, name, name,
             lower(value) == "true" || lower(value) == "false" ? lower(value) : value);
}

std::string client_label(const rd_kafka_t* client) {
  char id[256] = "";
  size_t size = sizeof id;
  rd_kafka_conf_get(rd_kafka_conf(const_cast<rd_kafka_t*>(client)), "client.id", id, &size);
  bool producer = rd_kafka_type(client) == RD_KAFKA_PRODUCER;
  return std::string(producer ? "[Producer clientId=" : "[Consumer clientId=") + id + "] ";
}

void on_log(const rd_kafka_t* client, int level, const char* facility, const char* text) {
  // Lost and refused connections come again through on_error, in Kafka's words.
  std::string_view what(facility);
  if (what == "FAIL" || what == "ERROR" || level > 4) return;
  odradek::cli::log_line(level <= 3 ? "ERROR" : "WARN", (client ? client_label(client) : "") + text,
                         "org.apache.kafka.clients.NetworkClient");
}

void on_error(rd_kafka_t* client, int code, const char* reason, void*) {
  auto error = static_cast<rd_kafka_resp_err_t>(code);
  if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) return;
  if (error == RD_KAFKA_RESP_ERR__TRANSPORT || error == RD_KAFKA_RESP_ERR__RESOLVE) {
    odradek::cli::log_line("WARN",
                           client_label(client) + "Connection to a broker failed: " + reason,
                           "org.apache.kafka.clients.NetworkClient");
    return;
  }
  odradek::cli::log_line("ERROR", client_label(client) + reason,
                         "org.apache.kafka.clients.NetworkClient");
}

}  // namespace

Result<RdConf> make_rdkafka_config(const Properties& properties, ClientRole role) {
  if (auto secure = check_security(properties); !secure) return secure.error();
  RdConf conf(rd_kafka_conf_new());
  rd_kafka_conf_set_log_cb(conf.get(), on_log);
  rd_kafka_conf_set_error_cb(conf.get(), on_error);
  if (role == ClientRole::producer && !properties.contains("partitioner.class")) {
    if (auto done = set_one(conf.get(), "partitioner.class", "", role); !done) return done.error();
  }
  // Lines without a key change their partition with each batch in Java, which is full soon. Here it
  // goes by time, by itself after twice linger.ms: two seconds' lines of the console producer would
  // lie in one partition.
  if (role == ClientRole::producer) {
    if (auto done = set(conf.get(), "linger.ms", "sticky.partitioning.linger.ms", "10"); !done) {
      return done.error();
    }
  }
  for (const auto& [name, value] : properties) {
    // An empty value is Java's way to leave a string setting at its default.
    if (value.empty() && name != "client.id") continue;
    if (auto done = set_one(conf.get(), name, value, role); !done) return done.error();
  }
  return conf;
}

Result<RdKafka> make_rdkafka_client(RdConf conf, ClientRole role) {
  char why[512];
  auto type = role == ClientRole::producer ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER;
  rd_kafka_t* client = rd_kafka_new(type, conf.get(), why, sizeof why);
  if (!client)
    return Error(Errc::bad_setting, std::string("org.apache.kafka.common.KafkaException: ") + why);
  (void)conf.release();  // rd_kafka_new owns it after success only
  return RdKafka(client);
}

std::string java_text(rd_kafka_resp_err_t error, const std::string& detail) {
  std::string name = "KafkaException";
  switch (error) {
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__QUEUE_FULL:
    case RD_KAFKA_RESP_ERR__TRANSPORT:
      name = "TimeoutException";
      break;
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
      name = "UnknownTopicOrPartitionException";
      break;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
      name = "RecordTooLargeException";
      break;
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
      name = "InvalidTopicException";
      break;
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
      name = "TopicAuthorizationException";
      break;
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS:
      name = "NotEnoughReplicasException";
      break;
    case RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER:
      name = "OutOfOrderSequenceException";
      break;
    case RD_KAFKA_RESP_ERR_INVALID_MSG:
      name = "CorruptRecordException";
      break;
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
      name = "InvalidRecordException";
      break;
    default:
      break;
  }
  return "org.apache.kafka.common.errors." + name + ": " +
         (detail.empty() ? rd_kafka_err2str(error) : detail);
}

}  // namespace odradek::broker::cli
