// kafka-console-producer: lines of standard input become records of one topic, sent by librdkafka.

#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>

#include "broker/cli/input_lines.h"
#include "broker/cli/line_reader.h"
#include "broker/cli/rdkafka_config.h"
#include "broker/cli/tool_support.h"
#include "common/cli/options.h"
#include "common/cli/text.h"

namespace odradek::broker::cli {
namespace {

using odradek::cli::Arg;
using odradek::cli::exit_with_usage;
using odradek::cli::Options;
using odradek::cli::OptionSpec;
using odradek::cli::Program;

constexpr std::array kOptions = {
    OptionSpec{"batch-size", Arg::required, "Integer: size",
               "Bytes gathered for a partition before they are sent at once.", "16384"},
    OptionSpec{"bootstrap-server", Arg::required, "String: server to connect to",
               "REQUIRED unless --broker-list is given: the brokers to start from, "
               "HOST1:PORT1,HOST2:PORT2."},
    OptionSpec{"broker-list", Arg::required, "String: broker-list",
               "Old name of --bootstrap-server."},
    OptionSpec{"compression-codec", Arg::optional, "String: compression-codec",
               "Compression of the batches: none, gzip, snappy, lz4 or zstd; gzip where no value "
               "is given."},
    OptionSpec{"help", Arg::none, "", "Print this table."},
    OptionSpec{
        "line-reader", Arg::required, "String: reader_class",
        "The class that reads records from standard input; only the line reader is built in.",
        "kafka.tools.ConsoleProducer$LineMessageReader"},
    OptionSpec{"max-block-ms", Arg::required, "Long: max block on send",
               "How long a line may wait for room in the buffer, in milliseconds.", "60000"},
    OptionSpec{"max-memory-bytes", Arg::required, "Long: total memory in bytes",
               "Bytes of records waiting to be sent.", "33554432"},
    OptionSpec{"max-partition-memory-bytes", Arg::required,
               "Integer: memory in bytes per partition", "As --batch-size.", "16384"},
    OptionSpec{"message-send-max-retries", Arg::required, "Integer",
               "How often a batch is sent again after an error that may pass. Without it a batch "
               "is tried until its delivery time-out."},
    OptionSpec{"metadata-expiry-ms", Arg::required, "Long: metadata expiration interval",
               "Milliseconds until metadata is asked for again.", "300000"},
    OptionSpec{"producer-property", Arg::required, "String: producer_prop",
               "A producer setting, key=value."},
    OptionSpec{"producer.config", Arg::required, "String: config file",
               "A properties file of producer settings; --producer-property wins."},
    OptionSpec{
        "property", Arg::required, "String: prop",
        "A setting of the reader, key=value: parse.key, key.separator, parse.headers, "
        "headers.delimiter, headers.separator, headers.key.separator, ignore.error, null.marker."},
    OptionSpec{"reader-config", Arg::required, "String: config file",
               "A properties file of reader settings; --property wins."},
    OptionSpec{"request-required-acks", Arg::required, "String: request required acks",
               "Acknowledgements to wait for: 0, 1, -1 or all.", "-1"},
    OptionSpec{"request-timeout-ms", Arg::required, "Integer: request timeout ms",
               "How long a broker may take for an acknowledgement.", "1500"},
    OptionSpec{"retry-backoff-ms", Arg::required, "Long", "Pause before a batch is sent again.",
               "100"},
    OptionSpec{"socket-buffer-size", Arg::required, "Integer: size",
               "Size of the socket's send buffer.", "102400"},
    OptionSpec{"sync", Arg::none, "",
               "Wait for the acknowledgement of each line before the next is read."},
    OptionSpec{"timeout", Arg::required, "Long: timeout_ms",
               "How long a batch waits for more lines, in milliseconds.", "1000"},
    OptionSpec{"topic", Arg::required, "String: topic", "REQUIRED: the topic to write to."},
    OptionSpec{"version", Arg::none, "", "Print the version."},
};
constexpr Program kProgram{
    "kafka-console-producer",
    "This tool helps to read data from standard input and publish it to Kafka.", kOptions};

// One record in flight of --sync.
struct Delivery {
  bool done = false;
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
};

std::string shown_part(const void* data, size_t size) {
  return data == nullptr ? "null" : std::to_string(size) + " bytes";
}

void on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void*) {
  if (auto* waiting = static_cast<Delivery*>(message->_private)) {
    *waiting = {true, message->err};
    return;
  }
  if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) return;
  odradek::cli::log_line(
      "ERROR",
      std::string("Error when sending message to topic ") + rd_kafka_topic_name(message->rkt) +
          " with key: " + shown_part(message->key, message->key_len) +
          ", value: " + shown_part(message->payload, message->len) + " with error:",
      "org.apache.kafka.clients.producer.internals.ErrorLoggingCallback");
  std::fprintf(stderr, "%s\n", java_text(message->err, "").c_str());
}

// An option given on the command line beats a property; a property beats an option's default.
void merge(Properties& properties, const std::string& key, const Options& options,
           std::string_view option) {
  if (options.has(option) || !properties.contains(key)) {
    std::string value = options.value(option);
    if (!value.empty()) properties[key] = value;
  }
}

Properties producer_properties(const Options& options) {
  Properties properties = given_properties(options, "producer.config", "producer-property");
  properties["bootstrap.servers"] = options.has("bootstrap-server")
                                        ? options.value("bootstrap-server")
                                        : options.value("broker-list");
  if (options.has("compression-codec")) {
    std::string codec = options.value("compression-codec");
    properties["compression.type"] = codec.empty() ? "gzip" : codec;
  }
  if (!properties.contains("client.id")) properties["client.id"] = "console-producer";
  merge(properties, "linger.ms", options, "timeout");
  merge(properties, "acks", options, "request-required-acks");
  merge(properties, "request.timeout.ms", options, "request-timeout-ms");
  merge(properties, "retries", options, "message-send-max-retries");
  merge(properties, "retry.backoff.ms", options, "retry-backoff-ms");
  merge(properties, "send.buffer.bytes", options, "socket-buffer-size");
  merge(properties, "buffer.memory", options, "max-memory-bytes");
  merge(properties, "batch.size", options,
        options.has("max-partition-memory-bytes") ? "max-partition-memory-bytes" : "batch-size");
  merge(properties, "metadata.max.age.ms", options, "metadata-expiry-ms");
  merge(properties, "max.block.ms", options, "max-block-ms");
  if (!properties.contains("delivery.timeout.ms")) properties["delivery.timeout.ms"] = "120000";
  // Idempotence is the default of clients since 3.0 wherever the other settings allow it.
  std::string acks = properties["acks"];
  bool allowed =
      (acks == "-1" || acks == "all") && get_or(properties, "retries", "1") != "0" &&
      odradek::cli::parse_int(get_or(properties, "max.in.flight.requests.per.connection", "5"))
              .value_or(5) <= 5;
  if (get_or(properties, "enable.idempotence", "false") == "true" && acks != "-1" &&
      acks != "all") {
    fail(Error(Errc::bad_setting,
               "org.apache.kafka.common.config.ConfigException: Must set acks to all in order to "
               "use the idempotent "
               "producer. Otherwise we cannot guarantee idempotence."));
  }
  if (!properties.contains("enable.idempotence"))
    properties["enable.idempotence"] = allowed ? "true" : "false";
  return properties;
}

class Producer {
 public:
  Producer(RdKafka client, std::string topic, int64_t max_block_ms, bool sync)
      : client_(std::move(client)),
        topic_(std::move(topic)),
        max_block_ms_(max_block_ms),
        sync_(sync) {}

  void send(const ConsoleRecord& record) {
    rd_kafka_headers_t* headers = nullptr;
    if (!record.headers.empty()) {
      headers = rd_kafka_headers_new(record.headers.size());
      for (const auto& [name, value] : record.headers) {
        rd_kafka_header_add(headers, name.data(), static_cast<ssize_t>(name.size()),
                            value ? value->data() : nullptr,
                            value ? static_cast<ssize_t>(value->size()) : 0);
      }
    }
    Delivery delivery;
    int64_t waited_ms = 0;
    rd_kafka_resp_err_t error;
    while ((error = produce(record, headers, delivery)) == RD_KAFKA_RESP_ERR__QUEUE_FULL &&
           waited_ms < max_block_ms_) {
      rd_kafka_poll(client_.get(), 50);
      waited_ms += 50;
    }
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
      if (headers) rd_kafka_headers_destroy(headers);
      fail(Error(Errc::io_error, java_text(error, "")));
    }
    if (sync_) {
      while (!delivery.done) rd_kafka_poll(client_.get(), 100);
      if (delivery.error != RD_KAFKA_RESP_ERR_NO_ERROR)
        fail(Error(Errc::io_error,
                   "java.util.concurrent.ExecutionException: " + java_text(delivery.error, "")));
    } else if (++sent_ % 512 == 0) {
      poll();
    }
  }
  void poll() { rd_kafka_poll(client_.get(), 0); }
  // Waits for what is under way; each record has its own delivery time-out.
  void close() {
    while (rd_kafka_outq_len(client_.get()) > 0) rd_kafka_flush(client_.get(), 1000);
  }

 private:
  rd_kafka_resp_err_t produce(const ConsoleRecord& record, rd_kafka_headers_t* headers,
                              Delivery& delivery) {
    auto part = [](const std::optional<std::string_view>& text) {
      return text ? const_cast<char*>(text->data() ? text->data() : "") : nullptr;
    };
    auto size = [](const std::optional<std::string_view>& text) { return text ? text->size() : 0; };
    rd_kafka_vu_t arguments[7];
    size_t n = 0;
    arguments[n].vtype = RD_KAFKA_VTYPE_TOPIC;
    arguments[n++].u.cstr = topic_.c_str();
    arguments[n].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
    arguments[n++].u.i = RD_KAFKA_MSG_F_COPY;
    arguments[n].vtype = RD_KAFKA_VTYPE_VALUE;
    arguments[n].u.mem.ptr = part(record.value);
    arguments[n++].u.mem.size = size(record.value);
    if (record.key) {
      arguments[n].vtype = RD_KAFKA_VTYPE_KEY;
      arguments[n].u.mem.ptr = part(record.key);
      arguments[n++].u.mem.size = size(record.key);
    }
    if (headers) {
      arguments[n].vtype = RD_KAFKA_VTYPE_HEADERS;
      arguments[n++].u.headers = headers;
    }
    if (sync_) {
      arguments[n].vtype = RD_KAFKA_VTYPE_OPAQUE;
      arguments[n++].u.ptr = &delivery;
    }
    rd_kafka_error_t* error = rd_kafka_produceva(client_.get(), arguments, n);
    if (!error) return RD_KAFKA_RESP_ERR_NO_ERROR;
    auto code = rd_kafka_error_code(error);
    rd_kafka_error_destroy(error);
    return code;
  }

  RdKafka client_;
  std::string topic_;
  int64_t max_block_ms_;
  bool sync_;
  uint64_t sent_ = 0;
};

int run(int argc, char** argv) {
  Options options = Options::parse_or_exit(kProgram, argc, argv);
  options.help_or_version();
  options.require({"topic"});
  if (!options.has("broker-list") && !options.has("bootstrap-server")) {
    fail(Error(Errc::invalid_argument, "Missing required option(s) [bootstrap-server]"));
  }
  if (std::string reader = options.value("line-reader"); !reader.ends_with("LineMessageReader")) {
    odradek::cli::exit_not_yet(
        kProgram, "--line-reader " + reader +
                      ": Java classes cannot be loaded; LineMessageReader is built in.");
  }
  auto reader = LineReader::make(given_properties(options, "reader-config", "property"));
  if (!reader) fail(reader.error());
  Properties properties = producer_properties(options);
  if (properties.contains("transactional.id")) {
    odradek::cli::exit_not_yet(
        kProgram, "transactional.id: the console producer does not open transactions.");
  }
  auto conf = make_rdkafka_config(properties, ClientRole::producer);
  if (!conf) fail(conf.error());
  rd_kafka_conf_set_dr_msg_cb(conf->get(), on_delivery);
  bool sync = options.has("sync");
  if (!sync) rd_kafka_conf_set(conf->get(), "delivery.report.only.error", "true", nullptr, 0);
  auto client = make_rdkafka_client(std::move(*conf), ClientRole::producer);
  if (!client) fail(client.error());

  stop_on_signals();

  Producer producer(std::move(*client), options.value("topic"),
                    odradek::cli::parse_int(properties["max.block.ms"]).value_or(60000), sync);
  InputLines input(STDIN_FILENO);
  bool prompt = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
  bool prompted = false;
  std::string_view line;
  for (uint64_t number = 1; stop_signal == 0;) {
    if (prompt && !prompted) {
      std::fputs(">", stdout);
      std::fflush(stdout);
      prompted = true;
    }
    auto next = input.next(line, 100);
    if (next == InputLines::Next::end) break;
    if (next == InputLines::Next::waiting) {
      producer.poll();
      continue;
    }
    prompted = false;
    auto record = reader->parse(line, number++);
    if (!record) {
      producer.close();
      fail(record.error());
    }
    producer.send(*record);
  }
  producer.close();
  return stop_signal == 0 ? 0 : 128 + stop_signal;
}

}  // namespace
}  // namespace odradek::broker::cli

int main(int argc, char** argv) { return odradek::broker::cli::run(argc, argv); }
