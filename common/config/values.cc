#include "common/config/values.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace odradek::config {
namespace {

bool same_any_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) ==
           std::tolower(static_cast<unsigned char>(y));
  });
}

std::vector<std::string_view> choices_of(const Setting& setting) {
  std::vector<std::string_view> choices;
  std::string_view rest = setting.choices;
  while (!rest.empty()) {
    size_t end = rest.find(", ");
    choices.push_back(rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 2);
  }
  return choices;
}

bool is_choice(const Setting& setting, std::string_view value) {
  for (std::string_view choice : choices_of(setting)) {
    if (setting.rule == Rule::one_of_any_case ? same_any_case(choice, value) : choice == value)
      return true;
  }
  return false;
}

std::string number_text(double value) {
  if (value == std::floor(value) && std::abs(value) < 1e18)
    return std::to_string(static_cast<int64_t>(value));
  return java_double(value);
}

bool all_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// "12:3" or nothing.
bool is_throttled_replica(std::string_view text) {
  if (text.empty()) return true;
  size_t colon = text.find(':');
  return colon != std::string_view::npos && all_digits(text.substr(0, colon)) &&
         all_digits(text.substr(colon + 1));
}

// "2.5", "2.5-IV0", "0.10.2-IV0", "3.5.1": the first two numbers name a release, three of them
// below 1.0.
bool is_kafka_version(std::string_view text) {
  std::string release(text.substr(0, text.find('-')));
  if (release.size() < text.size()) {
    std::string_view suffix = text.substr(release.size());
    if (!suffix.starts_with("-IV") || !all_digits(suffix.substr(3))) return false;
  }
  std::vector<int> parts;
  for (size_t at = 0; at <= release.size();) {
    size_t dot = std::min(release.find('.', at), release.size());
    std::string part = release.substr(at, dot - at);
    if (!all_digits(part) || part.size() > 4) return false;
    parts.push_back(std::stoi(part));
    at = dot + 1;
  }
  if (parts.size() < 2) return false;
  static constexpr int kLastMinor[] = {0, 1, 8, 9, 9};  // of releases 0 (apart), 1, 2, 3, 4
  if (parts[0] == 0) {
    if (parts.size() < 3) return false;
    return (parts[1] == 8 && parts[2] <= 2) || (parts[1] == 9 && parts[2] == 0) ||
           (parts[1] == 10 && parts[2] <= 2) || (parts[1] == 11 && parts[2] == 0);
  }
  return parts[0] <= 4 && parts[1] <= kLastMinor[parts[0]];
}

std::optional<std::string> refuse_number(const Setting& setting, double value) {
  bool below = setting.has_min && value < setting.min;
  bool above = setting.has_max && value > setting.max;
  if (setting.rule == Rule::range_or_minus_one) {
    if (value == -1 || (!below && !above)) return std::nullopt;
    return "Value must be between " + number_text(setting.min) + " and " +
           number_text(setting.max) + " or equal to -1";
  }
  if (setting.rule != Rule::range) return std::nullopt;
  if (below) return "Value must be at least " + number_text(setting.min);
  if (above) return "Value must be no more than " + number_text(setting.max);
  return std::nullopt;
}

std::optional<std::string> refuse_text(const Setting& setting, std::string_view value) {
  switch (setting.rule) {
    case Rule::one_of:
      if (!is_choice(setting, value))
        return "String must be one of: " + std::string(setting.choices);
      return std::nullopt;
    case Rule::one_of_any_case:
      if (!is_choice(setting, value))
        return "String must be one of (case insensitive): " + std::string(setting.choices);
      return std::nullopt;
    case Rule::non_empty:
      if (value.empty()) return "String must be non-empty";
      return std::nullopt;
    case Rule::kafka_version:
      if (!is_kafka_version(value))
        return "Version " + std::string(value) + " is not a valid version";
      return std::nullopt;
    case Rule::any:
    case Rule::range:
    case Rule::range_or_minus_one:
    case Rule::throttled_replicas:
      return std::nullopt;
  }
  return std::nullopt;
}

int64_t lowest(Type type) {
  return type == Type::int16 ? INT16_MIN : type == Type::int32 ? INT32_MIN : INT64_MIN;
}
int64_t highest(Type type) {
  return type == Type::int16 ? INT16_MAX : type == Type::int32 ? INT32_MAX : INT64_MAX;
}

std::string join(const std::vector<std::string>& parts, std::string_view between) {
  std::string out;
  for (const std::string& part : parts) {
    if (&part != &parts.front()) out += between;
    out += part;
  }
  return out;
}

std::string complaint(std::string_view value, std::string_view name, std::string_view reason) {
  std::string out = "Invalid value ";
  out.append(value).append(" for configuration ").append(name).append(": ").append(reason);
  return out;
}

}  // namespace

std::string_view trim(std::string_view text) {
  while (!text.empty() && static_cast<uint8_t>(text.front()) <= ' ') text.remove_prefix(1);
  while (!text.empty() && static_cast<uint8_t>(text.back()) <= ' ') text.remove_suffix(1);
  return text;
}

std::optional<int64_t> parse_integer(std::string_view text) {
  if (text.starts_with('+') && text.size() > 1 && text[1] != '-') text.remove_prefix(1);
  int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> parse_double(std::string_view text) {
  if (text.starts_with('+') && text.size() > 1 && text[1] != '-') text.remove_prefix(1);
  if (text.size() > 1 && std::string_view("dDfF").find(text.back()) != std::string_view::npos)
    text.remove_suffix(1);
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || std::isnan(value))
    return std::nullopt;
  return value;
}

std::optional<bool> parse_boolean(std::string_view text) {
  if (same_any_case(text, "true")) return true;
  if (same_any_case(text, "false")) return false;
  return std::nullopt;
}

std::vector<std::string> parse_list(std::string_view text) {
  std::vector<std::string> out;
  text = trim(text);
  if (text.empty()) return out;
  for (size_t at = 0; at <= text.size();) {
    size_t comma = std::min(text.find(',', at), text.size());
    out.emplace_back(trim(text.substr(at, comma - at)));
    at = comma + 1;
  }
  return out;
}

std::optional<std::string> refuse_value(const Setting& setting, std::string_view name,
                                        std::string_view value) {
  std::string_view text = trim(value);
  switch (setting.type) {
    case Type::boolean:
      if (!parse_boolean(text))
        return complaint(value, name, "Expected value to be either true or false");
      return std::nullopt;
    case Type::int32:
    case Type::int16:
    case Type::int64: {
      auto number = parse_integer(text);
      if (!number || *number < lowest(setting.type) || *number > highest(setting.type)) {
        return complaint(value, name, "Not a number of type " + std::string(name_of(setting.type)));
      }
      if (auto reason = refuse_number(setting, static_cast<double>(*number)))
        return complaint(text, name, *reason);
      return std::nullopt;
    }
    case Type::float64: {
      auto number = parse_double(text);
      if (!number) return complaint(value, name, "Not a number of type DOUBLE");
      if (auto reason = refuse_number(setting, *number))
        return complaint(java_double(*number), name, *reason);
      return std::nullopt;
    }
    case Type::list: {
      auto parts = parse_list(text);
      if (setting.rule == Rule::non_empty && parts.empty())
        return complaint("[]", name,
                         "Configuration '" + std::string(name) + "' must not be empty.");
      if (setting.rule == Rule::throttled_replicas) {
        bool all = !parts.empty() && parts.front() == "*";
        bool good = all || std::all_of(parts.begin(), parts.end(), is_throttled_replica);
        if (good) return std::nullopt;
        return complaint("[" + join(parts, ", ") + "]", name,
                         "Must be the literal '*' or a list of replicas in the following format: "
                         "[partitionId]:[brokerId],[partitionId]:[brokerId],...");
      }
      if (setting.rule != Rule::one_of && setting.rule != Rule::one_of_any_case)
        return std::nullopt;
      for (const std::string& part : parts) {
        if (auto reason = refuse_text(setting, part)) return complaint(part, name, *reason);
      }
      return std::nullopt;
    }
    case Type::string:
    case Type::class_name:
    case Type::password:
      if (auto reason = refuse_text(setting, text)) {
        return complaint(setting.sensitive() ? "[hidden]" : text, name, *reason);
      }
      return std::nullopt;
  }
  return std::nullopt;
}

std::string allowed_values(const Setting& setting) {
  bool integer =
      setting.type == Type::int16 || setting.type == Type::int32 || setting.type == Type::int64;
  if (integer || setting.type == Type::float64) {
    std::string out = integer ? "an integer" : "a number";
    bool bounded = setting.rule == Rule::range || setting.rule == Rule::range_or_minus_one;
    double type_max = static_cast<double>(highest(setting.type));
    if (bounded && setting.has_min && setting.has_max) {
      out += " from " + number_text(setting.min) + " to " + number_text(setting.max);
    } else if (bounded && setting.has_min) {
      out += " from " + number_text(setting.min) + " up";
    } else if (bounded && setting.has_max) {
      out += " up to " + number_text(setting.max);
    } else if (integer && setting.type != Type::int64) {
      out += " up to " + number_text(type_max);
    }
    return setting.rule == Rule::range_or_minus_one ? out + ", or -1" : out;
  }
  if (setting.type == Type::boolean) return "true or false";
  if (setting.rule == Rule::throttled_replicas) return "* or a list of partition:broker";
  if (setting.rule == Rule::kafka_version) return "a Kafka version such as 2.5 or 3.5-IV2";
  if (setting.rule == Rule::non_empty)
    return setting.type == Type::list ? "a list that is not empty" : "a text that is not empty";
  if (setting.rule == Rule::one_of || setting.rule == Rule::one_of_any_case) {
    return (setting.type == Type::list ? "some of " : "one of ") + std::string(setting.choices);
  }
  return setting.type == Type::list ? "a list" : "a text";
}

std::string normal_form(const Setting& setting, std::string_view value) {
  std::string_view text = trim(value);
  switch (setting.type) {
    case Type::boolean: {
      auto parsed = parse_boolean(text);
      return parsed ? (*parsed ? "true" : "false") : std::string(text);
    }
    case Type::int16:
    case Type::int32:
    case Type::int64: {
      auto parsed = parse_integer(text);
      return parsed ? std::to_string(*parsed) : std::string(text);
    }
    case Type::float64: {
      auto parsed = parse_double(text);
      return parsed ? java_double(*parsed) : std::string(text);
    }
    case Type::list:
      return join(parse_list(text), ",");
    case Type::string:
    case Type::class_name:
    case Type::password:
      return std::string(text);
  }
  return std::string(text);
}

std::string java_double(double value) {
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  if (value == 0) return std::signbit(value) ? "-0.0" : "0.0";
  char buffer[64];
  auto end =
      std::to_chars(buffer, buffer + sizeof buffer, std::abs(value), std::chars_format::scientific)
          .ptr;
  std::string_view text(buffer, static_cast<size_t>(end - buffer));
  size_t e = text.find('e');
  std::string digits(text.substr(0, e));
  std::erase(digits, '.');
  int exponent = 0;
  std::string_view power = text.substr(e + 1);
  if (power.starts_with('+')) power.remove_prefix(1);
  std::from_chars(power.data(), power.data() + power.size(), exponent);
  std::string out = value < 0 ? "-" : "";
  if (exponent >= -3 && exponent < 7) {
    if (exponent < 0) {
      out += "0." + std::string(static_cast<size_t>(-exponent - 1), '0') + digits;
    } else {
      size_t whole = static_cast<size_t>(exponent) + 1;
      if (digits.size() < whole) digits.append(whole - digits.size(), '0');
      out += digits.substr(0, whole) + "." + (digits.size() > whole ? digits.substr(whole) : "0");
    }
    return out;
  }
  return out + digits[0] + "." + (digits.size() > 1 ? digits.substr(1) : "0") + "E" +
         std::to_string(exponent);
}

}  // namespace odradek::config
