#include "common/cli/options.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "common/check.h"
#include "common/cli/text.h"

namespace odradek::cli {
namespace {

constexpr size_t kWidth = 80;
constexpr size_t kGap = 2;

const OptionSpec* exact(const Program& program, std::string_view name) {
  for (const auto& spec : program.options) {
    if (spec.name == name || (!spec.alias.empty() && spec.alias == name)) return &spec;
  }
  return nullptr;
}

// An exact name, else the one name that begins so; of several, the plural of what was typed
// (--partition).
const OptionSpec* match(const Program& program, std::string_view name) {
  if (const auto* spec = exact(program, name)) return spec;
  if (name.empty()) return nullptr;
  std::vector<const OptionSpec*> found;
  for (const auto& spec : program.options) {
    if (spec.name.starts_with(name)) found.push_back(&spec);
  }
  if (found.size() == 1) return found[0];
  for (const auto* spec : found) {
    if (spec->name.size() == name.size() + 1 && spec->name.back() == 's') return spec;
  }
  return nullptr;
}

bool is_number_type(const OptionSpec& spec) {
  return spec.argument.starts_with("Integer") || spec.argument.starts_with("Long");
}

bool converts(const OptionSpec& spec, std::string_view value) {
  if (!is_number_type(spec)) return true;
  auto number = parse_int(value);
  return number &&
         (spec.argument.starts_with("Long") || (*number >= INT32_MIN && *number <= INT32_MAX));
}

bool looks_like_option(std::string_view token) { return token.size() > 1 && token[0] == '-'; }

// Lines of at most `width` characters, broken at blanks and behind hyphens; all but the first are
// set in by two.
std::vector<std::string> wrap(std::string_view text, size_t width) {
  std::vector<std::string> lines;
  std::string line;
  size_t at = 0;
  while (at < text.size()) {
    size_t end = at;
    while (end < text.size() && text[end] != ' ' && text[end] != '\n') ++end;
    std::string_view word = text.substr(at, end - at);
    size_t indent = lines.empty() ? 0 : 2;
    if (!line.empty() && line.size() + 1 + word.size() > width) {
      lines.push_back(line);
      line.clear();
      indent = 2;
    }
    if (line.empty())
      line = std::string(lines.empty() ? 0 : indent, ' ') + std::string(word);
    else
      line += ' ' + std::string(word);
    while (line.size() > width) {
      lines.push_back(line.substr(0, width));
      line = "  " + line.substr(width);
    }
    if (end < text.size() && text[end] == '\n') {
      lines.push_back(line);
      line.clear();
    }
    at = end + 1;
  }
  if (!line.empty() || lines.empty()) lines.push_back(line);
  return lines;
}

std::string option_cell(const OptionSpec& spec) {
  std::string cell = "--" + std::string(spec.name);
  if (spec.arg == Arg::required) cell += " <" + std::string(spec.argument) + ">";
  if (spec.arg == Arg::optional) cell += " [" + std::string(spec.argument) + "]";
  return cell;
}

void refuse_uncaught(std::string_view exception_class, std::string_view message) {
  exit_uncaught(exception_class, message);
}
Options::Refusal refusal = refuse_uncaught;

Error parse_error(std::string_view exception, std::string message) {
  return Error(Errc::invalid_argument, std::string(exception) + ": " + message);
}

}  // namespace

Result<Options> Options::parse(const Program& program, std::span<const std::string> arguments) {
  Options options;
  options.program_ = &program;
  for (size_t i = 0; i < arguments.size(); ++i) {
    std::string_view token = arguments[i];
    if (token == "--") {
      options.plain_.insert(options.plain_.end(), arguments.begin() + static_cast<long>(i) + 1,
                            arguments.end());
      break;
    }
    if (!looks_like_option(token)) {
      options.plain_.emplace_back(token);
      continue;
    }
    std::string_view name = token.substr(token.starts_with("--") ? 2 : 1);
    std::optional<std::string> value;
    if (size_t equals = name.find('='); equals != std::string_view::npos) {
      value = std::string(name.substr(equals + 1));
      name = name.substr(0, equals);
    }
    const OptionSpec* spec = match(program, name);
    if (!spec) {
      return parse_error("joptsimple.UnrecognizedOptionException",
                         std::string(name) + " is not a recognized option");
    }
    auto& given = options.given_[spec->name];
    if (spec->arg == Arg::none) continue;
    if (!value && i + 1 < arguments.size()) {
      bool take = spec->arg == Arg::required || !looks_like_option(arguments[i + 1]);
      if (take) value = arguments[++i];
    }
    if (!value && spec->arg == Arg::required) {
      return parse_error("joptsimple.OptionMissingRequiredArgumentException",
                         "Option " + std::string(spec->name) + " requires an argument");
    }
    if (!value) continue;
    given.push_back(*value);
  }
  return options;
}

void Options::set_refusal(Refusal chosen) { refusal = chosen; }

Options Options::parse_or_exit(const Program& program, int argc, char** argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  auto options = parse(program, arguments);
  if (!options) {
    std::fprintf(stderr, "Exception in thread \"main\" %s\n", options.error().what().c_str());
    std::exit(1);
  }
  return std::move(*options);
}

const OptionSpec& Options::spec(std::string_view name) const {
  const OptionSpec* found = exact(*program_, name);
  CHECK(found != nullptr);
  return *found;
}

bool Options::has(std::string_view name) const { return given_.contains(spec(name).name); }

std::vector<std::string> Options::values(std::string_view name) const {
  auto at = given_.find(spec(name).name);
  return at == given_.end() ? std::vector<std::string>() : at->second;
}

std::optional<std::string> Options::find(std::string_view name) const {
  auto all = values(name);
  if (all.empty()) return std::nullopt;
  if (all.size() > 1) {
    refusal("joptsimple.MultipleArgumentsForOptionException",
            "Found multiple arguments for option " + std::string(name) +
                ", but you asked for only one");
  }
  return all[0];
}

std::string Options::value(std::string_view name) const {
  auto found = find(name);
  return found ? *found : std::string(spec(name).default_value);
}

std::optional<int64_t> Options::number(std::string_view name) const {
  std::string text = value(name);
  if (text.empty()) return std::nullopt;
  if (!converts(spec(name), text)) {
    refusal("joptsimple.OptionArgumentConversionException",
            "Cannot parse argument '" + text + "' of option " + std::string(name));
  }
  return parse_int(text);
}

void Options::require(std::initializer_list<std::string_view> names) const {
  for (auto name : names) {
    if (!has(name))
      exit_with_usage(*program_, "Missing required argument \"[" + std::string(name) + "]\"");
  }
}

void Options::forbid_with(std::string_view used,
                          std::initializer_list<std::string_view> forbidden) const {
  if (!has(used)) return;
  for (auto name : forbidden) {
    if (has(name)) {
      exit_with_usage(*program_, "Option \"[" + std::string(used) +
                                     "]\" can't be used with option \"[" + std::string(name) +
                                     "]\"");
    }
  }
}

int Options::count(std::initializer_list<std::string_view> names) const {
  return static_cast<int>(
      std::count_if(names.begin(), names.end(), [this](auto name) { return has(name); }));
}

void Options::help_or_version(bool help_when_empty) const {
  if ((help_when_empty && empty()) || (exact(*program_, "help") && has("help"))) {
    exit_with_usage(*program_, program_->about);
  }
  if (exact(*program_, "version") && has("version")) {
    std::printf("%s\n", std::string(kKafkaVersion).c_str());
    std::exit(0);
  }
}

std::string usage_table(const Program& program) {
  std::vector<const OptionSpec*> rows;
  for (const auto& spec : program.options) rows.push_back(&spec);
  std::sort(rows.begin(), rows.end(), [](auto* a, auto* b) { return a->name < b->name; });
  size_t left = 0;
  for (const auto* row : rows) left = std::max(left, option_cell(*row).size());
  left = std::min(left, (kWidth - kGap) / 2);
  size_t right = kWidth - kGap - left;
  std::string out = pad_right("Option", left + kGap) + pad_right("Description", right) + "\n" +
                    pad_right("------", left + kGap) + pad_right("-----------", right) + "\n";
  for (const auto* row : rows) {
    std::string description(row->description);
    if (!row->default_value.empty())
      description += " (default: " + std::string(row->default_value) + ")";
    auto cells = wrap(option_cell(*row), left);
    auto texts = wrap(description, right);
    for (size_t i = 0; i < std::max(cells.size(), texts.size()); ++i) {
      out += pad_right(i < cells.size() ? cells[i] : "", left + kGap);
      out += pad_right(i < texts.size() ? texts[i] : "", right) + "\n";
    }
  }
  return out;
}

void exit_with_usage(const Program& program, std::string_view message) {
  std::fflush(stdout);
  std::string text = std::string(message) + "\n" + usage_table(program);
  std::fputs(text.c_str(), stderr);
  std::exit(1);
}

void exit_uncaught(std::string_view exception_class, std::string_view message) {
  std::fflush(stdout);
  std::string text =
      "Exception in thread \"main\" " + std::string(exception_class) + ": " + std::string(message);
  std::fprintf(stderr, "%s\n", text.c_str());
  std::exit(1);
}

void exit_not_yet(const Program& program, std::string_view what) {
  std::fflush(stdout);
  std::string text = std::string(program.name) + ": " + std::string(what);
  std::fprintf(stderr, "%s\n", text.c_str());
  std::exit(1);
}

}  // namespace odradek::cli
