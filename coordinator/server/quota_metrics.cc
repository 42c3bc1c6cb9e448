#include "coordinator/server/quota_metrics.h"

#include <map>

#include "coordinator/pipeline/metrics.h"
#include "coordinator/tree/quota.h"

namespace odradek::coordinator::server {

namespace {

bool is_limit(QuotaFigure figure) {
  return figure == QuotaFigure::count_limit || figure == QuotaFigure::bytes_limit;
}

int64_t figure_of(const tree::QuotaNumbers& numbers, QuotaFigure figure) {
  using Q = tree::QuotaNumbers;
  bool counts = figure == QuotaFigure::count_limit || figure == QuotaFigure::count_usage;
  int64_t soft = numbers.get(counts ? Q::kCount : Q::kBytes);
  if (!is_limit(figure)) return soft;
  int64_t hard = numbers.get(counts ? Q::kCountHardLimit : Q::kByteHardLimit);
  return hard > -1 ? hard : soft;
}

// The sum of one znode's figures, where it is one that has them.
void add_figure(const tree::TreeReader& tree, const std::string& path, QuotaFigure figure,
                std::map<std::string, int64_t, std::less<>>& sums) {
  auto quota = tree::quota_of(path, is_limit(figure) ? tree::kQuotaLimits : tree::kQuotaStats);
  if (!quota) return;
  std::string_view name = pipeline::top_namespace(*quota);
  auto node = tree.get(path);
  if (name.empty() || !node || !node->data) return;
  if (auto numbers = tree::QuotaNumbers::parse(node->bytes())) {
    sums[std::string(name)] += figure_of(*numbers, figure);
  }
}

}  // namespace

const char* metric_name(QuotaFigure figure) {
  switch (figure) {
    case QuotaFigure::count_limit:
      return "quota_count_limit_per_namespace";
    case QuotaFigure::bytes_limit:
      return "quota_bytes_limit_per_namespace";
    case QuotaFigure::count_usage:
      return "quota_count_usage_per_namespace";
    case QuotaFigure::bytes_usage:
      break;
  }
  return "quota_bytes_usage_per_namespace";
}

std::vector<std::pair<std::string, metrics::Number>> quota_by_namespace(
    const tree::TreeReader& tree, QuotaFigure figure) {
  std::map<std::string, int64_t, std::less<>> sums;
  // no recursion: clients choose the depth
  std::vector<std::string> open = {std::string(tree::kQuotaRoot)};
  while (!open.empty()) {
    std::string path = std::move(open.back());
    open.pop_back();
    auto children = tree.children(path);
    if (!children) continue;
    for (const std::string& child : *children) open.push_back(path + "/" + child);
    if (children->empty()) add_figure(tree, path, figure, sums);
  }
  return {sums.begin(), sums.end()};
}

}  // namespace odradek::coordinator::server
