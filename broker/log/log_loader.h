#pragma once
// LogLoader: opens every log that lies in the log directories at start, on threads of its own
// (num.recovery.threads.per.data.dir for each directory), so that a long recovery leaves the
// background pool to what is open already. Says in the log how far it is.
//
// start and stop are called by one owner; what it is given is called on the loader's threads.

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "broker/log/log_manager.h"

namespace odradek::broker::log {

class LogLoader {
 public:
  // A few at a time, as they are ready, also those that cannot be opened. Several threads call it
  // at once. It does not throw.
  using OnLoaded = std::function<void(std::vector<LoadedLog>)>;

  // `config_for` may be called by all threads at once.
  LogLoader(LogManager& logs, size_t threads_per_directory, LogManager::ConfigFor config_for);
  ~LogLoader();  // stops
  LogLoader(const LogLoader&) = delete;
  LogLoader& operator=(const LogLoader&) = delete;

  // How many logs on_loaded will be told of, unless it is stopped.
  size_t count() const { return count_; }
  void start(OnLoaded on_loaded);
  // Returns when the logs that are being opened are; the others are left alone. Blocking.
  void stop();

 private:
  struct Directory;
  void work(Directory& directory);
  void say_progress(Directory& directory, size_t done);
  LoadedLog load(const FoundLog& found);

  LogManager& logs_;
  const LogManager::ConfigFor config_for_;
  OnLoaded on_loaded_;
  size_t threads_per_directory_;
  size_t count_ = 0;
  std::vector<std::unique_ptr<Directory>> directories_;
  std::vector<std::thread> threads_;
  std::atomic<bool> is_stopped_ = false;
};

}  // namespace odradek::broker::log
