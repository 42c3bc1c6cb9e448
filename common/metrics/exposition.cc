#include <cmath>
#include <limits>

#include "common/metrics/number.h"
#include "common/metrics/registry.h"

namespace odradek::metrics {

namespace {

using Labels = std::vector<std::pair<std::string, std::string>>;

void put_summary(const std::string& name, const Summary& summary,
                 const std::vector<double>& quantiles, const Labels& labels,
                 std::vector<Sample>& out) {
  for (double share : quantiles) {
    Labels with = labels;
    with.emplace_back("quantile", java_double(share));
    auto value = summary.recent_quantile(share);
    out.push_back({name, std::move(with),
                   value ? static_cast<double>(*value) : std::numeric_limits<double>::quiet_NaN()});
  }
  out.push_back({name + "_count", labels, static_cast<double>(summary.count())});
  out.push_back({name + "_sum", labels, static_cast<double>(summary.sum())});
}

struct Collect {
  const std::string& name;
  std::vector<Sample>& out;

  void operator()(const Counter* counter) {
    out.push_back({name, {}, static_cast<double>(counter->value())});
  }
  void operator()(const CounterOf& counter) {
    out.push_back({name, {}, as_double(counter.read())});
  }
  void operator()(const LabelledCounters& of) {
    for (const auto& [value, counter] : of.set->all()) {
      out.push_back({name, {{of.label, value}}, static_cast<double>(counter.value())});
    }
  }
  void operator()(const Gauge& gauge) { out.push_back({name, {}, as_double(gauge())}); }
  void operator()(const GaugeSet& set) {
    for (auto& [value, number] : set.read()) {
      out.push_back({name, {{set.label, value}}, as_double(number)});
    }
  }
  void operator()(const QuantileSummary& of) {
    put_summary(name, *of.summary, of.quantiles, {}, out);
  }
  void operator()(const QuantileSummarySet& of) {
    for (const auto& [value, summary] : of.set->all()) {
      put_summary(name, summary, of.quantiles, {{of.label, value}}, out);
    }
  }
};

struct TypeName {
  const char* operator()(const Counter*) { return "counter"; }
  const char* operator()(const CounterOf&) { return "counter"; }
  const char* operator()(const LabelledCounters&) { return "counter"; }
  const char* operator()(const Gauge&) { return "gauge"; }
  const char* operator()(const GaugeSet&) { return "gauge"; }
  const char* operator()(const QuantileSummary&) { return "summary"; }
  const char* operator()(const QuantileSummarySet&) { return "summary"; }
};

// Of a help text, and of a label's value, which has quotes besides.
void put_escaped(std::string_view text, bool quoted, std::string& out) {
  for (char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && quoted) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
}

}  // namespace

std::vector<Sample> samples_of(const Family& family) {
  std::vector<Sample> samples;
  std::visit(Collect{family.name, samples}, family.source);
  return samples;
}

std::string exposition(const Registry& registry) {
  std::string out;
  for (const Family& family : registry.families()) {
    out.append("# HELP ").append(family.name).append(" ");
    put_escaped(family.help, false, out);
    out.append("\n# TYPE ").append(family.name).append(" ").append(std::visit(TypeName(), family.source)).append("\n");
    for (const Sample& sample : samples_of(family)) {
      out += sample.name;
      if (!sample.labels.empty()) {
        out += '{';
        for (const auto& [name, value] : sample.labels) {
          out.append(name).append("=\"");
          put_escaped(value, true, out);
          out += "\",";  // Prometheus' Java client ends each label so, and parsers take it
        }
        out += '}';
      }
      out.append(" ").append(java_double(sample.value)).append("\n");
    }
  }
  return out;
}

}  // namespace odradek::metrics
