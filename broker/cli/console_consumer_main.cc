// kafka-console-consumer: prints the records of topics, read by librdkafka.

#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <set>

#include "broker/cli/message_formatter.h"
#include "broker/cli/rdkafka_config.h"
#include "common/cli/options.h"
#include "common/cli/socket.h"
#include "common/cli/text.h"

namespace odradek::broker::cli {
namespace {

using odradek::cli::Arg;
using odradek::cli::exit_with_usage;
using odradek::cli::Options;
using odradek::cli::OptionSpec;
using odradek::cli::Program;

constexpr std::array kOptions = {
    OptionSpec{"bootstrap-server", Arg::required, "String: server to connect to", "REQUIRED: the brokers to start from, HOST1:PORT1,HOST2:PORT2."},
    OptionSpec{"consumer-property", Arg::required, "String: consumer_prop", "A consumer setting, key=value."},
    OptionSpec{"consumer.config", Arg::required, "String: config file", "A properties file of consumer settings; --consumer-property wins."},
    OptionSpec{"enable-systest-events", Arg::none, "", "Print shutdown_complete at the end, for system tests."},
    OptionSpec{"formatter", Arg::required, "String: class", "How records are printed: DefaultMessageFormatter, LoggingMessageFormatter, NoOpMessageFormatter, OffsetsMessageFormatter or GroupMetadataMessageFormatter.", "kafka.tools.DefaultMessageFormatter"},
    OptionSpec{"formatter-config", Arg::required, "String: config file", "A properties file of formatter settings; --property wins."},
    OptionSpec{"from-beginning", Arg::none, "", "Where the group has no offset, start at the first record instead of the end."},
    OptionSpec{"group", Arg::required, "String: consumer group id", "The consumer group; its offsets are committed."},
    OptionSpec{"help", Arg::none, "", "Print this table."},
    OptionSpec{"include", Arg::required, "String: Java regex (String)", "Read all topics whose names match."},
    OptionSpec{"isolation-level", Arg::required, "String", "read_committed leaves out records of open and aborted transactions.", "read_uncommitted"},
    OptionSpec{"key-deserializer", Arg::required, "String: deserializer for key", "Class of the key's deserializer."},
    OptionSpec{"max-messages", Arg::required, "Integer: num_messages", "Stop after so many records."},
    OptionSpec{"offset", Arg::required, "String: consume offset", "Where to start in the partition: earliest, latest or an offset.", "latest"},
    OptionSpec{"partition", Arg::required, "Integer: partition", "Read this partition alone, without a group."},
    OptionSpec{"property", Arg::required, "String: prop", "A setting of the formatter, key=value: print.timestamp, print.key, print.offset, print.partition, print.headers, print.value, key.separator, line.separator, headers.separator, null.literal, key.deserializer, value.deserializer, headers.deserializer."},
    OptionSpec{"skip-message-on-error", Arg::none, "", "Go on behind a record that cannot be printed."},
    OptionSpec{"timeout-ms", Arg::required, "Integer: timeout_ms", "Stop when no record comes for so long."},
    OptionSpec{"topic", Arg::required, "String: topic", "The topic to read."},
    OptionSpec{"value-deserializer", Arg::required, "String: deserializer for values", "Class of the value's deserializer."},
    OptionSpec{"version", Arg::none, "", "Print the version."},
    OptionSpec{"whitelist", Arg::required, "String: Java regex (String)", "Old name of --include."},
};
constexpr Program kProgram{"kafka-console-consumer",
                           "This tool helps to read data from Kafka topics and outputs it to standard output.",
                           kOptions};
constexpr std::string_view kLogger = "kafka.tools.ConsoleConsumer$";

volatile std::sig_atomic_t stop_signal = 0;
void on_signal(int signal) { stop_signal = signal; }

[[noreturn]] void fail(const Error& error) {
  std::fflush(stdout);
  std::fprintf(stderr, "%s\n", error.what().c_str());
  std::exit(1);
}

struct Plan {
  std::string topic;         // one of topic and pattern
  std::string pattern;
  std::optional<int32_t> partition;
  int64_t offset = RD_KAFKA_OFFSET_END;
  bool commits = false;      // a named group, or enable.auto.commit asked for
  int64_t max_messages = -1;
  int64_t timeout_ms = -1;   // -1: forever
  bool skip_on_error = false;
  Properties consumer;
  std::unique_ptr<MessageFormatter> formatter;
};

// Java's pattern, anchored at both ends, in what POSIX calls an extended regular expression.
std::string posix_pattern(const std::string& java) {
  std::string out = "^(";
  for (size_t i = 0; i < java.size(); ++i) {
    char c = java[i];
    if (c == ' ' || c == '"' || c == '\'') continue;  // the official include list drops blanks and quotes
    if (c == ',') c = '|';
    if (c == '\\' && i + 1 < java.size()) {
      char next = java[++i];
      if (next == 'd') out += "[0-9]";
      else if (next == 'D') out += "[^0-9]";
      else (out += c) += next;
      continue;
    }
    if (c == '?' && i > 0 && java[i - 1] == '(' ) {  // (?: of a group that captures nothing
      if (i + 1 < java.size() && java[i + 1] == ':') ++i;
      continue;
    }
    out += c;
  }
  return out + ")$";
}

int64_t start_offset(const Options& options) {
  if (!options.has("offset")) {
    return options.has("from-beginning") ? RD_KAFKA_OFFSET_BEGINNING : RD_KAFKA_OFFSET_END;
  }
  std::string text = odradek::cli::lower(options.value("offset"));
  if (text == "earliest") return RD_KAFKA_OFFSET_BEGINNING;
  if (text == "latest") return RD_KAFKA_OFFSET_END;
  auto number = odradek::cli::parse_int(text);
  if (!number || *number < 0) {
    exit_with_usage(kProgram, "The provided offset value '" + options.value("offset") +
                                  "' is incorrect. Valid values are 'earliest', 'latest', or a non-negative long.");
  }
  return *number;
}

void take_group(const Options& options, const Properties& from_file, const Properties& extra, Plan& plan) {
  std::set<std::string> groups;
  if (options.has("group")) groups.insert(options.value("group"));
  for (const auto* source : {&from_file, &extra}) {
    if (auto at = source->find("group.id"); at != source->end()) groups.insert(at->second);
  }
  if (groups.size() > 1) {
    std::vector<std::string> quoted;
    for (const auto& group : groups) quoted.push_back("'" + group + "'");
    exit_with_usage(kProgram,
                    "The group ids provided in different places (directly using '--group', via '--consumer-property', "
                    "or via '--consumer.config') do not match. Detected group ids: " +
                        odradek::cli::join(quoted, ", "));
  }
  if (groups.empty()) {
    std::random_device random;
    plan.consumer["group.id"] = "console-consumer-" + std::to_string(random() % 100000);
    if (!plan.consumer.contains("enable.auto.commit")) plan.consumer["enable.auto.commit"] = "false";
  } else {
    if (plan.partition) exit_with_usage(kProgram, "Options group and partition cannot be specified together.");
    plan.consumer["group.id"] = *groups.begin();
  }
  plan.commits = get_or(plan.consumer, "enable.auto.commit", "true") == "true";
}

void take_reset_policy(const Options& options, Plan& plan) {
  auto given = plan.consumer.find("auto.offset.reset");
  if (given == plan.consumer.end()) {
    plan.consumer["auto.offset.reset"] = options.has("from-beginning") ? "earliest" : "latest";
  } else if (options.has("from-beginning") && given->second != "earliest") {
    std::fprintf(stderr,
                 "Can't simultaneously specify --from-beginning and 'auto.offset.reset=%s', please remove one option\n",
                 given->second.c_str());
    std::exit(1);
  }
}

Properties formatter_properties(const Options& options) {
  Properties properties;
  if (auto file = options.find("formatter-config")) {
    auto loaded = load_properties(*file);
    if (!loaded) fail(loaded.error());
    properties = std::move(*loaded);
  }
  auto extra = parse_properties(options.values("property"), true);
  if (!extra) fail(extra.error());
  for (const auto& [key, value] : *extra) properties[key] = value;
  if (auto name = options.find("key-deserializer")) properties["key.deserializer"] = *name;
  if (auto name = options.find("value-deserializer")) properties["value.deserializer"] = *name;
  return properties;
}

Plan make_plan(const Options& options) {
  Plan plan;
  plan.topic = options.value("topic");
  plan.pattern = options.has("include") ? options.value("include") : options.value("whitelist");
  if (options.has("topic") == (options.has("include") || options.has("whitelist"))) {
    std::string hint = options.has("whitelist")
                           ? "--whitelist is DEPRECATED use --include instead; ignored if --include specified."
                           : "()";
    exit_with_usage(kProgram, "Exactly one of --include/--topic is required. " + hint);
  }
  if (auto partition = options.number("partition")) {
    if (!options.has("topic")) exit_with_usage(kProgram, "The topic is required when partition is specified.");
    plan.partition = static_cast<int32_t>(*partition);
  }
  if (options.has("offset") && !plan.partition) {
    exit_with_usage(kProgram, "The partition is required when offset is specified.");
  }
  if (options.has("offset") && options.has("from-beginning")) {
    exit_with_usage(kProgram, "Options from-beginning and offset cannot be specified together.");
  }
  plan.offset = start_offset(options);
  options.require({"bootstrap-server"});

  Properties from_file;
  if (auto file = options.find("consumer.config")) {
    auto loaded = load_properties(*file);
    if (!loaded) fail(loaded.error());
    from_file = std::move(*loaded);
  }
  auto extra = parse_properties(options.values("consumer-property"), false);
  if (!extra) fail(extra.error());
  plan.consumer = from_file;
  for (const auto& [key, value] : *extra) plan.consumer[key] = value;
  take_reset_policy(options, plan);
  plan.consumer["bootstrap.servers"] = options.value("bootstrap-server");
  if (options.has("isolation-level") || !plan.consumer.contains("isolation.level")) {
    plan.consumer["isolation.level"] = options.value("isolation-level");
  }
  if (!plan.consumer.contains("client.id")) plan.consumer["client.id"] = "console-consumer";
  if (!plan.consumer.contains("allow.auto.create.topics")) plan.consumer["allow.auto.create.topics"] = "true";
  take_group(options, from_file, *extra, plan);
  plan.max_messages = options.number("max-messages").value_or(-1);
  plan.timeout_ms = options.number("timeout-ms").value_or(-1);
  plan.skip_on_error = options.has("skip-message-on-error");
  auto formatter = make_formatter(options.value("formatter"), formatter_properties(options));
  if (!formatter) fail(formatter.error());
  plan.formatter = std::move(*formatter);
  return plan;
}

ConsumedRecord view_of(const rd_kafka_message_t& message) {
  ConsumedRecord record;
  record.topic = rd_kafka_topic_name(message.rkt);
  record.partition = message.partition;
  record.offset = message.offset;
  rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
  record.timestamp_ms = rd_kafka_message_timestamp(&message, &type);
  if (type == RD_KAFKA_TIMESTAMP_CREATE_TIME) record.timestamp_type = TimestampType::create_time;
  if (type == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME) record.timestamp_type = TimestampType::log_append_time;
  if (message.key) record.key = std::string_view(static_cast<const char*>(message.key), message.key_len);
  if (message.payload) record.value = std::string_view(static_cast<const char*>(message.payload), message.len);
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR) {
    const char* name;
    const void* value;
    size_t size;
    for (size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
      record.headers.emplace_back(name, value ? std::optional(std::string_view(static_cast<const char*>(value), size))
                                              : std::nullopt);
    }
  }
  return record;
}

// Standard output behind a buffer that is written when it is full or when nothing more is at hand.
class Output {
 public:
  std::string& buffer() { return buffer_; }
  bool flush() {
    size_t at = 0;
    while (at < buffer_.size()) {
      ssize_t wrote = write(STDOUT_FILENO, buffer_.data() + at, buffer_.size() - at);
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote <= 0) return false;
      at += static_cast<size_t>(wrote);
    }
    buffer_.clear();
    return true;
  }
  bool full() const { return buffer_.size() >= 64 * 1024; }

 private:
  std::string buffer_;
};

class Consumer {
 public:
  Consumer(Plan plan, RdKafka client) : plan_(std::move(plan)), client_(std::move(client)) {}

  void start() {
    rd_kafka_poll_set_consumer(client_.get());
    rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_resp_err_t error;
    if (plan_.partition) {
      rd_kafka_topic_partition_list_add(list, plan_.topic.c_str(), *plan_.partition)->offset = plan_.offset;
      error = rd_kafka_assign(client_.get(), list);
    } else {
      std::string name = plan_.topic.empty() ? posix_pattern(plan_.pattern) : plan_.topic;
      rd_kafka_topic_partition_list_add(list, name.c_str(), RD_KAFKA_PARTITION_UA);
      error = rd_kafka_subscribe(client_.get(), list);
    }
    rd_kafka_topic_partition_list_destroy(list);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) fail(Error(Errc::internal, java_text(error, "")));
  }

  // Until the wanted number, the time-out, a signal or an error; false: the process has to end with status 1.
  bool run() {
    last_record_ms_ = odradek::cli::now_ms();
    while (stop_signal == 0 && (plan_.max_messages < 0 || count_ < plan_.max_messages)) {
      rd_kafka_message_t* message = rd_kafka_consumer_poll(client_.get(), 0);
      if (!message) {
        if (!output_.flush()) return unwritable();
        if (plan_.commits) store_first_positions();
        message = rd_kafka_consumer_poll(client_.get(), 100);
      }
      if (!message) {
        if (timed_out()) break;
        continue;
      }
      bool go_on = take(*message);
      rd_kafka_message_destroy(message);
      if (!go_on) break;
    }
    if (!output_.flush()) return unwritable();
    return !failed_;
  }

  void close() {
    if (plan_.commits) store_first_positions();
    rd_kafka_consumer_close(client_.get());
    client_.reset();
  }
  int64_t count() const { return count_; }

 private:
  bool take(const rd_kafka_message_t& message) {
    if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) return take_error(message);
    last_record_ms_ = odradek::cli::now_ms();
    ++count_;
    if (auto done = plan_.formatter->write(view_of(message), output_.buffer()); !done) {
      if (!plan_.skip_on_error) {
        odradek::cli::log_line("ERROR", "Unknown error when running consumer: ", kLogger);
        std::fprintf(stderr, "%s\n", done.error().what().c_str());
        failed_ = true;
        return false;
      }
      odradek::cli::log_line("ERROR", "Error processing message, skipping this message: ", kLogger);
      std::fprintf(stderr, "%s\n", done.error().what().c_str());
    }
    if (output_.full() && !output_.flush()) return unwritable();
    if (plan_.commits) {
      rd_kafka_offset_store(message.rkt, message.partition, message.offset);
      known_.emplace(rd_kafka_topic_name(message.rkt), message.partition);
    }
    return true;
  }

  // A Java consumer commits where it stands in every partition that it was given, also where it has read nothing yet;
  // librdkafka only what was consumed. So the starting point of a partition that the group never committed is stored.
  void store_first_positions() {
    rd_kafka_topic_partition_list_t* assigned = nullptr;
    if (rd_kafka_assignment(client_.get(), &assigned) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
    rd_kafka_topic_partition_list_t* fresh = rd_kafka_topic_partition_list_new(assigned->cnt);
    for (int i = 0; i < assigned->cnt; ++i) {
      const auto& entry = assigned->elems[i];
      if (!known_.contains({entry.topic, entry.partition})) {
        rd_kafka_topic_partition_list_add(fresh, entry.topic, entry.partition);
      }
    }
    rd_kafka_topic_partition_list_destroy(assigned);
    if (fresh->cnt > 0 && rd_kafka_committed(client_.get(), fresh, kAskMs) == RD_KAFKA_RESP_ERR_NO_ERROR) {
      for (int i = 0; i < fresh->cnt; ++i) store_first_position(fresh->elems[i]);
    }
    rd_kafka_topic_partition_list_destroy(fresh);
  }

  void store_first_position(const rd_kafka_topic_partition_t& entry) {
    int64_t low = 0;
    int64_t high = 0;
    if (entry.offset < 0) {
      auto error = rd_kafka_query_watermark_offsets(client_.get(), entry.topic, entry.partition, &low, &high, kAskMs);
      if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return;
      bool earliest = get_or(plan_.consumer, "auto.offset.reset", "latest") == "earliest";
      rd_kafka_topic_partition_list_t* one = rd_kafka_topic_partition_list_new(1);
      rd_kafka_topic_partition_list_add(one, entry.topic, entry.partition)->offset = earliest ? low : high;
      error = rd_kafka_offsets_store(client_.get(), one);
      rd_kafka_topic_partition_list_destroy(one);
      if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return;
    }
    known_.emplace(entry.topic, entry.partition);
  }

  bool take_error(const rd_kafka_message_t& message) {
    switch (message.err) {
      case RD_KAFKA_RESP_ERR__PARTITION_EOF: return true;
      case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
      case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
        odradek::cli::log_line("WARN", "[Consumer clientId=" + get_or(plan_.consumer, "client.id", "") +
                                           ", groupId=" + get_or(plan_.consumer, "group.id", "") +
                                           "] Error while fetching metadata : {" + plan_.topic + plan_.pattern + "=" +
                                           (message.err == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE
                                                ? "LEADER_NOT_AVAILABLE}"
                                                : "UNKNOWN_TOPIC_OR_PARTITION}"),
                               "org.apache.kafka.clients.NetworkClient");
        return true;
      default: break;
    }
    output_.flush();
    odradek::cli::log_line("ERROR", "Error processing message, terminating consumer process: ", kLogger);
    const char* detail = rd_kafka_message_errstr(&message);
    std::fprintf(stderr, "%s\n", java_text(message.err, detail ? detail : "").c_str());
    failed_ = message.err == RD_KAFKA_RESP_ERR__AUTHENTICATION;
    return false;
  }

  bool timed_out() {
    if (plan_.timeout_ms < 0) return false;
    if (odradek::cli::now_ms() - last_record_ms_ < plan_.timeout_ms) return false;
    odradek::cli::log_line("ERROR", "Error processing message, terminating consumer process: ", kLogger);
    std::fputs("org.apache.kafka.common.errors.TimeoutException\n", stderr);
    return true;
  }

  bool unwritable() {
    std::fputs("Unable to write to standard out, closing consumer.\n", stderr);
    output_.buffer().clear();
    stop_signal = SIGPIPE;
    return false;
  }

  static constexpr int kAskMs = 5000;

  Plan plan_;
  RdKafka client_;
  Output output_;
  std::set<std::pair<std::string, int32_t>> known_;  // partitions whose position is stored or was committed before
  int64_t count_ = 0;
  bool failed_ = false;
  int64_t last_record_ms_ = 0;
};

int run(int argc, char** argv) {
  Options options = Options::parse_or_exit(kProgram, argc, argv);
  options.help_or_version();
  Plan plan = make_plan(options);
  auto conf = make_rdkafka_config(plan.consumer, ClientRole::consumer);
  if (!conf) fail(conf.error());
  // A record counts as consumed when it was printed, not when it was fetched.
  rd_kafka_conf_set(conf->get(), "enable.auto.offset.store", "false", nullptr, 0);
  auto client = make_rdkafka_client(std::move(*conf), ClientRole::consumer);
  if (!client) fail(client.error());

  struct sigaction action {};
  action.sa_handler = on_signal;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  signal(SIGPIPE, SIG_IGN);

  Consumer consumer(std::move(plan), std::move(*client));
  consumer.start();
  bool good = consumer.run();
  int signal_number = stop_signal;
  consumer.close();
  std::fprintf(stderr, "Processed a total of %lld messages\n", static_cast<long long>(consumer.count()));
  if (options.has("enable-systest-events")) std::puts("shutdown_complete");
  if (signal_number == SIGINT || signal_number == SIGTERM) return 128 + signal_number;
  return good || signal_number == SIGPIPE ? 0 : 1;
}

}  // namespace
}  // namespace odradek::broker::cli

int main(int argc, char** argv) { return odradek::broker::cli::run(argc, argv); }
