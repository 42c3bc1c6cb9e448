#pragma once
// Registry: the metrics of a process by name, in the order in which they are to be shown. It owns
// none of them: the parts that measure hold their counters and summaries, and outlive it. Filled
// once at start, read on the thread that owns what it names.

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "common/metrics/counter.h"
#include "common/metrics/summary.h"

namespace odradek::metrics {

// Gauges that count things are whole, and are shown so where the format tells the two apart.
using Number = std::variant<int64_t, double>;
inline double as_double(const Number& number) {
  return std::visit([](auto value) { return static_cast<double>(value); }, number);
}

using Gauge = std::function<Number()>;
// A counter that somebody else keeps.
struct CounterOf {
  std::function<Number()> read;
};
struct GaugeSet {
  std::string label;  // its name
  std::function<std::vector<std::pair<std::string, Number>>()> read;  // by its value
};
struct LabelledCounters {
  const CounterSet* set;
  std::string label;
};
struct QuantileSummary {
  const Summary* summary;
  std::vector<double> quantiles;  // recent ones that are shown
};
struct QuantileSummarySet {
  const SummarySet* set;
  std::string label;
  std::vector<double> quantiles;
};

struct Family {
  std::string name;
  std::string help;
  std::variant<const Counter*, CounterOf, LabelledCounters, Gauge, GaugeSet, QuantileSummary,
               QuantileSummarySet>
      source;
};

class Registry {
 public:
  void add(Family family) { families_.push_back(std::move(family)); }
  const std::vector<Family>& families() const { return families_; }

 private:
  std::vector<Family> families_;
};

// One number of a family, as it is written: the family's name with "_count", "_sum" or nothing
// behind it, and labels as pairs of name and value.
struct Sample {
  std::string name;
  std::vector<std::pair<std::string, std::string>> labels;
  double value;
};
std::vector<Sample> samples_of(const Family& family);

// Prometheus' text format 0.0.4 of all families.
std::string exposition(const Registry& registry);
// Its media type.
inline constexpr const char* kExpositionType = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace odradek::metrics
