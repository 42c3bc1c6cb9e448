#include "coordinator/server/server_metrics.h"

#include "common/metrics/process.h"
#include "coordinator/server/clients.h"
#include "coordinator/server/quota_metrics.h"

namespace odradek::coordinator::server {

namespace {

using metrics::Number;

// Basic summaries show the median, advanced ones the 90th and 99th percentile as well.
const std::vector<double> kBasic = {0.5};
const std::vector<double> kAdvanced = {0.5, 0.9, 0.99};

// What one server without an ensemble, without Netty, TLS and a JVM never has; 0 in a standalone
// ZooKeeper too. Each was looked up: nothing of the kind can happen in this process.
constexpr const char* kAbsentCounters[] = {
    "proposal_count", "throttled_ops", "stale_requests_dropped", "insecure_admin_count",
    "cnxn_closed_without_zk_server_running", "looking_count", "dead_watchers_queued",
    "stale_requests", "learner_proposal_received_count", "digest_mismatches_count",
    "dead_watchers_cleared", "response_packet_cache_hits", "add_dead_watcher_stall_time",
    "requests_not_forwarded_to_commit_processor",
    "response_packet_cache_misses", "ensemble_auth_success", "learner_commit_received_count",
    "ensemble_auth_fail", "diff_count", "response_packet_get_children_cache_misses",
    "quit_leading_due_to_disloyal_voter", "snap_count", "unrecoverable_error_count",
    "unsuccessful_handshake", "commit_count", "response_packet_get_children_cache_hits",
    "request_commit_queued", "ensemble_auth_skip", "skip_learner_request_to_next_processor_count",
    "tls_handshake_exceeded", "revalidate_count"};
constexpr const char* kAbsentBasic[] = {
    "socket_closing_time", "leader_unavailable_time", "session_queues_drained",
    "write_commit_proc_req_queued", "read_commit_proc_req_queued", "startup_txns_load_time",
    "follower_sync_time", "prep_processor_queue_size", "inflight_snap_count",
    "reads_issued_from_session_queue", "learner_request_processor_queue_size", "snapshottime",
    "unavailable_time", "startup_txns_loaded", "reads_after_write_in_session_queue",
    "requests_in_session_queue", "write_commit_proc_issued", "pending_session_queue_size",
    "time_waiting_empty_pool_in_commit_processor_read_ms", "commit_process_time",
    "inflight_diff_count", "netty_queued_buffer_capacity", "election_time",
    "commit_commit_proc_req_queued", "write_batch_time_in_commit_processor",
    "read_commit_proc_issued", "concurrent_request_processing_in_commit_processor",
    "observer_sync_time", "startup_snap_load_time"};
constexpr const char* kAbsentAdvanced[] = {
    "jvm_pause_time_ms", "read_commitproc_time_ms", "local_write_committed_time_ms",
    "request_throttle_queue_time_ms", "quorum_ack_latency", "om_commit_process_time_ms",
    "read_final_proc_time_ms", "commit_propagation_latency", "dead_watchers_cleaner_latency",
    "write_final_proc_time_ms", "proposal_ack_creation_latency", "proposal_latency",
    "om_proposal_process_time_ms", "server_write_committed_time_ms", "write_commitproc_time_ms"};

// Of learners, by name: there is none, so they have no samples either.
constexpr const char* kAbsentSets[] = {"ack_latency", "learner_handler_qp_size",
                                       "learner_handler_qp_time_ms"};

// ZooKeeper's help texts are the names once more.
class List {
 public:
  explicit List(metrics::Registry& registry) : registry_(registry) {}
  void counter(std::string name, const metrics::Counter& counter) {
    registry_.add({name, name, &counter});
  }
  void gauge(std::string name, metrics::Gauge gauge) {
    registry_.add({name, name, std::move(gauge)});
  }
  void gauges(std::string name, decltype(metrics::GaugeSet::read) read) {
    registry_.add({name, name, metrics::GaugeSet{"key", std::move(read)}});
  }
  void basic(std::string name, const metrics::Summary& summary) {
    registry_.add({name, name, metrics::QuantileSummary{&summary, kBasic}});
  }
  void advanced(std::string name, const metrics::Summary& summary) {
    registry_.add({name, name, metrics::QuantileSummary{&summary, kAdvanced}});
  }
  void counter_set(std::string name, const metrics::CounterSet& set) {
    registry_.add({name, name, metrics::LabelledCounters{&set, "key"}});
  }
  void basic_set(std::string name, const metrics::SummarySet& set) {
    registry_.add({name, name, metrics::QuantileSummarySet{&set, "key", kBasic}});
  }

 private:
  metrics::Registry& registry_;
};

void list_gauges(Clients& clients, List& list) {
  auto whole = [&](const char* name, auto read) {
    list.gauge(name, [&clients, read]() -> Number { return static_cast<int64_t>(read(clients)); });
  };
  auto none = [](Clients&) { return 0; };
  whole("ephemerals_count", [](Clients& c) { return c.totals().ephemerals; });
  whole("num_alive_connections", [](Clients& c) { return c.alive_connections(); });
  list.gauge("avg_latency", [&clients]() -> Number { return clients.average_latency_ms(); });
  whole("outstanding_requests", [](Clients& c) { return c.outstanding(); });
  whole("znode_count", [](Clients& c) { return c.totals().nodes; });
  whole("global_sessions", [](Clients& c) { return c.pipeline().sessions().size(); });
  whole("non_mtls_remote_conn_count", none);  // of a port that speaks both TLS and plain
  whole("last_client_response_size", [](Clients& c) { return c.stats().responses.last; });
  whole("packets_sent", [](Clients& c) { return c.stats().packets_sent; });
  whole("packets_received", [](Clients& c) { return c.stats().packets_received; });
  whole("max_client_response_size", [](Clients& c) { return c.stats().responses.max; });
  list.gauge("connection_drop_probability",
             [&clients]() -> Number { return clients.connection_drop_chance(); });
  whole("watch_count", [](Clients& c) { return c.pipeline().watches().watch_count(); });
  whole("auth_failed_count", none);  // of TLS handshakes
  whole("min_latency", [](Clients& c) { return c.stats().latency.min_ms; });
  whole("max_file_descriptor_count", [](Clients&) { return metrics::max_descriptors(); });
  whole("approximate_data_size", [](Clients& c) { return c.totals().data_bytes; });
  whole("open_file_descriptor_count", [](Clients&) { return metrics::open_descriptors(); });
  whole("local_sessions", none);
  whole("uptime", [](Clients& c) { return c.uptime_ms(); });
  whole("max_latency", [](Clients& c) { return c.stats().latency.max_ms; });
  whole("outstanding_tls_handshake", none);
  whole("min_client_response_size", [](Clients& c) { return c.stats().responses.min; });
  whole("non_mtls_local_conn_count", none);
  for (QuotaFigure figure : kQuotaFigures) {
    list.gauges(metric_name(figure), [&clients, figure] {
      return quota_by_namespace(clients.pipeline().applied_store(), figure);
    });
  }
}

void list_connections(const ServerMetrics& server, List& list) {
  list.counter("watch_bytes", server.watch_bytes);
  list.counter("large_requests_rejected", server.large_requests_rejected);
  list.counter("connection_rejected", server.connections_rejected);
  list.counter("sessionless_connections_expired", server.sessionless_expired);
  list.counter("connection_drop_count", server.connections_dropped);
  list.counter("bytes_received_count", server.bytes_received);
  list.counter("prep_processor_request_queued", server.requests_queued);
  list.counter("request_throttle_wait_count", server.throttle_waits);
  list.counter("stale_replies", server.stale_replies);
  list.counter("connection_request_count", server.connection_requests);
  list.counter("response_bytes", server.response_bytes);
  list.counter("connection_revalidate_count", server.connection_revalidations);
  list.basic("connection_token_deficit", server.token_deficit);
  list.basic("dbinittime", server.db_init_time);
  list.advanced("prep_processor_queue_time_ms", server.prep_queue_time);
  list.advanced("updatelatency", server.update_latency);
  list.advanced("readlatency", server.read_latency);
  list.basic_set("read_per_namespace", server.read_per_namespace);
}

void list_pipeline(const pipeline::PipelineMetrics& writes, List& list) {
  list.counter("stale_sessions_expired", writes.sessions_expired);
  list.counter("sync_processor_request_queued", writes.writes_queued);
  list.counter("outstanding_changes_queued", writes.changes_queued);
  list.counter("outstanding_changes_removed", writes.changes_applied);
  list.basic("proposal_process_time", writes.proposal_time);
  list.basic("node_created_watch_count", writes.created_watchers);
  list.basic("node_deleted_watch_count", writes.deleted_watchers);
  list.basic("node_changed_watch_count", writes.data_changed_watchers);
  list.basic("node_children_watch_count", writes.children_changed_watchers);
  list.basic("sync_processor_queue_size", writes.queue_size);
  list.basic("fsynctime", writes.fsync_time);
  list.basic("prep_process_time", writes.prep_time);
  list.basic("sync_processor_batch_size", writes.batch_size);
  list.basic("sync_process_time", writes.sync_time);
  list.advanced("close_session_prep_time", writes.close_session_prep_time);
  list.advanced("sync_processor_queue_and_flush_time_ms", writes.queue_and_flush_time);
  list.advanced("propagation_latency", writes.propagation_time);
  list.advanced("sync_processor_queue_time_ms", writes.queue_time);
  list.advanced("sync_processor_queue_flush_time_ms", writes.flush_time);
  list.basic_set("write_per_namespace", writes.write_per_namespace);
  list.counter_set("quota_exceeded_error_per_namespace", writes.quota_exceeded);
}

}  // namespace

void ServerMetrics::age() {
  for (metrics::Summary* each : summaries()) each->age();
  read_per_namespace.age();
}

void ServerMetrics::reset() {
  for (metrics::Summary* each : summaries()) each->reset();
  read_per_namespace.reset();
  for (metrics::Counter* each :
       {&bytes_received, &connection_requests, &connection_revalidations, &connections_dropped,
        &connections_rejected, &sessionless_expired, &large_requests_rejected, &requests_queued,
        &throttle_waits, &stale_replies, &response_bytes, &watch_bytes}) {
    each->reset();
  }
}

void register_metrics(Clients& clients, metrics::Registry& registry) {
  static const metrics::Counter no_count;
  static const metrics::Summary no_summary;
  static const metrics::SummarySet no_set{0};
  List list(registry);
  list_gauges(clients, list);
  list_connections(clients.metrics(), list);
  list_pipeline(clients.pipeline().metrics(), list);
  for (const char* name : kAbsentCounters) list.counter(name, no_count);
  for (const char* name : kAbsentBasic) list.basic(name, no_summary);
  for (const char* name : kAbsentAdvanced) list.advanced(name, no_summary);
  for (const char* name : kAbsentSets) list.basic_set(name, no_set);
}

}  // namespace odradek::coordinator::server
