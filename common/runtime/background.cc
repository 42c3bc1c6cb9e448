#include "common/runtime/background.h"

#include <pthread.h>

#include <cstdlib>

#include "common/log/log.h"

namespace odradek::runtime {

Background::Background(std::string name, size_t threads, size_t max_queued) : queue_(max_queued) {
  for (size_t i = 0; i < threads; ++i) {
    std::string label = (name + "-" + std::to_string(i)).substr(0, 15);
    threads_.emplace_back([this, label] {
      pthread_setname_np(pthread_self(), label.c_str());
      work();
    });
  }
}

Background::~Background() { stop(); }

void Background::work() {
  try {
    while (auto task = queue_.pop()) (*task)();
  } catch (...) {
    // nobody would be told that the task did not end
    LOG_ERROR("server", "An exception escaped from background work: {}",
              error_of(std::current_exception()).what());
    log_flush();
    std::abort();
  }
}

void Background::stop() {
  queue_.close();
  for (auto& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
  auto dropped = queue_.drain();
}

}  // namespace odradek::runtime
