#pragma once
// What a log and its compaction tell each other. The log lives on its shard and makes a CleaningPlan:
// values only, so that a Cleaner can read and write files elsewhere. What comes back is a
// CleanedSegment, which the log swaps in where it is still the log that the plan was made of.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "broker/log/log_config.h"
#include "common/ids.h"

namespace odradek::broker::log {

// Which part of a log compaction would look at now. "Clean" is what a pass has been over already.
//
//   log start     first dirty           first uncleanable       active segment
//      |-- clean ------|------ cleanable -------|-- too new, or not stable --|
struct CleaningState {
  Offset first_dirty{0};
  Offset first_uncleanable{0};  // where a segment begins
  uint64_t clean_bytes = 0;
  uint64_t cleanable_bytes = 0;
  int64_t overdue_ms = 0;  // above 0: max.compaction.lag.ms has passed
  double dirty_ratio() const {
    const uint64_t all = clean_bytes + cleanable_bytes;
    return all == 0 ? 0 : static_cast<double>(cleanable_bytes) / static_cast<double>(all);
  }
};

// A closed segment as it was when the plan was made.
struct CleaningSource {
  Offset base_offset{0};
  uint64_t size = 0;
  int64_t modified_ms = 0;
  uint64_t offset_index_bytes = 0;
  uint64_t time_index_bytes = 0;
};

// What a producer that is still known wrote last.
struct LastOfProducer {
  std::optional<Offset> data_offset;  // of its last batch with records; nothing: markers only
  ProducerEpoch epoch{-1};
};

struct CleaningPlan {
  TopicPartition id;
  std::string directory;
  std::shared_ptr<const LogConfig> config;
  std::vector<CleaningSource> sources;  // by base offset, up to the first uncleanable one
  Offset first_dirty{0};
  Offset first_uncleanable{0};
  // Of every segment that has a transaction index: base offset and number of entries.
  std::vector<std::pair<Offset, size_t>> aborted;
  std::unordered_map<ProducerId, LastOfProducer> last_of_producers;
  uint64_t generation = 0;  // of the log: goes up when segments are cut or taken away
  int64_t now_ms = 0;
};

// A new segment on the disk under the names BASE.log.cleaned and so on, synced.
struct CleanedSegment {
  std::vector<Offset> replaces;  // base offsets; the first one is the new segment's as well
  uint64_t log_bytes = 0;
  uint64_t offset_index_bytes = 0;
  uint64_t time_index_bytes = 0;
  uint64_t transaction_index_bytes = 0;  // 0: there is no such file
  int64_t modified_ms = 0;               // of the newest segment that it replaces

  Offset base_offset() const { return replaces.front(); }
  // Paths without .cleaned or .swap, the .log file first.
  std::vector<std::string> paths(const std::string& directory) const;
};

inline constexpr const char* kCleanedSuffix = ".cleaned";
inline constexpr const char* kSwapSuffix = ".swap";

}  // namespace odradek::broker::log
