#pragma once
// BrokerService: what the coordinator offers brokers by gRPC (proto/coordinator): the session
// stream and the admin calls. It owns the controller's runner. gRPC's threads post to the tree
// thread in their first line; everything is decided there.
//
//   service made → start (tree thread, or before it runs) → … → stop (tree thread) → gRPC server
//   shut down → destroyed

#include <memory>

#include "common/runtime/executor.h"
#include "coordinator/pipeline/controller_runner.h"
#include "coordinator/server/broker_hub.h"

namespace grpc {
class Service;
}

namespace odradek::coordinator::server {

struct BrokerServiceSettings {
  controller::Settings controller;
  BrokerHubSettings hub;
  size_t max_queued_bytes = 64u << 20;  // of one stream
};

class BrokerService {
 public:
  // The pipeline outlives the service.
  BrokerService(runtime::Executor tree, pipeline::Pipeline& pipeline,
                BrokerServiceSettings settings);
  ~BrokerService();
  BrokerService(const BrokerService&) = delete;
  BrokerService& operator=(const BrokerService&) = delete;

  // To be registered with the gRPC server; lives as long as this.
  grpc::Service* grpc();
  // Reads the tree and begins to act.
  void start();
  // Ends the streams and the calls that wait; new ones are refused. Sessions stay.
  void stop();

  pipeline::ControllerRunner& runner();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace odradek::coordinator::server
