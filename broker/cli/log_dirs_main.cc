// kafka-log-dirs: which replicas lie in which directory of which broker, as JSON.

#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "broker/cli/admin_client.h"
#include "broker/cli/tool_support.h"
#include "common/cli/options.h"
#include "common/cli/text.h"

namespace odradek::broker::cli {
namespace {

using odradek::cli::Arg;
using odradek::cli::Options;
using odradek::cli::OptionSpec;
using odradek::cli::Program;
using Json = nlohmann::ordered_json;

constexpr std::array kOptions = {
    OptionSpec{"bootstrap-server", Arg::required, "String: The server(s) to use for bootstrapping",
               "REQUIRED: the brokers to start from."},
    OptionSpec{"broker-list", Arg::required, "String: Broker list",
               "Only these brokers, as 0,1,2; all where it is not given."},
    OptionSpec{"command-config", Arg::required, "String: Admin client property file",
               "A properties file with settings of the admin client."},
    OptionSpec{"describe", Arg::none, "", "REQUIRED: tell of the log directories."},
    OptionSpec{"help", Arg::none, "", "Print this table."},
    OptionSpec{"topic-list", Arg::required, "String: Topic list",
               "Only these topics, as t1,t2; all where it is not given."},
    OptionSpec{"version", Arg::none, "", "Print the version."},
};
constexpr Program kProgram{
    "kafka-log-dirs",
    "This tool helps to query log directory usage on the specified brokers.", kOptions};

std::vector<std::string> names_of(const Options& options, std::string_view option) {
  std::vector<std::string> names;
  for (const auto& name : odradek::cli::split(options.value(option), ',')) {
    if (!name.empty()) names.push_back(name);
  }
  return names;
}

// The brokers of --broker-list, or all; nothing where one of them is not there, which is said.
std::vector<Node> chosen(const Options& options, std::vector<Node> nodes) {
  std::sort(nodes.begin(), nodes.end(), [](const Node& a, const Node& b) { return a.id < b.id; });
  std::vector<std::string> there, missing;
  for (const Node& node : nodes) there.push_back(std::to_string(node.id));
  const std::vector<std::string> asked = names_of(options, "broker-list");
  std::vector<Node> found;
  for (const std::string& text : asked) {
    auto id = odradek::cli::parse_int(odradek::cli::trim(text));
    if (!id) {
      odradek::cli::exit_uncaught("java.lang.NumberFormatException",
                                  "For input string: \"" + text + "\"");
    }
    auto node = std::find_if(nodes.begin(), nodes.end(),
                             [&](const Node& known) { return known.id == *id; });
    if (node == nodes.end()) {
      missing.push_back(text);
    } else {
      found.push_back(*node);
    }
  }
  if (!missing.empty()) {
    std::fprintf(stderr,
                 "ERROR: The given brokers do not exist from --broker-list: %s. Current existent "
                 "brokers: %s\n",
                 odradek::cli::join(missing, ",").c_str(), odradek::cli::join(there, ",").c_str());
    return {};
  }
  return asked.empty() ? nodes : found;
}

Json directory_json(const AdminClient::LogDirectory& directory) {
  Json partitions = Json::array();
  for (const auto& topic : directory.topics) {
    for (const auto& partition : topic.partitions) {
      partitions.push_back({{"partition", topic.name + "-" + std::to_string(partition.partition_index)},
                            {"size", partition.partition_size},
                            {"offsetLag", partition.offset_lag},
                            {"isFuture", partition.is_future_key}});
    }
  }
  Json error;
  if (directory.error_code != 0) error = KafkaError(directory.error_code).java_class();
  return {{"logDir", directory.log_dir}, {"error", error}, {"partitions", partitions}};
}

void act(const Options& options, const Properties& properties) {
  AdminClient client(options.value("bootstrap-server"), properties);
  const std::vector<Node> nodes = chosen(options, client.describe_cluster().nodes);
  if (nodes.empty()) return;
  const std::vector<std::string> topics = names_of(options, "topic-list");
  std::puts("Querying brokers for log directories information");
  Json brokers = Json::array();
  std::vector<std::string> ids;
  for (const Node& node : nodes) {
    Json directories = Json::array();
    for (const auto& directory : client.describe_log_dirs(node, topics)) {
      directories.push_back(directory_json(directory));
    }
    brokers.push_back({{"broker", node.id}, {"logDirs", directories}});
    ids.push_back(std::to_string(node.id));
  }
  std::printf("Received log directory information from brokers %s\n",
              odradek::cli::join(ids, ",").c_str());
  std::puts(Json({{"version", 1}, {"brokers", brokers}}).dump().c_str());
}

int run(int argc, char** argv) {
  Options options = Options::parse_or_exit(kProgram, argc, argv);
  options.help_or_version();
  options.require({"bootstrap-server", "describe"});
  Properties properties = command_config(options);
  try {
    act(options, properties);
    return 0;
  } catch (const KafkaError& error) {
    odradek::cli::exit_uncaught(error.java_class(), error.message());
  }
}

}  // namespace
}  // namespace odradek::broker::cli

int main(int argc, char** argv) { return odradek::broker::cli::run(argc, argv); }
