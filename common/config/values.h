#pragma once
// Values of settings: parsed, checked, and refused with Kafka's words.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/config/setting.h"

namespace odradek::config {

std::string_view trim(std::string_view text);

// As Java reads them: surrounding spaces are gone before; no digit groups, no suffixes.
std::optional<int64_t> parse_integer(std::string_view text);
std::optional<double> parse_double(std::string_view text);
std::optional<bool> parse_boolean(std::string_view text);  // any case
// Split at commas, spaces around them dropped; an empty text is an empty list.
std::vector<std::string> parse_list(std::string_view text);

// What Kafka answers to this value, such as "Invalid value abc for configuration retention.ms: Not
// a number of type LONG"; nothing where the value is right. `name` is the key as it was given.
std::optional<std::string> refuse_value(const Setting& setting, std::string_view name,
                                        std::string_view value);

// "an integer from 1 up", "one of: compact, delete", ... for a person who has to correct the value.
std::string allowed_values(const Setting& setting);

// The value in Kafka's own spelling: spaces dropped, "TRUE" as "true", a double as Java prints it.
std::string normal_form(const Setting& setting, std::string_view value);

// A number as Java's Double.toString prints it: 0.5, 2.147483647E9.
std::string java_double(double value);

}  // namespace odradek::config
