#include "coordinator/server/operations.h"

#include "common/http/server.h"
#include "common/log/log.h"
#include "common/metrics/registry.h"
#include "coordinator/server/admin_commands.h"
#include "coordinator/server/audit_log.h"
#include "coordinator/server/clients.h"

namespace odradek::coordinator::server {

namespace {

constexpr int64_t kMetricsIdleMs = 30'000;

const char* shown_host(const std::string& host) { return host.empty() ? "0.0.0.0" : host.c_str(); }

// ZooKeeper's default port is often another program's, and nothing in the file need speak of it.
Error without_admin(const Error& error) {
  return Error(error.code(), error.what() + ", or set admin.enableServer=false");
}

}  // namespace

Operations::Operations(runtime::Executor executor, Clients& clients)
    : executor_(executor), clients_(clients) {}

Operations::~Operations() { stop(); }

Result<std::unique_ptr<Operations>> Operations::open(runtime::Executor executor,
                                                     Clients& clients) {
  std::unique_ptr<Operations> operations(new Operations(executor, clients));
  const ServerSettings& settings = clients.settings();
  if (settings.single_member) {
    LOG_WARN("zookeeper",
             "The one server.N line is this server: it runs alone, and the line may go");
  }
  if (auto opened = operations->open_metrics(); !opened) return opened.error();
  if (auto opened = operations->open_admin(); !opened) return opened.error();
  if (settings.operations.audit) {
    operations->audit_ = std::make_unique<AuditLog>(clients.pipeline());
    clients.set_audit(operations->audit_.get());
  }
  return operations;
}

Result<void> Operations::open_admin() {
  const AdminSettings& admin = clients_.settings().operations.admin;
  if (!admin.enabled) return {};
  http::ServerOptions options;
  options.name = "AdminServer";
  options.logger = "zookeeper";
  options.host = admin.address;
  options.port = admin.port;
  options.setting = "admin.serverPort";
  options.max_connections = static_cast<size_t>(admin.max_connections);
  options.idle_ms = admin.idle_ms;
  auto opened = http::Server::open(
      executor_, std::move(options), clients_.clock(),
      [this](const http::Request& request) { return answer_admin(request); });
  if (!opened) return without_admin(opened.error());
  admin_ = *std::move(opened);
  return {};
}

Result<void> Operations::open_metrics() {
  const MetricsSettings& metrics = clients_.settings().operations.metrics;
  if (metrics.provider != MetricsProvider::prometheus) return {};
  http::ServerOptions options;
  options.name = "The metrics port";
  options.logger = "zookeeper";
  options.host = metrics.address;
  options.port = metrics.port;
  options.setting = "metricsProvider.httpPort";
  options.max_connections =
      static_cast<size_t>(clients_.settings().operations.admin.max_connections);
  options.idle_ms = kMetricsIdleMs;
  auto opened = http::Server::open(
      executor_, std::move(options), clients_.clock(),
      [this](const http::Request& request) { return answer_metrics(request); });
  if (!opened) return opened.error();
  metrics_ = *std::move(opened);
  return {};
}

Result<void> Operations::start() {
  const OperationsSettings& settings = clients_.settings().operations;
  if (metrics_) {
    if (auto started = metrics_->start(); !started) return started.error();
    LOG_INFO("zookeeper", "/metrics is served on address {}, port {}",
             shown_host(settings.metrics.address), metrics_->port());
  }
  if (admin_) {
    if (auto started = admin_->start(); !started) return without_admin(started.error());
    LOG_INFO("zookeeper", "Started AdminServer on address {}, port {} and command URL {}",
             shown_host(settings.admin.address), admin_->port(), settings.admin.command_url);
  }
  started_ = true;
  if (audit_) audit_->server_started();
  return {};
}

void Operations::stop() {
  if (admin_) admin_->stop();
  if (metrics_) metrics_->stop();
  if (audit_) {
    started_ ? audit_->server_stopped() : audit_->server_start_failed();
    clients_.set_audit(nullptr);
    audit_.reset();
  }
}

http::Response Operations::answer_admin(const http::Request& request) {
  const std::string& url = clients_.settings().operations.admin.command_url;
  std::string_view path = request.path;
  if (!path.starts_with(url)) return http::not_found(request.path);
  path.remove_prefix(url.size());
  if (path.empty() || path == "/") return {200, "text/html;charset=utf-8", admin_command_links(url)};
  if (!path.starts_with('/')) return http::not_found(request.path);
  return {200, "application/json", run_admin_command(path.substr(1), request.query, clients_)};
}

http::Response Operations::answer_metrics(const http::Request& request) {
  if (request.path != "/metrics") return http::not_found(request.path);
  return {200, metrics::kExpositionType, metrics::exposition(clients_.registry())};
}

uint16_t Operations::admin_port() const { return admin_ ? admin_->port() : 0; }
uint16_t Operations::metrics_port() const { return metrics_ ? metrics_->port() : 0; }

}  // namespace odradek::coordinator::server
