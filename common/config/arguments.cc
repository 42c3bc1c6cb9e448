#include "common/config/arguments.h"

#include <cstdlib>
#include <string_view>

namespace odradek::config {

Result<Arguments> read_arguments(int argc, const char* const* argv, const char* usage) {
  constexpr std::string_view kOverride = "--override";
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    std::string_view word = argv[i];
    if (word == kOverride) {
      if (++i == argc) return Error(Errc::invalid_argument, "--override wants key=value");
      arguments.overrides.emplace_back(argv[i]);
    } else if (word.starts_with(kOverride) && word[kOverride.size()] == '=') {
      arguments.overrides.emplace_back(word.substr(kOverride.size() + 1));
    } else if (arguments.file.empty() && !word.starts_with("-")) {
      arguments.file = word;
    } else {
      return Error(Errc::invalid_argument, "unknown argument " + std::string(word) + "; " + usage);
    }
  }
  if (arguments.file.empty()) return Error(Errc::invalid_argument, usage);
  return arguments;
}

const char* environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

}  // namespace odradek::config
