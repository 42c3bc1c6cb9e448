#pragma once
// Small text helpers of the command line tools.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace odradek::cli {

std::vector<std::string> split(std::string_view text,
                               char separator);  // empty pieces are kept; "" gives one
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string_view trim(std::string_view text);
// Filled with blanks on the right to `width` bytes; longer text stays as it is.
std::string pad_right(std::string_view text, size_t width);
// The whole text as a decimal number, with an optional sign.
std::optional<int64_t> parse_int(std::string_view text);
std::string lower(std::string_view text);

// log4j's line: "[2026-01-31 12:00:00,123] LEVEL message (logger)" to standard error, local time.
void log_line(std::string_view level, std::string_view message, std::string_view logger);

}  // namespace odradek::cli
