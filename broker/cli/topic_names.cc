#include "broker/cli/topic_names.h"

#include <algorithm>
#include <regex>

#include "broker/cli/kafka_error.h"
#include "common/cli/text.h"

namespace odradek::broker::cli {
namespace {

constexpr size_t kMaxLength = 249;

bool legal(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

bool plain_name(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return legal(c) && c != '.'; });
}

std::string unified(std::string_view name) {
  std::string out(name);
  std::replace(out.begin(), out.end(), '.', '_');
  return out;
}

}  // namespace

TopicFilter::TopicFilter(std::string_view expression, bool exclude_internal)
    : exclude_internal_(exclude_internal) {
  for (char c : odradek::cli::trim(expression)) {
    if (c == ' ') continue;
    pattern_ += c == ',' ? '|' : c;
  }
  size_t from = pattern_.find_first_not_of("\"'");
  size_t to = pattern_.find_last_not_of("\"'");
  pattern_ = from == std::string::npos ? "" : pattern_.substr(from, to - from + 1);
}

std::vector<std::string> TopicFilter::select(const std::vector<std::string>& names) const {
  std::vector<std::string> found;
  auto keep = [this](const std::string& name) {
    return !(exclude_internal_ && is_internal_topic(name));
  };
  if (plain_name(pattern_)) {
    for (const auto& name : names) {
      if (name == pattern_ && keep(name)) found.push_back(name);
    }
    return found;
  }
  try {
    std::regex expression(pattern_);
    for (const auto& name : names) {
      if (std::regex_match(name, expression) && keep(name)) found.push_back(name);
    }
  } catch (const std::regex_error&) {
    throw KafkaError("java.lang.RuntimeException", pattern_ + " is an invalid regex.");
  }
  return found;
}

bool is_internal_topic(std::string_view name) {
  return name == "__consumer_offsets" || name == "__transaction_state" ||
         name == "__share_group_state";
}

bool has_collision_characters(std::string_view name) {
  return name.find_first_of("._") != std::string_view::npos;
}

std::vector<std::string> colliding_topics(std::string_view name,
                                          const std::vector<std::string>& existing) {
  std::vector<std::string> found;
  for (const auto& other : existing) {
    if (other != name && unified(other) == unified(name)) found.push_back(other);
  }
  return found;
}

std::string name_problem_2_5(std::string_view name) {
  if (name.empty()) return "Topic name is illegal, it can't be empty";
  if (name == "." || name == "..") return "Topic name cannot be \".\" or \"..\"";
  if (name.size() > kMaxLength) {
    return "Topic name is illegal, it can't be longer than 249 characters, topic name: " +
           std::string(name);
  }
  if (std::all_of(name.begin(), name.end(), legal)) return {};
  return "Topic name \"" + std::string(name) +
         "\" is illegal, it contains a character other than ASCII alphanumerics, '.', '_' and '-'";
}

std::string name_problem(std::string_view name) {
  if (name.empty()) return "Topic name is invalid: the empty string is not allowed";
  if (name == "." || name == "..")
    return "Topic name is invalid: '" + std::string(name) + "' is not allowed";
  if (name.size() > kMaxLength) {
    return "Topic name is invalid: the length of '" + std::string(name) +
           "' is longer than the max allowed length 249";
  }
  if (std::all_of(name.begin(), name.end(), legal)) return {};
  return "Topic name is invalid: '" + std::string(name) +
         "' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'";
}

}  // namespace odradek::broker::cli
