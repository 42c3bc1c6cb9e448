#include "common/runtime/spawn.h"

#include <boost/asio/co_spawn.hpp>
#include <cstdlib>

#include "common/log/log.h"
#include "common/runtime/thrown.h"

namespace odradek::runtime {

void spawn(Executor owner, awaitable<void> work, const char* what) {
  auto ended = [what](const std::exception_ptr& thrown) {
    if (!thrown) return;
    Error error = error_of(thrown);
    if (error.code() == Errc::cancelled) return;
    LOG_ERROR("server", "An exception escaped from {}: {}", what, error.what());
    log_flush();
    std::abort();
  };
  asio::co_spawn(owner, std::move(work), std::move(ended));
}

}  // namespace odradek::runtime
