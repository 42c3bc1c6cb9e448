// The shell's commands. Their words and streams are those of ZooKeeper 3.6: results to standard
// output; "Created ..." and what went wrong to standard error.

#include <algorithm>
#include <cstdio>

#include "common/cli/text.h"
#include "coordinator/cli/shell_command.h"

namespace odradek::coordinator::cli {
namespace {

using zookeeper::CreateMode;

Error usage_error(std::string text) { return Error(Errc::invalid_argument, std::move(text)); }

std::string bracketed(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  return "[" + odradek::cli::join(names, ", ") + "]\n";
}

void put(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

void tell(const std::string& text) {
  std::fflush(stdout);
  std::fprintf(stderr, "%s\n", text.c_str());
}

Result<int32_t> version_of(const ShellArguments& arguments) {
  if (!arguments.has('v')) return -1;
  auto number = odradek::cli::parse_int(arguments.value('v'));
  if (!number) return usage_error("For input string: \"" + arguments.value('v') + "\"");
  return static_cast<int32_t>(*number);
}

std::string child_of(const std::string& parent, const std::string& name) {
  return (parent == "/" ? "" : parent) + "/" + name;
}

}  // namespace

const Shell::Command Shell::kCommands[] = {
    {"addWatch",
     "[-m mode] path # optional mode is one of [PERSISTENT, PERSISTENT_RECURSIVE] - default is "
     "PERSISTENT_RECURSIVE",
     "m:", 1, true, true, &Shell::add_watch},
    {"addauth", "scheme auth", "", 1, false, true, &Shell::add_auth},
    {"close", "", "", 0, false, true, &Shell::close},
    {"config", "[-c] [-w] [-s]", "cws", 0, false, true, &Shell::config},
    {"connect", "host:port", "", 0, false, false, &Shell::reconnect},
    {"create", "[-s] [-e] [-c] [-t ttl] path [data] [acl]", "sect:", 1, true, true, &Shell::create},
    {"delete", "[-v version] path", "v:", 1, true, true, &Shell::remove},
    {"deleteall", "path [-b batch size]", "b:", 1, true, true, &Shell::remove_all},
    {"delquota", "[-n|-b|-N|-B] path", "nbNB", 1, true, true, &Shell::remove_quota},
    {"get", "[-s] [-w] path", "sw", 1, true, true, &Shell::get},
    {"getAcl", "[-s] path", "s", 1, true, true, &Shell::get_acl},
    {"getAllChildrenNumber", "path", "", 1, true, true, &Shell::all_children_number},
    {"getEphemerals", "path", "", 0, false, true, &Shell::ephemerals},
    {"history", "", "", 0, false, false, &Shell::history},
    {"listquota", "path", "", 1, true, true, &Shell::list_quota},
    {"ls", "[-s] [-w] [-R] path", "swR", 1, true, true, &Shell::list},
    {"ls2", "path [watch]", "", 1, true, true, &Shell::list, false},
    {"printwatches", "on|off", "", 0, false, false, &Shell::print_watches},
    {"quit", "", "", 0, false, false, &Shell::quit},
    {"reconfig",
     "[-s] [-v version] [[-file path] | [-members serverID=host:port1:port2;port3[,...]*]] | [-add "
     "serverId=host:port1:port2;port3[,...]]* [-remove serverId[,...]*]",
     "sv:f:m:a:r:", 0, false, true, &Shell::reconfig},
    {"redo", "cmdno", "", 1, false, false, &Shell::redo},
    {"removewatches", "path [-c|-d|-a] [-l]", "cdal", 1, true, true, &Shell::remove_watches},
    {"rmr", "path", "", 1, true, true, &Shell::remove_all, false},
    {"set", "[-s] [-v version] path data", "sv:", 2, true, true, &Shell::set},
    {"setAcl", "[-s] [-v version] [-R] path acl", "sv:R", 2, true, true, &Shell::set_acl},
    {"setquota", "-n|-b|-N|-B val path", "n:b:N:B:", 1, true, true, &Shell::set_quota},
    {"stat", "[-w] path", "w", 1, true, true, &Shell::stat},
    {"sync", "path", "", 1, true, true, &Shell::sync},
    {"version", "", "", 0, false, false, &Shell::version},
    {"whoami", "", "", 0, false, true, &Shell::who_am_i},
    {"", "", "", 0, false, false, nullptr, false},
};

Shell::Outcome Shell::add_auth(const ShellArguments& arguments) {
  return client_->add_auth(arguments.words[0],
                           arguments.words.size() > 1 ? arguments.words[1] : "");
}

Shell::Outcome Shell::add_watch(const ShellArguments& arguments) {
  auto mode = zookeeper::AddWatchMode::kPersistentRecursive;
  if (arguments.has('m')) {
    if (arguments.value('m') == "PERSISTENT")
      mode = zookeeper::AddWatchMode::kPersistent;
    else if (arguments.value('m') != "PERSISTENT_RECURSIVE") {
      return usage_error("No enum constant org.apache.zookeeper.AddWatchMode." +
                         arguments.value('m'));
    }
  }
  return client_->add_watch(arguments.words[0], mode);
}

Shell::Outcome Shell::close(const ShellArguments&) {
  client_->close();
  return {};
}

Shell::Outcome Shell::config(const ShellArguments& arguments) {
  Stat stat;
  auto data = client_->get("/zookeeper/config", arguments.has('w'), &stat);
  if (!data) return data.error();
  put(data->value_or("null") + "\n");
  if (arguments.has('s')) put(stat_text(stat));
  return {};
}

Shell::Outcome Shell::reconnect(const ShellArguments& arguments) {
  open(arguments.words.empty() ? settings_.connect : arguments.words[0]);
  return client_->connect();
}

Shell::Outcome Shell::create(const ShellArguments& arguments) {
  bool sequential = arguments.has('s');
  bool ephemeral = arguments.has('e');
  bool container = arguments.has('c');
  int64_t ttl = -1;
  if (container && (sequential || ephemeral)) {
    return usage_error(
        "-c cannot be combined with -s or -e. Containers cannot be ephemeral or sequential.");
  }
  if (arguments.has('t')) {
    auto number = odradek::cli::parse_int(arguments.value('t'));
    if (!number || *number < 0) return usage_error("-t argument must be a long value");
    if (ephemeral || container)
      return usage_error("TTLs cannot be used with Ephemeral znodes or Container znodes");
    ttl = *number;
  }
  auto mode =
      ttl >= 0
          ? (sequential ? CreateMode::kPersistentSequentialWithTtl : CreateMode::kPersistentWithTtl)
      : container ? CreateMode::kContainer
      : ephemeral ? (sequential ? CreateMode::kEphemeralSequential : CreateMode::kEphemeral)
                  : (sequential ? CreateMode::kPersistentSequential : CreateMode::kPersistent);
  std::optional<std::string> data;
  if (arguments.words.size() > 1) data = arguments.words[1];
  auto acl = arguments.words.size() > 2 ? parse_acl(arguments.words[2]) : open_acl();
  auto made = client_->create(arguments.words[0], data, acl, mode, ttl);
  if (!made) return made.error();
  made_ephemeral_ = made_ephemeral_ || ephemeral;
  tell("Created " + *made);
  return {};
}

Shell::Outcome Shell::remove(const ShellArguments& arguments) {
  auto version = version_of(arguments);
  if (!version) return version.error();
  return client_->remove(arguments.words[0], *version);
}

// Parents before their children, so that the end of the list can go first.
Shell::Outcome Shell::for_subtree(const std::string& path, std::vector<std::string>& found) {
  found.push_back(path);
  for (size_t at = found.size() - 1; at < found.size(); ++at) {
    auto names = client_->children(found[at], false, nullptr);
    if (!names && names.error().code() == Errc::no_node && at > 0) continue;
    if (!names) return names.error();
    std::string parent = found[at];
    for (const auto& name : *names) found.push_back(child_of(parent, name));
  }
  return {};
}

Shell::Outcome Shell::remove_all(const ShellArguments& arguments) {
  if (arguments.command == "rmr")
    tell("The command 'rmr' has been deprecated. Please use 'deleteall' instead.");
  int64_t batch = 1000;
  if (arguments.has('b')) {
    auto number = odradek::cli::parse_int(arguments.value('b'));
    if (!number) return usage_error("-b argument must be an int value");
    batch = *number;
  }
  std::vector<std::string> nodes;
  if (auto done = for_subtree(arguments.words[0], nodes); !done) return done;
  std::reverse(nodes.begin(), nodes.end());
  auto removed = client_->remove_all(nodes, static_cast<size_t>(std::max<int64_t>(1, batch)));
  if (!removed) return removed.error();
  if (!*removed) tell("Failed to delete some node(s) in the subtree: " + arguments.words[0]);
  return {};
}

Shell::Outcome Shell::get(const ShellArguments& arguments) {
  Stat stat;
  auto data = client_->get(arguments.words[0], arguments.has('w'), &stat);
  if (!data) return data.error();
  put(data->value_or("null") + "\n");
  if (arguments.has('s')) put(stat_text(stat));
  return {};
}

Shell::Outcome Shell::get_acl(const ShellArguments& arguments) {
  Stat stat;
  auto list = client_->acl(arguments.words[0], &stat);
  if (!list) return list.error();
  for (const auto& acl : *list) {
    put("'" + acl.id.scheme + ",'" + acl.id.id + "\n: " + permission_letters(acl.perms) + "\n");
  }
  if (arguments.has('s')) put(stat_text(stat));
  return {};
}

Shell::Outcome Shell::all_children_number(const ShellArguments& arguments) {
  auto number = client_->all_children_number(arguments.words[0]);
  if (!number) return number.error();
  put(std::to_string(*number) + "\n");
  return {};
}

Shell::Outcome Shell::ephemerals(const ShellArguments& arguments) {
  std::string prefix = arguments.words.empty() ? "/" : arguments.words[0];
  if (std::string problem = path_problem(prefix); !problem.empty())
    return Error(Errc::bad_path, problem);
  auto paths = client_->ephemerals(prefix);
  if (!paths) return paths.error();
  put("[" + odradek::cli::join(*paths, ", ") + "]\n");
  return {};
}

Shell::Outcome Shell::history(const ShellArguments&) {
  int last = count() - 1;
  for (int i = std::max(0, last - 10); i <= last; ++i) {
    put(std::to_string(i) + " - " + history_[static_cast<size_t>(i)] + "\n");
  }
  return {};
}

Shell::Outcome Shell::print_tree(const std::string& path) {
  auto names = client_->children(path, false, nullptr);
  if (!names && names.error().code() == Errc::no_node) return {};
  if (!names) return names.error();
  std::sort(names->begin(), names->end());
  for (const auto& name : *names) put(child_of(path, name) + "\n");
  for (const auto& name : *names) {
    if (auto done = print_tree(child_of(path, name)); !done) return done;
  }
  return {};
}

Shell::Outcome Shell::list(const ShellArguments& arguments) {
  const std::string& path = arguments.words[0];
  bool old = arguments.command == "ls2";
  if (old) tell("'ls2' has been deprecated. Please use 'ls [-s] path' instead.");
  if (arguments.has('R')) {
    auto there = client_->children(path, arguments.has('w'), nullptr);
    if (!there) return there.error();
    put(path + "\n");
    return print_tree(path);
  }
  Stat stat;
  auto names =
      client_->children(path, arguments.has('w') || (old && arguments.words.size() > 1), &stat);
  if (!names) return names.error();
  put(bracketed(std::move(*names)));
  if (arguments.has('s') || old) put(stat_text(stat));
  return {};
}

Shell::Outcome Shell::print_watches(const ShellArguments& arguments) {
  if (arguments.words.empty())
    put(std::string("printwatches is ") + (print_watches_ ? "on" : "off") + "\n");
  else
    print_watches_ = arguments.words[0] == "on";
  return {};
}

Shell::Outcome Shell::quit(const ShellArguments&) {
  client_->close();
  quit_ = true;
  return {};
}

Shell::Outcome Shell::reconfig(const ShellArguments& arguments) {
  auto given = [&](char option) {
    return arguments.has(option) ? std::optional(arguments.value(option))
                                 : std::optional<std::string>();
  };
  auto version = version_of(arguments);
  if (!version) return version.error();
  if (arguments.has('f'))
    return usage_error("reconfig -file is not read here; give -members, -add or -remove");
  if (!arguments.has('m') && !arguments.has('a') && !arguments.has('r')) {
    return usage_error("reconfig " + std::string(find("reconfig")->usage));
  }
  Stat stat;
  auto config = client_->reconfig(given('a'), given('r'), given('m'), *version, &stat);
  if (!config) return config.error();
  put("Committed new configuration:\n" + *config + "\n");
  if (arguments.has('s')) put(stat_text(stat));
  return {};
}

Shell::Outcome Shell::redo(const ShellArguments& arguments) {
  auto number = odradek::cli::parse_int(arguments.words[0]);
  if (!number) return usage_error("For input string: \"" + arguments.words[0] + "\"");
  if (*number < 0 || *number >= count() - 1) return usage_error("Command index out of range");
  std::string line = history_[static_cast<size_t>(*number)];
  auto words = split_command(line);
  if (words.empty() || words[0] == "redo") return usage_error("No redoing redos");
  history_.back() = line;
  return dispatch(words);
}

Shell::Outcome Shell::remove_watches(const ShellArguments& arguments) {
  auto type = arguments.has('c')   ? zookeeper::WatcherType::kChildren
              : arguments.has('d') ? zookeeper::WatcherType::kData
                                   : zookeeper::WatcherType::kAny;
  return client_->remove_watches(arguments.words[0], type, false);
}

Shell::Outcome Shell::set(const ShellArguments& arguments) {
  auto version = version_of(arguments);
  if (!version) return version.error();
  auto stat = client_->set(arguments.words[0], arguments.words[1], *version);
  if (!stat) return stat.error();
  if (arguments.has('s')) put(stat_text(*stat));
  return {};
}

Shell::Outcome Shell::set_acl(const ShellArguments& arguments) {
  auto version = version_of(arguments);
  if (!version) return version.error();
  auto acl = parse_acl(arguments.words[1]);
  std::vector<std::string> nodes = {arguments.words[0]};
  if (arguments.has('R')) {
    nodes.clear();
    if (auto done = for_subtree(arguments.words[0], nodes); !done) return done;
  }
  for (const auto& node : nodes) {
    auto stat = client_->set_acl(node, acl, *version);
    if (!stat) return stat.error();
    if (arguments.has('s')) put(stat_text(*stat));
  }
  return {};
}

Shell::Outcome Shell::stat(const ShellArguments& arguments) {
  auto found = client_->exists(arguments.words[0], arguments.has('w'));
  if (!found) return found.error();
  if (!*found) return Error(Errc::no_node, "KeeperErrorCode = NoNode for " + arguments.words[0]);
  put(stat_text(**found));
  return {};
}

Shell::Outcome Shell::sync(const ShellArguments& arguments) {
  auto done = client_->sync(arguments.words[0]);
  if (!done) return done;
  put("Sync is OK\n");
  return {};
}

Shell::Outcome Shell::version(const ShellArguments&) {
  put("ZooKeeper CLI version: 3.6.4 (Odradek 0.1.0)\n");
  return {};
}

Shell::Outcome Shell::who_am_i(const ShellArguments&) {
  auto known = client_->who_am_i();
  if (!known) return known.error();
  put("Auth scheme: User\n");
  for (const auto& info : *known) put(info.auth_scheme + ": " + info.user + "\n");
  return {};
}

}  // namespace odradek::coordinator::cli
