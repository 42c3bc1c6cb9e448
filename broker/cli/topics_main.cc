// kafka-topics: makes, lists, describes, changes and deletes topics.

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <set>

#include "broker/cli/admin_client.h"
#include "broker/cli/tool_support.h"
#include "broker/cli/topic_command.h"
#include "broker/cli/zk_topic_command.h"
#include "common/cli/options.h"
#include "common/cli/text.h"

namespace odradek::broker::cli {
namespace {

using odradek::cli::Arg;
using odradek::cli::exit_uncaught;
using odradek::cli::exit_with_usage;
using odradek::cli::Options;
using odradek::cli::OptionSpec;
using odradek::cli::Program;

constexpr std::array kOptions = {
    OptionSpec{"alter", Arg::none, "", "Add partitions to a topic."},
    OptionSpec{"at-min-isr-partitions", Arg::none, "",
               "With --describe: only partitions with just min.insync.replicas in-sync replicas."},
    OptionSpec{"bootstrap-server", Arg::required, "String: server to connect to",
               "REQUIRED: the brokers to start from, HOST1:PORT1,HOST2:PORT2."},
    OptionSpec{"command-config", Arg::required, "String: command config property file",
               "A properties file with settings of the admin client."},
    OptionSpec{"config", Arg::required, "String: name=value",
               "A setting of the topic, with --create; may be given several times. kafka-configs "
               "changes settings later."},
    OptionSpec{"create", Arg::none, "", "Make a topic."},
    OptionSpec{"delete", Arg::none, "", "Delete topics."},
    OptionSpec{"delete-config", Arg::required, "String: name",
               "A setting to remove, with --alter and --zookeeper."},
    OptionSpec{"describe", Arg::none, "", "Show topics, their partitions and settings."},
    OptionSpec{"disable-rack-aware", Arg::none, "",
               "Assign replicas without regard to racks, with --zookeeper."},
    OptionSpec{"exclude-internal", Arg::none, "",
               "With --list and --describe: leave out Kafka's own topics."},
    OptionSpec{"force", Arg::none, "", "Ask nothing."},
    OptionSpec{"help", Arg::none, "", "Print this table."},
    OptionSpec{"if-exists", Arg::none, "",
               "With --alter, --delete and --describe: nothing to do is no error."},
    OptionSpec{"if-not-exists", Arg::none, "",
               "With --create: do nothing when the topic is there."},
    OptionSpec{"list", Arg::none, "", "Print the names of the topics."},
    OptionSpec{"partitions", Arg::required, "Integer: # of partitions",
               "How many partitions the topic has or shall have."},
    OptionSpec{"replica-assignment", Arg::required,
               "String: broker_id_for_part1_replica1 : broker_id_for_part1_replica2 , "
               "broker_id_for_part2_replica1 : broker_id_for_part2_replica2 , ...",
               "Which brokers hold the replicas, partition by partition."},
    OptionSpec{"replication-factor", Arg::required, "Integer: replication factor",
               "How many replicas each partition has."},
    OptionSpec{"topic", Arg::required, "String: topic",
               "The topic; for all but --create a regular expression."},
    OptionSpec{"topic-id", Arg::required, "String: topic-id",
               "With --describe: the topic of this id."},
    OptionSpec{"topics-with-overrides", Arg::none, "",
               "With --describe: only topics with settings of their own."},
    OptionSpec{"unavailable-partitions", Arg::none, "",
               "With --describe: only partitions whose leader is not there."},
    OptionSpec{
        "under-min-isr-partitions", Arg::none, "",
        "With --describe: only partitions with fewer in-sync replicas than min.insync.replicas."},
    OptionSpec{"under-replicated-partitions", Arg::none, "",
               "With --describe: only partitions with replicas that are not in sync."},
    OptionSpec{"version", Arg::none, "", "Print the version."},
    OptionSpec{"why-kept", Arg::none, "",
               "With --describe: what each replica has, and why its oldest data is still there "
               "(Odradek's own)."},
    OptionSpec{
        "zookeeper", Arg::required, "String: hosts",
        "As Kafka 2.5 has it: work on the znodes instead of asking a broker, HOST:PORT/CHROOT."},
};
constexpr Program kProgram{
    "kafka-topics", "This tool helps to create, delete, describe, or change a topic.", kOptions};
constexpr std::string_view kLogger = "kafka.admin.TopicCommand$";

void forbid_outside(const Options& options, std::string_view option,
                    const std::set<std::string_view>& actions) {
  for (std::string_view action : {"alter", "create", "describe", "list", "delete"}) {
    if (!actions.contains(action)) options.forbid_with(option, {action});
  }
}

void check_zookeeper(const Options& options) {
  if (options.has("bootstrap-server") == options.has("zookeeper")) {
    exit_uncaught("java.lang.IllegalArgumentException",
                  "Only one of --bootstrap-server or --zookeeper must be specified");
  }
  if (options.has("alter") && !options.has("partitions") && !options.has("config") &&
      !options.has("delete-config")) {
    options.require({"partitions"});
  }
  if (options.has("create") && !options.has("replica-assignment"))
    options.require({"partitions", "replication-factor"});
}

void check_brokers(const Options& options) {
  if (!options.has("bootstrap-server")) {
    exit_uncaught("java.lang.IllegalArgumentException", "--bootstrap-server must be specified");
  }
  if (options.has("describe") && options.has("if-exists") && !options.has("topic") &&
      !options.has("topic-id")) {
    exit_with_usage(kProgram, "--topic or --topic-id is required to describe a topic");
  }
  if (options.has("describe") && options.has("topic") && options.has("topic-id")) {
    std::puts(
        "Only topic id will be used when both --topic and --topic-id are specified and topicId is "
        "not Uuid.ZERO_UUID");
  }
  if (options.has("alter")) {
    if (options.has("config")) {
      exit_with_usage(
          kProgram,
          "Option combination \"[[bootstrap-server], [config]]\" can't be used with option "
          "\"[alter]\""
          " (the kafka-configs CLI supports altering topic configs with a --bootstrap-server "
          "option)");
    }
    options.require({"partitions"});
  }
}

void check(const Options& options) {
  options.help_or_version();
  if (options.count({"create", "list", "alter", "describe", "delete"}) != 1) {
    exit_with_usage(kProgram,
                    "Command must include exactly one action: --list, --describe, --create, "
                    "--alter or --delete");
  }
  bool zookeeper = options.has("zookeeper");
  if (zookeeper)
    check_zookeeper(options);
  else
    check_brokers(options);
  if (!options.has("list") && !options.has("describe")) options.require({"topic"});
  forbid_outside(options, "config", {"alter", "create"});
  forbid_outside(options, "delete-config", {"alter"});
  options.forbid_with("delete-config", {"bootstrap-server"});
  forbid_outside(options, "partitions", {"alter", "create"});
  forbid_outside(options, "replication-factor", {"create"});
  forbid_outside(options, "replica-assignment", {"alter", "create"});
  if (options.has("create"))
    options.forbid_with("replica-assignment", {"partitions", "replication-factor"});
  for (std::string_view report :
       {"under-replicated-partitions", "under-min-isr-partitions", "at-min-isr-partitions",
        "unavailable-partitions", "topics-with-overrides"}) {
    forbid_outside(options, report, {"describe"});
    if (report != "topics-with-overrides") options.forbid_with(report, {"topics-with-overrides"});
  }
  forbid_outside(options, "why-kept", {"describe"});
  options.forbid_with("why-kept", {"zookeeper"});
  forbid_outside(options, "if-exists", {"alter", "delete", "describe"});
  forbid_outside(options, "if-not-exists", {"create"});
  forbid_outside(options, "exclude-internal", {"list", "describe"});
}

std::vector<std::vector<int32_t>> parse_assignment(const std::string& text) {
  std::vector<std::vector<int32_t>> assignment;
  for (const auto& partition : odradek::cli::split(text, ',')) {
    auto& brokers = assignment.emplace_back();
    for (const auto& broker : odradek::cli::split(partition, ':')) {
      auto id = odradek::cli::parse_int(odradek::cli::trim(broker));
      if (!id || *id < INT32_MIN || *id > INT32_MAX) {
        throw KafkaError("java.lang.NumberFormatException", "For input string: \"" + broker + "\"");
      }
      if (std::find(brokers.begin(), brokers.end(), static_cast<int32_t>(*id)) != brokers.end()) {
        throw KafkaError("kafka.common.AdminCommandFailedException",
                         "Partition replica lists may not contain duplicate entries: " + broker);
      }
      brokers.push_back(static_cast<int32_t>(*id));
    }
    if (brokers.size() != assignment[0].size()) {
      throw KafkaError("kafka.admin.AdminOperationException",
                       "Partition " + std::to_string(assignment.size() - 1) +
                           " has different replication factor: [" + numbers(brokers) + "]");
    }
  }
  return assignment;
}

TopicRequest parse(const Options& options) {
  TopicRequest request;
  request.topic = options.find("topic");
  if (auto text = options.find("topic-id")) {
    request.topic_id = Uuid::parse(*text);
    if (!request.topic_id) {
      throw illegal_argument(
          "Input string `" + *text + "` decoded as " + std::to_string(text->size() * 6 / 8) +
          " bytes, which is not equal to the expected 16 bytes of a base64-encoded UUID");
    }
    if (request.topic_id->is_zero()) request.topic_id.reset();
  }
  request.partitions = options.number("partitions");
  request.replication_factor = options.number("replication-factor");
  if (auto text = options.find("replica-assignment")) request.assignment = parse_assignment(*text);
  for (const auto& config : options.values("config")) {
    size_t equals = config.find('=');
    if (equals == std::string::npos) {
      throw illegal_argument(
          "requirement failed: Invalid topic config: all configs to be added must be in the format "
          "\"key=val\".");
    }
    request.configs[std::string(odradek::cli::trim(config.substr(0, equals)))] =
        odradek::cli::trim(config.substr(equals + 1));
  }
  request.delete_configs = options.values("delete-config");
  request.if_exists = options.has("if-exists");
  request.if_not_exists = options.has("if-not-exists");
  request.exclude_internal = options.has("exclude-internal");
  request.with_overrides = options.has("topics-with-overrides");
  request.under_replicated = options.has("under-replicated-partitions");
  request.unavailable = options.has("unavailable-partitions");
  request.under_min_isr = options.has("under-min-isr-partitions");
  request.why_kept = options.has("why-kept");
  request.at_min_isr = options.has("at-min-isr-partitions");
  request.rack_aware = !options.has("disable-rack-aware");
  return request;
}

void act(const Options& options, const Properties& properties) {
  TopicRequest request = parse(options);
  std::unique_ptr<TopicActions> actions =
      options.has("zookeeper") ? topics_on_znodes(options.value("zookeeper"))
                               : topics_through_brokers(std::make_unique<AdminClient>(
                                     options.value("bootstrap-server"), properties));
  if (options.has("create"))
    actions->create(request);
  else if (options.has("alter"))
    actions->alter(request);
  else if (options.has("list"))
    actions->list(request);
  else if (options.has("describe"))
    actions->describe(request);
  else
    actions->remove(request);
}

// Option errors that show only when a value is read are reported as errors of the command.
[[noreturn]] void refuse(std::string_view exception_class, std::string_view message) {
  KafkaError error{std::string(exception_class), std::string(message)};
  std::printf("Error while executing topic command : %s\n", error.message().c_str());
  log_exception(error, kLogger);
  std::exit(1);
}

int run(int argc, char** argv) {
  Options::set_refusal(refuse);
  Options options = Options::parse_or_exit(kProgram, argc, argv);
  check(options);
  Properties properties = command_config(options);
  try {
    act(options, properties);
    return 0;
  } catch (const KafkaError& error) {
    std::printf("Error while executing topic command : %s\n", error.message().c_str());
    log_exception(error, kLogger);
    return 1;
  }
}

}  // namespace
}  // namespace odradek::broker::cli

int main(int argc, char** argv) { return odradek::broker::cli::run(argc, argv); }
