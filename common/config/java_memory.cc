#include "common/config/java_memory.h"

#include "common/config/values.h"

namespace odradek::config {

std::optional<int64_t> parse_java_memory(std::string_view text) {
  int shift = 0;
  if (!text.empty()) {
    switch (text.back()) {
      case 'k':
      case 'K':
        shift = 10;
        break;
      case 'm':
      case 'M':
        shift = 20;
        break;
      case 'g':
      case 'G':
        shift = 30;
        break;
      case 't':
      case 'T':
        shift = 40;
        break;
      default:
        break;
    }
  }
  if (shift > 0) text.remove_suffix(1);
  auto number = parse_integer(text);
  if (!number || *number <= 0 || *number > (INT64_MAX >> shift)) return std::nullopt;
  return *number << shift;
}

Result<std::optional<int64_t>> heap_budget(std::string_view variable, std::string_view options) {
  std::optional<int64_t> budget;
  while (!options.empty()) {
    size_t end = options.find_first_of(" \t\r\n");
    std::string_view option = options.substr(0, end);
    options = end == std::string_view::npos ? std::string_view() : options.substr(end + 1);
    if (!option.starts_with("-Xmx")) continue;
    budget = parse_java_memory(option.substr(4));
    if (!budget) {
      return Error(Errc::bad_setting, std::string(variable) + ": " + std::string(option) +
                                          ": expected -Xmx and a size such as 400m or 1g");
    }
  }
  return budget;
}

}  // namespace odradek::config
