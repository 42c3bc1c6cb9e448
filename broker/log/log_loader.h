#pragma once
// LogLoader: opens every log that lies in the log directories at start, on threads of its own
// (num.recovery.threads.per.data.dir for each directory), so that a long recovery leaves the
// background pool to what is open already. Says in the log how far it is.
//
// start, take and stop are called by one owner.

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "broker/log/log_manager.h"

namespace odradek::broker::log {

class LogLoader {
 public:
  // `config_for` may be called by all threads at once.
  LogLoader(LogManager& logs, size_t threads_per_directory, LogManager::ConfigFor config_for);
  ~LogLoader();  // stops
  LogLoader(const LogLoader&) = delete;
  LogLoader& operator=(const LogLoader&) = delete;

  // How many logs take() gives in all, unless it is stopped.
  size_t count() const { return count_; }
  // `on_ready` is called where take() has something to give, after it had nothing: on one of the
  // loader's threads. It does not throw.
  void start(std::function<void()> on_ready);
  // What has been opened since the last call, also what cannot be opened.
  std::vector<LoadedLog> take();
  // Returns when the logs that are being opened are; the others are left alone. Blocking.
  void stop();

 private:
  struct Directory;
  void work(Directory& directory);
  void hand_over(LoadedLog loaded);
  void say_progress(Directory& directory, size_t done);
  LoadedLog load(const FoundLog& found);

  LogManager& logs_;
  const LogManager::ConfigFor config_for_;
  std::function<void()> on_ready_;
  std::mutex mutex_;  // guards ready_
  std::vector<LoadedLog> ready_;
  size_t threads_per_directory_;
  size_t count_ = 0;
  std::vector<std::unique_ptr<Directory>> directories_;
  std::vector<std::thread> threads_;
  std::atomic<bool> is_stopped_ = false;
};

}  // namespace odradek::broker::log
