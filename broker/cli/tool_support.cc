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

Properties file_properties(const odradek::cli::Options& options, std::string_view file_option) {
  auto file = options.find(file_option);
  if (!file) return {};
  auto loaded = load_properties(*file);
  if (!loaded) fail(loaded.error());
  return std::move(*loaded);
}

Properties argument_properties(const odradek::cli::Options& options,
                               std::string_view argument_option) {
  auto parsed = parse_properties(options.values(argument_option), true);
  if (!parsed) fail(parsed.error());
  return std::move(*parsed);
}

Properties given_properties(const odradek::cli::Options& options, std::string_view file_option,
                            std::string_view argument_option) {
  Properties from_file = file_properties(options, file_option);
  Properties properties = argument_properties(options, argument_option);
  properties.merge(from_file);  // a key that is there stays
  return properties;
}

volatile std::sig_atomic_t stop_signal = 0;

void stop_on_signals() {
  struct sigaction action {};
  action.sa_handler = [](int signal) { stop_signal = signal; };
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
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
