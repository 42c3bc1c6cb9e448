// The shell's quota commands. A quota is two znodes below /zookeeper/quota: zookeeper_limits and
// zookeeper_stats.

#include <algorithm>
#include <cstdio>

#include "common/cli/text.h"
#include "coordinator/cli/shell_command.h"

namespace odradek::coordinator::cli {
namespace {

using zookeeper::CreateMode;

constexpr std::string_view kQuotaRoot = "/zookeeper/quota";

Error usage_error(std::string text) { return Error(Errc::invalid_argument, std::move(text)); }

void put(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

void tell(const std::string& text) {
  std::fflush(stdout);
  std::fprintf(stderr, "%s\n", text.c_str());
}

struct Quota {
  int64_t count = -1;
  int64_t bytes = -1;
  std::string text() const {
    return "count=" + std::to_string(count) + ",bytes=" + std::to_string(bytes);
  }
};

Quota parse_quota(const std::string& text) {
  Quota quota;
  for (const auto& part : odradek::cli::split(text, ',')) {
    auto number = odradek::cli::parse_int(part.substr(std::min(part.size(), part.find('=') + 1)));
    if (part.starts_with("count=")) quota.count = number.value_or(-1);
    if (part.starts_with("bytes=")) quota.bytes = number.value_or(-1);
  }
  return quota;
}

std::string limits_path(const std::string& path) {
  return std::string(kQuotaRoot) + path + "/zookeeper_limits";
}
std::string stats_path(const std::string& path) {
  return std::string(kQuotaRoot) + path + "/zookeeper_stats";
}

}  // namespace

Shell::Outcome Shell::list_quota(const ShellArguments& arguments) {
  const std::string& path = arguments.words[0];
  tell("absolute path is " + limits_path(path));
  auto limits = client_->get(limits_path(path), false, nullptr);
  if (!limits && limits.error().code() == Errc::no_node) {
    tell("quota for " + path + " does not exist.");
    return {};
  }
  if (!limits) return limits.error();
  put("Output quota for " + path + " " + parse_quota(limits->value_or("")).text() + "\n");
  auto stats = client_->get(stats_path(path), false, nullptr);
  if (stats) put("Output stat for " + path + " " + parse_quota(stats->value_or("")).text() + "\n");
  return {};
}

Shell::Outcome Shell::set_quota(const ShellArguments& arguments) {
  const std::string& path = arguments.words[0];
  if (!arguments.has('n') && !arguments.has('b')) return usage_error("setquota -n|-b val path");
  if (path.starts_with(kQuotaRoot)) return usage_error("cannot set a quota under the system path");
  Quota wanted;
  for (char option : {'n', 'b'}) {
    if (!arguments.has(option)) continue;
    auto number = odradek::cli::parse_int(arguments.value(option));
    if (!number) return usage_error("For input string: \"" + arguments.value(option) + "\"");
    (option == 'n' ? wanted.count : wanted.bytes) = *number;
  }
  auto there = client_->exists(path, false);
  if (!there) return there.error();
  if (!*there) return usage_error(path + " does not exist.");
  // A subtree has at most one quota: none above, none below.
  for (size_t slash = path.rfind('/'); slash != 0 && slash != std::string::npos;
       slash = path.rfind('/', slash - 1)) {
    auto above = client_->exists(limits_path(path.substr(0, slash)), false);
    if (above && *above)
      return usage_error(path + " has a parent " + path.substr(0, slash) + " which has a quota");
  }
  auto old = client_->get(limits_path(path), false, nullptr);
  if (old) {
    Quota merged = parse_quota(old->value_or(""));
    if (wanted.count >= 0) merged.count = wanted.count;
    if (wanted.bytes >= 0) merged.bytes = wanted.bytes;
    auto set = client_->set(limits_path(path), merged.text(), -1);
    if (!set) return set.error();
    return {};
  }
  if (old.error().code() != Errc::no_node) return old.error();
  std::vector<std::string> below;
  if (for_subtree(std::string(kQuotaRoot) + path, below)) {
    for (const auto& node : below) {
      if (node.ends_with("/zookeeper_limits"))
        return usage_error(path + " has a child " + node.substr(kQuotaRoot.size()) +
                           " which has a quota");
    }
  }
  if (auto made = client_->create_path(std::string(kQuotaRoot) + path); !made) return made;
  auto limits =
      client_->create(limits_path(path), wanted.text(), open_acl(), CreateMode::kPersistent);
  if (!limits) return limits.error();
  Quota used{0, 0};
  auto stats = client_->create(stats_path(path), used.text(), open_acl(), CreateMode::kPersistent);
  if (!stats && stats.error().code() != Errc::node_exists) return stats.error();
  return {};
}

Shell::Outcome Shell::remove_quota(const ShellArguments& arguments) {
  const std::string& path = arguments.words[0];
  auto old = client_->get(limits_path(path), false, nullptr);
  if (!old && old.error().code() == Errc::no_node) {
    tell("quota does not exist for " + path);
    return {};
  }
  if (!old) return old.error();
  Quota quota = parse_quota(old->value_or(""));
  bool all = !arguments.has('n') && !arguments.has('b');
  if (arguments.has('n')) quota.count = -1;
  if (arguments.has('b')) quota.bytes = -1;
  if (!all) {
    auto set = client_->set(limits_path(path), quota.text(), -1);
    if (!set) return set.error();
    return {};
  }
  for (const auto& node : {limits_path(path), stats_path(path)}) {
    auto removed = client_->remove(node, -1);
    if (!removed && removed.error().code() != Errc::no_node) return removed;
  }
  // Empty folders of the quota tree go too, up to its root.
  for (std::string node = std::string(kQuotaRoot) + path; node.size() > kQuotaRoot.size();) {
    if (!client_->remove(node, -1)) break;
    node.resize(node.rfind('/'));
  }
  return {};
}

}  // namespace odradek::coordinator::cli
