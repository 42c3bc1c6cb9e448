// kafka-consumer-groups: lists, describes and deletes consumer groups, and moves their offsets.

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "broker/cli/group_rows.h"
#include "broker/cli/offset_reset.h"
#include "broker/cli/tool_support.h"
#include "common/cli/options.h"
#include "common/cli/text.h"
#include "common/clock.h"

namespace odradek::broker::cli {
namespace {

using odradek::cli::Arg;
using odradek::cli::exit_with_usage;
using odradek::cli::join;
using odradek::cli::Options;
using odradek::cli::OptionSpec;
using odradek::cli::pad_right;
using odradek::cli::Program;

constexpr std::array kOptions = {
    OptionSpec{"all-groups", Arg::none, "", "All consumer groups, instead of --group."},
    OptionSpec{"all-topics", Arg::none, "",
               "With --reset-offsets: all topics that the group has offsets in."},
    OptionSpec{"bootstrap-server", Arg::required, "String: server to connect to",
               "REQUIRED: the brokers to start from, HOST1:PORT1,HOST2:PORT2."},
    OptionSpec{"by-duration", Arg::required, "String: duration",
               "Reset to offsets of so long ago, as 'PnDTnHnMnS'."},
    OptionSpec{"command-config", Arg::required, "String: command config property file",
               "A properties file with settings of the admin client."},
    OptionSpec{"delete", Arg::none, "", "Delete groups with all their offsets."},
    OptionSpec{"delete-offsets", Arg::none, "", "Delete a group's offsets of topics."},
    OptionSpec{"describe", Arg::none, "", "Show offsets and lag of groups."},
    OptionSpec{"dry-run", Arg::none, "", "With --reset-offsets: only show what would be done."},
    OptionSpec{"execute", Arg::none, "", "With --reset-offsets: do it."},
    OptionSpec{"export", Arg::none, "", "With --reset-offsets: print the new offsets as CSV."},
    OptionSpec{"from-file", Arg::required, "String: path to CSV file",
               "Reset to the offsets of a CSV file."},
    OptionSpec{"group", Arg::required, "String: consumer group", "The group to act on."},
    OptionSpec{"help", Arg::none, "", "Print this table."},
    OptionSpec{"list", Arg::none, "", "List all consumer groups."},
    OptionSpec{"members", Arg::none, "", "With --describe: show the group's members."},
    OptionSpec{"offsets", Arg::none, "", "With --describe: show offsets and lag, as without it."},
    OptionSpec{"reset-offsets", Arg::none, "",
               "Move the offsets of a group that has no members. Needs a scope, a target and "
               "--dry-run, --execute or --export."},
    OptionSpec{"shift-by", Arg::required, "Long: number-of-offsets",
               "Move the current offset by so much, forward or back."},
    OptionSpec{"state", Arg::optional, "String",
               "With --describe: show the group's state. With --list: show states, or only groups "
               "in the states named."},
    OptionSpec{"timeout", Arg::required, "Long: timeout (ms)",
               "How long one call may take, in milliseconds.", "5000"},
    OptionSpec{"to-current", Arg::none, "", "Reset to the current offset."},
    OptionSpec{"to-datetime", Arg::required, "String: datetime",
               "Reset to offsets at a time, 'YYYY-MM-DDTHH:mm:SS.sss'."},
    OptionSpec{"to-earliest", Arg::none, "", "Reset to the first offset."},
    OptionSpec{"to-latest", Arg::none, "", "Reset to the end of the log."},
    OptionSpec{"to-offset", Arg::required, "Long: offset", "Reset to this offset."},
    OptionSpec{"topic", Arg::required, "String: topic",
               "A topic; with partitions as topic1:0,1,2."},
    OptionSpec{"verbose", Arg::none, "", "With --members: show assignments too."},
    OptionSpec{"version", Arg::none, "", "Print the version."},
};
constexpr Program kProgram{
    "kafka-consumer-groups",
    "This tool helps to list all consumer groups, describe a consumer group, delete consumer "
    "group info, or reset consumer group offsets.",
    kOptions};
constexpr std::initializer_list<std::string_view> kTargets = {
    "to-offset", "to-datetime", "by-duration", "to-earliest",
    "to-latest", "shift-by",    "from-file",   "to-current"};

void print_error(const std::string& text) {
  std::printf("\nError: %s\n", text.c_str());
  std::fflush(stdout);
}

void check_reset(const Options& options) {
  if (options.has("dry-run") && options.has("execute")) {
    exit_with_usage(kProgram, "Option [reset-offsets] only accepts one of [execute] and [dry-run]");
  }
  if (!options.has("dry-run") && !options.has("execute")) {
    std::fputs(
        "WARN: No action will be performed as the --execute option is missing."
        "In a future major release, the default behavior of this command will be to prompt the "
        "user before executing "
        "the reset rather than doing a dry run. You should add the --dry-run option explicitly if "
        "you are scripting "
        "this command and want to keep the current default behavior without prompting.\n",
        stderr);
  }
  if (options.count({"group", "all-groups"}) == 0) {
    exit_with_usage(kProgram,
                    "Option [reset-offsets] takes one of these options: [group], [all-groups]");
  }
  for (auto target : kTargets) {
    for (auto other : kTargets) {
      if (target != other) options.forbid_with(target, {other});
    }
  }
}

void check(const Options& options) {
  options.help_or_version();
  if (options.count({"list", "describe", "delete", "reset-offsets", "delete-offsets"}) != 1) {
    exit_with_usage(kProgram,
                    "Command must include exactly one action: --list, --describe, --delete, "
                    "--reset-offsets, --delete-offsets");
  }
  options.require({"bootstrap-server"});
  if (options.has("describe")) {
    if (options.count({"group", "all-groups"}) == 0) {
      exit_with_usage(kProgram,
                      "Option [describe] takes one of these options: [group], [all-groups]");
    }
    if (options.count({"members", "offsets", "state"}) > 1) {
      exit_with_usage(
          kProgram,
          "Option [describe] takes at most one of these options: [members], [offsets], [state]");
    }
    if (options.find("state"))
      exit_with_usage(kProgram, "Option [describe] does not take a value for [state]");
  }
  if (options.has("delete")) {
    if (options.count({"group", "all-groups"}) == 0) {
      exit_with_usage(kProgram,
                      "Option [delete] takes one of these options: [group], [all-groups]");
    }
    if (options.has("topic")) {
      exit_with_usage(
          kProgram,
          "The consumer does not support topic-specific offset deletion from a consumer group.");
    }
  }
  if (options.has("delete-offsets") && (!options.has("group") || !options.has("topic"))) {
    exit_with_usage(kProgram,
                    "Option [delete-offsets] takes the following options: [group], [topic]");
  }
  if (options.has("reset-offsets")) check_reset(options);
  options.forbid_with("group", {"all-groups", "list"});
  options.forbid_with("topic", {"describe", "list"});
  options.forbid_with("topic", {"all-topics"});
}

class GroupCommand {
 public:
  GroupCommand(const Options& options, const Properties& properties)
      : options_(options), client_(options.value("bootstrap-server"), properties) {
    // The default of --timeout is short; a cluster that is just starting gets the client's own
    // patience.
    if (options.has("timeout"))
      client_.set_api_timeout_ms(options.number("timeout").value_or(5000));
  }

  void run() {
    if (options_.has("list"))
      list();
    else if (options_.has("describe"))
      describe();
    else if (options_.has("delete"))
      remove();
    else if (options_.has("reset-offsets"))
      reset();
    else
      delete_offsets();
  }

 private:
  std::vector<std::string> wanted_groups() {
    if (!options_.has("all-groups")) return options_.values("group");
    std::vector<std::string> ids;
    for (const auto& group : client_.list_groups({})) ids.push_back(group.id);
    return ids;
  }

  void list() {
    if (!options_.has("state")) {
      for (const auto& group : client_.list_groups({})) std::puts(group.id.c_str());
      return;
    }
    auto groups = client_.list_groups(wanted_states());
    size_t width = 15;
    for (const auto& group : groups) width = std::max(width, group.id.size());
    std::printf("%s STATE\n", pad_right("GROUP", width).c_str());
    for (const auto& group : groups)
      std::printf("%s %s\n", pad_right(group.id, width).c_str(), group.state.c_str());
  }

  std::vector<std::string> wanted_states() {
    static const std::vector<std::string> known = {
        "Unknown", "PreparingRebalance", "CompletingRebalance", "Stable", "Dead",
        "Empty",   "Assigning",          "Reconciling"};
    std::vector<std::string> states;
    std::string text = options_.value("state");
    if (text.empty()) return states;
    for (const auto& part : odradek::cli::split(text, ',')) {
      std::string wanted = odradek::cli::lower(odradek::cli::trim(part));
      auto found = std::find_if(known.begin(), known.end(), [&](const auto& name) {
        return odradek::cli::lower(name) == wanted;
      });
      if (found == known.end() || *found == "Unknown") {
        throw illegal_argument("Invalid state list '" + text + "'. Valid states are: " +
                               "PreparingRebalance, CompletingRebalance, Stable, Dead, Empty");
      }
      states.push_back(*found);
    }
    return states;
  }

  // Says what there is to say about a group's state; whether rows shall follow.
  static bool announce(const DescribedGroup& described, size_t rows) {
    const auto& group = described.group;
    std::fflush(stdout);
    if (group.group_state == "Dead") {
      print_error("Consumer group '" + group.group_id + "' does not exist.");
      return false;
    }
    if (group.group_state == "Empty") {
      std::fprintf(stderr, "\nConsumer group '%s' has no active members.\n",
                   group.group_id.c_str());
    } else if (group.group_state != "Stable") {
      std::fprintf(stderr, "\nWarning: Consumer group '%s' is rebalancing.\n",
                   group.group_id.c_str());
    }
    return rows > 0;
  }

  void describe() {
    for (const auto& id : wanted_groups()) {
      DescribedGroup described = client_.describe_group(id);
      bool dead = described.group.group_state == "Dead";
      if (options_.has("members")) {
        auto rows = dead ? std::vector<MemberRow>() : member_rows(described);
        if (announce(described, rows.size())) print_members(rows, options_.has("verbose"));
      } else if (options_.has("state")) {
        if (announce(described, 1)) print_state(described);
      } else {
        auto rows = dead ? std::vector<OffsetRow>() : offset_rows(client_, described);
        if (announce(described, rows.size())) print_offsets(rows);
      }
    }
  }

  void remove() {
    std::vector<std::string> done;
    std::vector<std::pair<std::string, std::string>> failed;
    for (const auto& id : wanted_groups()) {
      try {
        client_.delete_group(id);
        done.push_back(id);
      } catch (const KafkaError& error) {
        failed.emplace_back(id, error.to_string());
      }
    }
    if (failed.empty()) {
      std::printf("Deletion of requested consumer groups ('%s') was successful.\n",
                  join(done, "', '").c_str());
      return;
    }
    print_error("Deletion of some consumer groups failed:");
    for (const auto& [id, why] : failed) {
      std::printf(
          "* Group '%s' could not be deleted due to: java.util.concurrent.ExecutionException: %s\n",
          id.c_str(), why.c_str());
    }
    if (!done.empty()) {
      std::printf("\nThese consumer groups were deleted successfully: '%s'\n",
                  join(done, "', '").c_str());
    }
  }

  void delete_offsets() {
    std::string group = options_.value("group");
    auto topics = options_.values("topic");
    std::vector<TopicPartition> known;
    std::vector<std::string> unknown;
    for (const auto& argument : topics) {
      try {
        auto partitions = partitions_of(client_, {argument});
        known.insert(known.end(), partitions.begin(), partitions.end());
      } catch (const KafkaError& error) {
        if (error.java_class().find("UnknownTopicOrPartition") == std::string::npos) throw;
        unknown.push_back(argument);
      }
    }
    auto deletion = client_.delete_offsets(group, known);
    for (const auto& topic : unknown)
      deletion.partitions[{topic, PartitionId(-1)}] = kUnknownTopicOrPartition;
    int16_t worst = deletion.error;
    for (const auto& [partition, error] : deletion.partitions) {
      if (worst == 0 && error != 0) worst = error;
    }
    announce_deletion(worst, group, topics);
    auto line = [](const std::string& topic, const std::string& partition,
                   const std::string& status) {
      std::string text =
          pad_right(topic, 30) + " " + pad_right(partition, 15) + " " + pad_right(status, 15);
      std::puts(text.c_str());
    };
    std::putchar('\n');
    line("TOPIC", "PARTITION", "STATUS");
    for (const auto& [partition, error] : deletion.partitions) {
      int32_t number = partition.partition.value();
      line(partition.topic, number < 0 ? "Not Provided" : std::to_string(number),
           error == 0 ? "Successful" : "Error: " + KafkaError(error).to_string());
    }
  }

  static void announce_deletion(int16_t error, const std::string& group,
                                const std::vector<std::string>& topics) {
    switch (error) {
      case 0:
        std::printf("Request succeed for deleting offsets with topic %s group %s\n",
                    join(topics, ", ").c_str(), group.c_str());
        break;
      case kInvalidGroupId:
        print_error("'" + group + "' is not valid.");
        break;
      case kGroupIdNotFound:
        print_error("'" + group + "' does not exist.");
        break;
      case kGroupAuthorizationFailed:
        print_error("Access to '" + group + "' is not authorized.");
        break;
      case kNonEmptyGroup:
        print_error("Deleting offsets of a consumer group '" + group +
                    "' is forbidden if the group is not empty.");
        break;
      case kGroupSubscribedToTopic:
      case kTopicAuthorizationFailed:
      case kUnknownTopicOrPartition:
        print_error("Encounter some partition level error, see the follow-up details:");
        break;
      default:
        print_error("Encounter some unknown error: " + error_name(error));
    }
  }

  void reset() {
    auto groups = wanted_groups();
    std::map<std::string, OffsetPlan> from_file;
    if (auto file = options_.find("from-file")) from_file = read_file(*file, groups);
    std::map<std::string, OffsetPlan> plans;
    for (const auto& id : groups) {
      DescribedGroup described = client_.describe_group(id);
      const std::string& state = described.group.group_state;
      plans[id] = {};
      if (state != "Empty" && state != "Dead") {
        print_error("Assignments can only be reset if the group '" + id +
                    "' is inactive, but the current state is " + state + ".");
        continue;
      }
      plans[id] = options_.has("from-file") ? within_log(client_, from_file[id]) : plan_of(id);
      if (options_.has("execute")) commit(id, plans[id]);
    }
    if (options_.has("export")) {
      std::printf("%s\n", write_plan(plans).c_str());
    } else if (!plans.empty()) {
      print_plans(plans);
    }
  }

  static std::map<std::string, OffsetPlan> read_file(const std::string& name,
                                                     const std::vector<std::string>& groups) {
    std::ifstream file(name, std::ios::binary);
    if (!file) throw KafkaError("java.nio.file.NoSuchFileException", name);
    std::stringstream text;
    text << file.rdbuf();
    return read_plan(text.str(), groups);
  }

  std::vector<TopicPartition> scope(const std::string& group) {
    if (options_.has("all-topics")) {
      std::vector<TopicPartition> partitions;
      for (const auto& [partition, offset] : client_.committed_offsets(group))
        partitions.push_back(partition);
      return partitions;
    }
    if (options_.has("topic")) return partitions_of(client_, options_.values("topic"));
    exit_with_usage(kProgram, "One of the reset scopes should be defined: --all-topics, --topic.");
  }

  OffsetPlan plan_of(const std::string& group) {
    if (options_.count(kTargets) == 0) {
      exit_with_usage(kProgram,
                      "Option '[reset-offsets]' requires one of the following scenarios: "
                      "HashSet([by-duration], "
                      "[to-offset], [from-file], [to-datetime], [to-earliest], [to-current], "
                      "[shift-by], [to-latest])");
    }
    auto partitions = scope(group);
    if (options_.has("to-earliest")) return to_end(client_, partitions, kEarliest);
    if (options_.has("to-latest")) return to_end(client_, partitions, kLatest);
    if (options_.has("to-datetime"))
      return to_time(client_, partitions, parse_datetime(options_.value("to-datetime")));
    if (options_.has("by-duration")) {
      int64_t then = SystemClock().wall_ms() - parse_duration(options_.value("by-duration"));
      return to_time(client_, partitions, then);
    }
    OffsetPlan wanted;
    if (auto offset = options_.number("to-offset")) {
      for (const auto& partition : partitions) wanted[partition] = *offset;
      return within_log(client_, wanted);
    }
    auto committed = client_.committed_offsets(group);
    if (auto shift = options_.number("shift-by")) {
      for (const auto& partition : partitions) {
        auto current = committed.find(partition);
        if (current == committed.end()) {
          throw illegal_argument("Cannot shift offset for partition " + partition.to_string() +
                                 " since there is no current committed offset");
        }
        wanted[partition] = current->second.offset + *shift;
      }
      return within_log(client_, wanted);
    }
    std::vector<TopicPartition> without;
    for (const auto& partition : partitions) {
      auto current = committed.find(partition);
      if (current == committed.end())
        without.push_back(partition);
      else
        wanted[partition] = current->second.offset;
    }
    wanted.merge(to_end(client_, without, kLatest));
    return wanted;
  }

  void commit(const std::string& group, const OffsetPlan& plan) {
    std::map<TopicPartition, CommittedOffset> offsets;
    for (const auto& [partition, offset] : plan) offsets[partition] = {offset, -1, ""};
    client_.alter_offsets(group, offsets);
  }

  static void print_plans(const std::map<std::string, OffsetPlan>& plans) {
    auto line = [](const std::string& group, const std::string& topic, const std::string& partition,
                   const std::string& offset) {
      std::string text = pad_right(group, 30) + " " + pad_right(topic, 30) + " " +
                         pad_right(partition, 10) + " " + pad_right(offset, 15);
      std::puts(text.c_str());
    };
    std::putchar('\n');
    line("GROUP", "TOPIC", "PARTITION", "NEW-OFFSET");
    for (const auto& [group, plan] : plans) {
      for (const auto& [partition, offset] : plan) {
        line(group, partition.topic, std::to_string(partition.partition.value()),
             std::to_string(offset));
      }
    }
  }

  const Options& options_;
  AdminClient client_;
};

int run(int argc, char** argv) {
  Options options = Options::parse_or_exit(kProgram, argc, argv);
  check(options);
  Properties properties = command_config(options);
  try {
    GroupCommand(options, properties).run();
  } catch (const KafkaError& error) {
    if (error.java_class() == "java.lang.IllegalArgumentException")
      exit_with_usage(kProgram, error.message());
    // The official tool reports the error and ends with 0.
    bool remote = error.java_class().starts_with("org.apache.kafka.common.errors.");
    print_error("Executing consumer group command failed due to " +
                (remote ? error.to_string() : error.message()));
    std::fprintf(stderr, "%s%s\n", remote ? "java.util.concurrent.ExecutionException: " : "",
                 error.to_string().c_str());
  }
  return 0;
}

}  // namespace
}  // namespace odradek::broker::cli

int main(int argc, char** argv) { return odradek::broker::cli::run(argc, argv); }
