#pragma once
// A row of the shell's command table; for the shell's own .cc files.

#include <string_view>

#include "coordinator/cli/shell.h"

namespace odradek::coordinator::cli {

struct Shell::Command {
  std::string_view name;
  std::string_view usage;    // behind the name, in help and where words are missing
  std::string_view options;  // letters; one with ':' behind it takes a value
  size_t least_words;
  bool path_first;  // the first word is a path, checked before anything is sent
  bool needs_connection;
  Shell::Outcome (Shell::*run)(const ShellArguments&);
  bool listed = true;  // in help
};

}  // namespace odradek::coordinator::cli
