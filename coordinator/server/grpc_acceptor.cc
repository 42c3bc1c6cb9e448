#include "coordinator/server/grpc_acceptor.h"

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <unistd.h>

#include <mutex>

#include "common/clock.h"

namespace odradek::coordinator::server {

struct GrpcAcceptor::Impl {
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor;
  std::unique_ptr<grpc::Server> server;
  std::mutex mutex;  // guards `stopped` against accept on another thread
  bool stopped = false;
};

GrpcAcceptor::GrpcAcceptor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

GrpcAcceptor::~GrpcAcceptor() { stop(0); }

Result<std::unique_ptr<GrpcAcceptor>> GrpcAcceptor::start(
    const std::vector<grpc::Service*>& services) {
  auto impl = std::make_unique<Impl>();
  grpc::ServerBuilder builder;
  for (grpc::Service* service : services) builder.RegisterService(service);
  impl->acceptor = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
      grpc::InsecureServerCredentials());
  // a broker whose machine has gone is noticed though no byte comes
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 5000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 5000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 1000);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder.SetMaxReceiveMessageSize(64 << 20);
  impl->server = builder.BuildAndStart();
  if (!impl->server) return Error(Errc::internal, "gRPC does not start");
  return std::unique_ptr<GrpcAcceptor>(new GrpcAcceptor(std::move(impl)));
}

void GrpcAcceptor::accept(int fd) {
  std::lock_guard lock(impl_->mutex);
  if (impl_->stopped) {
    ::close(fd);
    return;
  }
  grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
  connection.listener_fd = -1;
  connection.fd = fd;
  impl_->acceptor->HandleNewConnection(&connection);
}

void GrpcAcceptor::stop(int64_t deadline_ms) {
  {
    std::lock_guard lock(impl_->mutex);
    if (impl_->stopped) return;
    impl_->stopped = true;
  }
  impl_->server->Shutdown(deadline_in_ms(deadline_ms));
  impl_->server->Wait();
}

}  // namespace odradek::coordinator::server
