#include "common/runtime/shards.h"

#include <pthread.h>

#include <exception>

#include "common/check.h"
#include "common/log/log.h"

namespace odradek::runtime {

namespace {
thread_local std::optional<size_t> current_shard;
}

Shards::Shards(std::string name, size_t count) : name_(std::move(name)) {
  CHECK(count > 0);
  for (size_t i = 0; i < count; ++i) loops_.push_back(std::make_unique<Loop>());
}

Shards::~Shards() { stop(); }

void Shards::start() {
  for (size_t i = 0; i < loops_.size(); ++i) {
    Loop& loop = *loops_[i];
    if (loop.thread.joinable()) continue;
    loop.thread = std::thread([this, i, &loop] {
      current_shard = i;
      // 15 characters are what the kernel keeps of a thread's name
      std::string label = (name_ + "-" + std::to_string(i)).substr(0, 15);
      pthread_setname_np(pthread_self(), label.c_str());
      try {
        loop.context.run();
      } catch (const std::exception& e) {
        // our code throws nowhere on a shard: an exception here is a broken invariant
        LOG_ERROR("server", "An exception escaped on shard {}: {}", i, e.what());
        log_flush();
        std::abort();
      }
    });
  }
}

void Shards::stop() {
  for (auto& loop : loops_) {
    loop->work.reset();
    loop->context.stop();
  }
  for (auto& loop : loops_) {
    if (loop->thread.joinable()) loop->thread.join();
  }
}

std::optional<size_t> Shards::current() { return current_shard; }

}  // namespace odradek::runtime
