#pragma once
// Summary: what a server says about values that it observes, durations for the most part: count,
// sum, least, greatest, and quantiles. Two kinds of quantile: of all since the start or the last
// reset, and of the recent ones. Recent is a window of kAges ages; its owner calls age() at the end
// of each. Observing is a few additions; nothing is locked, so a Summary belongs to one thread.

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "common/metrics/histogram.h"

namespace odradek::metrics {

class Summary {
 public:
  // With an age of two minutes the window is the ten minutes of Prometheus' clients.
  static constexpr size_t kAges = 5;

  void observe(int64_t value) {
    min_ = count_ == 0 ? value : std::min(min_, value);
    max_ = count_ == 0 ? value : std::max(max_, value);
    ++count_;
    sum_ += value;
    all_.add(value);
    ages_[now_].add(value);
  }
  // The oldest age is forgotten, a new one begins.
  void age() {
    now_ = (now_ + 1) % kAges;
    ages_[now_].clear();
  }
  void reset() { *this = Summary(); }

  int64_t count() const { return count_; }
  int64_t sum() const { return sum_; }
  // 0 where nothing was observed.
  int64_t min() const { return min_; }
  int64_t max() const { return max_; }
  double average() const {
    return count_ == 0 ? 0.0 : static_cast<double>(sum_) / static_cast<double>(count_);
  }
  // See Histogram::quantile.
  std::optional<int64_t> quantile(double share) const { return all_.quantile(share); }
  std::optional<int64_t> recent_quantile(double share) const;

 private:
  int64_t count_ = 0;
  int64_t sum_ = 0;
  int64_t min_ = 0;
  int64_t max_ = 0;
  Histogram all_;
  std::array<Histogram, kAges> ages_;
  size_t now_ = 0;
};

// One Summary for each value of a label. Clients may choose these values, so their number is
// bounded: what comes beyond the bound is observed under no label at all.
class SummarySet {
 public:
  explicit SummarySet(size_t max_labels) : max_labels_(max_labels) {}

  void observe(std::string_view label, int64_t value);
  void age();
  // Resets each; the labels stay.
  void reset();
  const std::map<std::string, Summary, std::less<>>& all() const { return all_; }

 private:
  const size_t max_labels_;
  std::map<std::string, Summary, std::less<>> all_;
};

}  // namespace odradek::metrics
