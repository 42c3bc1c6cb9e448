#include "broker/cli/consumer_plan.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <set>

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
    OptionSpec{"bootstrap-server", Arg::required, "String: server to connect to",
               "REQUIRED: the brokers to start from, HOST1:PORT1,HOST2:PORT2."},
    OptionSpec{"consumer-property", Arg::required, "String: consumer_prop",
               "A consumer setting, key=value."},
    OptionSpec{"consumer.config", Arg::required, "String: config file",
               "A properties file of consumer settings; --consumer-property wins."},
    OptionSpec{"enable-systest-events", Arg::none, "",
               "Print shutdown_complete at the end, for system tests."},
    OptionSpec{"formatter", Arg::required, "String: class",
               "How records are printed: DefaultMessageFormatter, LoggingMessageFormatter, "
               "NoOpMessageFormatter, OffsetsMessageFormatter or GroupMetadataMessageFormatter.",
               "kafka.tools.DefaultMessageFormatter"},
    OptionSpec{"formatter-config", Arg::required, "String: config file",
               "A properties file of formatter settings; --property wins."},
    OptionSpec{"from-beginning", Arg::none, "",
               "Where the group has no offset, start at the first record instead of the end."},
    OptionSpec{"group", Arg::required, "String: consumer group id",
               "The consumer group; its offsets are committed."},
    OptionSpec{"help", Arg::none, "", "Print this table."},
    OptionSpec{"include", Arg::required, "String: Java regex (String)",
               "Read all topics whose names match."},
    OptionSpec{"isolation-level", Arg::required, "String",
               "read_committed leaves out records of open and aborted transactions.",
               "read_uncommitted"},
    OptionSpec{"key-deserializer", Arg::required, "String: deserializer for key",
               "Class of the key's deserializer."},
    OptionSpec{"max-messages", Arg::required, "Integer: num_messages",
               "Stop after so many records."},
    OptionSpec{"offset", Arg::required, "String: consume offset",
               "Where to start in the partition: earliest, latest or an offset.", "latest"},
    OptionSpec{"partition", Arg::required, "Integer: partition",
               "Read this partition alone, without a group."},
    OptionSpec{"property", Arg::required, "String: prop",
               "A setting of the formatter, key=value: print.timestamp, print.key, print.offset, "
               "print.partition, print.headers, print.value, key.separator, line.separator, "
               "headers.separator, null.literal, key.deserializer, value.deserializer, "
               "headers.deserializer."},
    OptionSpec{"skip-message-on-error", Arg::none, "",
               "Go on behind a record that cannot be printed."},
    OptionSpec{"timeout-ms", Arg::required, "Integer: timeout_ms",
               "Stop when no record comes for so long."},
    OptionSpec{"topic", Arg::required, "String: topic", "The topic to read."},
    OptionSpec{"value-deserializer", Arg::required, "String: deserializer for values",
               "Class of the value's deserializer."},
    OptionSpec{"version", Arg::none, "", "Print the version."},
    OptionSpec{"whitelist", Arg::required, "String: Java regex (String)", "Old name of --include."},
};
constexpr Program kProgram{
    "kafka-console-consumer",
    "This tool helps to read data from Kafka topics and outputs it to standard output.", kOptions};
int64_t start_offset(const Options& options) {
  if (!options.has("offset")) {
    return options.has("from-beginning") ? kBeginning : kEnd;
  }
  std::string text = odradek::cli::lower(options.value("offset"));
  if (text == "earliest") return kBeginning;
  if (text == "latest") return kEnd;
  auto number = odradek::cli::parse_int(text);
  if (!number || *number < 0) {
    exit_with_usage(
        kProgram,
        "The provided offset value '" + options.value("offset") +
            "' is incorrect. Valid values are 'earliest', 'latest', or a non-negative long.");
  }
  return *number;
}

void take_group(const Options& options, const Properties& from_file, const Properties& extra,
                ConsumerPlan& plan) {
  std::set<std::string> groups;
  if (options.has("group")) groups.insert(options.value("group"));
  for (const auto* source : {&from_file, &extra}) {
    if (auto at = source->find("group.id"); at != source->end()) groups.insert(at->second);
  }
  if (groups.size() > 1) {
    std::vector<std::string> quoted;
    for (const auto& group : groups) quoted.push_back("'" + group + "'");
    exit_with_usage(kProgram,
                    "The group ids provided in different places (directly using '--group', via "
                    "'--consumer-property', "
                    "or via '--consumer.config') do not match. Detected group ids: " +
                        odradek::cli::join(quoted, ", "));
  }
  if (groups.empty()) {
    std::random_device random;
    plan.consumer["group.id"] = "console-consumer-" + std::to_string(random() % 100000);
    if (!plan.consumer.contains("enable.auto.commit"))
      plan.consumer["enable.auto.commit"] = "false";
  } else {
    if (plan.partition)
      exit_with_usage(kProgram, "Options group and partition cannot be specified together.");
    plan.consumer["group.id"] = *groups.begin();
  }
  plan.commits = get_or(plan.consumer, "enable.auto.commit", "true") == "true";
}

void take_reset_policy(const Options& options, ConsumerPlan& plan) {
  auto given = plan.consumer.find("auto.offset.reset");
  if (given == plan.consumer.end()) {
    plan.consumer["auto.offset.reset"] = options.has("from-beginning") ? "earliest" : "latest";
  } else if (options.has("from-beginning") && given->second != "earliest") {
    std::fprintf(stderr,
                 "Can't simultaneously specify --from-beginning and 'auto.offset.reset=%s', please "
                 "remove one option\n",
                 given->second.c_str());
    std::exit(1);
  }
}

Properties formatter_properties(const Options& options) {
  Properties properties = given_properties(options, "formatter-config", "property");
  if (auto name = options.find("key-deserializer")) properties["key.deserializer"] = *name;
  if (auto name = options.find("value-deserializer")) properties["value.deserializer"] = *name;
  return properties;
}

}  // namespace

ConsumerPlan make_consumer_plan(int argc, char** argv) {
  Options options = Options::parse_or_exit(kProgram, argc, argv);
  options.help_or_version();
  ConsumerPlan plan;
  plan.topic = options.value("topic");
  plan.pattern = options.has("include") ? options.value("include") : options.value("whitelist");
  if (options.has("topic") == (options.has("include") || options.has("whitelist"))) {
    std::string hint =
        options.has("whitelist")
            ? "--whitelist is DEPRECATED use --include instead; ignored if --include specified."
            : "()";
    exit_with_usage(kProgram, "Exactly one of --include/--topic is required. " + hint);
  }
  if (auto partition = options.number("partition")) {
    if (!options.has("topic"))
      exit_with_usage(kProgram, "The topic is required when partition is specified.");
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

  const Properties from_file = file_properties(options, "consumer.config");
  const Properties extra = argument_properties(options, "consumer-property");
  plan.consumer = extra;
  plan.consumer.merge(Properties(from_file));
  take_reset_policy(options, plan);
  plan.consumer["bootstrap.servers"] = options.value("bootstrap-server");
  if (options.has("isolation-level") || !plan.consumer.contains("isolation.level")) {
    plan.consumer["isolation.level"] = options.value("isolation-level");
  }
  if (!plan.consumer.contains("client.id")) plan.consumer["client.id"] = "console-consumer";
  if (!plan.consumer.contains("allow.auto.create.topics"))
    plan.consumer["allow.auto.create.topics"] = "true";
  take_group(options, from_file, extra, plan);
  plan.max_messages = options.number("max-messages").value_or(-1);
  plan.timeout_ms = options.number("timeout-ms").value_or(-1);
  plan.systest_events = options.has("enable-systest-events");
  plan.skip_on_error = options.has("skip-message-on-error");
  auto formatter = make_formatter(options.value("formatter"), formatter_properties(options));
  if (!formatter)
    fail(Error(Errc::bad_setting, "Exception in thread \"main\" " + formatter.error().what()));
  plan.formatter = std::move(*formatter);
  return plan;
}

std::string posix_pattern(const std::string& java) {
  std::string out = "^(";
  for (size_t i = 0; i < java.size(); ++i) {
    char c = java[i];
    if (c == ' ' || c == '"' || c == '\'')
      continue;  // the official include list drops blanks and quotes
    if (c == ',') c = '|';
    if (c == '\\' && i + 1 < java.size()) {
      char next = java[++i];
      if (next == 'd')
        out += "[0-9]";
      else if (next == 'D')
        out += "[^0-9]";
      else
        (out += c) += next;
      continue;
    }
    if (c == '?' && i > 0 && java[i - 1] == '(') {  // (?: of a group that captures nothing
      if (i + 1 < java.size() && java[i + 1] == ':') ++i;
      continue;
    }
    out += c;
  }
  return out + ")$";
}

}  // namespace odradek::broker::cli
