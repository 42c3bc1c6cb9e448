#pragma once
// The figures of kafka-producer-perf-test, in Kafka's words: a line for each reporting interval, one for the whole run.

#include <cstdint>
#include <string>
#include <vector>

namespace odradek::broker::cli {

class PerfStats {
 public:
  // `records`: how many will be sent, at least 1. Of more than 500,000 only some latencies are kept.
  PerfStats(int64_t records, int64_t interval_ms, int64_t now_ms);

  // An acknowledged record. Returns the line of the interval that it ends, empty where it ends none.
  std::string record(int64_t latency_ms, int64_t bytes, int64_t now_ms);
  // "2000 records sent, 1319.261214 records/sec (0.13 MB/sec), 539.88 ms avg latency, ..."
  std::string total(int64_t now_ms);

 private:
  struct Sum {
    int64_t begin_ms = 0;
    int64_t count = 0;
    int64_t bytes = 0;
    int64_t latency_ms = 0;
    int64_t max_latency_ms = 0;
    void add(int64_t latency, int64_t size);
  };
  int64_t percentile(double part) const;

  const int64_t interval_ms_;
  const int64_t sampling_;
  Sum all_;
  Sum window_;
  std::vector<int32_t> latencies_;
};

// When to pause so that no more than so many records go out in a second; below 0: never; 0: for ever.
class Throttle {
 public:
  Throttle(double per_second, int64_t begin_ms) : per_second_(per_second), begin_ms_(begin_ms) {}
  // Milliseconds to wait after `sent` records; 0: none.
  int64_t pause_ms(int64_t sent, int64_t now_ms) const;

 private:
  double per_second_;
  int64_t begin_ms_;
};

}  // namespace odradek::broker::cli
