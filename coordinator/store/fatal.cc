#include "coordinator/store/fatal.h"

#include <cstdio>
#include <cstdlib>

#include "common/log/log.h"

namespace odradek::coordinator::store {

namespace {

std::function<void(const std::string&)>& instead_of_the_end() {
  static std::function<void(const std::string&)> instead;
  return instead;
}

}  // namespace

void set_fatal_for_test(std::function<void(const std::string&)> instead) {
  instead_of_the_end() = std::move(instead);
}

void fatal(const std::string& what) {
  if (instead_of_the_end()) instead_of_the_end()(what);
  LOG_ERROR("zookeeper", "{}", what);
  log_flush();
  std::fprintf(stderr, "coordinator: %s\n", what.c_str());
  std::_Exit(1);
}

}  // namespace odradek::coordinator::store
