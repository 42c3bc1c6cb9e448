#pragma once
// Restarter: a thread that starts the service anew when a part of it asks: that part cannot do it
// itself, since it ends with the rest. Any thread may ask.

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace odradek::coordinator::server {

class Restarter {
 public:
  // `restart` runs on the thread, once for each time it was asked.
  explicit Restarter(std::function<void()> restart);
  ~Restarter();  // stops
  Restarter(const Restarter&) = delete;
  Restarter& operator=(const Restarter&) = delete;

  void ask();
  // A restart that runs is waited for. Not on the thread.
  void stop();

 private:
  void work();

  const std::function<void()> restart_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool asked_ = false;
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace odradek::coordinator::server
