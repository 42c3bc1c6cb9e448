#pragma once
// Shell: the commands of zookeeper-shell on one connection, and what a session of typing adds:
// history, redo, watches on or off. Answers go to standard output, errors to standard error, in the
// words of ZooKeeper 3.6. Lives on the program's only thread.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "coordinator/cli/zk_client.h"

namespace odradek::coordinator::cli {

// A command line taken apart: options (letters behind one dash, with their values) and the other
// words.
struct ShellArguments {
  std::string command;
  std::vector<std::string> words;  // without the command
  std::vector<std::pair<char, std::string>> options;
  bool has(char option) const;
  std::string value(char option) const;
};

// Words of a typed line; quotes hold a word together and are taken off.
std::vector<std::string> split_command(std::string_view line);
// ACLs of "scheme:id:perms[,scheme:id:perms...]"; what is wrong with an entry goes to standard
// error, the rest counts.
std::vector<ACL> parse_acl(const std::string& text);
std::string permission_letters(int32_t permissions);
std::string stat_text(const Stat& stat);
std::string event_text(const zookeeper::WatcherEvent& event);

class Shell {
 public:
  explicit Shell(ZkClient::Settings settings);
  // One command; false when it was "quit". Status and history follow.
  bool run_line(const std::string& line);
  bool run(const std::vector<std::string>& words);
  int status() const { return status_; }  // of the last command: 0, 1, or 127 for an unknown one
  int count() const { return static_cast<int>(history_.size()); }
  ZkClient& client() { return *client_; }
  std::string prompt() const;  // "[zk: HOST(CONNECTED) 7] "
  // Candidates for the last word of what was typed so far, whole words.
  std::vector<std::string> complete(std::string_view typed);
  // An ephemeral node was made: its session has to outlive a one-shot command.
  bool made_ephemeral() const { return made_ephemeral_; }

 private:
  struct Command;
  static const Command kCommands[];
  using Outcome = Result<void>;  // an error's text is what the user reads

  void open(const std::string& connect);
  static const Command* find(std::string_view name);
  static Result<ShellArguments> parse(const Command& command,
                                      const std::vector<std::string>& words);
  void print_usage() const;
  Outcome dispatch(const std::vector<std::string>& words);

  Outcome add_auth(const ShellArguments& arguments);
  Outcome add_watch(const ShellArguments& arguments);
  Outcome close(const ShellArguments& arguments);
  Outcome config(const ShellArguments& arguments);
  Outcome reconnect(const ShellArguments& arguments);
  Outcome create(const ShellArguments& arguments);
  Outcome remove(const ShellArguments& arguments);
  Outcome remove_all(const ShellArguments& arguments);
  Outcome remove_quota(const ShellArguments& arguments);
  Outcome get(const ShellArguments& arguments);
  Outcome get_acl(const ShellArguments& arguments);
  Outcome all_children_number(const ShellArguments& arguments);
  Outcome ephemerals(const ShellArguments& arguments);
  Outcome history(const ShellArguments& arguments);
  Outcome list_quota(const ShellArguments& arguments);
  Outcome list(const ShellArguments& arguments);
  Outcome print_watches(const ShellArguments& arguments);
  Outcome quit(const ShellArguments& arguments);
  Outcome reconfig(const ShellArguments& arguments);
  Outcome redo(const ShellArguments& arguments);
  Outcome remove_watches(const ShellArguments& arguments);
  Outcome set(const ShellArguments& arguments);
  Outcome set_acl(const ShellArguments& arguments);
  Outcome set_quota(const ShellArguments& arguments);
  Outcome stat(const ShellArguments& arguments);
  Outcome sync(const ShellArguments& arguments);
  Outcome version(const ShellArguments& arguments);
  Outcome who_am_i(const ShellArguments& arguments);

  Outcome refuse_nested_quota(const std::string& path);
  Outcome print_tree(const std::string& path);
  Outcome for_subtree(const std::string& path, std::vector<std::string>& found);

  ZkClient::Settings settings_;
  std::unique_ptr<ZkClient> client_;
  std::vector<std::string> history_;
  bool print_watches_ = true;
  bool made_ephemeral_ = false;
  bool quit_ = false;
  int status_ = 0;
};

}  // namespace odradek::coordinator::cli
