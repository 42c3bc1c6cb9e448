#pragma once
// The log facade: one line an event, to the file that Kafka's users look at. spdlog stands behind it in log.cc only.
//   LOG_INFO("server", "Topic {} made with {} partitions", name, count);
// Loggers are named as Kafka's files: "server", "controller", "state-change", "zookeeper"; and
// "zookeeper_audit", whose file has ZooKeeper's format and is rolled.
// The log_to_* calls below are thread-safe. Before log_open, lines go to standard error.

#include <fmt/core.h>

#include <cstdint>
#include <string>

namespace odradek {

enum class LogLevel { trace, debug, info, warn, error, off };

struct LogOptions {
  std::string directory;       // empty: standard output only
  std::string main_logger;     // "server" or "zookeeper": where lines of loggers without a file of their own go
  LogLevel level = LogLevel::info;
  bool to_stdout = true;       // as Kafka's foreground start does
};

void log_open(const LogOptions& options);
bool log_enabled(std::string_view logger, LogLevel level);
void log_write(std::string_view logger, LogLevel level, fmt::string_view format, fmt::format_args args);
void log_flush();

template <typename... Args>
void log_line(std::string_view logger, LogLevel level, fmt::format_string<Args...> format, Args&&... args) {
  if (log_enabled(logger, level)) log_write(logger, level, format, fmt::make_format_args(args...));
}

}  // namespace odradek

#define LOG_DEBUG(logger, ...) ::odradek::log_line(logger, ::odradek::LogLevel::debug, __VA_ARGS__)
#define LOG_INFO(logger, ...) ::odradek::log_line(logger, ::odradek::LogLevel::info, __VA_ARGS__)
#define LOG_WARN(logger, ...) ::odradek::log_line(logger, ::odradek::LogLevel::warn, __VA_ARGS__)
#define LOG_ERROR(logger, ...) ::odradek::log_line(logger, ::odradek::LogLevel::error, __VA_ARGS__)
