#include "common/metrics/summary.h"

namespace odradek::metrics {

std::optional<int64_t> Summary::recent_quantile(double share) const {
  Histogram recent;
  for (const Histogram& age : ages_) recent.add_all(age);
  return recent.quantile(share);
}

void SummarySet::observe(std::string_view label, int64_t value) {
  auto at = all_.find(label);
  if (at == all_.end()) {
    if (all_.size() >= max_labels_) return;
    at = all_.emplace(std::string(label), Summary()).first;
  }
  at->second.observe(value);
}

void SummarySet::age() {
  for (auto& [label, summary] : all_) summary.age();
}

void SummarySet::reset() {
  for (auto& [label, summary] : all_) summary.reset();
}

}  // namespace odradek::metrics
