#pragma once
// GrpcAcceptor: gRPC's server without a port of its own. It is given the descriptors of connections
// that speak HTTP/2. The services live on gRPC's threads and post to the tree thread in their first
// line.

#include <memory>
#include <string>
#include <vector>

#include "common/result.h"

namespace grpc {
class Service;
}

namespace odradek::coordinator::server {

class GrpcAcceptor {
 public:
  // The services must outlive it.
  static Result<std::unique_ptr<GrpcAcceptor>> start(const std::vector<grpc::Service*>& services,
                                                     size_t max_connections);
  ~GrpcAcceptor();  // stops
  GrpcAcceptor(const GrpcAcceptor&) = delete;
  GrpcAcceptor& operator=(const GrpcAcceptor&) = delete;

  // Takes the descriptor (non-blocking), nothing of it read; closes it where there are as many as
  // there may be. Any thread.
  void accept(int fd);
  // Ends the calls that still run after the deadline. Finish streams before, or it waits for them.
  void stop(int64_t deadline_ms);

 private:
  struct Impl;
  explicit GrpcAcceptor(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace odradek::coordinator::server
