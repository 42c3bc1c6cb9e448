#include "broker/cli/client_properties.h"

#include "common/cli/text.h"
#include "common/config/properties.h"
#include "common/fs/real_file_system.h"

namespace odradek::broker::cli {

Result<Properties> load_properties(const std::string& file) {
  fs::RealFileSystem file_system;
  auto read = config::Properties::read(file_system, file);
  if (!read) return read.error();
  Properties properties;
  for (const auto& entry : read->entries()) properties[entry.key] = entry.value;
  return properties;
}

Result<Properties> parse_properties(const std::vector<std::string>& arguments, bool allow_empty) {
  Properties properties;
  for (const auto& argument : arguments) {
    size_t equals = argument.find('=');
    if (equals == 0 || (equals == std::string::npos && !allow_empty)) {
      return Error(Errc::invalid_argument, "Invalid command line properties: " + argument);
    }
    if (equals == std::string::npos)
      properties[argument] = "";
    else
      properties[argument.substr(0, equals)] = argument.substr(equals + 1);
  }
  return properties;
}

Result<void> check_security(const Properties& properties) {
  std::string protocol = get_or(properties, "security.protocol", "PLAINTEXT");
  if (protocol.empty() || protocol == "PLAINTEXT") return {};
  return Error(Errc::unimplemented,
               "security.protocol=" + protocol +
                   ": TLS and SASL come with a later version; until then only PLAINTEXT connects.");
}

std::string get_or(const Properties& properties, std::string_view key, std::string_view fallback) {
  auto found = properties.find(key);
  return found == properties.end() ? std::string(fallback) : found->second;
}

}  // namespace odradek::broker::cli
