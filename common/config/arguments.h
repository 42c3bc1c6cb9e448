#pragma once
// What both services are started with: FILE [--override key=value]… and the environment.

#include <string>
#include <vector>

#include "common/result.h"

namespace odradek::config {

struct Arguments {
  std::string file;                    // of properties
  std::vector<std::string> overrides;  // "key=value", in their order
};

// The words behind the program's name. A word that is none of these, or no file: one line that ends
// with `usage`.
Result<Arguments> read_arguments(int argc, const char* const* argv, const char* usage);

// Of a variable of the environment; empty where it is not set.
const char* environment(const char* name);

}  // namespace odradek::config
