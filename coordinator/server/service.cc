#include "coordinator/server/service.h"

#include <fmt/core.h>
#include <malloc.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <future>

#include "common/clock.h"
#include "common/log/log.h"
#include "common/runtime/shards.h"
#include "common/runtime/timer.h"
#include "coordinator/pipeline/commit_thread.h"
#include "coordinator/pipeline/pipeline.h"
#include "coordinator/server/admin_service.h"
#include "coordinator/server/broker_service.h"
#include "coordinator/server/clients.h"
#include "coordinator/server/grpc_acceptor.h"
#include "coordinator/server/open_store.h"
#include "coordinator/server/operations.h"
#include "coordinator/server/port.h"
#include "coordinator/server/report.h"
#include "coordinator/store/fatal.h"
#include "coordinator/store/rocks_store.h"

namespace odradek::coordinator::server {

namespace {

constexpr int64_t kTrimMs = 30'000;
constexpr int64_t kGrpcStopMs = 200;

store::RocksOptions store_options(size_t budget_bytes) {
  store::RocksOptions options;
  options.cache_bytes = std::clamp<size_t>(budget_bytes / 64, 4u << 20, 256u << 20);
  return options;
}

BrokerServiceSettings broker_settings(const ServerSettings& settings) {
  BrokerServiceSettings brokers;
  brokers.hub.grace_ms = settings.broker_grace_ms;
  brokers.controller.settle_ms = settings.topic_settle_ms;
  return brokers;
}

pipeline::PipelineOptions pipeline_options(const ServerSettings& settings, size_t budget_bytes) {
  pipeline::PipelineOptions options;
  options.tick_ms = settings.tick_ms;
  options.min_session_timeout_ms = settings.min_session_timeout_ms;
  options.max_session_timeout_ms = settings.max_session_timeout_ms;
  options.server_id = settings.server_id;
  options.rules = settings.rules;
  options.containers = settings.containers;
  options.znode_cache_bytes = std::clamp<size_t>(budget_bytes / 256, 1u << 20, 8u << 20);
  return options;
}

}  // namespace

struct Service::Impl {
  explicit Impl(ServiceOptions options_in) : options(std::move(options_in)), tree("tree", 1) {}

  Result<void> open();
  Result<void> start();
  void stop();
  int64_t tick();

  const ServiceOptions options;
  SystemClock clock;
  std::unique_ptr<store::RocksStore> store;
  runtime::Shards tree;
  std::unique_ptr<pipeline::CommitThread> committer;
  std::unique_ptr<pipeline::Pipeline> pipeline;
  std::unique_ptr<Clients> clients;
  std::unique_ptr<BrokerService> brokers;
  std::unique_ptr<AdminService> admin;
  std::unique_ptr<GrpcAcceptor> grpc;  // behind the service, which must outlive it
  std::unique_ptr<Port> port;
  std::unique_ptr<Operations> operations;
  std::unique_ptr<runtime::RepeatingTimer> ticker;
  int64_t trimmed_ms = 0;
  Zxid trimmed_zxid;
  bool running = false;
  std::function<void()> ask_restart;
};

Result<void> Service::Impl::open() {
  int64_t began_ms = clock.monotonic_ms();
  auto opened = open_store(options.settings, store_options(options.memory_budget_bytes));
  if (!opened) return opened.error();
  store = *std::move(opened);
  committer =
      std::make_unique<pipeline::CommitThread>(tree.executor(0), options.settings.fsync_warning_ms);
  auto made =
      pipeline::Pipeline::open(pipeline_options(options.settings, options.memory_budget_bytes), clock,
                               *store, *committer);
  if (!made) return made.error();
  pipeline = *std::move(made);
  clients = std::make_unique<Clients>(tree.executor(0), *pipeline, options.settings);
  clients->metrics().db_init_time.observe(clock.monotonic_ms() - began_ms);
  committer->on_commit([this](int64_t took_us, bool slow) {
    pipeline->metrics().fsync_time.observe(took_us / 1000);
    if (slow) ++clients->metrics().slow_commits;
  });
  brokers = std::make_unique<BrokerService>(tree.executor(0), *pipeline,
                                            broker_settings(options.settings));
  admin = std::make_unique<AdminService>(
      *store, options.settings, [this] { return port->number(); }, [this] { ask_restart(); });
  auto acceptor = GrpcAcceptor::start(
      {brokers->grpc(), admin->grpc()},
      static_cast<size_t>(options.settings.operations.memory.grpc_connections));
  if (!acceptor) return acceptor.error();
  grpc = *std::move(acceptor);
  port = std::make_unique<Port>(tree.executor(0), *clients,
                                [this](int fd, const std::string&) { grpc->accept(fd); });
  if (auto bound = port->open(); !bound) return bound;
  auto opened_operations = Operations::open(tree.executor(0), *clients);
  if (!opened_operations) return opened_operations.error();
  operations = *std::move(opened_operations);
  return {};
}

int64_t Service::Impl::tick() {
  // behind what has arrived: after a pause the clients' pings wait in the sockets
  boost::asio::post(tree.executor(0), [this] { pipeline->tick(); });
  int64_t now_ms = clock.monotonic_ms();
  // what a burst left behind in the allocator goes back to the system once it is quiet
  if (now_ms - trimmed_ms >= kTrimMs && trimmed_zxid != pipeline->last_zxid()) {
    malloc_trim(0);
    trimmed_ms = now_ms;
    trimmed_zxid = pipeline->last_zxid();
  }
  int64_t next_ms = pipeline->next_tick_ms();
  if (next_ms <= now_ms) next_ms += options.settings.tick_ms;  // the one that waits is this one's
  return std::max<int64_t>(1, next_ms - now_ms);
}

Result<void> Service::Impl::start() {
  ticker = std::make_unique<runtime::RepeatingTimer>(tree.executor(0), [this] { return tick(); });
  ticker->start(std::max<int64_t>(1, pipeline->next_tick_ms() - clock.monotonic_ms()));
  brokers->start();
  if (auto started = port->start(); !started) return started.error();
  if (auto started = operations->start(); !started) return started.error();
  // before the tree thread runs, which owns what is told; whoever comes now is in the port's queue
  LOG_INFO("zookeeper",
           "Odradek coordinator ({}) serves ZooKeeper and brokers on port {}; {} znodes, zxid "
           "0x{:x}, {} sessions",
           kVersion, port->number(), pipeline->applied_store().totals()->nodes,
           pipeline->last_zxid().value(), pipeline->sessions().size());
  tree.start();
  running = true;
  return {};
}

void Service::Impl::stop() {
  if (!std::exchange(running, false)) return;
  std::promise<void> ended;
  boost::asio::post(tree.executor(0), [this, &ended] {
    ticker->stop();
    operations->stop();
    port->stop();
    brokers->stop();
    clients->close_all();
    ended.set_value();
  });
  ended.get_future().wait();
  admin->stop();
  grpc->stop(kGrpcStopMs);
  committer->stop();
  tree.stop();
}

Service::Service(std::unique_ptr<Impl> impl)
    : impl_(std::move(impl)), restarter_([this] { start_anew(); }) {
  impl_->ask_restart = [this] { restarter_.ask(); };
}

Service::~Service() { stop(); }

Result<std::unique_ptr<Service>> Service::start(ServiceOptions options) {
  auto impl = std::make_unique<Impl>(std::move(options));
  if (auto opened = impl->open(); !opened) return opened.error();
  auto* starting = impl.get();
  auto service = std::unique_ptr<Service>(new Service(std::move(impl)));
  if (auto started = starting->start(); !started) return started.error();
  return service;
}

void Service::start_anew() {
  std::lock_guard lock(mutex_);
  LOG_INFO("zookeeper", "Starting anew");
  ServiceOptions options = impl_->options;
  options.settings.client_port = impl_->port->number();
  impl_->stop();
  impl_.reset();  // the store has to be closed
  impl_ = std::make_unique<Impl>(std::move(options));
  impl_->ask_restart = [this] { restarter_.ask(); };
  Result<void> started = impl_->open();
  if (started) started = impl_->start();
  if (!started) {
    store::fatal("the coordinator cannot start anew: " + started.error().what());
  }
}

void Service::stop() {
  restarter_.stop();
  std::lock_guard lock(mutex_);
  impl_->stop();
}

uint16_t Service::port() const {
  std::lock_guard lock(mutex_);
  return impl_->port->number();
}
uint16_t Service::admin_port() const {
  std::lock_guard lock(mutex_);
  return impl_->operations->admin_port();
}
uint16_t Service::metrics_port() const {
  std::lock_guard lock(mutex_);
  return impl_->operations->metrics_port();
}

}  // namespace odradek::coordinator::server
