// coordinator-admin check | export DIR | backup DIR | restore DIR: looks after the store of a
// coordinator, running or stopped. Wiring only.

#include <csignal>
#include <cstdio>
#include <string>
#include <vector>

#include "common/fs/real_file_system.h"
#include "coordinator/admin/commands.h"

int main(int argc, char** argv) {
  using namespace odradek;
  using namespace odradek::coordinator;
  std::signal(SIGPIPE, SIG_IGN);
  auto line = admin::parse_command_line(std::vector<std::string>(argv + 1, argv + argc));
  if (!line) {
    std::fprintf(stderr, "coordinator-admin: %s\n\n%s", line.error().what().c_str(),
                 admin::help_text().c_str());
    return 1;
  }
  if (line->help) {
    std::fputs(admin::help_text().c_str(), stdout);
    return 0;
  }
  fs::RealFileSystem files;
  auto access = line->data_dir.empty() ? admin::remote_access(line->server)
                                       : admin::local_access(files, line->data_dir);
  return admin::run_command(*line, files, *access, stdout, stderr);
}
