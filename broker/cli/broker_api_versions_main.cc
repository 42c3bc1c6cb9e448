// kafka-broker-api-versions: which APIs and versions each broker serves.

#include <algorithm>
#include <array>
#include <cstdio>

#include "broker/cli/admin_client.h"
#include "broker/cli/tool_support.h"
#include "common/cli/options.h"
#include "proto/kafka/all.h"
#include "proto/kafka/api_keys.h"
#include "proto/kafka/api_list.h"

namespace odradek::broker::cli {
namespace {

using odradek::cli::Arg;
using odradek::cli::Options;
using odradek::cli::OptionSpec;
using odradek::cli::Program;

constexpr std::array kOptions = {
    OptionSpec{"bootstrap-server", Arg::required, "String: server(s) to use for bootstrapping",
               "REQUIRED: the brokers to start from, HOST1:PORT1,HOST2:PORT2."},
    OptionSpec{"command-config", Arg::required, "String: command config property file",
               "A properties file with settings of the admin client."},
    OptionSpec{"help", Arg::none, "", "Print this table."},
    OptionSpec{"version", Arg::none, "", "Print the version."},
};
constexpr Program kProgram{"kafka-broker-api-versions",
                           "This tool helps to retrieve broker version information.", kOptions};

// The highest API of clients of 3.5; above it an API that a broker lacks is not worth a line.
constexpr int16_t kLastClientApi = 68;
constexpr int16_t kControllerApis[] = {52, 53, 54, 55, 59, 62, 63, 64};

struct Known {
  int16_t key;
  VersionRange versions;
};

// What this program can speak itself.
const std::vector<Known>& own_versions() {
  static const std::vector<Known> known = {
#define ODRADEK_ROW(Api)              \
  Known{kafka::Api##Request::kApiKey, \
        {kafka::Api##Request::kMinVersion, kafka::Api##Request::kMaxVersion}},
      ODRADEK_KAFKA_APIS(ODRADEK_ROW)
#undef ODRADEK_ROW
  };
  return known;
}

std::string usable(int16_t key, VersionRange served) {
  int16_t best = served.max;
  for (const auto& own : own_versions()) {
    if (own.key != key) continue;
    if (own.versions.max < served.min) return " [unusable: node too new]";
    if (own.versions.min > served.max) return " [unusable: node too old]";
    best = std::min(best, own.versions.max);
  }
  return " [usable: " + std::to_string(best) + "]";
}

std::string api_line(int16_t key, const std::map<int16_t, VersionRange>& served) {
  auto api = kafka::find_api(key);
  std::string name =
      (api ? std::string(kafka::name_of(*api)) : "UNKNOWN") + "(" + std::to_string(key) + "): ";
  auto found = served.find(key);
  if (found == served.end()) return name + "UNSUPPORTED";
  VersionRange range = found->second;
  name += std::to_string(range.min);
  if (range.max != range.min) name += " to " + std::to_string(range.max);
  return api ? name + usable(key, range) : name;
}

std::string describe(const Node& node, const std::map<int16_t, VersionRange>& served) {
  std::map<int16_t, std::string> lines;
  for (const auto& [key, range] : served) lines[key] = api_line(key, served);
  for (int16_t key = 0; key <= kLastClientApi; ++key) {
    bool controller = std::find(std::begin(kControllerApis), std::end(kControllerApis), key) !=
                      std::end(kControllerApis);
    if (!controller && kafka::find_api(key)) lines[key] = api_line(key, served);
  }
  std::string out = node.host + ":" + std::to_string(node.port) +
                    " (id: " + std::to_string(node.id) + " rack: " + node.rack.value_or("null") +
                    ") -> (\n";
  size_t left = lines.size();
  for (const auto& [key, line] : lines) out += "\t" + line + (--left > 0 ? ",\n" : "\n");
  return out + ")\n";
}

int run(int argc, char** argv) {
  Options options = Options::parse_or_exit(kProgram, argc, argv);
  options.help_or_version();
  options.require({"bootstrap-server"});
  Properties properties = command_config(options);
  try {
    AdminClient client(options.value("bootstrap-server"), properties);
    for (const auto& node : client.describe_cluster().nodes) {
      try {
        std::fputs(describe(node, client.api_versions(node)).c_str(), stdout);
      } catch (const KafkaError& error) {
        std::printf("%s:%d (id: %d rack: %s) -> ERROR: %s\n", node.host.c_str(), node.port, node.id,
                    node.rack.value_or("null").c_str(), error.to_string().c_str());
      }
    }
    return 0;
  } catch (const KafkaError& error) {
    odradek::cli::exit_uncaught(error.java_class(), error.message());
  }
}

}  // namespace
}  // namespace odradek::broker::cli

int main(int argc, char** argv) { return odradek::broker::cli::run(argc, argv); }
