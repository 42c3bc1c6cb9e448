#pragma once
// GroupFlush: log.flush.policy=group. What was appended is forced to the disk in rounds, one at a
// time for each log directory, on the background pool: whatever partitions were written to while a
// round runs share the next one. A partition acknowledges, and shows to consumers, what a round has
// brought to the disk (Partition::wait_acknowledged).
//
// Any thread; each directory has a mutex, held for its table only. A round keeps the partitions and
// files that it is for.

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "broker/log/flush_work.h"
#include "common/fs/file_system.h"
#include "common/runtime/background.h"

namespace odradek::broker::replica {

class Partition;

class GroupFlush {
 public:
  // What is pointed to outlives every round: end the pool before the shards.
  // `directories`: the paths of log.dirs, by their number.
  GroupFlush(fs::FileSystem& files, runtime::Background& background,
             const std::vector<std::string>& directories);

  // On the partition's shard: the work shares the next round of its log directory. Its end is told
  // to Partition::end_group_flush, on that shard.
  void add(Partition& partition, log::FlushWork work);

 private:
  struct Entry {
    std::shared_ptr<Partition> partition;
    log::FlushWork work;
  };
  struct Directory {
    std::string path;
    std::mutex mutex;  // guards what follows
    std::vector<Entry> waiting;
    bool is_running = false;
  };

  static void run(fs::FileSystem& files, runtime::Background& background,
                  const std::shared_ptr<Directory>& directory);
  static void run_round(fs::FileSystem& files, const std::string& directory,
                        std::vector<Entry> round);

  fs::FileSystem& files_;
  runtime::Background& background_;
  std::vector<std::shared_ptr<Directory>> directories_;
};

}  // namespace odradek::broker::replica
