#include "coordinator/server/monitor.h"

#include <cmath>

#include "common/metrics/number.h"
#include "common/metrics/registry.h"
#include "coordinator/server/clients.h"
#include "coordinator/server/report.h"

namespace odradek::coordinator::server {

namespace {

using Values = std::vector<std::pair<std::string, MonitorValue>>;

// What ZooKeeper's DefaultMetricsProvider makes of a metric.
struct Standard {
  const std::string& name;
  Values& out;

  void put(std::string key, const metrics::Number& number) {
    std::visit([&](auto value) { out.emplace_back(std::move(key), value); }, number);
  }
  void operator()(const metrics::Counter* counter) { put(name, counter->value()); }
  void operator()(const metrics::CounterOf& counter) { put(name, counter.read()); }
  void operator()(const metrics::LabelledCounters& of) {
    for (const auto& [label, counter] : of.set->all()) put(label + "_" + name, counter.value());
  }
  void operator()(const metrics::Gauge& gauge) { put(name, gauge()); }
  void operator()(const metrics::GaugeSet& set) {
    for (const auto& [label, number] : set.read()) put(label + "_" + name, number);
  }
  void operator()(const metrics::QuantileSummary& of) {
    put_summary(name, *of.summary, of.quantiles.size() > 1);
  }
  void operator()(const metrics::QuantileSummarySet& of) {
    for (const auto& [label, summary] : of.set->all()) {
      put_summary(label + "_" + name, summary, of.quantiles.size() > 1);
    }
  }
  void put_summary(const std::string& key, const metrics::Summary& summary, bool percentiles) {
    put("avg_" + key, std::round(summary.average() * 1e4) / 1e4);
    put("min_" + key, summary.min());
    put("max_" + key, summary.max());
    put("cnt_" + key, summary.count());
    put("sum_" + key, summary.sum());
    if (!percentiles) return;
    put("p50_" + key, summary.quantile(0.5).value_or(0));
    put("p95_" + key, summary.quantile(0.95).value_or(0));
    put("p99_" + key, summary.quantile(0.99).value_or(0));
    put("p999_" + key, summary.quantile(0.999).value_or(0));
  }
};

void put_standard(const metrics::Registry& registry, Values& out) {
  for (const metrics::Family& family : registry.families()) {
    std::visit(Standard{family.name, out}, family.source);
  }
}

void put_prometheus(const metrics::Registry& registry, Values& out) {
  for (const metrics::Family& family : registry.families()) {
    for (const metrics::Sample& sample : metrics::samples_of(family)) {
      std::string key = sample.name;
      for (const auto& [name, value] : sample.labels) {
        key.append(&name == &sample.labels.front().first ? "{" : ",");
        key.append(name).append("=\"").append(value).append("\"");
      }
      if (!sample.labels.empty()) key += '}';
      out.emplace_back(std::move(key), sample.value);
    }
  }
}

}  // namespace

std::vector<std::pair<std::string, MonitorValue>> monitor_values(Clients& clients) {
  Values out;
  out.emplace_back("version", std::string(kVersion));
  out.emplace_back("server_state", std::string("standalone"));
  switch (clients.settings().operations.metrics.provider) {
    case MetricsProvider::standard:
      put_standard(clients.registry(), out);
      break;
    case MetricsProvider::prometheus:
      put_prometheus(clients.registry(), out);
      break;
    case MetricsProvider::null:
      break;
  }
  return out;
}

std::string shown(const MonitorValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* whole = std::get_if<int64_t>(&value)) return std::to_string(*whole);
  return metrics::java_double(std::get<double>(value));
}

}  // namespace odradek::coordinator::server
