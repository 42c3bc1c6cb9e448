// kafka-producer-perf-test: writes records as fast as told and prints how long they took.

#include <array>
#include <cstdio>
#include <fstream>
#include <random>
#include <regex>
#include <sstream>

#include "broker/cli/perf_stats.h"
#include "broker/cli/rdkafka_config.h"
#include "broker/cli/tool_support.h"
#include "common/cli/socket.h"
#include "common/cli/text.h"

namespace odradek::broker::cli {
namespace {

using odradek::cli::Arg;
using odradek::cli::Options;
using odradek::cli::OptionSpec;
using odradek::cli::Program;

constexpr int64_t kIntervalMs = 5000;
constexpr int kMostPauseMs = 100;

constexpr std::array kOptions = {
    OptionSpec{"help", Arg::none, "", "Print this table.", {}, "h"},
    OptionSpec{"num-records", Arg::required, "Long: count", "REQUIRED: how many records to write."},
    OptionSpec{"payload-delimiter", Arg::required, "String: delimiter",
               "What separates the values in --payload-file, a regular expression.", "\\n"},
    OptionSpec{"payload-file", Arg::required, "String: file",
               "A file with values, of which one is taken at random for each record. Either this or "
               "--record-size."},
    OptionSpec{"print-metrics", Arg::none, "", "Figures of the Java client; there are none here."},
    OptionSpec{"producer-props", Arg::required, "String: key=value ...",
               "Settings of the producer; they win over those of --producer.config."},
    OptionSpec{"producer.config", Arg::required, "String: config file",
               "A properties file with settings of the producer."},
    OptionSpec{"record-size", Arg::required, "Integer: bytes",
               "The size of each value, which is made of random letters."},
    OptionSpec{"throughput", Arg::required, "Double: records/sec",
               "REQUIRED: no more records in a second than so many; -1: as many as go."},
    OptionSpec{"topic", Arg::required, "String: topic", "REQUIRED: the topic to write to."},
    OptionSpec{"transaction-duration-ms", Arg::required, "Long: ms",
               "Transactions, one after so long; 0: none.", "0"},
    OptionSpec{"transactional-id", Arg::required, "String: transactional id",
               "Means something with --transaction-duration-ms only."},
    OptionSpec{"version", Arg::none, "", "Print the version."},
};
constexpr Program kProgram{"kafka-producer-perf-test",
                           "This tool is used to verify the producer performance.", kOptions};

[[noreturn]] void refuse(const std::string& why) {
  std::fflush(stdout);
  std::fprintf(stderr, "producer-performance: error: %s\n", why.c_str());
  std::exit(1);
}

// One option takes all values that follow it: "--producer-props a=1 b=2".
std::vector<std::string> spread_properties(int argc, char** argv) {
  std::vector<std::string> spread;
  bool in_properties = false;
  for (int i = 1; i < argc; ++i) {
    std::string argument = argv[i];
    if (argument.starts_with("-")) {
      in_properties = argument == "--producer-props";
      if (in_properties && i + 1 < argc) continue;
    } else if (in_properties) {
      spread.push_back("--producer-props");
    }
    spread.push_back(std::move(argument));
  }
  return spread;
}

int64_t whole_number(const Options& options, std::string_view option) {
  auto number = odradek::cli::parse_int(options.value(option));
  if (!number || *number < 0) {
    refuse("argument --" + std::string(option) + ": could not convert '" + options.value(option) +
           "' to a number of 0 or more");
  }
  return *number;
}

Properties producer_properties(const Options& options) {
  Properties properties = given_properties(options, "producer.config", "producer-props");
  properties.emplace("client.id", "perf-producer-client");
  // the Java client's defaults
  properties.emplace("linger.ms", "0");
  properties.emplace("delivery.timeout.ms", "120000");
  std::string acks = get_or(properties, "acks", "all");
  bool may_be_idempotent =
      (acks == "all" || acks == "-1") && get_or(properties, "retries", "1") != "0";
  properties.emplace("enable.idempotence", may_be_idempotent ? "true" : "false");
  return properties;
}

// As Java's String.split: the delimiter is a regular expression, empty pieces at the end do not count, and
// a match of nothing at the front makes no piece.
std::vector<std::string> split_by(const std::string& text, const std::string& delimiter) {
  std::regex pattern;
  try {
    pattern.assign(delimiter);
  } catch (const std::regex_error& error) {
    odradek::cli::exit_uncaught("java.util.regex.PatternSyntaxException",
                                error.what() + std::string(": ") + delimiter);
  }
  std::vector<std::string> pieces;
  size_t at = 0;
  for (std::sregex_iterator match(text.begin(), text.end(), pattern), end; match != end; ++match) {
    size_t begin = static_cast<size_t>(match->position());
    if (match->length() == 0 && (begin == 0 || begin == text.size())) continue;
    pieces.push_back(text.substr(at, begin - at));
    at = begin + static_cast<size_t>(match->length());
  }
  pieces.push_back(text.substr(at));
  while (pieces.size() > 1 && pieces.back().empty()) pieces.pop_back();
  return pieces;
}

// The values of --payload-file.
std::vector<std::string> read_payloads(const Options& options) {
  std::string path = options.value("payload-file");
  std::ifstream in(path, std::ios::binary);
  std::stringstream bytes;
  bytes << in.rdbuf();
  std::string text = bytes.str();
  std::printf("Reading payloads from: %s\n", path.c_str());
  if (text.empty()) {
    odradek::cli::exit_uncaught("java.lang.IllegalArgumentException",
                                "File does not exist or empty file provided.");
  }
  auto payloads = split_by(text, options.value("payload-delimiter"));
  std::printf("Number of messages read: %zu\n", payloads.size());
  return payloads;
}

// Values for the records, each one good until the next is asked for.
class Payloads {
 public:
  explicit Payloads(const Options& options) {
    if (options.has("payload-file")) {
      from_file_ = read_payloads(options);
    } else {
      random_value_.resize(static_cast<size_t>(whole_number(options, "record-size")));
      if (random_value_.empty()) refuse("--record-size should be greater than zero.");
    }
  }
  const std::string& next() {
    if (!from_file_.empty()) return from_file_[random_() % from_file_.size()];
    for (char& letter : random_value_) letter = static_cast<char>('A' + random_() % 26);
    return random_value_;
  }

 private:
  std::vector<std::string> from_file_;
  std::string random_value_;
  std::minstd_rand random_{0};  // the same values in every run
};

class PerfProducer {
 public:
  PerfProducer(int64_t records, std::string topic)
      : topic_(std::move(topic)), stats_(records, kIntervalMs, odradek::cli::now_ms()) {}
  void start(RdKafka client) { client_ = std::move(client); }

  static void on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void* self) {
    static_cast<PerfProducer*>(self)->delivered(*message);
  }

  void send(const std::string& value) {
    while (stop_signal == 0) {
      rd_kafka_resp_err_t error = rd_kafka_producev(
          client_.get(), RD_KAFKA_V_TOPIC(topic_.c_str()), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
          RD_KAFKA_V_VALUE(const_cast<char*>(value.data()), value.size()), RD_KAFKA_V_END);
      if (error == RD_KAFKA_RESP_ERR_NO_ERROR) break;
      if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        std::fprintf(stderr, "%s\n", java_text(error, "").c_str());
        break;
      }
      rd_kafka_poll(client_.get(), kMostPauseMs);
    }
    rd_kafka_poll(client_.get(), 0);
  }
  // Waits so long, and takes what is acknowledged meanwhile.
  void pause(int64_t ms) {
    const int64_t end = odradek::cli::now_ms() + ms;
    for (int64_t left = ms; left > 0 && stop_signal == 0; left = end - odradek::cli::now_ms())
      rd_kafka_poll(client_.get(), static_cast<int>(std::min<int64_t>(left, kMostPauseMs)));
  }
  void finish() {
    while (rd_kafka_outq_len(client_.get()) > 0 && stop_signal == 0)
      rd_kafka_flush(client_.get(), kMostPauseMs);
    std::fputs(stats_.total(odradek::cli::now_ms()).c_str(), stdout);
  }

 private:
  void delivered(const rd_kafka_message_t& message) {
    if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      std::fprintf(stderr, "%s\n", java_text(message.err, "").c_str());
      return;
    }
    int64_t latency_us = std::max<int64_t>(0, rd_kafka_message_latency(&message));
    std::string line = stats_.record(latency_us / 1000, static_cast<int64_t>(message.len),
                                     odradek::cli::now_ms());
    if (line.empty()) return;
    std::fputs(line.c_str(), stdout);
    std::fflush(stdout);
  }

  std::string topic_;
  PerfStats stats_;
  RdKafka client_;
};

void check(const Options& options) {
  for (std::string_view name : {"topic", "num-records", "throughput"}) {
    if (!options.has(name)) refuse("argument --" + std::string(name) + " is required");
  }
  if (options.has("record-size") == options.has("payload-file")) {
    refuse(options.has("record-size")
               ? "argument --payload-file: not allowed with argument --record-size"
               : "one of the arguments --record-size --payload-file is required");
  }
  if (!options.has("producer-props") && !options.has("producer.config"))
    refuse("Either --producer-props or --producer.config must be specified.");
  if (whole_number(options, "transaction-duration-ms") > 0) {
    odradek::cli::exit_not_yet(kProgram,
                               "--transaction-duration-ms: this tool does not open transactions");
  }
  if (options.has("print-metrics")) {
    odradek::cli::exit_not_yet(
        kProgram, "--print-metrics: the Java client's metrics are not those of this one");
  }
}

double throughput_of(const Options& options) {
  std::string text = options.value("throughput");
  size_t used = 0;
  double value = 0;
  try {
    value = std::stod(text, &used);
  } catch (const std::exception&) {
    used = 0;
  }
  if (text.empty() || used != text.size())
    refuse("argument --throughput: could not convert '" + text + "' to Double");
  return value;
}

int run(int argc, char** argv) {
  auto parsed = Options::parse(kProgram, spread_properties(argc, argv));
  if (!parsed) refuse(parsed.error().what());
  const Options& options = *parsed;
  options.help_or_version();
  check(options);
  const int64_t records = whole_number(options, "num-records");
  if (records == 0) refuse("argument --num-records: must be at least 1");
  Payloads payloads(options);
  double throughput = throughput_of(options);
  auto conf = make_rdkafka_config(producer_properties(options), ClientRole::producer);
  if (!conf) fail(conf.error());
  PerfProducer producer(records, options.value("topic"));
  rd_kafka_conf_set_dr_msg_cb(conf->get(), PerfProducer::on_delivery);
  rd_kafka_conf_set_opaque(conf->get(), &producer);
  auto client = make_rdkafka_client(std::move(*conf), ClientRole::producer);
  if (!client) fail(client.error());
  producer.start(std::move(*client));

  stop_on_signals();
  Throttle throttle(throughput, odradek::cli::now_ms());
  for (int64_t sent = 0; sent < records && stop_signal == 0; ++sent) {
    producer.send(payloads.next());
    producer.pause(throttle.pause_ms(sent + 1, odradek::cli::now_ms()));
  }
  producer.finish();
  return stop_signal == 0 ? 0 : 128 + stop_signal;
}

}  // namespace
}  // namespace odradek::broker::cli

int main(int argc, char** argv) { return odradek::broker::cli::run(argc, argv); }
