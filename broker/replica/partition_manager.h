#pragma once
// PartitionManager: every partition of this broker, spread over the shards. It follows the cluster
// image (Reconciler: opens, makes, deletes logs), runs retention and flush, writes the checkpoints
// (Housekeeping) and compacts (LogCleaner). Public functions may be called from any shard but where a line says
// otherwise. Its own state lives on the home executor, the first shard.

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "broker/log/log_loader.h"
#include "broker/log/log_manager.h"
#include "broker/metadata/coordinator_client.h"
#include "broker/metadata/image.h"
#include "broker/replica/log_cleaner.h"
#include "broker/replica/partition.h"
#include "broker/replica/partition_table.h"
#include "common/clock.h"
#include "common/ids.h"
#include "common/result.h"
#include "common/runtime/executor.h"

namespace odradek::runtime {
class Background;
class Shards;
}  // namespace odradek::runtime

namespace odradek::broker::replica {

class GroupFlush;
class Housekeeping;
class LogMover;
class Reconciler;

// Learns when a partition begins or ends to be led by this broker. Called on the partition's shard.
class LeadershipListener {
 public:
  virtual ~LeadershipListener() = default;
  // Appends are accepted from now on. Called again when the leader epoch changes.
  virtual void on_leader(Partition& partition, LeaderEpoch leader_epoch) = 0;
  // This broker no longer leads it, or it goes away. The Partition may be gone when this returns.
  virtual void on_not_leader(const TopicPartition& id) = 0;
};

// What the settings say of one topic.
struct TopicSettings {
  std::shared_ptr<const log::LogConfig> log;
  int32_t min_insync_replicas = 1;
};
// From the topic's overrides and the brokers' dynamic defaults in the image. Callable from any
// thread.
using TopicSettingsFor = std::function<TopicSettings(const metadata::ConfigMap& overrides,
                                                     const metadata::Image& image)>;

struct ReplicaSettings {
  size_t recovery_threads = 1;                  // num.recovery.threads.per.data.dir
  int64_t retention_check_ms = 300000;          // log.retention.check.interval.ms
  int64_t directory_max_bytes = -1;             // log.dirs.max.bytes; -1: no bound
  bool group_flush = false;                     // log.flush.policy=group
  int64_t flush_check_ms = INT64_MAX;           // log.flush.scheduler.interval.ms
  int64_t recovery_checkpoint_ms = 60000;       // log.flush.offset.checkpoint.interval.ms
  int64_t log_start_checkpoint_ms = 60000;      // log.flush.start.offset.checkpoint.interval.ms
  int64_t high_watermark_checkpoint_ms = 5000;  // replica.high.watermark.checkpoint.interval.ms
  int64_t producer_expiry_check_ms = 600000;    // producer.id.expiration.check.interval.ms
  CleanerSettings cleaner;
  // The same with what the image says of it; where it is empty nothing changes.
  std::function<CleanerSettings(const metadata::Image&)> cleaner_by_image;
};

class PartitionManager final : public PartitionEvents {
 public:
  template <typename T>
  using Awaitable = boost::asio::awaitable<T>;

  // What is pointed to outlives this object.
  PartitionManager(ReplicaSettings settings, TopicSettingsFor topic_settings,
                   runtime::Shards& shards, runtime::Background& background, const Clock& clock,
                   log::LogManager& logs);
  ~PartitionManager() override;

  // Before start(); the listener outlives this object. Only partitions of `topic` are told.
  void listen(std::string topic, LeadershipListener* listener);
  // Called once, on any shard, when no log directory is left. Before start().
  void on_all_directories_failed(std::function<void()> handler) {
    all_failed_ = std::move(handler);
  }

  // On the home executor: begins to open what lies in the log directories, on threads of its own.
  // May be long before start(), and goes on behind it.
  void begin_load();
  // On the home executor: takes over the logs that are open, and each further one when it is;
  // follows the image that `newest` gives. Partitions whose logs are still to be opened are led by
  // nobody.
  Awaitable<void> start(BrokerId self, std::function<metadata::ImagePtr()> newest);
  // On the home executor, behind start(): until every partition that the image assigns to this
  // broker is open or has failed. False at the deadline.
  Awaitable<bool> wait_all_open(int64_t timeout_ms);
  // On the home executor, for each new image, in order; those before start() has taken one are
  // passed over.
  void apply(metadata::ImagePtr image, const metadata::ImageChange& change);
  // Closes every log, writes the checkpoints, marks the clean stop. No request is served any more.
  Awaitable<void> stop();

  runtime::Executor home() const { return home_; }
  // The shard of a partition, a function of its name alone: also for partitions that do not exist.
  runtime::Executor owner(const TopicPartition& id) const { return table_.owner(id); }
  size_t owner_index(const TopicPartition& id) const { return table_.shard_of(id); }

  // On the owner only. The pointer is valid until the caller next suspends; take shared_from_this()
  // to keep it. Errors: unknown_topic_or_partition (not in the image), not_leader_or_follower
  // (another broker's, or still opening), log_dir_offline.
  Result<Partition*> find(const TopicPartition& id) const;

  // Waits until no log of this topic is being opened here, and the image that find() uses is at
  // least at `zxid`. False at the deadline.
  Awaitable<bool> wait_open(std::string topic, Zxid zxid, int64_t timeout_ms);

  // AlterReplicaLogDirs: begins to move a log to another log directory of this broker. See
  // LogMover::move.
  Awaitable<Result<void>> move_log(TopicPartition id, size_t directory);
  LogMover& mover() { return *mover_; }

  // The settings that the topic's logs have now; computed from the newest image that was applied.
  TopicSettings settings_for(const std::string& topic) const;

  PartitionTable& table() { return table_; }
  log::LogManager& logs() { return logs_; }
  LogCleaner& cleaner() { return *cleaner_; }

  void on_log_failure(Partition& partition, const Error& error) override;
  void on_disk_full(Partition& partition) override { logs_.note_full(partition.directory()); }
  bool is_disk_full(size_t directory) const override { return logs_.is_full(directory); }

  // For Reconciler; on the owner. Tells the listener of the topic, if there is one.
  void tell(Partition& partition, Partition::Turn turn);
  void tell_not_leader(const TopicPartition& id);

 private:
  friend class LogMover;
  friend class Reconciler;

  void take_loaded();
  Awaitable<void> adopt(std::vector<log::LoadedLog> loaded);
  void end_of_load();
  Awaitable<void> go_on_with_moves();
  metadata::ImagePtr image() const;
  CleanerSettings cleaner_settings() const;
  void set_image(metadata::ImagePtr image);
  // On any shard: every partition that lies there is offline from now on.
  void take_directory_offline(size_t directory, const Error& error);
  runtime::Background& background() { return background_; }
  void remove_later(std::string path, int64_t delay_ms);
  void progress();

  const ReplicaSettings settings_;
  const TopicSettingsFor topic_settings_;
  runtime::Background& background_;
  const Clock& clock_;
  log::LogManager& logs_;
  const runtime::Executor home_;
  PartitionTable table_;
  std::map<std::string, LeadershipListener*> listeners_;  // fixed after start()
  std::function<void()> all_failed_;
  mutable std::mutex image_mutex_;  // guards image_ alone
  metadata::ImagePtr image_;
  std::unique_ptr<log::LogLoader> loader_;
  size_t to_adopt_ = 0;                 // logs that were found and are not taken over yet
  size_t adopting_ = 0;                 // coroutines that do so
  std::vector<log::LoadedLog> loaded_;  // before start(), or once it ends
  bool started_ = false;
  bool ended_ = false;
  std::unique_ptr<GroupFlush> group_flush_;  // null with log.flush.policy=kafka
  std::unique_ptr<Reconciler> reconciler_;
  std::unique_ptr<Housekeeping> housekeeping_;
  std::unique_ptr<LogCleaner> cleaner_;
  std::unique_ptr<LogMover> mover_;
};

}  // namespace odradek::broker::replica
