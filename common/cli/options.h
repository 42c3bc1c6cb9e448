#pragma once
// Command line options as Kafka's tools take them: a table per tool, long names with one dash or
// two, `--name value` or `--name=value`, and any clear beginning of a name (the official parser
// refuses that, tutorials type it). Texts and exit codes of refused command lines are the official
// ones (facts/cli-output.md). Used by one-shot programs on their only thread: the exit_ functions
// end the process.

#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/result.h"

namespace odradek::cli {

enum class Arg { none, required, optional };

// One row of a tool's table. `argument` is what stands in angle brackets in the help, its first
// word the type: "Integer: # of partitions", "Long", "String: topic".
struct OptionSpec {
  std::string_view name;  // without dashes
  Arg arg = Arg::none;
  std::string_view argument;
  std::string_view description;
  std::string_view default_value = {};
  std::string_view alias = {};  // a second name, not shown
};

struct Program {
  std::string_view name;   // kafka-topics
  std::string_view about;  // the line above the table
  std::span<const OptionSpec> options;
};

// The options of one call. A name that is not in the table is a bug of the tool (CHECK).
class Options {
 public:
  // Why it can fail: unknown option, missing argument. Error::what is the official exception with
  // its sentence.
  static Result<Options> parse(const Program& program, std::span<const std::string> arguments);
  // parse() of main's arguments; on failure prints as the official tools do and ends with status 1.
  static Options parse_or_exit(const Program& program, int argc, char** argv);

  const Program& program() const { return *program_; }
  bool has(std::string_view name) const;
  // What happens when a value is read that was given more than once, or is not the number it has to
  // be: exit_uncaught, unless the program chose another. It does not return.
  using Refusal = void (*)(std::string_view exception_class, std::string_view message);
  static void set_refusal(Refusal refusal);

  // The one value, else the default, else empty.
  std::string value(std::string_view name) const;
  std::optional<std::string> find(std::string_view name) const;  // no default
  std::vector<std::string> values(std::string_view name) const;  // all given, in order
  std::optional<int64_t> number(std::string_view name) const;    // with default
  const std::vector<std::string>& plain() const {
    return plain_;
  }  // arguments that belong to no option
  bool empty() const { return given_.empty() && plain_.empty(); }

  // Kafka's checks; each ends with the usage table and status 1 when broken.
  void require(std::initializer_list<std::string_view> names) const;
  void forbid_with(std::string_view used, std::initializer_list<std::string_view> forbidden) const;
  // How many of these were given.
  int count(std::initializer_list<std::string_view> names) const;
  // --help (also an empty command line where `help_when_empty`), --version.
  void help_or_version(bool help_when_empty = true) const;

 private:
  const OptionSpec& spec(std::string_view name) const;

  const Program* program_ = nullptr;
  std::map<std::string_view, std::vector<std::string>> given_;
  std::vector<std::string> plain_;
};

// The usage table, two columns in 80 characters.
std::string usage_table(const Program& program);
[[noreturn]] void exit_with_usage(const Program& program, std::string_view message);
// A JVM's last words for an exception that nobody caught, status 1.
[[noreturn]] void exit_uncaught(std::string_view exception_class, std::string_view message);
// An option whose API comes with a later issue: says so, status 1.
[[noreturn]] void exit_not_yet(const Program& program, std::string_view what);

// The version that the tools follow: what `--version` prints.
inline constexpr std::string_view kKafkaVersion = "3.5.2";

}  // namespace odradek::cli
