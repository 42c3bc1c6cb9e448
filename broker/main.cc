// broker server.properties [--override key=value]…
// Wiring only: reads the options, runs the broker, and turns SIGTERM and SIGINT into an orderly
// stop.

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "broker/server/broker.h"
#include "broker/server/options.h"
#include "common/log/log.h"
#include "common/runtime/process.h"

namespace {

using namespace odradek;

// Waits for the signals that end the process, for as long as it lives.
void wait_for_signals(broker::server::Broker& broker, sigset_t ends) {
  while (true) {
    LOG_INFO("server", "Stopping on {}", strsignal(runtime::wait_for_end(ends)));
    broker.ask_to_stop();
  }
}

[[noreturn]] void leave(int code) {
  log_flush();
  // Coroutines that wait hold pieces of every layer; the end of the process is what frees them.
  std::fflush(nullptr);
  std::_Exit(code);
}

}  // namespace

int main(int argc, char** argv) {
  runtime::spare_heap();
  const sigset_t ends = runtime::block_end_signals();
  try {
    auto options = broker::server::read_options(argc, argv);
    if (!options) {
      std::fprintf(stderr, "broker: %s\n", options.error().what().c_str());
      return 1;
    }
    LogOptions log;
    log.directory = options->log_directory;
    log.main_logger = "server";
    log_open(log);
    broker::server::Broker broker(std::move(*options));
    std::thread(wait_for_signals, std::ref(broker), ends).detach();
    auto ran = broker.run();
    if (!ran) {
      LOG_ERROR("server", "{}", ran.error().what());
      leave(1);
    }
    leave(0);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "broker: %s\n", failure.what());
    leave(1);
  }
}
