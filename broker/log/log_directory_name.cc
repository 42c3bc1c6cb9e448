#include "broker/log/log_directory_name.h"

#include <algorithm>
#include <charconv>

#include "common/format.h"

namespace odradek::broker::log {
namespace {

constexpr size_t kMaxName = 255;

bool is_hex32(std::string_view text) {
  return text.size() == 32 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

}  // namespace

std::optional<LogDirectoryName> parse_log_directory_name(std::string_view name) {
  LogDirectoryName result;
  constexpr std::pair<std::string_view, LogDirectoryName::Kind> kSuffixes[] = {
      {"-delete", LogDirectoryName::Kind::deleted},
      {"-future", LogDirectoryName::Kind::future},
      {"-stray", LogDirectoryName::Kind::stray},
  };
  for (const auto& [suffix, kind] : kSuffixes) {
    if (!name.ends_with(suffix) || name.size() < suffix.size() + 33) continue;
    std::string_view front = name.substr(0, name.size() - suffix.size());
    if (front[front.size() - 33] != '.' || !is_hex32(front.substr(front.size() - 32))) continue;
    result.kind = kind;
    name = front.substr(0, front.size() - 33);
    break;
  }
  size_t dash = name.find_last_of('-');
  if (dash == std::string_view::npos || dash == 0 || dash + 1 == name.size()) return std::nullopt;
  std::string_view digits = name.substr(dash + 1);
  int32_t partition = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), partition);
  if (error != std::errc() || end != digits.data() + digits.size() || partition < 0)
    return std::nullopt;
  result.id = {std::string(name.substr(0, dash)), PartitionId(partition)};
  return result;
}

std::string deleted_directory_name(const TopicPartition& id, const Uuid& unique,
                                   std::string_view suffix) {
  std::string tail = "-" + std::to_string(id.partition.value()) + ".";
  for (uint8_t byte : unique.bytes) tail += format("{:02x}", byte);
  tail += "-";
  tail += suffix;
  return id.topic.substr(0, kMaxName - tail.size()) + tail;
}

}  // namespace odradek::broker::log
