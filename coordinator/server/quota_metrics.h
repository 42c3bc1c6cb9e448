#pragma once
// What /zookeeper/quota says, added up by the first name of the path that a quota is about, for
// ZooKeeper's quota_*_per_namespace metrics. Tree thread.

#include <string>
#include <utility>
#include <vector>

#include "common/metrics/registry.h"
#include "coordinator/tree/tree_reader.h"

namespace odradek::coordinator::server {

enum class QuotaFigure { count_limit, bytes_limit, count_usage, bytes_usage };
inline constexpr QuotaFigure kQuotaFigures[] = {QuotaFigure::count_limit, QuotaFigure::bytes_limit,
                                                QuotaFigure::count_usage,
                                                QuotaFigure::bytes_usage};

const char* metric_name(QuotaFigure figure);

// A hard limit counts before a soft one.
std::vector<std::pair<std::string, metrics::Number>> quota_by_namespace(
    const tree::TreeReader& tree, QuotaFigure figure);

}  // namespace odradek::coordinator::server
