#pragma once
// Counters: something that only grows. Plain arithmetic: a counter belongs to one thread, which also
// reads it for the exposition.

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace odradek::metrics {

class Counter {
 public:
  void add(int64_t by = 1) { value_ += by; }
  int64_t value() const { return value_; }
  void reset() { value_ = 0; }

 private:
  int64_t value_ = 0;
};

// One Counter for each value of a label. Clients may choose these values, so their number is
// bounded: what comes beyond the bound is not counted.
class CounterSet {
 public:
  explicit CounterSet(size_t max_labels) : max_labels_(max_labels) {}

  void add(std::string_view label, int64_t by = 1) {
    auto at = all_.find(label);
    if (at == all_.end()) {
      if (all_.size() >= max_labels_) return;
      at = all_.emplace(std::string(label), Counter()).first;
    }
    at->second.add(by);
  }
  void reset() {
    for (auto& [label, counter] : all_) counter.reset();
  }
  const std::map<std::string, Counter, std::less<>>& all() const { return all_; }

 private:
  const size_t max_labels_;
  std::map<std::string, Counter, std::less<>> all_;
};

}  // namespace odradek::metrics
