#pragma once
// What LogManager keeps of one data directory. For log_manager*.cc only.

#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "broker/log/disk_reserve.h"
#include "broker/log/log_manager.h"
#include "broker/log/meta_properties.h"

namespace odradek::broker::log {

inline constexpr const char* kCleanShutdownFile = "/.kafka_cleanshutdown";

inline constexpr CheckpointKind kCheckpointKinds[] = {
    CheckpointKind::recovery_point, CheckpointKind::high_watermark,
    CheckpointKind::log_start_offset, CheckpointKind::cleaner};

// "/recovery-point-offset-checkpoint" and so on.
const char* checkpoint_file(CheckpointKind kind);

// Set by open, and then immutable but for what mutex_ guards.
struct LogManager::Directory {
  std::string path;
  Uuid id;
  bool clean_shutdown = false;
  std::unique_ptr<DiskReserve> reserve;
  std::unique_ptr<fs::FileLock> lock;
  std::optional<MetaProperties> properties;
  Offsets checkpoints[std::size(kCheckpointKinds)];
  std::vector<std::string> leftovers;
  std::vector<TopicPartition> found;            // logs to load
  std::vector<std::pair<TopicPartition, std::string>> futures;  // with their paths
  std::unordered_set<TopicPartition> unopened;  // guarded; those of them that are not open
  bool online = true;                           // guarded
  size_t logs = 0;                    // guarded
};

}  // namespace odradek::broker::log
