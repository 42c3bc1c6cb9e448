// The shell's quota commands, as those of ZooKeeper 3.8. A quota is two znodes below
// /zookeeper/quota: zookeeper_limits and zookeeper_stats.

#include <algorithm>
#include <cstdio>
#include <map>

#include "common/cli/text.h"
#include "coordinator/cli/shell_command.h"

namespace odradek::coordinator::cli {
namespace {

using zookeeper::CreateMode;

constexpr std::string_view kQuotaRoot = "/zookeeper/quota";
constexpr std::string_view kLetters = "nbNB";  // soft count and bytes, hard count and bytes

Error usage_error(std::string text) { return Error(Errc::invalid_argument, std::move(text)); }

void put(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

void tell(const std::string& text) {
  std::fflush(stdout);
  std::fprintf(stderr, "%s\n", text.c_str());
}

// "count=5,bytes=-1=;byteHardLimit=-1;countHardLimit=7"; -1: no limit.
class Numbers {
 public:
  static const char* key_of(char option) {
    switch (option) {
      case 'n':
        return "count";
      case 'b':
        return "bytes";
      case 'N':
        return "countHardLimit";
      default:
        return "byteHardLimit";
    }
  }

  static Numbers no_limits() {
    Numbers numbers;
    for (char option : kLetters) numbers.set(option, -1);
    return numbers;
  }
  static Numbers parse(std::string_view text) {
    Numbers numbers;
    while (!text.empty()) {
      std::string_view pair = text.substr(0, text.find_first_of(",;"));
      text.remove_prefix(std::min(text.size(), pair.size() + 1));
      size_t sign = pair.find('=');
      if (sign == std::string_view::npos) continue;
      std::string_view value = pair.substr(sign + 1);
      auto number = odradek::cli::parse_int(std::string(value.substr(0, value.find('='))));
      numbers.numbers_[std::string(pair.substr(0, sign))] = number.value_or(-1);
    }
    return numbers;
  }

  int64_t get(char option) const {
    auto at = numbers_.find(key_of(option));
    return at == numbers_.end() ? -1 : at->second;
  }
  void set(char option, int64_t value) { numbers_[key_of(option)] = value; }
  std::string text() const {
    std::string text =
        "count=" + std::to_string(get('n')) + ",bytes=" + std::to_string(get('b'));
    const char* before = "=;";  // where a reader of 3.4 stops
    for (const auto& [key, value] : numbers_) {
      if (key == "count" || key == "bytes") continue;
      text.append(before).append(key).append("=").append(std::to_string(value));
      before = ";";
    }
    return text;
  }

 private:
  std::map<std::string, int64_t> numbers_;
};

std::string quota_path(const std::string& path) { return std::string(kQuotaRoot) + path; }
std::string limits_path(const std::string& path) { return quota_path(path) + "/zookeeper_limits"; }
std::string stats_path(const std::string& path) { return quota_path(path) + "/zookeeper_stats"; }

// One of the letters, as the official shell's option group wants it.
Result<char> chosen(const ShellArguments& arguments) {
  char first = 0;
  for (const auto& [letter, value] : arguments.options) {
    if (first && letter != first) {
      return usage_error(
          std::string("org.apache.commons.cli.AlreadySelectedException: The option '") + letter +
          "' was specified but an option from this group has already been selected: '" + first +
          "'");
    }
    first = letter;
  }
  return first;
}

// What is said of a value that is none; empty where it is one.
std::string wrong_value(char option, const std::string& text, int64_t& value) {
  auto number = odradek::cli::parse_int(text);
  bool count = option == 'n' || option == 'N';
  if (!number || (count && *number > INT32_MAX)) {
    return "NumberFormatException happens when parsing the option value";
  }
  value = *number;
  if (count && value <= 0) return "the num quota must be greater than zero";
  if (!count && value < 0) return "the bytes quota must be greater than or equal to zero";
  return {};
}

void warn_of_use(const Numbers& limits, const Numbers& used) {
  auto below = [&](char soft, char hard) {
    for (char limit : {soft, hard}) {
      if (limits.get(limit) > -1 && limits.get(limit) < used.get(soft)) return true;
    }
    return false;
  };
  if (below('n', 'N')) {
    put("[Warning]: the count quota you create is less than the existing count:" +
        std::to_string(used.get('n')) + "\n");
  }
  if (below('b', 'B')) {
    put("[Warning]: the bytes quota you create is less than the existing bytes:" +
        std::to_string(used.get('b')) + "\n");
  }
}

}  // namespace

Shell::Outcome Shell::list_quota(const ShellArguments& arguments) {
  const std::string& path = arguments.words[0];
  tell("absolute path is " + limits_path(path));
  auto limits = client_->get(limits_path(path), false, nullptr);
  auto stats = limits ? client_->get(stats_path(path), false, nullptr) : limits;
  if (!stats && stats.error().code() == Errc::no_node) {
    tell("quota for " + path + " does not exist.");
    return {};
  }
  if (!stats) return stats.error();
  put("Output quota for " + path + " " + Numbers::parse(limits->value_or("")).text() + "\n");
  put("Output stat for " + path + " " + Numbers::parse(stats->value_or("")).text() + "\n");
  return {};
}

// A subtree has at most one quota: none above, none below.
Shell::Outcome Shell::refuse_nested_quota(const std::string& path) {
  std::vector<std::string> below;
  if (for_subtree(quota_path(path), below)) {
    for (const auto& node : below) {
      if (!node.ends_with("/zookeeper_limits") || node == limits_path(path)) continue;
      std::string child = node.substr(0, node.rfind('/')).substr(kQuotaRoot.size());
      return usage_error(path + " has a child " + child + " which has a quota");
    }
  }
  for (size_t slash = path.find('/', 1); slash != std::string::npos;
       slash = path.find('/', slash + 1)) {
    std::string above = path.substr(0, slash);
    auto found = client_->exists(limits_path(above), false);
    if (found && *found) {
      return usage_error(path + " has a parent " + above + " which has a quota");
    }
  }
  return {};
}

Shell::Outcome Shell::set_quota(const ShellArguments& arguments) {
  auto option = chosen(arguments);
  if (!option) return option.error();
  if (!*option) {
    return usage_error(
        "org.apache.commons.cli.MissingOptionException: Missing required option: [-n num soft "
        "quota, -b bytes soft quota, -N num hard quota, -B bytes hard quota]");
  }
  const std::string& path = arguments.words[0];
  if (path.starts_with(kQuotaRoot)) {
    tell("cannot set a quota under the path: " + std::string(kQuotaRoot));
    return {};
  }
  int64_t value = -1;
  if (auto wrong = wrong_value(*option, arguments.value(*option), value); !wrong.empty()) {
    tell(wrong);
    return {};
  }
  auto there = client_->exists(path, false);
  if (!there) return there.error();
  if (!*there) return usage_error(path + " does not exist.");
  if (auto nested = refuse_nested_quota(path); !nested) return nested;
  auto old = client_->get(limits_path(path), false, nullptr);
  if (!old && old.error().code() != Errc::no_node) return old.error();
  Numbers limits = old ? Numbers::parse(old->value_or("")) : Numbers::no_limits();
  limits.set(*option, value);
  if (!old) {
    if (auto made = client_->create_path(quota_path(path)); !made) return made;
    for (const auto& [node, text] : {std::pair(limits_path(path), limits.text()),
                                     {stats_path(path), std::string("count=0,bytes=0")}}) {
      auto made = client_->create(node, text, open_acl(), CreateMode::kPersistent);
      if (!made && made.error().code() != Errc::node_exists) return made.error();
    }
  }
  auto stats = client_->get(stats_path(path), false, nullptr);
  if (!stats) return stats.error();
  warn_of_use(limits, Numbers::parse(stats->value_or("")));
  if (!old) return {};
  auto set = client_->set(limits_path(path), limits.text(), -1);
  if (!set) return set.error();
  return {};
}

Shell::Outcome Shell::remove_quota(const ShellArguments& arguments) {
  auto option = chosen(arguments);
  if (!option) return option.error();
  const std::string& path = arguments.words[0];
  auto old = client_->get(limits_path(path), false, nullptr);
  if (!old && old.error().code() == Errc::no_node) {
    put("Quota does not exist for " + path + "\n");
    return {};
  }
  if (!old) return old.error();
  if (*option) {
    Numbers limits = Numbers::parse(old->value_or(""));
    limits.set(*option, -1);
    auto set = client_->set(limits_path(path), limits.text(), -1);
    if (!set) return set.error();
    return {};
  }
  auto parts = client_->children(quota_path(path), false, nullptr);
  if (!parts) return parts.error();
  for (const auto& part : *parts) {
    if (auto removed = client_->remove(quota_path(path) + "/" + part, -1); !removed) return removed;
  }
  // Empty folders of the quota tree go too, up to its root.
  for (std::string node = quota_path(path); node.size() > kQuotaRoot.size();) {
    if (!client_->remove(node, -1)) break;
    node.resize(node.rfind('/'));
  }
  return {};
}

}  // namespace odradek::coordinator::cli
