#pragma once
// KAFKA_HEAP_OPTS of the tutorials, read as this program's budget for buffers and caches.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/result.h"

namespace odradek::config {

// "400m", "1G", "1073741824", as Java's -Xmx takes them, in bytes.
std::optional<int64_t> parse_java_memory(std::string_view text);

// The last -Xmx of Java options such as "-Xmx400m -Xms400m"; nothing where there is none.
// bad_setting with the variable's name and what is allowed where its size cannot be read.
Result<std::optional<int64_t>> heap_budget(std::string_view variable, std::string_view options);

}  // namespace odradek::config
