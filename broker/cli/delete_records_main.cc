// kafka-delete-records: moves the starts of partitions up to the offsets of a JSON file.

#include <array>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "broker/cli/admin_client.h"
#include "broker/cli/tool_support.h"
#include "common/cli/options.h"

namespace odradek::broker::cli {
namespace {

using odradek::cli::Arg;
using odradek::cli::Options;
using odradek::cli::OptionSpec;
using odradek::cli::Program;
using Json = nlohmann::json;

constexpr std::array kOptions = {
    OptionSpec{"bootstrap-server", Arg::required, "String: server(s) to use for bootstrapping",
               "REQUIRED: the brokers to start from."},
    OptionSpec{"command-config", Arg::required, "String: command config property file path",
               "A properties file with settings of the admin client."},
    OptionSpec{"help", Arg::none, "", "Print this table."},
    OptionSpec{"offset-json-file", Arg::required, "String: Offset json file path",
               "REQUIRED: the first offset to be kept of each partition, -1 for the high watermark: "
               "{\"partitions\": [{\"topic\": \"foo\", \"partition\": 1, \"offset\": 1}], "
               "\"version\": 1}"},
    OptionSpec{"version", Arg::none, "", "Print the version."},
};
constexpr Program kProgram{
    "kafka-delete-records",
    "This tool helps to delete records of the given partitions down to the specified offset.",
    kOptions};

constexpr const char* kOperation = "kafka.common.AdminCommandFailedException";
constexpr const char* kBadFile = "kafka.admin.AdminOperationException";

std::string text_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    throw KafkaError("java.nio.file.NoSuchFileException", path);
  }
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

std::map<TopicPartition, int64_t> offsets_of(const std::string& text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) throw KafkaError(kBadFile, "The input string is not a valid JSON");
  if (json.contains("version") && json["version"] != 1) {
    throw KafkaError(kBadFile, "Not supported version field value " + json["version"].dump());
  }
  if (!json.contains("partitions")) throw KafkaError(kBadFile, "Missing partitions field");
  std::map<TopicPartition, int64_t> offsets;
  std::string twice;
  try {
    for (const Json& row : json["partitions"]) {
      const TopicPartition partition{row.at("topic").get<std::string>(),
                                     PartitionId(row.at("partition").get<int32_t>())};
      if (!offsets.emplace(partition, row.at("offset").get<int64_t>()).second) {
        twice += (twice.empty() ? "" : ",") + partition.to_string();
      }
    }
  } catch (const Json::exception& wrong) {
    throw KafkaError(kBadFile, std::string("A row of partitions is not right, which needs topic, "
                                           "partition and offset: ") +
                                   wrong.what());
  }
  if (!twice.empty()) {
    throw KafkaError(kOperation, "Offset json file contains duplicate topic partitions: " + twice);
  }
  return offsets;
}

void act(const Options& options, const Properties& properties) {
  const auto offsets = offsets_of(text_of(options.value("offset-json-file")));
  AdminClient client(options.value("bootstrap-server"), properties);
  std::puts("Executing records delete operation");
  const auto deleted = client.delete_records(offsets);
  std::puts("Records delete operation completed:");
  for (const auto& [partition, answer] : deleted) {
    if (answer.error != 0) {
      std::printf("partition: %s\terror: %s\n", partition.to_string().c_str(),
                  KafkaError(answer.error).to_string().c_str());
    } else {
      std::printf("partition: %s\tlow_watermark: %lld\n", partition.to_string().c_str(),
                  static_cast<long long>(answer.low_watermark));
    }
  }
}

int run(int argc, char** argv) {
  Options options = Options::parse_or_exit(kProgram, argc, argv);
  options.help_or_version();
  options.require({"bootstrap-server", "offset-json-file"});
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
