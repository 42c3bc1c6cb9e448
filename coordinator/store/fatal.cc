#include "coordinator/store/fatal.h"

#include <cstdio>
#include <cstdlib>

#include "common/log/log.h"

namespace odradek::coordinator::store {

void fatal(const std::string& what) {
  LOG_ERROR("zookeeper", "{}", what);
  log_flush();
  std::fprintf(stderr, "coordinator: %s\n", what.c_str());
  std::_Exit(1);
}

}  // namespace odradek::coordinator::store
