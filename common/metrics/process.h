#pragma once
// What the system says about this process: the figures that Prometheus' client libraries export
// under process_*.

#include <cstdint>

namespace odradek::metrics {

class Registry;

int64_t open_descriptors();  // -1 where /proc is not there
int64_t max_descriptors();   // the soft limit

// process_cpu_seconds_total, process_start_time_seconds (`started_wall_ms`), process_open_fds,
// process_max_fds, process_virtual_memory_bytes, process_resident_memory_bytes.
void add_process_metrics(Registry& registry, int64_t started_wall_ms);

}  // namespace odradek::metrics
