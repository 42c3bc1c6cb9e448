#define FMT_HEADER_ONLY
#include "common/log/log.h"

#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <map>
#include <mutex>

#include "common/log/rolling_file.h"

namespace odradek {

namespace {

// Kafka's line: [2026-01-31 12:00:00,123] INFO text (logger)
constexpr const char* kPattern = "[%Y-%m-%d %H:%M:%S,%e] %l %v (%n)";
// ZooKeeper's audit log, in the format and the sizes of its own logging configuration.
constexpr std::string_view kAuditLogger = "zookeeper_audit";
constexpr const char* kAuditPattern = "%Y-%m-%d %H:%M:%S,%e %l o.a.z.a.Slf4jAuditLogger: %v";
constexpr size_t kAuditBytes = 10 << 20;
constexpr int kAuditFiles = 10;

struct Loggers {
  std::mutex mutex;
  LogOptions options{.directory = "", .main_logger = "server", .level = LogLevel::info, .to_stdout = true};
  bool opened = false;
  std::map<std::string, std::shared_ptr<spdlog::logger>, std::less<>> by_name;
  std::map<std::string, spdlog::sink_ptr> files;
};

Loggers& loggers() {
  static Loggers instance;
  return instance;
}

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::trace:
      return spdlog::level::trace;
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warn:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
    case LogLevel::off:
      return spdlog::level::off;
  }
  return spdlog::level::info;
}

// Kafka's level names, upper case and WARN, ERROR.
class LevelFlag final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
    std::string_view name = "INFO";
    switch (message.level) {
      case spdlog::level::trace:
        name = "TRACE";
        break;
      case spdlog::level::debug:
        name = "DEBUG";
        break;
      case spdlog::level::warn:
        name = "WARN";
        break;
      case spdlog::level::err:
      case spdlog::level::critical:
        name = "ERROR";
        break;
      default:
        break;
    }
    out.append(name.data(), name.data() + name.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<LevelFlag>(); }
};

std::unique_ptr<spdlog::formatter> make_formatter(std::string_view logger) {
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  formatter->add_flag<LevelFlag>('l').set_pattern(logger == kAuditLogger ? kAuditPattern : kPattern);
  return formatter;
}

class RollingSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  RollingSink(std::string path, size_t max_bytes, int kept_files)
      : file_(std::move(path), max_bytes, kept_files) {}

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    file_.write({line.data(), line.size()});
  }
  void flush_() override { file_.flush(); }

  RollingFile file_;
};

bool has_own_file(std::string_view name) {
  return name == "controller" || name == "state-change" || name == kAuditLogger;
}

spdlog::sink_ptr open_file(const std::string& directory, const std::string& name) {
  std::string path = directory + "/" + name + ".log";
  if (name == kAuditLogger) {
    return std::make_shared<RollingSink>(std::move(path), kAuditBytes, kAuditFiles);
  }
  return std::make_shared<spdlog::sinks::basic_file_sink_mt>(path);
}

std::shared_ptr<spdlog::logger> find_logger(std::string_view name) {
  Loggers& all = loggers();
  std::lock_guard lock(all.mutex);
  if (auto found = all.by_name.find(name); found != all.by_name.end()) return found->second;
  std::vector<spdlog::sink_ptr> sinks;
  if (!all.opened) {
    sinks.push_back(std::make_shared<spdlog::sinks::stderr_sink_mt>());
  } else {
    // the audit log is one of its own where it has a file
    bool apart = name == kAuditLogger && !all.options.directory.empty();
    if (all.options.to_stdout && !apart) sinks.push_back(std::make_shared<spdlog::sinks::stdout_sink_mt>());
    if (!all.options.directory.empty()) {
      std::string file = has_own_file(name) ? std::string(name) : all.options.main_logger;
      auto& sink = all.files[file];
      if (!sink) sink = open_file(all.options.directory, file);
      sinks.push_back(sink);
    }
  }
  for (auto& sink : sinks) sink->set_formatter(make_formatter(name));
  auto logger = std::make_shared<spdlog::logger>(std::string(name), sinks.begin(), sinks.end());
  logger->set_level(spdlog_level(all.options.level));
  logger->flush_on(spdlog::level::info);
  all.by_name.emplace(std::string(name), logger);
  return logger;
}

}  // namespace

void log_open(const LogOptions& options) {
  Loggers& all = loggers();
  std::lock_guard lock(all.mutex);
  all.options = options;
  all.opened = true;
  all.by_name.clear();
}

bool log_enabled(std::string_view logger, LogLevel level) {
  return find_logger(logger)->should_log(spdlog_level(level));
}

void log_write(std::string_view logger, LogLevel level, fmt::string_view format, fmt::format_args args) {
  find_logger(logger)->log(spdlog_level(level), fmt::vformat(format, args));
}

void log_flush() {
  Loggers& all = loggers();
  std::lock_guard lock(all.mutex);
  for (auto& [name, logger] : all.by_name) logger->flush();
}

}  // namespace odradek
