#pragma once
// Service: the coordinator as it runs: store, commit thread, tree thread, pipeline, port. It makes
// them in order and ends them in order; what each does is theirs.

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "common/result.h"
#include "coordinator/server/restarter.h"
#include "coordinator/server/settings.h"

namespace odradek::coordinator::server {

struct ServiceOptions {
  ServerSettings settings;
  size_t memory_budget_bytes = 512u << 20;  // KAFKA_HEAP_OPTS
};

class Service {
 public:
  // Serves when it returns. The error is one line with cause and remedy.
  static Result<std::unique_ptr<Service>> start(ServiceOptions options);
  ~Service();  // stops
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  // Connections end, sessions stay: clients find them again after a restart. Takes well below a
  // second. Not on the tree thread.
  void stop();
  uint16_t port() const;
  // 0 where there is none.
  uint16_t admin_port() const;
  uint16_t metrics_port() const;

 private:
  struct Impl;
  explicit Service(std::unique_ptr<Impl> impl);
  // Ends everything and starts it again on the same port, with the store that is there then: after a
  // restore. Ends the process where that fails.
  void start_anew();

  mutable std::mutex mutex_;  // guards impl_ against start_anew
  std::unique_ptr<Impl> impl_;
  Restarter restarter_;
};

}  // namespace odradek::coordinator::server
