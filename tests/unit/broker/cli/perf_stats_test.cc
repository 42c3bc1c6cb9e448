#include "broker/cli/perf_stats.h"

#include <gtest/gtest.h>

namespace odradek::broker::cli {
namespace {

TEST(PerfStats, TotalAndPercentiles) {
  PerfStats stats(2000, 5000, 10'000);
  // latencies 1 to 2000, not in order
  for (int64_t i = 0; i < 2000; ++i)
    EXPECT_EQ(stats.record((i * 7 + 3) % 2000 + 1, 100, 10'500), "");
  EXPECT_EQ(stats.total(11'516),
            "2000 records sent, 1319.261214 records/sec (0.13 MB/sec), 1000.50 ms avg latency, "
            "2000.00 ms max latency, 1001 ms 50th, 1901 ms 95th, 1981 ms 99th, 1999 ms 99.9th.\n");
}

TEST(PerfStats, ALineForEachInterval) {
  PerfStats stats(4, 5000, 0);
  EXPECT_EQ(stats.record(10, 1048576, 1000), "");
  EXPECT_EQ(stats.record(20, 1048576, 5000),
            "2 records sent, 0.4 records/sec (0.40 MB/sec), 15.0 ms avg latency, 20.0 ms max "
            "latency.\n");
  EXPECT_EQ(stats.record(4, 0, 9999), "");
  EXPECT_EQ(stats.record(5, 0, 10'001),
            "2 records sent, 0.4 records/sec (0.00 MB/sec), 4.5 ms avg latency, 5.0 ms max "
            "latency.\n");
}

TEST(PerfStats, NothingSent) {
  PerfStats stats(10, 5000, 0);
  EXPECT_EQ(stats.total(1000),
            "0 records sent, 0.000000 records/sec (0.00 MB/sec), NaN ms avg latency, 0.00 ms max "
            "latency, 0 ms 50th, 0 ms 95th, 0 ms 99th, 0 ms 99.9th.\n");
}

TEST(PerfStats, KeepsSomeOfManyLatencies) {
  PerfStats stats(2'000'000, 1'000'000, 0);  // one of four is kept
  for (int64_t i = 0; i < 2'000'000; ++i) stats.record(i % 4 == 0 ? 8 : 1, 1, 1);
  EXPECT_NE(stats.total(1000).find("8 ms 50th, 8 ms 95th, 8 ms 99th, 8 ms 99.9th"),
            std::string::npos);
}

TEST(Throttle, WaitsUntilTheRecordIsDue) {
  Throttle throttle(100, 1000);
  EXPECT_EQ(throttle.pause_ms(1, 1000), 10);
  EXPECT_EQ(throttle.pause_ms(100, 1500), 500);
  EXPECT_EQ(throttle.pause_ms(100, 2000), 0);
  EXPECT_EQ(throttle.pause_ms(100, 9000), 0);
  EXPECT_EQ(Throttle(-1, 1000).pause_ms(1'000'000, 1000), 0);
  EXPECT_GT(Throttle(0, 1000).pause_ms(1, 1000), 1'000'000'000);
}

}  // namespace
}  // namespace odradek::broker::cli
