#pragma once
// Server: a small HTTP/1.1 server for what people and monitoring ask of a running process, on one
// executor. Boost.Beast stands behind it, in server.cc only.
//
// Bounded: connections, bytes of a request (its body is not looked at), the time that a connection
// does nothing or takes for its answer, and the bytes of answers that are on the way in all.

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "common/clock.h"
#include "common/result.h"

namespace odradek::http {

struct Request {
  std::string path;                           // decoded, from its first "/"
  std::map<std::string, std::string> query;  // decoded; of a name that comes twice the first
};

struct Response {
  int status = 200;
  std::string content_type;  // empty: none is said
  std::string body;
};
Response not_found(const std::string& path);

// Answers GET, and HEAD by the same without the body. On the executor; must not wait.
using Handler = std::function<Response(const Request&)>;

struct ServerOptions {
  std::string name;     // in log lines: "AdminServer"
  std::string logger = "server";
  std::string host;     // empty: every address
  uint16_t port = 0;
  std::string setting;  // where a person corrects it
  size_t max_connections = 100;
  size_t max_request_bytes = 8 << 10;
  size_t max_answer_bytes = 64u << 20;  // on the way: beyond it there is only 503
  int64_t idle_ms = 30'000;
};

class Server {
 public:
  // Binds; the error is one line with cause and remedy. `clock` outlives it.
  static Result<std::unique_ptr<Server>> open(boost::asio::any_io_executor executor,
                                              ServerOptions options, const Clock& clock,
                                              Handler handler);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Lets clients in.
  Result<void> start();
  // Ends all connections. On the executor, or when it does not run any more.
  void stop();
  uint16_t port() const;

 private:
  class Impl;
  explicit Server(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<Impl> impl_;
};

// "/a%20b?x=1&y" as path and query; nothing where an escape is none.
bool read_target(std::string_view target, Request& request);

}  // namespace odradek::http
