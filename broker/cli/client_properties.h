#pragma once
// Client settings of the tools: --command-config and its like, in the names of the Java clients.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"

namespace odradek::broker::cli {

using Properties = std::map<std::string, std::string, std::less<>>;

// A properties file. The error names the file.
Result<Properties> load_properties(const std::string& file);
// "key=value" arguments (--producer-property, --property, ...). A later one wins; a value may hold
// '='. An argument without '=' counts as an empty value where `allow_empty`, else it is an error.
Result<Properties> parse_properties(const std::vector<std::string>& arguments, bool allow_empty);
// Refuses what these tools cannot do yet: TLS and SASL.
Result<void> check_security(const Properties& properties);
std::string get_or(const Properties& properties, std::string_view key, std::string_view fallback);

}  // namespace odradek::broker::cli
