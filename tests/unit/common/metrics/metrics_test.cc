#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "common/metrics/histogram.h"
#include "common/metrics/number.h"
#include "common/metrics/process.h"
#include "common/metrics/registry.h"

namespace odradek::metrics {
namespace {

TEST(Histogram, TellsSmallValuesApartExactly) {
  Histogram histogram;
  EXPECT_EQ(histogram.quantile(0.5), std::nullopt);
  for (int64_t value = 0; value < 64; ++value) histogram.add(value);
  EXPECT_EQ(histogram.count(), 64u);
  for (int64_t value = 0; value < 64; ++value) {
    EXPECT_EQ(histogram.quantile(static_cast<double>(value + 1) / 64), value);
  }
  EXPECT_EQ(histogram.quantile(0), 0);
  EXPECT_EQ(histogram.quantile(1), 63);
}

TEST(Histogram, IsWithinAThirtySecondOfLargeValues) {
  for (int64_t value = 64; value < (int64_t{1} << 50); value = value * 9 / 7 + 1) {
    Histogram histogram;
    histogram.add(value);
    int64_t shown = *histogram.quantile(0.5);
    EXPECT_LE(std::abs(shown - value), value / 32) << value;
  }
}

TEST(Histogram, TakesAnyNumber) {
  Histogram histogram;
  histogram.add(-5);
  histogram.add(std::numeric_limits<int64_t>::max());
  histogram.add(std::numeric_limits<int64_t>::min());
  EXPECT_EQ(histogram.quantile(0.5), 0);
  EXPECT_GE(*histogram.quantile(1), int64_t{1} << 49);
  EXPECT_LT(histogram.memory(), 32u << 10);
  histogram.clear();
  EXPECT_EQ(histogram.memory(), 0u);
  EXPECT_EQ(histogram.count(), 0u);
}

TEST(Histogram, ByNearestRank) {
  Histogram histogram;
  for (int64_t value : {1, 1, 1, 1, 1, 1, 1, 1, 1, 20}) histogram.add(value);
  EXPECT_EQ(histogram.quantile(0.5), 1);
  EXPECT_EQ(histogram.quantile(0.9), 1);
  EXPECT_EQ(histogram.quantile(0.95), 20);
  Histogram more;
  for (int i = 0; i < 10; ++i) more.add(50);
  histogram.add_all(more);
  EXPECT_EQ(histogram.quantile(0.5), 20);
  EXPECT_EQ(histogram.count(), 20u);
}

TEST(Summary, CountsAllAndForgetsOldQuantiles) {
  Summary summary;
  EXPECT_EQ(summary.min(), 0);
  EXPECT_EQ(summary.average(), 0);
  EXPECT_EQ(summary.recent_quantile(0.5), std::nullopt);
  for (int64_t value : {4, 2, 9}) summary.observe(value);
  EXPECT_EQ(summary.count(), 3);
  EXPECT_EQ(summary.sum(), 15);
  EXPECT_EQ(summary.min(), 2);
  EXPECT_EQ(summary.max(), 9);
  EXPECT_EQ(summary.average(), 5);
  EXPECT_EQ(summary.recent_quantile(0.5), 4);
  for (size_t age = 1; age < Summary::kAges; ++age) {
    summary.age();
    EXPECT_EQ(summary.recent_quantile(0.5), 4) << "still in the window";
  }
  summary.observe(30);
  summary.age();
  EXPECT_EQ(summary.recent_quantile(0.5), 30) << "the first age is gone, the last is not";
  EXPECT_EQ(summary.quantile(0.5), 4) << "of all since the start";
  EXPECT_EQ(summary.count(), 4);
  summary.reset();
  EXPECT_EQ(summary.count(), 0);
  EXPECT_EQ(summary.max(), 0);
  EXPECT_EQ(summary.quantile(0.5), std::nullopt);
}

TEST(Summary, NegativeValuesHaveTheirMinimumAndMaximum) {
  Summary summary;
  summary.observe(-3);
  EXPECT_EQ(summary.min(), -3);
  EXPECT_EQ(summary.max(), -3);
}

TEST(Sets, TakeNoMoreLabelsThanTheyMay) {
  SummarySet summaries(2);
  CounterSet counters(2);
  for (const char* label : {"a", "b", "a", "c", "d"}) {
    summaries.observe(label, 1);
    counters.add(label, 3);
  }
  ASSERT_EQ(summaries.all().size(), 2u);
  EXPECT_EQ(summaries.all().at("a").count(), 2);
  ASSERT_EQ(counters.all().size(), 2u);
  EXPECT_EQ(counters.all().at("b").value(), 3);
  summaries.reset();
  EXPECT_EQ(summaries.all().at("a").count(), 0) << "the label stays";
}

// Double.toString of Java 17.
TEST(Number, IsPrintedAsJavaDoes) {
  const std::pair<double, const char*> rows[] = {
      {0, "0.0"},           {-0.0, "-0.0"},
      {1, "1.0"},           {-2.5, "-2.5"},
      {6.1111, "6.1111"},   {0.001, "0.001"},
      {0.05, "0.05"},       {123456.789, "123456.789"},
      {9999999, "9999999.0"}, {10866176, "1.0866176E7"},
      {1e7, "1.0E7"},       {268435456, "2.68435456E8"},
      {0.0009, "9.0E-4"},   {1.795274064603e9, "1.795274064603E9"},
      {1e100, "1.0E100"},   {2.41, "2.41"},
      {std::numeric_limits<double>::quiet_NaN(), "NaN"},
      {std::numeric_limits<double>::infinity(), "Infinity"},
      {-std::numeric_limits<double>::infinity(), "-Infinity"}};
  for (const auto& [value, text] : rows) EXPECT_EQ(java_double(value), text);
}

TEST(Exposition, WritesPrometheusText) {
  Counter counter;
  counter.add(3);
  CounterSet counters(10);
  counters.add("x\"y\\z\n", 2);
  Summary summary;
  summary.observe(7);
  SummarySet set(10);
  set.observe("brokers", 5);
  Registry registry;
  registry.add({"requests", "Requests.\nAll of them \\ here.", &counter});
  registry.add({"errors", "errors", LabelledCounters{&counters, "kind"}});
  registry.add({"size", "size", []() -> Number { return int64_t{20'000'000}; }});
  registry.add({"limits", "limits", GaugeSet{"key", [] {
                  return std::vector<std::pair<std::string, Number>>{{"a", 1.5}, {"b", int64_t{2}}};
                }}});
  registry.add({"latency", "latency", QuantileSummary{&summary, {0.5, 0.99}}});
  registry.add({"bytes", "bytes", QuantileSummarySet{&set, "key", {0.5}}});
  EXPECT_EQ(exposition(registry),
            "# HELP requests Requests.\\nAll of them \\\\ here.\n"
            "# TYPE requests counter\n"
            "requests 3.0\n"
            "# HELP errors errors\n"
            "# TYPE errors counter\n"
            "errors{kind=\"x\\\"y\\\\z\\n\",} 2.0\n"
            "# HELP size size\n"
            "# TYPE size gauge\n"
            "size 2.0E7\n"
            "# HELP limits limits\n"
            "# TYPE limits gauge\n"
            "limits{key=\"a\",} 1.5\n"
            "limits{key=\"b\",} 2.0\n"
            "# HELP latency latency\n"
            "# TYPE latency summary\n"
            "latency{quantile=\"0.5\",} 7.0\n"
            "latency{quantile=\"0.99\",} 7.0\n"
            "latency_count 1.0\n"
            "latency_sum 7.0\n"
            "# HELP bytes bytes\n"
            "# TYPE bytes summary\n"
            "bytes{key=\"brokers\",quantile=\"0.5\",} 5.0\n"
            "bytes_count{key=\"brokers\",} 1.0\n"
            "bytes_sum{key=\"brokers\",} 5.0\n");
}

TEST(Exposition, AnEmptySummaryHasNoQuantiles) {
  Summary summary;
  Registry registry;
  registry.add({"latency", "latency", QuantileSummary{&summary, {0.5}}});
  EXPECT_NE(exposition(registry).find("latency{quantile=\"0.5\",} NaN\nlatency_count 0.0\n"),
            std::string::npos);
}

TEST(Process, SaysWhatTheSystemSays) {
  Registry registry;
  add_process_metrics(registry, 1'700'000'000'500);
  std::map<std::string, double> values;
  for (const Family& family : registry.families()) {
    for (const Sample& sample : samples_of(family)) values[sample.name] = sample.value;
  }
  EXPECT_EQ(values.at("process_start_time_seconds"), 1'700'000'000.5);
  EXPECT_GT(values.at("process_resident_memory_bytes"), 1 << 20);
  EXPECT_GE(values.at("process_virtual_memory_bytes"),
            values.at("process_resident_memory_bytes"));
  EXPECT_GE(values.at("process_open_fds"), 3);
  EXPECT_GE(values.at("process_max_fds"), values.at("process_open_fds"));
  EXPECT_GT(values.at("process_cpu_seconds_total"), 0);
}

}  // namespace
}  // namespace odradek::metrics
