#include "broker/log/log_loader.h"

#include <pthread.h>

#include <algorithm>

#include "common/log/log.h"
#include "common/runtime/thrown.h"

namespace odradek::broker::log {
namespace {

constexpr int64_t kProgressMs = 1000;

}  // namespace

// The logs of one directory that are still to be opened.
struct LogLoader::Directory {
  std::string path;
  std::vector<FoundLog> found;
  size_t threads = 1;
  std::atomic<size_t> next = 0;  // in `found`
  std::atomic<size_t> done = 0;
  std::atomic<int64_t> said_ms = 0;
  int64_t started_ms = 0;
};

LogLoader::LogLoader(LogManager& logs, size_t threads_per_directory,
                     LogManager::ConfigFor config_for)
    : logs_(logs),
      config_for_(std::move(config_for)),
      threads_per_directory_(std::max<size_t>(threads_per_directory, 1)) {
  for (const DirectoryState& state : logs_.directories()) {
    directories_.push_back(std::make_unique<Directory>());
    directories_.back()->path = state.path;
  }
  for (FoundLog& found : logs_.found_logs()) {
    ++count_;
    directories_[found.directory]->found.push_back(std::move(found));
  }
}

LogLoader::~LogLoader() { stop(); }

void LogLoader::start(std::function<void()> on_ready) {
  on_ready_ = std::move(on_ready);
  const int64_t now_ms = logs_.context().clock->monotonic_ms();
  for (auto& directory : directories_) {
    if (directory->found.empty()) continue;
    directory->started_ms = now_ms;
    directory->said_ms = now_ms;
    directory->threads = std::min(threads_per_directory_, directory->found.size());
    LOG_INFO("server", "Loading {} logs from {}", directory->found.size(), directory->path);
    for (size_t i = 0; i < directory->threads; ++i) {
      threads_.emplace_back([this, &directory = *directory] {
        pthread_setname_np(pthread_self(), "recovery");
        work(directory);
      });
    }
  }
}

void LogLoader::stop() {
  is_stopped_ = true;
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

// Whatever happens, the owner hears of every log: it waits for their number.
LoadedLog LogLoader::load(const FoundLog& found) {
  try {
    return logs_.load(found, config_for_(found.id.topic));
  } catch (...) {
    LoadedLog failed;
    failed.id = found.id;
    failed.directory = found.directory;
    failed.error = runtime::error_of(std::current_exception());
    return failed;
  }
}

void LogLoader::work(Directory& directory) {
  while (!is_stopped_) {
    const size_t mine = directory.next++;
    if (mine >= directory.found.size()) return;
    hand_over(load(directory.found[mine]));
    say_progress(directory, ++directory.done);
  }
}

// Each at once: the next one may take minutes. Where they open fast, many are taken together.
void LogLoader::hand_over(LoadedLog loaded) {
  bool is_first = false;
  {
    std::lock_guard lock(mutex_);
    is_first = ready_.empty();
    ready_.push_back(std::move(loaded));
  }
  if (is_first) on_ready_();
}

std::vector<LoadedLog> LogLoader::take() {
  std::lock_guard lock(mutex_);
  return std::exchange(ready_, {});
}

void LogLoader::say_progress(Directory& directory, size_t done) {
  const int64_t now_ms = logs_.context().clock->monotonic_ms();
  const size_t all = directory.found.size();
  if (done == all) {
    LOG_INFO("server", "Loaded {} logs from {} in {} ms", all, directory.path,
             now_ms - directory.started_ms);
    return;
  }
  int64_t said_ms = directory.said_ms;
  if (now_ms - said_ms < kProgressMs) return;
  if (!directory.said_ms.compare_exchange_strong(said_ms, now_ms)) return;
  LOG_INFO("server", "Loading logs from {}: {} of {} loaded", directory.path, done, all);
}

}  // namespace odradek::broker::log
