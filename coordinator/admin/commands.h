#pragma once
// The commands of coordinator-admin. Each returns the exit status: 0, or 1 where it failed or, of
// check, where anything is wrong.

#include <cstdio>
#include <string>
#include <vector>

#include "common/fs/file_system.h"
#include "coordinator/admin/access.h"

namespace odradek::coordinator::admin {

struct CommandLine {
  std::string command;  // check, export, backup, restore
  std::string folder;   // of all but check
  std::string server = "localhost:2181";
  std::string data_dir;  // empty: the server is asked
  bool help = false;
};

// invalid_argument with a sentence.
Result<CommandLine> parse_command_line(const std::vector<std::string>& arguments);
std::string help_text();

// Folders are local ones; what is said goes to `out`, what went wrong to `err`.
int run_command(const CommandLine& line, fs::FileSystem& files, Access& access, std::FILE* out,
                std::FILE* err);

}  // namespace odradek::coordinator::admin
