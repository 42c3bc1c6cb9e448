#include "coordinator/server/grpc_acceptor.h"

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mutex>

#include "common/clock.h"
#include "common/log/log.h"

namespace odradek::coordinator::server {

namespace {

// A connection that was handed over. gRPC does not say when it closes one, but the descriptor is
// then no more, or another file.
struct HandedOver {
  int fd;
  ino_t inode;
  bool open() const {
    struct stat about {};
    return fstat(fd, &about) == 0 && about.st_ino == inode;
  }
};

}  // namespace

struct GrpcAcceptor::Impl {
  // Whether one more may come. Under the mutex.
  bool has_room() {
    if (connections.size() >= max_connections) {
      std::erase_if(connections, [](const HandedOver& each) { return !each.open(); });
    }
    return connections.size() < max_connections;
  }

  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor;
  std::unique_ptr<grpc::Server> server;
  size_t max_connections = 0;
  std::mutex mutex;  // guards what follows against accept on another thread
  std::vector<HandedOver> connections;
  bool stopped = false;
  bool warned = false;
};

GrpcAcceptor::GrpcAcceptor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

GrpcAcceptor::~GrpcAcceptor() { stop(0); }

Result<std::unique_ptr<GrpcAcceptor>> GrpcAcceptor::start(
    const std::vector<grpc::Service*>& services, size_t max_connections) {
  auto impl = std::make_unique<Impl>();
  impl->max_connections = max_connections;
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
  // one that says the preface and nothing else does not stay, nor does one without a call
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, 10'000);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, 60'000);
  builder.SetMaxReceiveMessageSize(64 << 20);
  impl->server = builder.BuildAndStart();
  if (!impl->server) return Error(Errc::internal, "gRPC does not start");
  return std::unique_ptr<GrpcAcceptor>(new GrpcAcceptor(std::move(impl)));
}

void GrpcAcceptor::accept(int fd) {
  std::lock_guard lock(impl_->mutex);
  bool room = !impl_->stopped && impl_->has_room();
  if (!room && !impl_->stopped && !std::exchange(impl_->warned, true)) {
    LOG_WARN("zookeeper",
             "{} connections speak gRPC, and odradek.grpc.max.connections allows no more: further "
             "ones are closed",
             impl_->max_connections);
  }
  struct stat about {};
  if (!room || fstat(fd, &about) != 0) {
    ::close(fd);
    return;
  }
  impl_->warned = false;
  impl_->connections.push_back({fd, about.st_ino});
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
