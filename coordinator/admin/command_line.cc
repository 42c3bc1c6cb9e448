#include "common/format.h"
#include "coordinator/admin/commands.h"

namespace odradek::coordinator::admin {

namespace {

Error wrong(std::string what) { return Error(Errc::invalid_argument, std::move(what)); }

// The value of `--name VALUE` or `--name=VALUE`; moves on to it.
Result<std::string> value_of(const std::vector<std::string>& words, size_t& at) {
  const std::string& word = words[at];
  if (size_t equals = word.find('='); equals != std::string::npos) return word.substr(equals + 1);
  if (at + 1 == words.size()) return wrong(odradek::format("{} wants a value", word));
  return words[++at];
}

}  // namespace

Result<CommandLine> parse_command_line(const std::vector<std::string>& arguments) {
  CommandLine line;
  std::vector<std::string> plain;
  bool server_given = false;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    std::string name = word.substr(0, word.find('='));
    if (name == "--help" || word == "-h") {
      line.help = true;
      return line;
    }
    if (name == "--server" || name == "--data-dir") {
      auto value = value_of(arguments, i);
      if (!value) return value.error();
      if (value->empty()) return wrong(odradek::format("{} wants a value", name));
      (name == "--server" ? line.server : line.data_dir) = *value;
      server_given |= name == "--server";
    } else if (word.starts_with("-")) {
      return wrong(odradek::format("{} is no option", word));
    } else {
      plain.push_back(word);
    }
  }
  if (plain.empty()) return wrong("name a command");
  line.command = plain[0];
  bool wants_folder =
      line.command == "export" || line.command == "backup" || line.command == "restore";
  if (!wants_folder && line.command != "check") {
    return wrong(odradek::format("{} is no command", line.command));
  }
  if (plain.size() != (wants_folder ? 2u : 1u)) {
    return wrong(odradek::format("{} wants {}", line.command,
                                 wants_folder ? "one folder" : "nothing behind it"));
  }
  if (wants_folder) line.folder = plain[1];
  if (server_given && !line.data_dir.empty()) {
    return wrong("--server and --data-dir do not go together");
  }
  return line;
}

std::string help_text() {
  return "usage: coordinator-admin.sh COMMAND [DIR] [--server HOST:PORT | --data-dir DATA_DIR]\n"
         "\n"
         "  check          looks whether everything in the store fits together; status 1 if not\n"
         "  export DIR     writes DIR/version-2/snapshot.ZXID, from which an Apache ZooKeeper starts\n"
         "                 with the same tree, sessions, ACLs and stats (dataDir=DIR)\n"
         "  backup DIR     copies the store, as it is at one moment, into the new folder DIR\n"
         "  restore DIR    puts a backup in the place of the tree that is there. Clients have to\n"
         "                 connect again; the zxid goes on above every one that was ever given out,\n"
         "                 and the former store is kept beside the new one until the next restore\n"
         "\n"
         "  --server HOST:PORT    the coordinator, which goes on serving (default localhost:2181);\n"
         "                        it answers only on its own machine, to its own user and to root\n"
         "  --data-dir DATA_DIR   without a coordinator: the dataDir of one that is stopped\n"
         "  --help                this text\n";
}

}  // namespace odradek::coordinator::admin
