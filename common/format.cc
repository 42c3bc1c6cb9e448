#define FMT_HEADER_ONLY
#include "common/format.h"

#include <fmt/format.h>

namespace odradek {

std::string format_args(fmt::string_view format, fmt::format_args args) { return fmt::vformat(format, args); }

}  // namespace odradek
