#include "common/metrics/process.h"

#include <dirent.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

#include "common/metrics/registry.h"

namespace odradek::metrics {

namespace {

double cpu_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

struct Memory {
  int64_t virtual_bytes = 0;
  int64_t resident_bytes = 0;
};

Memory memory() {
  Memory out;
  FILE* file = std::fopen("/proc/self/statm", "re");
  if (file == nullptr) return out;
  long size = 0;
  long resident = 0;
  if (std::fscanf(file, "%ld %ld", &size, &resident) == 2) {
    long page = sysconf(_SC_PAGESIZE);
    out.virtual_bytes = int64_t{size} * page;
    out.resident_bytes = int64_t{resident} * page;
  }
  std::fclose(file);
  return out;
}

}  // namespace

int64_t open_descriptors() {
  // Linux 6.2 and later say the number as the size of the folder
  struct stat about {};
  if (stat("/proc/self/fd", &about) == 0 && about.st_size > 0) return about.st_size;
  DIR* dir = opendir("/proc/self/fd");
  if (dir == nullptr) return -1;
  int64_t count = -3;  // ".", ".." and the listing itself
  while (readdir(dir) != nullptr) ++count;
  closedir(dir);
  return count;
}

int64_t max_descriptors() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<int64_t>(limit.rlim_cur);
}

void add_process_metrics(Registry& registry, int64_t started_wall_ms) {
  auto add = [&](const char* name, const char* help, Gauge read) {
    registry.add({name, help, std::move(read)});
  };
  registry.add({"process_cpu_seconds_total", "CPU time used by this process, user and system.",
                CounterOf{[]() -> Number { return cpu_seconds(); }}});
  add("process_start_time_seconds", "When the process started, in seconds since 1970.",
      [=]() -> Number { return static_cast<double>(started_wall_ms) / 1000; });
  add("process_open_fds", "Open file descriptors.", []() -> Number { return open_descriptors(); });
  add("process_max_fds", "The most file descriptors that may be open.",
      []() -> Number { return max_descriptors(); });
  add("process_virtual_memory_bytes", "Virtual memory of the process.",
      []() -> Number { return memory().virtual_bytes; });
  add("process_resident_memory_bytes", "Resident memory of the process.",
      []() -> Number { return memory().resident_bytes; });
}

}  // namespace odradek::metrics
