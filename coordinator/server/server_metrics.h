#pragma once
// ServerMetrics: what connections measure, and the list of all metrics under ZooKeeper 3.8's names.
//
// Of ZooKeeper's names three kinds are shown: what is measured here; what a single server never has
// (elections, learners, a commit processor, a response cache …), which is 0 there as here; and
// gauges that read the tree. A name whose value would have to be made up is left out: the list of
// those, with the reasons, stands in tests/golden/zookeeper/operations/README.md. Tree thread.

#include <array>

#include "common/metrics/counter.h"
#include "common/metrics/registry.h"
#include "common/metrics/summary.h"
#include "coordinator/pipeline/metrics.h"

namespace odradek::coordinator::server {

class Clients;

struct ServerMetrics {
  metrics::Counter bytes_received;
  metrics::Counter connection_requests;       // ConnectRequests
  metrics::Counter connection_revalidations;  // those of a session that exists
  metrics::Counter connections_dropped;       // whose peer went without closing its session
  metrics::Counter connections_rejected;
  metrics::Counter sessionless_expired;
  metrics::Counter large_requests_rejected;
  metrics::Counter requests_queued;
  metrics::Counter throttle_waits;  // connections that had to wait for requestThrottleLimit
  metrics::Counter stale_replies;  // to a connection that is gone
  metrics::Counter response_bytes;
  metrics::Counter watch_bytes;
  // Milliseconds: from the request's arrival until its reply is queued.
  metrics::Summary read_latency;
  metrics::Summary update_latency;
  metrics::Summary prep_queue_time;  // from the arrival of a write until it is prepared
  metrics::Summary token_deficit;    // of the connection throttle, at each ConnectRequest
  metrics::Summary db_init_time;     // opening the store and reading the sessions
  metrics::SummarySet read_per_namespace{pipeline::kMaxNamespaces};  // bytes
  int64_t slow_commits = 0;  // above fsync.warningthresholdms; srst leaves it

  void age();
  void reset();

 private:
  std::array<metrics::Summary*, 5> summaries() {
    return {&read_latency, &update_latency, &prep_queue_time, &token_deficit, &db_init_time};
  }
};

// All of them. The registry reads `clients`, which must outlive it.
void register_metrics(Clients& clients, metrics::Registry& registry);

}  // namespace odradek::coordinator::server
