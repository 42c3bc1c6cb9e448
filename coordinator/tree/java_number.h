#pragma once
// Numbers in text that ZooKeeper reads with Java's parseInt and parseLong.

#include <charconv>
#include <optional>
#include <string_view>

namespace odradek::coordinator::tree {

// All of the text, in decimal: a sign may stand in front, zeros too. Nothing where it is no number or
// beyond the type's range.
template <typename Integer>
std::optional<Integer> java_number(std::string_view text) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  Integer value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace odradek::coordinator::tree
