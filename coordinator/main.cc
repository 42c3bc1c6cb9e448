// coordinator CONFIG.properties [--override key=value]…
// Wiring only: reads the options, starts the service, waits for SIGTERM or SIGINT.

#include <sys/resource.h>

#include <cstdio>
#include <cstring>
#include <string>

#include "common/config/arguments.h"
#include "common/config/java_memory.h"
#include "common/config/java_options.h"
#include "common/config/properties.h"
#include "common/config/setting.h"
#include "common/config/settings.h"
#include "common/fs/real_file_system.h"
#include "common/log/log.h"
#include "common/runtime/process.h"
#include "coordinator/server/service.h"

namespace {

using namespace odradek;

constexpr const char* kUsage = "usage: coordinator CONFIG.properties [--override key=value]...";

void warn_of_tmp(const config::Settings& settings) {
  std::string data_dir = settings.get_string("dataDir");
  if (data_dir != "/tmp" && !data_dir.starts_with("/tmp/")) return;
  LOG_WARN("zookeeper",
           "{} is below /tmp, which many systems empty at boot: change this line to a directory "
           "that stays, for example dataDir=/var/lib/zookeeper",
           settings.place("dataDir"));
}

// To what the system lets it have, as a JVM does: connections are descriptors.
void raise_open_files() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

Result<void> run(int argc, char** argv, const sigset_t& ends) {
  auto arguments = config::read_arguments(argc, argv, kUsage);
  if (!arguments) return arguments.error();
  fs::RealFileSystem file_system;
  auto properties = config::Properties::read(file_system, arguments->file);
  if (!properties) return properties.error();
  std::vector<config::JavaProperty> java;
  for (const char* variable : {"KAFKA_OPTS", "SERVER_JVMFLAGS", "JVMFLAGS"}) {
    for (auto& one : config::java_properties(variable, config::environment(variable))) {
      java.push_back(std::move(one));
    }
  }
  std::vector<std::string> unknown;
  config::add_java_settings(config::zookeeper_settings(), java, *properties, unknown);
  auto settings =
      config::load_settings(config::zookeeper_settings(), *properties, arguments->overrides);
  if (!settings) return settings.error();
  auto budget = config::heap_budget("KAFKA_HEAP_OPTS", config::environment("KAFKA_HEAP_OPTS"));
  if (!budget) return budget.error();
  coordinator::server::ServiceOptions options;
  if (*budget) options.memory_budget_bytes = static_cast<size_t>(**budget);
  auto server = coordinator::server::server_settings(*settings, java, file_system,
                                                     options.memory_budget_bytes);
  if (!server) return server.error();

  LogOptions log;
  log.directory = config::environment("LOG_DIR");
  log.main_logger = "zookeeper";
  log_open(log);
  settings->log_findings("zookeeper");
  for (const std::string& option : unknown) {
    LOG_INFO("zookeeper", "{} has no meaning here", option);
  }
  for (const std::string& note : server->auth.notes) LOG_INFO("zookeeper", "{}", note);
  warn_of_tmp(*settings);

  options.settings = *std::move(server);
  auto service = coordinator::server::Service::start(std::move(options));
  if (!service) return service.error();
  LOG_INFO("zookeeper", "Stopping on {}", strsignal(runtime::wait_for_end(ends)));
  (*service)->stop();
  LOG_INFO("zookeeper", "Stopped");
  log_flush();
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  runtime::spare_heap();
  const sigset_t ends = runtime::block_end_signals();
  raise_open_files();
  try {
    if (auto ran = run(argc, argv, ends); !ran) {
      log_flush();
      std::fprintf(stderr, "coordinator: %s\n", ran.error().what().c_str());
      return 1;
    }
  } catch (const std::exception& e) {
    std::fprintf(stderr, "coordinator: %s\n", e.what());
    return 1;
  }
  return 0;
}
