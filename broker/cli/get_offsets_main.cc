// kafka-get-offsets: offsets of partitions at a time.

#include <algorithm>
#include <array>
#include <cstdio>
#include <regex>
#include <set>

#include "broker/cli/admin_client.h"
#include "broker/cli/tool_support.h"
#include "broker/cli/topic_names.h"
#include "common/cli/options.h"
#include "common/cli/text.h"

namespace odradek::broker::cli {
namespace {

using odradek::cli::Arg;
using odradek::cli::Options;
using odradek::cli::OptionSpec;
using odradek::cli::Program;

constexpr std::array kOptions = {
    OptionSpec{"bootstrap-server", Arg::required, "String: HOST1:PORT1,...,HOST3:PORT3",
               "REQUIRED: the brokers to start from."},
    OptionSpec{"broker-list", Arg::required, "String: HOST1:PORT1,...,HOST3:PORT3",
               "Old name of --bootstrap-server."},
    OptionSpec{"command-config", Arg::required, "String: config file",
               "A properties file with settings of the admin client."},
    OptionSpec{"exclude-internal-topics", Arg::none, "", "Leave out Kafka's own topics."},
    OptionSpec{"help", Arg::none, "", "Print this table."},
    OptionSpec{"max-wait-ms", Arg::required, "Integer: ms", "Of 2.5; has no effect."},
    OptionSpec{"offsets", Arg::required, "Integer: count", "Of 2.5; has no effect."},
    OptionSpec{"partitions", Arg::required, "String: partition ids",
               "Only these partitions, as 0,1,2."},
    OptionSpec{"time", Arg::required,
               "String: <timestamp> / -1 or latest / -2 or earliest / -3 or max-timestamp",
               "Offsets of the first record at or after this time.", "latest"},
    OptionSpec{"topic", Arg::required, "String: topic",
               "Only topics that this regular expression matches."},
    OptionSpec{"topic-partitions", Arg::required,
               "String: topic1:1,topic2:0-3,topic3,topic4:5-,topic5:-3",
               "Topics (regular expressions) with partitions or ranges of them, the end of a range "
               "left out."},
    OptionSpec{"version", Arg::none, "", "Print the version."},
};
constexpr Program kProgram{"kafka-get-offsets",
                           "An interactive shell for getting topic-partition offsets.", kOptions};

// One "topic:range" of --topic-partitions.
struct Rule {
  std::string topic;  // a regular expression; empty: any
  int64_t from = 0;
  int64_t until = INT64_MAX;  // exclusive

  bool matches(const std::string& name, int32_t partition) const {
    if (partition < from || partition >= until) return false;
    return topic.empty() || !TopicFilter(topic, false).select({name}).empty();
  }
};

Rule parse_rule(const std::string& text) {
  Rule rule;
  size_t colon = text.rfind(':');
  rule.topic = text.substr(0, colon);
  if (colon == std::string::npos) return rule;
  std::string range = text.substr(colon + 1);
  auto bad = illegal_argument("Invalid rule specification: " + text);
  auto number = [&](const std::string& digits) {
    auto value = odradek::cli::parse_int(digits);
    if (!value || *value < 0) throw bad;
    return *value;
  };
  size_t dash = range.find('-');
  if (range.empty()) return rule;
  if (dash == std::string::npos) {
    rule.from = number(range);
    rule.until = rule.from + 1;
    return rule;
  }
  if (dash > 0) rule.from = number(range.substr(0, dash));
  if (dash + 1 < range.size()) rule.until = number(range.substr(dash + 1));
  if (rule.from == 0 && dash == 0 && dash + 1 == range.size()) throw bad;
  return rule;
}

int64_t parse_time(const std::string& text) {
  if (text == "earliest") return kEarliest;
  if (text == "latest") return kLatest;
  if (text == "max-timestamp") return kMaxTimestamp;
  auto number = odradek::cli::parse_int(text);
  if (!number) {
    throw illegal_argument("Malformed time argument " + text +
                           ", please use -1 or latest / -2 or earliest / -3 or max-timestamp, or a "
                           "specified long format timestamp");
  }
  return *number;
}

std::vector<Rule> rules_of(const Options& options) {
  std::vector<Rule> rules;
  if (auto text = options.find("topic-partitions")) {
    if (options.has("topic") || options.has("partitions")) {
      throw illegal_argument("--topic-partitions cannot be used with --topic or --partitions");
    }
    for (const auto& part : odradek::cli::split(*text, ',')) rules.push_back(parse_rule(part));
    return rules;
  }
  std::string topic = options.value("topic");
  std::string partitions = options.value("partitions");
  if (partitions.empty()) return {Rule{topic}};
  for (const auto& part : odradek::cli::split(partitions, ',')) {
    auto number = odradek::cli::parse_int(odradek::cli::trim(part));
    if (!number) {
      throw illegal_argument(
          "--partitions expects a comma separated list of numeric partition ids, but received: " +
          partitions);
    }
    rules.push_back({topic, *number, *number + 1});
  }
  return rules;
}

void act(const Options& options, const Properties& properties) {
  auto rules = rules_of(options);
  int64_t time = parse_time(options.value("time"));
  bool exclude_internal = options.has("exclude-internal-topics");
  AdminClient client(options.has("bootstrap-server") ? options.value("bootstrap-server")
                                                     : options.value("broker-list"),
                     properties);
  std::map<TopicPartition, int64_t> questions;
  for (const auto& topic : client.describe_all_topics()) {
    std::string name = topic.name.value_or("");
    if (exclude_internal && topic.is_internal) continue;
    for (const auto& partition : topic.partitions) {
      bool wanted = std::any_of(rules.begin(), rules.end(), [&](const Rule& rule) {
        return rule.matches(name, partition.partition_index);
      });
      if (wanted) questions[{name, PartitionId(partition.partition_index)}] = time;
    }
  }
  if (questions.empty())
    throw illegal_argument("Could not match any topic-partitions with the specified filters");
  for (const auto& [partition, answer] : client.list_offsets(questions)) {
    if (answer.error != 0) {
      std::fflush(stdout);
      std::fprintf(stderr, "Skip getting offsets for topic-partition %s due to error: %s\n",
                   partition.to_string().c_str(), KafkaError(answer.error).message().c_str());
    } else if (answer.offset >= 0) {
      std::printf("%s:%d:%lld\n", partition.topic.c_str(), partition.partition.value(),
                  static_cast<long long>(answer.offset));
    }
  }
}

int run(int argc, char** argv) {
  Options options = Options::parse_or_exit(kProgram, argc, argv);
  options.help_or_version();
  if (!options.has("broker-list")) options.require({"bootstrap-server"});
  Properties properties = command_config(options);
  try {
    act(options, properties);
    return 0;
  } catch (const KafkaError& error) {
    std::printf("Error occurred: %s\n", error.message().c_str());
    return 1;
  }
}

}  // namespace
}  // namespace odradek::broker::cli

int main(int argc, char** argv) { return odradek::broker::cli::run(argc, argv); }
