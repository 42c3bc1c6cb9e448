// zookeeper-shell HOST:PORT[/CHROOT] [COMMAND...]: one command, or a session of them from a
// terminal or a pipe.

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "common/cli/text.h"
#include "coordinator/cli/line_editor.h"
#include "coordinator/cli/shell.h"

namespace odradek::coordinator::cli {
namespace {

struct CommandLine {
  ZkClient::Settings settings;
  bool wait_for_connection = false;
  std::vector<std::string> command;
};

[[noreturn]] void fail(const std::string& text) {
  std::fprintf(stderr, "%s\n", text.c_str());
  std::exit(1);
}

CommandLine parse(const std::vector<std::string>& arguments) {
  CommandLine line;
  size_t i = 0;
  auto value = [&](const std::string& option) {
    if (i + 1 >= arguments.size()) fail("Error: no argument found for option " + option);
    return arguments[++i];
  };
  for (; i < arguments.size(); ++i) {
    std::string option = arguments[i];
    if (option.starts_with("--")) option.erase(0, 1);
    if (!option.starts_with('-')) {
      if (!line.settings.connect.empty()) break;
      line.settings.connect = option;  // the launcher's first argument
    } else if (option == "-server") {
      line.settings.connect = value(option);
    } else if (option == "-timeout") {
      auto number = odradek::cli::parse_int(value(option));
      if (!number || *number <= 0 || *number > INT32_MAX)
        fail("Error: -timeout takes milliseconds");
      line.settings.session_timeout_ms = static_cast<int32_t>(*number);
    } else if (option == "-r") {
      line.settings.read_only = true;
    } else if (option == "-waitforconnection") {
      line.wait_for_connection = true;
    } else if (option == "-zk-tls-config-file" || option == "-client-configuration") {
      fail("zookeeper-shell: " + option + ": TLS connections come with a later version.");
    } else {
      fail("Error: unknown option " + option);
    }
  }
  line.command.assign(arguments.begin() + static_cast<long>(i), arguments.end());
  return line;
}

// Lines of a pipe. Pings go on while it is silent.
class PipeLines {
 public:
  explicit PipeLines(Shell& shell) : shell_(shell) {}
  std::optional<std::string> next() {
    while (true) {
      if (size_t end = buffer_.find('\n'); end != std::string::npos) {
        std::string line = buffer_.substr(0, end);
        buffer_.erase(0, end + 1);
        if (line.ends_with('\r')) line.pop_back();
        return line;
      }
      if (ended_) {
        if (buffer_.empty()) return std::nullopt;
        return std::exchange(buffer_, {});
      }
      pollfd ready[2] = {{STDIN_FILENO, POLLIN, 0}, {shell_.client().fd(), POLLIN, 0}};
      int wait = static_cast<int>(std::min<int64_t>(shell_.client().ms_to_next_ping(), 60'000));
      int found = poll(ready, 2, wait);
      if (found <= 0 || ready[1].revents != 0) shell_.client().pump();
      if (found <= 0 || ready[0].revents == 0) continue;
      char bytes[4096];
      ssize_t got = read(STDIN_FILENO, bytes, sizeof bytes);
      if (got <= 0)
        ended_ = true;
      else
        buffer_.append(bytes, static_cast<size_t>(got));
    }
  }

 private:
  Shell& shell_;
  std::string buffer_;
  bool ended_ = false;
};

void type_at_terminal(Shell& shell) {
  LineEditor editor({.complete = [&shell](std::string_view typed) { return shell.complete(typed); },
                     .watched = [&shell] { return shell.client().fd(); },
                     .idle_ms = [&shell] { return shell.client().ms_to_next_ping(); },
                     .idle = [&shell] { shell.client().pump(); }});
  while (auto line = editor.read(shell.prompt())) {
    if (!odradek::cli::trim(*line).empty()) editor.remember(*line);
    if (!shell.run_line(*line)) return;
  }
  std::putchar('\n');
}

int run(int argc, char** argv) {
  std::setlocale(LC_CTYPE, "");
  signal(SIGPIPE, SIG_IGN);
  CommandLine line = parse(std::vector<std::string>(argv + 1, argv + argc));
  if (line.settings.connect.empty()) {
    fail(
        "USAGE: zookeeper-shell.sh zookeeper_host:port[/path] [-zk-tls-config-file file] "
        "[args...]");
  }
  std::printf("Connecting to %s\n", line.settings.connect.c_str());
  std::fflush(stdout);
  Shell shell(line.settings);
  if (line.wait_for_connection) {
    if (auto done = shell.client().connect(line.settings.session_timeout_ms); !done)
      fail(done.error().what());
  }
  if (!line.command.empty()) {
    shell.run(line.command);
    int status = shell.status();
    // The session ends with the command, unless it owns a node that has to stay until it expires.
    std::fflush(stdout);
    if (!shell.made_ephemeral()) shell.client().close_quietly();
    _exit(status);
  }
  bool terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
  std::printf("Welcome to ZooKeeper!\nJLine support is %s\n", terminal ? "enabled" : "disabled");
  std::fflush(stdout);
  if (auto done = shell.client().connect(); !done)
    std::fprintf(stderr, "%s\n", done.error().what().c_str());
  if (terminal) {
    type_at_terminal(shell);
  } else {
    PipeLines lines(shell);
    while (auto text = lines.next()) {
      if (!shell.run_line(*text)) break;
    }
  }
  std::fflush(stdout);
  shell.client().close_quietly();
  return shell.status();
}

}  // namespace
}  // namespace odradek::coordinator::cli

int main(int argc, char** argv) { return odradek::coordinator::cli::run(argc, argv); }
