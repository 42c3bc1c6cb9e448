#include "coordinator/server/restarter.h"

#include <pthread.h>

#include <utility>

namespace odradek::coordinator::server {

Restarter::Restarter(std::function<void()> restart)
    : restart_(std::move(restart)), thread_([this] { work(); }) {}

Restarter::~Restarter() { stop(); }

void Restarter::ask() {
  std::lock_guard lock(mutex_);
  asked_ = true;
  wake_.notify_one();
}

void Restarter::stop() {
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    wake_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void Restarter::work() {
  pthread_setname_np(pthread_self(), "restart");
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return asked_ || stopped_; });
      if (stopped_) return;
      asked_ = false;
    }
    restart_();
  }
}

}  // namespace odradek::coordinator::server
