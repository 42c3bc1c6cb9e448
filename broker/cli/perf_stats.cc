#include "broker/cli/perf_stats.h"

#include <algorithm>

#include "common/format.h"

namespace odradek::broker::cli {
namespace {

constexpr int64_t kMostLatencies = 500000;
constexpr double kMegabyte = 1024.0 * 1024.0;

double per_second(int64_t amount, int64_t elapsed_ms) {
  return 1000.0 * static_cast<double>(amount) / static_cast<double>(elapsed_ms);
}
double average(int64_t sum, int64_t count) {
  return static_cast<double>(sum) / static_cast<double>(count);
}

// As Java prints what divides by zero.
std::string decimal(double value, int digits) {
  if (value != value) return "NaN";
  if (value > 1e300) return "Infinity";
  return format("{:.{}f}", value, digits);
}

}  // namespace

PerfStats::PerfStats(int64_t records, int64_t interval_ms, int64_t now_ms)
    : interval_ms_(interval_ms), sampling_(records / std::min(records, kMostLatencies)) {
  all_.begin_ms = window_.begin_ms = now_ms;
}

void PerfStats::Sum::add(int64_t latency, int64_t size) {
  ++count;
  bytes += size;
  latency_ms += latency;
  max_latency_ms = std::max(max_latency_ms, latency);
}

std::string PerfStats::record(int64_t latency_ms, int64_t bytes, int64_t now_ms) {
  if (all_.count % sampling_ == 0) latencies_.push_back(static_cast<int32_t>(latency_ms));
  all_.add(latency_ms, bytes);
  window_.add(latency_ms, bytes);
  const int64_t elapsed = now_ms - window_.begin_ms;
  if (elapsed < interval_ms_) return {};
  std::string line = format(
      "{} records sent, {} records/sec ({} MB/sec), {} ms avg latency, {} ms max latency.\n",
      window_.count, decimal(per_second(window_.count, elapsed), 1),
      decimal(per_second(window_.bytes, elapsed) / kMegabyte, 2),
      decimal(average(window_.latency_ms, window_.count), 1),
      decimal(static_cast<double>(window_.max_latency_ms), 1));
  window_ = Sum{now_ms};
  return line;
}

int64_t PerfStats::percentile(double part) const {
  if (latencies_.empty()) return 0;
  return latencies_[static_cast<size_t>(part * static_cast<double>(latencies_.size()))];
}

std::string PerfStats::total(int64_t now_ms) {
  std::sort(latencies_.begin(), latencies_.end());
  const int64_t elapsed = now_ms - all_.begin_ms;
  return format(
      "{} records sent, {} records/sec ({} MB/sec), {} ms avg latency, {} ms max latency, {} ms "
      "50th, {} ms 95th, {} ms 99th, {} ms 99.9th.\n",
      all_.count, decimal(per_second(all_.count, elapsed), 6),
      decimal(per_second(all_.bytes, elapsed) / kMegabyte, 2),
      decimal(average(all_.latency_ms, all_.count), 2),
      decimal(static_cast<double>(all_.max_latency_ms), 2), percentile(0.5), percentile(0.95),
      percentile(0.99), percentile(0.999));
}

int64_t Throttle::pause_ms(int64_t sent, int64_t now_ms) const {
  if (per_second_ < 0) return 0;
  if (per_second_ == 0) return INT64_MAX / 4;  // for ever, as Kafka's waits
  const double due_ms = 1000.0 * static_cast<double>(sent) / per_second_;
  const double elapsed_ms = static_cast<double>(now_ms - begin_ms_);
  return due_ms > elapsed_ms ? static_cast<int64_t>(due_ms - elapsed_ms) : 0;
}

}  // namespace odradek::broker::cli
