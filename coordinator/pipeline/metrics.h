#pragma once
// PipelineMetrics: what the pipeline measures of itself, under the names that ZooKeeper gives the
// like (server/server_metrics.cc shows them). Times are whole milliseconds. Tree thread.

#include <array>
#include <string_view>

#include "common/metrics/counter.h"
#include "common/metrics/summary.h"
#include "coordinator/tree/watch_table.h"

namespace odradek::coordinator::pipeline {

// Clients choose the first names of paths: of more than so many there are no figures.
inline constexpr size_t kMaxNamespaces = 256;

struct PipelineMetrics {
  // Of one write:
  metrics::Summary prep_time;                // checking it, every write
  metrics::Summary close_session_prep_time;  // of those that end a session
  metrics::Summary proposal_time;            // handing it on to the committer
  metrics::Summary queue_time;               // from prepared until the committer takes it
  metrics::Summary sync_time;                // from there until durable
  metrics::Summary queue_and_flush_time;     // from prepared until durable
  metrics::Summary propagation_time;         // from its time stamp until applied, wall clock
  metrics::Counter writes_queued;
  // Of one commit:
  metrics::Summary queue_size;  // writes that waited when it began
  metrics::Summary batch_size;
  metrics::Summary flush_time;  // from the hand-over until the tree thread hears of its end
  metrics::Summary fsync_time;  // the store's own part: write and sync

  // Znodes (and their parents) that are known as about to change.
  metrics::Counter changes_queued;
  metrics::Counter changes_applied;
  metrics::Counter sessions_expired;
  // Watchers told by one event, by its kind; events that nobody waits for do not count.
  metrics::Summary created_watchers;
  metrics::Summary deleted_watchers;
  metrics::Summary data_changed_watchers;
  metrics::Summary children_changed_watchers;
  // Bytes of path and data, by the first name of the path.
  metrics::SummarySet write_per_namespace{kMaxNamespaces};
  metrics::CounterSet quota_exceeded{kMaxNamespaces};  // writes that a quota refused

  metrics::Summary& watchers_told(tree::EventType event) {
    switch (event) {
      case tree::EventType::created:
        return created_watchers;
      case tree::EventType::deleted:
        return deleted_watchers;
      case tree::EventType::data_changed:
        return data_changed_watchers;
      case tree::EventType::children_changed:
        break;
    }
    return children_changed_watchers;
  }

  // Every age of the recent quantiles; see metrics::Summary::age.
  void age() {
    for (metrics::Summary* each : summaries()) each->age();
    write_per_namespace.age();
  }
  void reset() {
    for (metrics::Summary* each : summaries()) each->reset();
    write_per_namespace.reset();
    quota_exceeded.reset();
    for (metrics::Counter* each :
         {&writes_queued, &changes_queued, &changes_applied, &sessions_expired}) {
      each->reset();
    }
  }

 private:
  std::array<metrics::Summary*, 15> summaries() {
    return {&prep_time,        &close_session_prep_time, &proposal_time,
            &queue_time,       &queue_and_flush_time,    &propagation_time,
            &sync_time,
            &queue_size,       &batch_size,              &flush_time,
            &fsync_time,       &created_watchers,        &deleted_watchers,
            &data_changed_watchers, &children_changed_watchers};
  }
};

// "brokers" of "/brokers/ids/0"; empty for the root.
inline std::string_view top_namespace(std::string_view path) {
  if (path.size() < 2) return {};
  return path.substr(1, path.find('/', 1) - 1);
}

}  // namespace odradek::coordinator::pipeline
