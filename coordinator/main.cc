// coordinator CONFIG.properties [--override key=value]…
// Wiring only: reads the options, starts the service, waits for SIGTERM or SIGINT.

#include <malloc.h>
#include <signal.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "common/format.h"
#include "common/config/java_memory.h"
#include "common/config/properties.h"
#include "common/config/setting.h"
#include "common/config/settings.h"
#include "common/fs/real_file_system.h"
#include "common/log/log.h"
#include "coordinator/server/service.h"

namespace {

using namespace odradek;

constexpr const char* kUsage = "usage: coordinator CONFIG.properties [--override key=value]...";

struct Arguments {
  std::string config;
  std::vector<std::string> overrides;
};

Result<Arguments> read_arguments(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    std::string word = argv[i];
    if (word == "--override") {
      if (++i == argc) return Error(Errc::invalid_argument, "--override wants key=value");
      arguments.overrides.emplace_back(argv[i]);
    } else if (word.starts_with("--override=")) {
      arguments.overrides.push_back(word.substr(std::string("--override=").size()));
    } else if (arguments.config.empty() && !word.starts_with("-")) {
      arguments.config = word;
    } else {
      return Error(Errc::invalid_argument, odradek::format("unknown argument {}\n{}", word, kUsage));
    }
  }
  if (arguments.config.empty()) return Error(Errc::invalid_argument, kUsage);
  return arguments;
}

const char* environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

void warn_of_tmp(const config::Settings& settings) {
  std::string data_dir = settings.get_string("dataDir");
  if (data_dir != "/tmp" && !data_dir.starts_with("/tmp/")) return;
  LOG_WARN("zookeeper",
           "{} is below /tmp, which many systems empty at boot: change this line to a directory "
           "that stays, for example dataDir=/var/lib/zookeeper",
           settings.place("dataDir"));
}

Result<void> run(int argc, char** argv, const sigset_t& ends) {
  auto arguments = read_arguments(argc, argv);
  if (!arguments) return arguments.error();
  fs::RealFileSystem file_system;
  auto properties = config::Properties::read(file_system, arguments->config);
  if (!properties) return properties.error();
  auto settings =
      config::load_settings(config::zookeeper_settings(), *properties, arguments->overrides);
  if (!settings) return settings.error();
  auto server = coordinator::server::server_settings(*settings);
  if (!server) return server.error();
  auto budget = config::heap_budget("KAFKA_HEAP_OPTS", environment("KAFKA_HEAP_OPTS"));
  if (!budget) return budget.error();

  LogOptions log;
  log.directory = environment("LOG_DIR");
  log.main_logger = "zookeeper";
  log_open(log);
  settings->log_findings("zookeeper");
  warn_of_tmp(*settings);

  coordinator::server::ServiceOptions options;
  options.settings = *std::move(server);
  if (*budget) options.memory_budget_bytes = static_cast<size_t>(**budget);
  auto service = coordinator::server::Service::start(std::move(options));
  if (!service) return service.error();
  int signal = 0;
  sigwait(&ends, &signal);
  LOG_INFO("zookeeper", "Stopping on {}", strsignal(signal));
  (*service)->stop();
  LOG_INFO("zookeeper", "Stopped");
  log_flush();
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  // few arenas: threads here allocate little, and each arena keeps what it once had
  mallopt(M_ARENA_MAX, 2);
  mallopt(M_TRIM_THRESHOLD, 256 << 10);
  // every thread inherits the mask; the main thread takes these by sigwait
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  // a terminal that closes ends us too, unless started by nohup
  struct sigaction hangup {};
  sigaction(SIGHUP, nullptr, &hangup);
  if (hangup.sa_handler != SIG_IGN) sigaddset(&ends, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  signal(SIGPIPE, SIG_IGN);
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
