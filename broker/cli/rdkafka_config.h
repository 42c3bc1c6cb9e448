#pragma once
// The bridge to librdkafka's C API: Java client settings become librdkafka's, its log lines become
// log4j's.

#include <librdkafka/rdkafka.h>

#include <memory>
#include <string>

#include "broker/cli/client_properties.h"

namespace odradek::broker::cli {

enum class ClientRole { producer, consumer };

struct RdKafkaDelete {
  void operator()(rd_kafka_t* client) const { rd_kafka_destroy(client); }
};
using RdKafka = std::unique_ptr<rd_kafka_t, RdKafkaDelete>;

struct RdConfDelete {
  void operator()(rd_kafka_conf_t* conf) const { rd_kafka_conf_destroy(conf); }
};
using RdConf = std::unique_ptr<rd_kafka_conf_t, RdConfDelete>;

// A wrong value is an error; a setting that librdkafka has no counterpart for is left out, unknown
// ones with a warning.
Result<RdConf> make_rdkafka_config(const Properties& properties, ClientRole role);
// Takes the configuration over.
Result<RdKafka> make_rdkafka_client(RdConf conf, ClientRole role);

// The Java exception that stands for a librdkafka error,
// "org.apache.kafka.common.errors.TimeoutException: ...".
std::string java_text(rd_kafka_resp_err_t error, const std::string& detail);

}  // namespace odradek::broker::cli
