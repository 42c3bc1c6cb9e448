#pragma once
// format("{} of {}", a, b): fmt's format with the heavy part compiled once, in format.cc. (Debian has no static libfmt,
// so nothing else may call fmt::format.)

#include <fmt/core.h>

#include <string>

namespace odradek {

std::string format_args(fmt::string_view format, fmt::format_args args);

template <typename... Args>
std::string format(fmt::format_string<Args...> text, Args&&... args) {
  return format_args(text, fmt::make_format_args(args...));
}

}  // namespace odradek
