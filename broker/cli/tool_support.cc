#include "broker/cli/tool_support.h"

#include <cstdio>
#include <cstdlib>

#include "common/cli/text.h"

namespace odradek::broker::cli {

Properties command_config(const odradek::cli::Options& options, std::string_view option) {
  auto file = options.find(option);
  if (!file) return {};
  auto loaded = load_properties(*file);
  if (!loaded) odradek::cli::exit_uncaught("java.io.IOException", loaded.error().what());
  if (auto secure = check_security(*loaded); !secure) {
    odradek::cli::exit_not_yet(options.program(), secure.error().what());
  }
  return std::move(*loaded);
}

void fail(const Error& error) {
  std::fflush(stdout);
  std::fprintf(stderr, "%s\n", error.what().c_str());
  std::exit(1);
}

void log_exception(const KafkaError& error, std::string_view logger) {
  odradek::cli::log_line("ERROR", error.to_string() + "\n", logger);
}

}  // namespace odradek::broker::cli
