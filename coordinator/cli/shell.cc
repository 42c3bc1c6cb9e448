#include "coordinator/cli/shell.h"

#include <algorithm>
#include <cstdio>
#include <ctime>

#include "common/cli/text.h"
#include "coordinator/cli/shell_command.h"

namespace odradek::coordinator::cli {
namespace {

constexpr int kUnknownCommand = 127;

std::string hex(int64_t value) {
  char text[32];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

// "Sat Nov 21 04:23:09 UTC 2026", as java.util.Date prints it.
std::string date(int64_t ms) {
  std::time_t seconds = ms / 1000;
  std::tm local{};
  localtime_r(&seconds, &local);
  char text[64];
  std::strftime(text, sizeof text, "%a %b %d %H:%M:%S %Z %Y", &local);
  return text;
}

// A node's error in the shell's words; others keep their own.
std::string shown(const Error& error) {
  size_t at = error.what().find(" for ");
  std::string path = at == std::string::npos ? "" : error.what().substr(at + 5);
  switch (error.code()) {
    case Errc::no_node:
      return "Node does not exist: " + path;
    case Errc::node_exists:
      return "Node already exists: " + path;
    case Errc::not_empty:
      return "Node not empty: " + path;
    case Errc::no_children_for_ephemerals:
      return "Ephemerals cannot have children: " + path;
    case Errc::bad_version:
      return "version No is not valid : " + path;
    case Errc::quota_exceeded:
      return "Quota has exceeded : " + path;
    case Errc::no_auth:
      return "Insufficient permission : " + path;
    case Errc::invalid_acl:
      return "Acl is not valid : " + path;
    case Errc::bad_path:
      return "Arguments are not valid : " + path;
    default:
      return error.what();
  }
}

}  // namespace

bool ShellArguments::has(char option) const {
  return std::any_of(options.begin(), options.end(),
                     [option](const auto& o) { return o.first == option; });
}

std::string ShellArguments::value(char option) const {
  for (const auto& [letter, text] : options) {
    if (letter == option) return text;
  }
  return {};
}

std::vector<std::string> split_command(std::string_view line) {
  std::vector<std::string> words;
  size_t at = 0;
  while (true) {
    while (at < line.size() && (line[at] == ' ' || line[at] == '\t')) ++at;
    if (at >= line.size()) return words;
    char quote = line[at];
    if (quote == '"' || quote == '\'') {
      size_t end = line.find(quote, at + 1);
      if (end != std::string_view::npos) {
        words.emplace_back(line.substr(at + 1, end - at - 1));
        at = end + 1;
        continue;
      }
    }
    size_t end = line.find_first_of(" \t", at);
    if (end == std::string_view::npos) end = line.size();
    words.emplace_back(line.substr(at, end - at));
    at = end;
  }
}

std::string permission_letters(int32_t permissions) {
  std::string letters;
  if (permissions & zookeeper::Permission::kCreate) letters += 'c';
  if (permissions & zookeeper::Permission::kDelete) letters += 'd';
  if (permissions & zookeeper::Permission::kRead) letters += 'r';
  if (permissions & zookeeper::Permission::kWrite) letters += 'w';
  if (permissions & zookeeper::Permission::kAdmin) letters += 'a';
  return letters;
}

std::vector<ACL> parse_acl(const std::string& text) {
  std::vector<ACL> list;
  for (const auto& entry : odradek::cli::split(text, ',')) {
    size_t first = entry.find(':');
    size_t last = entry.rfind(':');
    if (first == std::string::npos || first == last) {
      std::fprintf(stderr, "%s does not have the form scheme:id:perm\n", entry.c_str());
      continue;
    }
    ACL acl;
    acl.id = {entry.substr(0, first), entry.substr(first + 1, last - first - 1)};
    for (char letter : entry.substr(last + 1)) {
      switch (letter) {
        case 'r':
          acl.perms |= zookeeper::Permission::kRead;
          break;
        case 'w':
          acl.perms |= zookeeper::Permission::kWrite;
          break;
        case 'c':
          acl.perms |= zookeeper::Permission::kCreate;
          break;
        case 'd':
          acl.perms |= zookeeper::Permission::kDelete;
          break;
        case 'a':
          acl.perms |= zookeeper::Permission::kAdmin;
          break;
        default:
          std::fprintf(stderr, "Unknown perm type: %c\n", letter);
      }
    }
    list.push_back(acl);
  }
  return list;
}

std::string stat_text(const Stat& stat) {
  return "cZxid = " + hex(stat.czxid) + "\nctime = " + date(stat.ctime) +
         "\nmZxid = " + hex(stat.mzxid) + "\nmtime = " + date(stat.mtime) +
         "\npZxid = " + hex(stat.pzxid) + "\ncversion = " + std::to_string(stat.cversion) +
         "\ndataVersion = " + std::to_string(stat.version) +
         "\naclVersion = " + std::to_string(stat.aversion) +
         "\nephemeralOwner = " + hex(stat.ephemeral_owner) +
         "\ndataLength = " + std::to_string(stat.data_length) +
         "\nnumChildren = " + std::to_string(stat.num_children) + "\n";
}

std::string event_text(const zookeeper::WatcherEvent& event) {
  auto type = zookeeper::find_event_type(event.type);
  auto state = zookeeper::find_keeper_state(event.state);
  std::string state_name = event.state == 7 ? "Closed"
                           : state          ? std::string(zookeeper::name_of(*state))
                                            : "Unknown";
  return "WatchedEvent state:" + state_name +
         " type:" + (type ? std::string(zookeeper::name_of(*type)) : "Unknown") +
         " path:" + (event.path.empty() ? "null" : event.path);
}

Shell::Shell(ZkClient::Settings settings) : settings_(std::move(settings)) {
  open(settings_.connect);
}

void Shell::open(const std::string& connect) {
  settings_.connect = connect;
  client_.reset();
  client_ = std::make_unique<ZkClient>(settings_, [this](const zookeeper::WatcherEvent& event) {
    if (print_watches_) std::printf("\nWATCHER::\n\n%s\n", event_text(event).c_str());
    std::fflush(stdout);
  });
}

const Shell::Command* Shell::find(std::string_view name) {
  for (const Command* at = kCommands; !at->name.empty(); ++at) {
    if (at->name == name) return at;
  }
  return nullptr;
}

void Shell::print_usage() const {
  std::string text = "ZooKeeper -server host:port [-zk-tls-config-file <file>] cmd args\n";
  for (const Command* at = kCommands; !at->name.empty(); ++at) {
    if (at->listed) text += "\t" + std::string(at->name) + " " + std::string(at->usage) + "\n";
  }
  std::fflush(stdout);
  std::fputs(text.c_str(), stderr);
}

Result<ShellArguments> Shell::parse(const Command& command, const std::vector<std::string>& words) {
  ShellArguments arguments;
  arguments.command = words[0];
  bool only_words = false;
  for (size_t i = 1; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--" && !only_words) {
      only_words = true;
      continue;
    }
    if (only_words || word.size() < 2 || word[0] != '-' || command.options.empty() ||
        (word[1] >= '0' && word[1] <= '9')) {
      arguments.words.push_back(word);
      continue;
    }
    std::string_view letters = std::string_view(word).substr(1);
    if (letters == "file") letters = "f";
    if (letters == "members") letters = "m";
    if (letters == "add") letters = "a";
    if (letters == "remove") letters = "r";
    for (size_t k = 0; k < letters.size(); ++k) {
      size_t at = command.options.find(letters[k]);
      if (at == std::string_view::npos || letters[k] == ':') {
        return Error(
            Errc::invalid_argument,
            "org.apache.commons.cli.UnrecognizedOptionException: Unrecognized option: " + word);
      }
      bool takes_value = at + 1 < command.options.size() && command.options[at + 1] == ':';
      if (!takes_value) {
        arguments.options.emplace_back(letters[k], "");
        continue;
      }
      std::string value(letters.substr(k + 1));
      if (value.empty()) {
        if (i + 1 >= words.size()) {
          return Error(
              Errc::invalid_argument,
              "org.apache.commons.cli.MissingArgumentException: Missing argument for option: " +
                  std::string(1, letters[k]));
        }
        value = words[++i];
      }
      arguments.options.emplace_back(letters[k], value);
      break;
    }
  }
  if (arguments.words.size() < command.least_words) {
    return Error(Errc::invalid_argument,
                 std::string(command.name) + " " + std::string(command.usage));
  }
  return arguments;
}

Shell::Outcome Shell::dispatch(const std::vector<std::string>& words) {
  if (words[0] == "help") {
    print_usage();
    return {};
  }
  const Command* command = find(words[0]);
  if (!command) {
    print_usage();
    return Error(Errc::not_found, "Command not found: Command not found " + words[0]);
  }
  auto arguments = parse(*command, words);
  if (!arguments) return arguments.error();
  if (command->needs_connection && (client_->state() == ZkClient::State::closed)) {
    std::puts("Not connected");
    return {};
  }
  if (command->path_first) {
    std::string problem =
        path_problem(arguments->words[0], words[0] == "create" && arguments->has('s'));
    if (!problem.empty()) return Error(Errc::bad_path, problem);
  }
  return (this->*command->run)(*arguments);
}

bool Shell::run(const std::vector<std::string>& words) {
  status_ = 0;
  if (words.empty()) return true;
  auto done = dispatch(words);
  std::fflush(stdout);
  if (!done) {
    status_ = done.error().code() == Errc::not_found ? kUnknownCommand : 1;
    // A path that never left this program keeps its sentence.
    bool local = done.error().code() == Errc::bad_path &&
                 !done.error().what().starts_with("KeeperErrorCode");
    std::fprintf(stderr, "%s\n", local ? done.error().what().c_str() : shown(done.error()).c_str());
  }
  return !quit_;
}

bool Shell::run_line(const std::string& line) {
  auto words = split_command(line);
  if (words.empty()) return true;
  history_.push_back(line);
  return run(words);
}

std::string Shell::prompt() const {
  std::string state = "CONNECTING";
  switch (client_->state()) {
    case ZkClient::State::connecting:
      break;
    case ZkClient::State::connected:
      state = "CONNECTED";
      break;
    case ZkClient::State::read_only:
      state = "CONNECTEDREADONLY";
      break;
    case ZkClient::State::auth_failed:
      state = "AUTH_FAILED";
      break;
    case ZkClient::State::expired:
    case ZkClient::State::closed:
      state = "CLOSED";
      break;
  }
  return "[zk: " + settings_.connect + "(" + state + ") " + std::to_string(count()) + "] ";
}

std::vector<std::string> Shell::complete(std::string_view typed) {
  std::vector<std::string> found;
  size_t blank = typed.find_last_of(" \t");
  std::string_view word = blank == std::string_view::npos ? typed : typed.substr(blank + 1);
  if (blank == std::string_view::npos) {
    for (const Command* at = kCommands; !at->name.empty(); ++at) {
      if (at->listed && at->name.starts_with(word)) found.emplace_back(at->name);
    }
    return found;
  }
  size_t slash = word.rfind('/');
  if (word.empty() || word[0] != '/' || client_->fd() < 0) return found;
  std::string parent = slash == 0 ? "/" : std::string(word.substr(0, slash));
  auto names = client_->children(parent, false, nullptr);
  if (!names) return found;
  std::sort(names->begin(), names->end());
  for (const auto& name : *names) {
    if (std::string_view(name).starts_with(word.substr(slash + 1))) {
      found.push_back((slash == 0 ? "" : parent) + "/" + name);
    }
  }
  return found;
}

}  // namespace odradek::coordinator::cli
