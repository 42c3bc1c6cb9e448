// kafka-configs: shows and changes settings of topics, brokers and their loggers.

#include <algorithm>
#include <array>
#include <cstdio>
#include <set>

#include "broker/cli/config_command.h"
#include "broker/cli/tool_support.h"
#include "common/cli/options.h"
#include "common/cli/text.h"

namespace odradek::broker::cli {
namespace {

using odradek::cli::Arg;
using odradek::cli::exit_not_yet;
using odradek::cli::exit_with_usage;
using odradek::cli::join;
using odradek::cli::Options;
using odradek::cli::OptionSpec;
using odradek::cli::Program;

constexpr std::array kOptions = {
    OptionSpec{"add-config", Arg::required, "String",
               "Settings to add, 'k1=v1,k2=[v1,v2,v2],k3=v3'."},
    OptionSpec{"add-config-file", Arg::required, "String",
               "A properties file with settings to add."},
    OptionSpec{"all", Arg::none, "",
               "With --describe: all settings, not only those set for the entity."},
    OptionSpec{"alter", Arg::none, "", "Change settings."},
    OptionSpec{"bootstrap-server", Arg::required, "String: server to connect to",
               "The brokers to start from, HOST1:PORT1,HOST2:PORT2."},
    OptionSpec{"broker", Arg::required, "String", "The broker of this id."},
    OptionSpec{"broker-defaults", Arg::none, "", "What holds for all brokers."},
    OptionSpec{"broker-logger", Arg::required, "String", "The loggers of the broker of this id."},
    OptionSpec{"client", Arg::required, "String", "The client of this id."},
    OptionSpec{"client-defaults", Arg::none, "", "What holds for all clients."},
    OptionSpec{"command-config", Arg::required, "String: command config property file",
               "A properties file with settings of the admin client."},
    OptionSpec{"delete-config", Arg::required, "String", "Settings to remove, 'k1,k2'."},
    OptionSpec{"describe", Arg::none, "", "Show settings."},
    OptionSpec{"entity-default", Arg::none, "", "The default entity of the type before it."},
    OptionSpec{"entity-name", Arg::required, "String", "Name of the entity of the type before it."},
    OptionSpec{"entity-type", Arg::required, "String",
               "Type of the entity: topics, clients, users, brokers, ips or broker-loggers."},
    OptionSpec{"force", Arg::none, "", "Ask nothing."},
    OptionSpec{"help", Arg::none, "", "Print this table."},
    OptionSpec{"ip", Arg::required, "String", "The IP address."},
    OptionSpec{"ip-defaults", Arg::none, "", "What holds for all IP addresses."},
    OptionSpec{"topic", Arg::required, "String", "The topic of this name."},
    OptionSpec{"user", Arg::required, "String", "The user of this name."},
    OptionSpec{"user-defaults", Arg::none, "", "What holds for all users."},
    OptionSpec{"version", Arg::none, "", "Print the version."},
    OptionSpec{"zk-tls-config-file", Arg::required, "String: ZooKeeper TLS configuration",
               "TLS to ZooKeeper; not here yet."},
    OptionSpec{"zookeeper", Arg::required, "String: urls",
               "As Kafka 2.5 has it: work on the znodes, HOST:PORT/CHROOT."},
};
constexpr Program kProgram{
    "kafka-configs",
    "This tool helps to manipulate and describe entity config for a topic, client, user, "
    "broker or ip",
    kOptions};

struct Flag {
  std::string_view option;
  std::string_view type;
};
constexpr Flag kNamed[] = {{"topic", "topics"},
                           {"client", "clients"},
                           {"user", "users"},
                           {"broker", "brokers"},
                           {"broker-logger", "broker-loggers"},
                           {"ip", "ips"}};
constexpr Flag kDefaults[] = {{"client-defaults", "clients"},
                              {"user-defaults", "users"},
                              {"broker-defaults", "brokers"},
                              {"ip-defaults", "ips"}};

// --entity-type, --entity-name and --entity-default belong together by their order on the command
// line.
std::vector<ConfigEntity> typed_entities(int argc, char** argv, const Options& options) {
  std::vector<ConfigEntity> entities;
  for (const auto& type : options.values("entity-type")) entities.push_back({type, std::nullopt});
  std::vector<std::string> names;
  auto given = options.values("entity-name");
  size_t next = 0;
  for (int i = 1; i < argc; ++i) {
    std::string_view word(argv[i]);
    while (word.starts_with('-')) word.remove_prefix(1);
    if (word.starts_with("entity-n") && next < given.size())
      names.push_back(given[next++]);
    else if (word.starts_with("entity-d"))
      names.emplace_back();
  }
  for (size_t i = 0; i < entities.size() && i < names.size(); ++i) entities[i].name = names[i];
  return entities;
}

std::vector<ConfigEntity> entities_of(int argc, char** argv, const Options& options) {
  bool typed =
      options.has("entity-type") || options.has("entity-name") || options.has("entity-default");
  std::vector<ConfigEntity> flagged;
  for (const auto& flag : kNamed) {
    if (auto name = options.find(flag.option)) flagged.push_back({std::string(flag.type), *name});
  }
  for (const auto& flag : kDefaults) {
    if (options.has(flag.option)) flagged.push_back({std::string(flag.type), std::string()});
  }
  for (const auto& type : options.values("entity-type")) {
    for (const auto& entity : flagged) {
      if (entity.type == type)
        throw illegal_argument("Duplicate entity type(s) specified: " + type);
    }
  }
  if (typed && !flagged.empty()) {
    throw illegal_argument(
        "--entity-{type,name,default} should not be used in conjunction with specific entity "
        "flags");
  }
  return typed ? typed_entities(argc, argv, options) : flagged;
}

void check_entities(const Options& options, const std::vector<ConfigEntity>& entities) {
  std::vector<std::string> types;
  std::set<std::string> distinct;
  for (const auto& entity : entities) {
    types.push_back(entity.type);
    distinct.insert(entity.type);
  }
  if (distinct.size() != types.size())
    throw illegal_argument("Duplicate entity type(s) specified: " + join(types, ","));
  bool brokers = options.has("bootstrap-server");
  std::vector<std::string> allowed =
      brokers ? std::vector<std::string>{"topics",  "clients", "users",
                                         "brokers", "ips",     "broker-loggers"}
              : std::vector<std::string>{"topics", "clients", "users", "brokers"};
  for (const auto& type : types) {
    if (std::find(allowed.begin(), allowed.end(), type) == allowed.end()) {
      throw illegal_argument("Invalid entity type " + type + ", the entity type must be one of " +
                             join(allowed, ", ") + " with the " +
                             (brokers ? "--bootstrap-server" : "--zookeeper") + " argument");
    }
  }
  if (types.empty()) throw illegal_argument("At least one entity type must be specified");
  if (types.size() > 1 && distinct != std::set<std::string>{"users", "clients"}) {
    throw illegal_argument("Only 'users' and 'clients' entity types may be specified together");
  }
  if (brokers == options.has("zookeeper")) {
    throw illegal_argument(
        brokers
            ? "Only one of --bootstrap-server or --zookeeper must be specified"
            : "One of the required --bootstrap-server or --zookeeper arguments must be specified");
  }
  if (options.has("all") && !brokers)
    throw illegal_argument("--bootstrap-server must be specified for --all");
  const ConfigEntity& first = entities[0];
  bool named = std::any_of(entities.begin(), entities.end(),
                           [](const auto& e) { return e.name && !e.name->empty(); });
  bool defaults = std::any_of(entities.begin(), entities.end(),
                              [](const auto& e) { return e.name && e.name->empty(); });
  if (named && (first.type == "brokers" || first.type == "broker-loggers") &&
      !odradek::cli::parse_int(*first.name)) {
    throw illegal_argument("The entity name for " + first.type +
                           " must be a valid integer broker id, but it is: " + *first.name);
  }
  if (options.has("describe") && first.type == "broker-loggers" && !named) {
    throw illegal_argument("an entity name must be specified with --describe of broker-loggers");
  }
  if (!options.has("alter")) return;
  bool may_default = first.type == "users" || first.type == "clients" || first.type == "brokers" ||
                     first.type == "ips";
  if (may_default && !named && !defaults) {
    throw illegal_argument(
        "an entity-name or default entity must be specified with --alter of users, clients, "
        "brokers or ips");
  }
  if (!may_default && !named)
    throw illegal_argument("an entity name must be specified with --alter of " + join(types, ","));
  if (options.has("add-config") && options.has("add-config-file")) {
    throw illegal_argument("Only one of --add-config or --add-config-file must be specified");
  }
  if (options.count({"add-config", "add-config-file", "delete-config"}) == 0) {
    throw illegal_argument(
        "At least one of --add-config, --add-config-file, or --delete-config must be specified "
        "with --alter");
  }
}

ConfigRequest parse(int argc, char** argv, const Options& options) {
  ConfigRequest request;
  request.entities = entities_of(argc, argv, options);
  check_entities(options, request.entities);
  // Users come before their clients in paths.
  std::sort(request.entities.begin(), request.entities.end(),
            [](const auto& a, const auto& b) { return a.type > b.type; });
  request.alter = options.has("alter");
  request.describe_all = options.has("all");
  if (auto file = options.find("add-config-file")) {
    auto loaded = load_properties(*file);
    if (!loaded) throw illegal_argument(loaded.error().what());
    for (const auto& [key, value] : *loaded) request.add[key] = value;
  }
  if (auto text = options.find("add-config")) request.add = parse_added_configs(*text);
  if (auto text = options.find("delete-config")) {
    for (const auto& key : odradek::cli::split(*text, ','))
      request.remove.emplace_back(odradek::cli::trim(key));
  }
  return request;
}

int run(int argc, char** argv) {
  Options options = Options::parse_or_exit(kProgram, argc, argv);
  options.help_or_version();
  if (options.count({"alter", "describe"}) != 1) {
    exit_with_usage(kProgram, "Command must include exactly one action: --describe, --alter");
  }
  options.forbid_with("describe", {"add-config", "delete-config"});
  if (options.has("zk-tls-config-file"))
    exit_not_yet(kProgram, "--zk-tls-config-file: TLS to ZooKeeper comes with a later version.");
  Properties properties = command_config(options);
  try {
    ConfigRequest request = parse(argc, argv, options);
    if (options.has("zookeeper")) {
      std::puts(
          "Warning: --zookeeper is deprecated and will be removed in a future version of Kafka.");
      std::puts("Use --bootstrap-server instead to specify a broker to connect to.");
      configs_on_znodes(options.value("zookeeper"), request);
      return 0;
    }
    const std::string& type = request.entities[0].type;
    if (type == "users" || type == "clients" || type == "ips") {
      exit_not_yet(kProgram, "--entity-type " + type +
                                 ": quotas and SCRAM credentials come with a later version.");
    }
    configs_through_brokers(options.value("bootstrap-server"), properties, request);
    return 0;
  } catch (const KafkaError& error) {
    std::fflush(stdout);
    bool plain =
        error.code() == 0 && (error.java_class() == "java.lang.IllegalArgumentException" ||
                              error.java_class().ends_with(".InvalidConfigurationException"));
    if (plain) {
      std::fprintf(stderr, "%s\n", error.message().c_str());
      return 1;
    }
    std::vector<std::string> words(argv + 1, argv + argc);
    std::fprintf(stderr,
                 "Error while executing config command with args "
                 "'%s'\njava.util.concurrent.ExecutionException: %s\n",
                 join(words, " ").c_str(), error.to_string().c_str());
    return 1;
  }
}

}  // namespace
}  // namespace odradek::broker::cli

int main(int argc, char** argv) { return odradek::broker::cli::run(argc, argv); }
