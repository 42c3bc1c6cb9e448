#pragma once
// LogLife: the partitions of one broker's log directory through a life of appends, rolls, retention,
// truncations, flushes, checkpoints, stops and crashes, on a disk that fails, tears, fills up and loses
// what was not synced. The owner's part (who calls the log, and in what order) is as the broker's.
// After every step and every start the logs are held against their models.

#include <memory>
#include <string>
#include <vector>

#include "broker/log/log_manager.h"
#include "tests/sim/log/log_checks.h"
#include "tests/support/faulty_file_system.h"

namespace odradek::sim {

struct LogCounts {
  int64_t appends = 0, refused = 0, duplicates = 0, rolls = 0, segments_deleted = 0;
  int64_t truncations = 0, flushes = 0, clean_stops = 0, crashes = 0, lost = 0;
  int64_t cut_in_the_middle = 0, failed_starts = 0, full = 0, io_errors = 0, aborted = 0;
  void add(const LogCounts& other);
  std::string text() const;
};

class LogLife {
 public:
  explicit LogLife(uint64_t seed);
  ~LogLife();
  void run();

  const std::vector<std::string>& breaches() const { return world_.breaches(); }
  const LogCounts& counts() const { return counts_; }
  uint64_t digest() const { return world_.digest(); }
  // The seed, what is wrong, and the steps that led there.
  std::string report() const;

 private:
  using CrashMode = fs::FaultyFileSystem::CrashMode;
  using Call = fs::FaultyFileSystem::Call;
  struct Partition;

  // --- log_life.cc: the process ---
  void step();
  void set_trouble();
  void clear_trouble();
  bool open_logs();
  void start(bool may_be_lost, bool after_clean_stop);
  void crash();
  void stop_cleanly();
  void damage_an_index();
  bool write_checkpoint(broker::log::CheckpointKind kind);
  bool lower_recovery_point(const Partition& partition, Offset to);
  void check(Partition& partition);
  // False where the error has nothing to do with the disk's trouble: that is a breach.
  void note_failure(const Partition& partition, const char* what, const Error& error);
  void breach(const Partition& partition, const std::string& what);

  // --- log_steps.cc: what is asked of a partition ---
  void append(Partition& partition);
  void append_refused(Partition& partition);
  void append_as_follower(Partition& partition);
  void give(Partition& partition, Offer offer, LeaderEpoch epoch);
  void take_stored(Partition& partition, std::vector<ModelBatch> batches);
  static bool must_roll(const Partition& partition, const std::vector<ModelBatch>& added);
  void lost_append(Partition& partition, std::vector<ModelBatch> batches);
  void begin_epoch(Partition& partition);
  void begin_flush(Partition& partition);
  void end_flush(Partition& partition);
  void flush(Partition& partition);
  void delete_records(Partition& partition);
  void delete_old(Partition& partition);
  void remove_doomed(Partition& partition);
  void truncate(Partition& partition);
  void start_anew(Partition& partition);
  void change_config(Partition& partition);
  void expire_producers(Partition& partition);
  Sender sender_of(const Partition& partition, int64_t id);
  ProducerModel::Leniency after_reload(const Partition& partition);
  Offset expected_first_base(const Partition& partition, Offset high_watermark, bool& is_sure);

  World world_;
  fs::FaultyFileSystem disk_;
  BatchMaker maker_;
  LogCounts counts_;
  std::unique_ptr<broker::log::LogManager> manager_;
  std::vector<std::unique_ptr<Partition>> partitions_;
  bool trouble_ = false;       // an error may come of what is done now
  bool must_restart_ = false;  // a log is out of use
  int full_steps_ = 0;         // the disk is full for so many steps
};

struct LogLife::Partition {
  TopicPartition id;
  std::shared_ptr<broker::log::LogConfig> config;
  LogModel model;
  int32_t epoch = 0;
  std::optional<broker::log::FlushWork> flush;
  Offset flush_end{0};      // what the flush under way makes durable
  size_t flush_ghosts = 0;  // how many of the ghosts it lays
  broker::log::DeletedFiles doomed;
  bool is_reloaded = false;  // its producers were read from the files again
  std::unique_ptr<broker::log::Log> log;
};

}  // namespace odradek::sim
