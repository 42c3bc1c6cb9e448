#pragma once
// AdminService: what coordinator-admin asks of a running coordinator (proto/coordinator/admin.proto):
// checks, copies and restores of the store. Calls are answered to root and our own user on this
// machine only. Each runs on a worker thread beside the tree, one at a time; of the tree thread it
// needs nothing, since a snapshot of the store may be read by anybody.

#include <functional>
#include <memory>

#include "coordinator/server/settings.h"
#include "coordinator/store/rocks_store.h"

namespace grpc {
class Service;
}

namespace odradek::coordinator::server {

class AdminService {
 public:
  // `our_port` is asked for with each call. `restart` is called on the worker thread once a restore
  // waits to be put in place: it must only take a note.
  AdminService(store::RocksStore& store, const ServerSettings& settings,
               std::function<uint16_t()> our_port, std::function<void()> restart);
  ~AdminService();
  AdminService(const AdminService&) = delete;
  AdminService& operator=(const AdminService&) = delete;

  // To be registered with the gRPC server; lives as long as this.
  grpc::Service* grpc();
  // Ends what runs and waits for it; later calls are refused. Not on the worker.
  void stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace odradek::coordinator::server
