// kafka-consumer-perf-test: reads records of a topic as a group member and prints how fast that went.

#include <array>
#include <cstdio>
#include <ctime>
#include <random>

#include "broker/cli/rdkafka_config.h"
#include "broker/cli/tool_support.h"
#include "common/cli/socket.h"
#include "common/cli/text.h"
#include "common/clock.h"
#include "common/format.h"

namespace odradek::broker::cli {
namespace {

using odradek::cli::Arg;
using odradek::cli::Options;
using odradek::cli::OptionSpec;
using odradek::cli::Program;

constexpr std::array kOptions = {
    OptionSpec{"bootstrap-server", Arg::required, "String: server to connect to",
               "REQUIRED unless --broker-list is given: the brokers to start from."},
    OptionSpec{"broker-list", Arg::required, "String: broker-list",
               "Old name of --bootstrap-server."},
    OptionSpec{"consumer.config", Arg::required, "String: config file",
               "A properties file with settings of the consumer."},
    OptionSpec{"date-format", Arg::required, "String: date format",
               "How times are printed: y, M, d, H, m, s and S, as in Java's SimpleDateFormat.",
               "yyyy-MM-dd HH:mm:ss:SSS"},
    OptionSpec{"fetch-size", Arg::required, "Integer: size",
               "How much is fetched of a partition at once.", "1048576"},
    OptionSpec{"from-latest", Arg::none, "",
               "A group without offsets begins at the end, not at the beginning."},
    OptionSpec{"group", Arg::required, "String: gid", "The group; a new one where it is left out."},
    OptionSpec{"help", Arg::none, "", "Print this table."},
    OptionSpec{"hide-header", Arg::none, "", "Do not print the line with the names of the columns."},
    OptionSpec{"messages", Arg::required, "Long: count", "REQUIRED: how many records to read."},
    OptionSpec{"num-fetch-threads", Arg::required, "Integer: count", "Has no effect.", "1"},
    OptionSpec{"print-metrics", Arg::none, "", "Figures of the Java client; there are none here."},
    OptionSpec{"reporting-interval", Arg::required, "Integer: interval_ms",
               "Milliseconds between the lines of --show-detailed-stats.", "5000"},
    OptionSpec{"show-detailed-stats", Arg::none, "",
               "A line for each reporting interval in place of one for the whole run."},
    OptionSpec{"socket-buffer-size", Arg::required, "Integer: size",
               "Size of the socket's receive buffer.", "2097152"},
    OptionSpec{"threads", Arg::required, "Integer: count", "Has no effect.", "10"},
    OptionSpec{"timeout", Arg::optional, "Long: milliseconds",
               "Ends the run when no record came for so long.", "10000"},
    OptionSpec{"topic", Arg::required, "String: topic", "REQUIRED: the topic to read."},
    OptionSpec{"version", Arg::none, "", "Print the version."},
};
constexpr Program kProgram{"kafka-consumer-perf-test",
                           "This tool is used to verify the consumer performance.", kOptions};

// A time in the local zone by the letters of Java's SimpleDateFormat that make sense here.
std::string date_text(std::string_view pattern, int64_t wall_ms) {
  std::time_t seconds = static_cast<std::time_t>(wall_ms / 1000);
  std::tm parts{};
  localtime_r(&seconds, &parts);
  std::string text;
  for (size_t at = 0; at < pattern.size();) {
    const char letter = pattern[at];
    size_t count = 1;
    while (at + count < pattern.size() && pattern[at + count] == letter) ++count;
    auto number = [&](int64_t value) { text += format("{:0{}}", value, count); };
    switch (letter) {
      case 'y':
        number(count == 2 ? (parts.tm_year + 1900) % 100 : parts.tm_year + 1900);
        break;
      case 'M':
        number(parts.tm_mon + 1);
        break;
      case 'd':
        number(parts.tm_mday);
        break;
      case 'H':
        number(parts.tm_hour);
        break;
      case 'm':
        number(parts.tm_min);
        break;
      case 's':
        number(parts.tm_sec);
        break;
      case 'S':
        number(wall_ms % 1000);
        break;
      default:
        text.append(count, letter);
    }
    at += count;
  }
  return text;
}

void check_date_format(const std::string& pattern) {
  constexpr std::string_view kKnown = "yMdHmsS";
  for (char letter : pattern) {
    bool is_letter = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z');
    if (letter == '\'' || (is_letter && kKnown.find(letter) == std::string_view::npos)) {
      odradek::cli::exit_uncaught("java.lang.IllegalArgumentException",
                                  std::string("Illegal pattern character '") + letter + "'");
    }
  }
}

std::string four_digits(double value) {
  if (value != value) return "NaN";
  if (value > 1e300) return "Infinity";
  return format("{:.4f}", value);
}
double megabytes(int64_t bytes) { return static_cast<double>(bytes) / (1024.0 * 1024.0); }

class PerfConsumer {
 public:
  explicit PerfConsumer(const Options& options)
      : wanted_(*options.number("messages")),
        timeout_ms_(*options.number("timeout")),
        interval_ms_(*options.number("reporting-interval")),
        is_detailed_(options.has("show-detailed-stats")),
        date_format_(options.value("date-format")) {}

  static void on_rebalance(rd_kafka_t* client, rd_kafka_resp_err_t error,
                           rd_kafka_topic_partition_list_t* partitions, void* self) {
    static_cast<PerfConsumer*>(self)->rebalanced(error == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS);
    rd_kafka_assign(client, error == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS ? partitions : nullptr);
  }

  void run(RdKafka client, const std::string& topic) {
    client_ = std::move(client);
    rd_kafka_poll_set_consumer(client_.get());
    begin_wall_ms_ = clock_.wall_ms();
    begin_ms_ = last_record_ms_ = report_ms_ = join_begin_ms_ = now();
    rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic.c_str(), RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t error = rd_kafka_subscribe(client_.get(), list);
    rd_kafka_topic_partition_list_destroy(list);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) fail(Error(Errc::internal, java_text(error, "")));
    consume();
    const int64_t end_ms = now();
    const int64_t end_wall_ms = clock_.wall_ms();
    if (records_ < wanted_) {
      std::printf(
          "WARNING: Exiting before consuming the expected number of messages: timeout (%lld ms) "
          "exceeded. You can use the --timeout option to increase the timeout.\n",
          static_cast<long long>(timeout_ms_));
    }
    if (!is_detailed_) print_total(end_ms, end_wall_ms);
    std::fflush(stdout);
    is_closing_ = true;
    rd_kafka_consumer_close(client_.get());
    client_.reset();
  }

 private:
  static int64_t now() { return odradek::cli::now_ms(); }

  void rebalanced(bool is_assigned) {
    if (is_closing_) return;
    if (!is_assigned) {
      join_begin_ms_ = now();
      return;
    }
    const int64_t took = now() - join_begin_ms_;
    join_ms_ += took;
    interval_join_ms_ += took;
  }

  void consume() {
    while (records_ < wanted_ && stop_signal == 0 && now() - last_record_ms_ <= timeout_ms_) {
      rd_kafka_message_t* message = rd_kafka_consumer_poll(client_.get(), 100);
      if (!message) continue;
      if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        last_record_ms_ = now();
        ++records_;
        bytes_ += static_cast<int64_t>(message->len + message->key_len);
        if (last_record_ms_ - report_ms_ >= interval_ms_) report();
      } else if (message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        const char* detail = rd_kafka_message_errstr(message);
        odradek::cli::log_line("WARN", java_text(message->err, detail ? detail : ""),
                               "org.apache.kafka.tools.ConsumerPerformance");
      }
      rd_kafka_message_destroy(message);
    }
  }

  void report() {
    if (is_detailed_) print_interval();
    interval_join_ms_ = 0;
    report_ms_ = last_record_ms_;
    reported_records_ = records_;
    reported_bytes_ = bytes_;
  }

  void print_interval() const {
    const double records = static_cast<double>(records_ - reported_records_);
    const double read = megabytes(bytes_ - reported_bytes_);
    const int64_t elapsed = last_record_ms_ - report_ms_;
    const int64_t fetch_ms = elapsed - interval_join_ms_;
    auto rate = [](double amount, int64_t ms) { return amount * 1000.0 / static_cast<double>(ms); };
    std::string line = format(
        "{}, 0, {}, {}, {}, {}, {}, {}, {}, {}\n", date_text(date_format_, clock_.wall_ms()),
        four_digits(megabytes(bytes_)), four_digits(rate(read, elapsed)), records_,
        four_digits(rate(records, elapsed)), interval_join_ms_, fetch_ms,
        four_digits(fetch_ms <= 0 ? 0 : rate(read, fetch_ms)),
        four_digits(fetch_ms <= 0 ? 0 : rate(records, fetch_ms)));
    std::fputs(line.c_str(), stdout);
    std::fflush(stdout);
  }

  void print_total(int64_t end_ms, int64_t end_wall_ms) const {
    const double seconds = static_cast<double>(end_ms - begin_ms_) / 1000.0;
    const int64_t fetch_ms = end_ms - begin_ms_ - join_ms_;
    const double fetch_seconds = static_cast<double>(fetch_ms) / 1000.0;
    const double read = megabytes(bytes_);
    const double records = static_cast<double>(records_);
    std::string line = format(
        "{}, {}, {}, {}, {}, {}, {}, {}, {}, {}\n", date_text(date_format_, begin_wall_ms_),
        date_text(date_format_, end_wall_ms), four_digits(read), four_digits(read / seconds),
        records_, four_digits(records / seconds), join_ms_, fetch_ms,
        four_digits(read / fetch_seconds), four_digits(records / fetch_seconds));
    std::fputs(line.c_str(), stdout);
  }

  const int64_t wanted_;
  const int64_t timeout_ms_;
  const int64_t interval_ms_;
  const bool is_detailed_;
  const std::string date_format_;
  SystemClock clock_;
  RdKafka client_;
  bool is_closing_ = false;
  int64_t begin_wall_ms_ = 0;
  int64_t begin_ms_ = 0;
  int64_t last_record_ms_ = 0;
  int64_t join_begin_ms_ = 0;
  int64_t join_ms_ = 0;
  int64_t records_ = 0;
  int64_t bytes_ = 0;
  // since the last line of an interval
  int64_t report_ms_ = 0;
  int64_t interval_join_ms_ = 0;
  int64_t reported_records_ = 0;
  int64_t reported_bytes_ = 0;
};

Properties consumer_properties(const Options& options) {
  Properties properties = file_properties(options, "consumer.config");
  properties["bootstrap.servers"] = options.has("bootstrap-server")
                                        ? options.value("bootstrap-server")
                                        : options.value("broker-list");
  properties["group.id"] = options.has("group")
                               ? options.value("group")
                               : "perf-consumer-" + std::to_string(std::random_device()() % 100000);
  properties["receive.buffer.bytes"] = std::to_string(*options.number("socket-buffer-size"));
  properties["max.partition.fetch.bytes"] = std::to_string(*options.number("fetch-size"));
  properties["auto.offset.reset"] = options.has("from-latest") ? "latest" : "earliest";
  properties.emplace("client.id", "perf-consumer-client");
  return properties;
}

int run(int argc, char** argv) {
  Options options = Options::parse_or_exit(kProgram, argc, argv);
  options.help_or_version();
  options.require({"topic", "messages"});
  if (!options.has("broker-list")) options.require({"bootstrap-server"});
  if (options.has("print-metrics")) {
    odradek::cli::exit_not_yet(
        kProgram, "--print-metrics: the Java client's metrics are not those of this one");
  }
  check_date_format(options.value("date-format"));
  auto conf = make_rdkafka_config(consumer_properties(options), ClientRole::consumer);
  if (!conf) fail(conf.error());
  PerfConsumer consumer(options);
  rd_kafka_conf_set_rebalance_cb(conf->get(), PerfConsumer::on_rebalance);
  rd_kafka_conf_set_opaque(conf->get(), &consumer);
  auto client = make_rdkafka_client(std::move(*conf), ClientRole::consumer);
  if (!client) fail(client.error());
  if (!options.has("hide-header")) {
    std::printf(
        "%s, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec, rebalance.time.ms, "
        "fetch.time.ms, fetch.MB.sec, fetch.nMsg.sec\n",
        options.has("show-detailed-stats") ? "time, threadId" : "start.time, end.time");
    std::fflush(stdout);
  }
  stop_on_signals();
  consumer.run(std::move(*client), options.value("topic"));
  return stop_signal == 0 ? 0 : 128 + stop_signal;
}

}  // namespace
}  // namespace odradek::broker::cli

int main(int argc, char** argv) { return odradek::broker::cli::run(argc, argv); }
