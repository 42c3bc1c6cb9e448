#pragma once
// Operations: what serves those who run the server: the admin server, the metrics port and the audit
// log, each where the settings ask for it. Tree thread, but for open and start.

#include <memory>

#include "common/result.h"
#include "common/runtime/executor.h"

namespace odradek::http {
class Server;
struct Request;
struct Response;
}  // namespace odradek::http

namespace odradek::coordinator::server {

class AuditLog;
class Clients;

class Operations {
 public:
  // Binds the ports. The error is one line with cause and remedy.
  static Result<std::unique_ptr<Operations>> open(runtime::Executor executor, Clients& clients);
  ~Operations();
  Operations(const Operations&) = delete;
  Operations& operator=(const Operations&) = delete;

  // Lets clients in.
  Result<void> start();
  void stop();

  // 0 where there is none.
  uint16_t admin_port() const;
  uint16_t metrics_port() const;

 private:
  Operations(runtime::Executor executor, Clients& clients);
  Result<void> open_admin();
  Result<void> open_metrics();
  http::Response answer_admin(const http::Request& request);
  http::Response answer_metrics(const http::Request& request);

  runtime::Executor executor_;
  Clients& clients_;
  std::unique_ptr<AuditLog> audit_;
  std::unique_ptr<http::Server> admin_;
  std::unique_ptr<http::Server> metrics_;
  bool started_ = false;
};

}  // namespace odradek::coordinator::server
