#include "coordinator/tree/quota.h"

#include "common/format.h"
#include "coordinator/tree/java_number.h"
#include "coordinator/tree/path.h"
#include "coordinator/tree/preparation.h"

namespace odradek::coordinator::tree {

namespace {

std::string node_below(std::string_view path, std::string_view name) {
  std::string node(kQuotaRoot);
  return node.append(path).append("/").append(name);
}

Error unreadable(std::string_view text) {
  return Error(Errc::malformed,
               "no text of a quota: " + std::string(text.substr(0, 100)));
}

// The nearest path at or above `path` that has a quota; "" where there is none.
std::string_view nearest_quota(const Preparation& tree, std::string_view path) {
  if (!tree.has_quotas()) return {};
  for (; path.size() > 1; path = parent_of(path)) {
    if (tree.has_quota(path)) return path;
  }
  return {};
}

// -1 as it is; a limit that is set, and how it is called.
struct Limit {
  int64_t value = -1;
  bool hard = false;
};

Limit limit_of(const QuotaNumbers& limits, const char* soft, const char* hard) {
  if (int64_t value = limits.get(hard); value > -1) return {value, true};
  return {limits.get(soft), false};
}

void put_numbers(Preparation& tree, std::string_view stats_path, const QuotaNumbers& numbers) {
  Znode& node = tree.edit(stats_path);
  node.data = numbers.text();
  node.stat.data_length = static_cast<int32_t>(node.data->size());
}

QuotaNumbers counted(const Preparation& tree, std::string_view path) {
  SubtreeTotals totals = tree.subtree(path);
  return QuotaNumbers(totals.count, totals.bytes);
}

}  // namespace

std::string quota_limits_path(std::string_view path) { return node_below(path, kQuotaLimits); }
std::string quota_stats_path(std::string_view path) { return node_below(path, kQuotaStats); }

std::optional<std::string_view> quota_of(std::string_view node, std::string_view kind) {
  if (!node.starts_with(kQuotaRoot) || name_of_path(node) != kind) return std::nullopt;
  std::string_view rest = node.substr(kQuotaRoot.size());
  if (!rest.starts_with('/')) return std::nullopt;
  return rest.substr(0, rest.size() - kind.size() - 1);
}

// Pairs between any of "," and ";", each key=number; what follows a second "=" is passed over.
Result<QuotaNumbers> QuotaNumbers::parse(std::string_view text) {
  QuotaNumbers numbers;
  for (std::string_view rest = text; !rest.empty();) {
    size_t end = std::min(rest.find_first_of(",;"), rest.size());
    std::string_view pair = rest.substr(0, end);
    rest.remove_prefix(std::min(rest.find_first_not_of(",;", end), rest.size()));
    size_t sign = pair.find('=');
    if (sign == std::string_view::npos) return unreadable(text);
    std::string_view value = pair.substr(sign + 1);
    bool left_out = value.size() > 1 && value.front() == '=';
    auto number = left_out ? -1 : java_number<int64_t>(value.substr(0, value.find('=')));
    if (!number) return unreadable(text);
    numbers.numbers_[std::string(pair.substr(0, sign))] = *number;
  }
  return numbers;
}

int64_t QuotaNumbers::get(std::string_view key) const {
  auto at = numbers_.find(key);
  return at == numbers_.end() ? -1 : at->second;
}

std::string QuotaNumbers::text() const {
  std::string text = odradek::format("count={},bytes={}", get(kCount), get(kBytes));
  // a reader of ZooKeeper 3.4 stops at this sign, and does not see what it would not understand
  std::string_view before = "=;";
  for (const auto& [key, value] : numbers_) {
    if (key == kCount || key == kBytes) continue;
    text.append(before).append(key).append("=").append(std::to_string(value));
    before = ";";
  }
  return text;
}

Result<void> check_quota(Preparation& tree, const Rules& rules, std::string_view path,
                         int64_t bytes, int64_t count, std::vector<QuotaExcess>* excesses) {
  std::string_view quota = nearest_quota(tree, path);
  if (quota.empty()) return {};
  const Znode* limits_node = tree.peek(quota_limits_path(quota));
  const Znode* stats_node = tree.peek(quota_stats_path(quota));
  if (!limits_node || !stats_node) return {};
  auto limits = QuotaNumbers::parse(limits_node->bytes());
  auto used = QuotaNumbers::parse(stats_node->bytes());
  if (!limits || !used) {
    if (!rules.enforce_quota) return {};
    return limits ? used.error() : limits.error();
  }
  struct Part {
    const char* name;
    int64_t added;
    int64_t after;
    Limit limit;
  };
  using Q = QuotaNumbers;
  for (const Part& part :
       {Part{"count", count, used->get(Q::kCount) + count,
             limit_of(*limits, Q::kCount, Q::kCountHardLimit)},
        Part{"bytes", bytes, used->get(Q::kBytes) + bytes,
             limit_of(*limits, Q::kBytes, Q::kByteHardLimit)}}) {
    if (part.added == 0 || part.limit.value < 0 || part.after <= part.limit.value) continue;
    std::string text =
        odradek::format("Quota exceeded: {} [{}={}, {} limit={}]", quota, part.name, part.after,
                        part.limit.hard ? "hard" : "soft", part.limit.value);
    if (part.limit.hard && rules.enforce_quota) return Error(Errc::quota_exceeded, text);
    if (excesses) excesses->push_back({std::string(quota), std::move(text)});
  }
  return {};
}

void count_in_quota(Preparation& tree, std::string_view path, int64_t bytes, int64_t count) {
  std::string_view quota = nearest_quota(tree, path);
  if (quota.empty() || (bytes == 0 && count == 0)) return;
  std::string stats_path = quota_stats_path(quota);
  const Znode* node = tree.peek(stats_path);
  if (!node) return;
  auto numbers = QuotaNumbers::parse(node->bytes());
  if (!numbers) {
    // somebody wrote something else there
    put_numbers(tree, stats_path, counted(tree, quota));
    return;
  }
  numbers->set(QuotaNumbers::kCount, numbers->get(QuotaNumbers::kCount) + count);
  numbers->set(QuotaNumbers::kBytes, numbers->get(QuotaNumbers::kBytes) + bytes);
  put_numbers(tree, stats_path, *numbers);
}

void note_quota_node(Preparation& tree, std::string_view path, bool created) {
  if (auto quota = quota_of(path, kQuotaLimits); quota && !quota->empty()) {
    tree.set_quota(*quota, created);
  } else if (auto counted_for = quota_of(path, kQuotaStats); counted_for && created) {
    put_numbers(tree, path, counted(tree, *counted_for));
  }
}

void recount_quotas(Preparation& tree, const QuotaPaths& paths) {
  for (const std::string& path : paths.all()) {
    std::string stats_path = quota_stats_path(path);
    const Znode* node = tree.peek(stats_path);
    if (!node) continue;
    QuotaNumbers numbers = counted(tree, path);
    if (node->bytes() != numbers.text()) put_numbers(tree, stats_path, numbers);
  }
}

}  // namespace odradek::coordinator::tree
