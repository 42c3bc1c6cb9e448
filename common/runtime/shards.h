#pragma once
// Shards: N event loops with a thread each. What a shard owns is touched on its thread only. The
// coordinator's tree thread is a Shards of one.

#include <boost/asio/executor_work_guard.hpp>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "common/runtime/executor.h"

namespace odradek::runtime {

class Shards {
 public:
  // `name` names the threads (name-0, name-1, …). No thread runs before start.
  Shards(std::string name, size_t count);
  ~Shards();  // stops
  Shards(const Shards&) = delete;
  Shards& operator=(const Shards&) = delete;

  size_t size() const { return loops_.size(); }
  Executor executor(size_t shard) const { return loops_[shard]->context.get_executor(); }
  asio::io_context& context(size_t shard) { return loops_[shard]->context; }

  void start();
  // Ends the loops after the handlers that run now, and joins the threads. Handlers that wait are
  // destroyed with the Shards, on the destroying thread. Not from a shard's own thread. Twice is
  // fine.
  void stop();

  // The shard whose thread this is; nothing on other threads.
  static std::optional<size_t> current();

 private:
  struct Loop {
    Loop() : context(1), work(context.get_executor()) {}
    asio::io_context context;
    asio::executor_work_guard<Executor> work;
    std::thread thread;
  };

  std::string name_;
  std::vector<std::unique_ptr<Loop>> loops_;
};

}  // namespace odradek::runtime
