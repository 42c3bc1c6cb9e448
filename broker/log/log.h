#pragma once
// Log: the stored records of one partition on this broker, byte for byte in Kafka's layout
// (README.md).
//
// Owns the partition's directory: segments with their indexes, leader-epoch-checkpoint,
// partition.metadata, producer snapshots. Lives on one owner (a shard) and is touched by one thread
// at a time; it has no threads and no timers. What blocks is separate: open, flush, close,
// remove_files may run on a background pool while nobody else uses the object (open, close), or
// come as a piece of work that touches no state of the log (FlushWork, DeletedFiles). After a crash
// everything below the recovery point is there; what lies above is scanned at the next open and
// kept up to the first batch that is not whole.
//
//   log start offset        recovery point          log end offset
//        |--- readable, on disk ---|--- readable, in page cache ---|  next append
//
// Errors of every function that writes or reads files: disk_full (nothing was appended; the log
// works again when there is room) or log_dir_offline (an I/O error; the directory should be taken
// offline).

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "broker/log/append_check.h"
#include "broker/log/cleaning.h"
#include "broker/log/file_cache.h"
#include "broker/log/flush_work.h"
#include "broker/log/leader_epoch_cache.h"
#include "broker/log/log_config.h"
#include "broker/log/producer_state.h"
#include "broker/log/record_batch.h"
#include "broker/log/segment.h"
#include "common/clock.h"
#include "common/fs/file_system.h"
#include "common/ids.h"
#include "common/result.h"

namespace odradek::broker::log {

// What all logs share. The pointers outlive every log.
struct LogContext {
  fs::FileSystem* files = nullptr;
  FileCache* file_cache = nullptr;
  const Clock* clock = nullptr;
};

struct AppendInfo {
  Offset first_offset{-1};
  Offset last_offset{-1};
  int64_t log_append_time_ms = -1;  // -1 with CreateTime
  Offset log_start_offset{-1};
  bool duplicate = false;  // was there already: offsets and time are those of the first time,
                           // nothing was written
  int64_t max_timestamp = -1;
  int32_t record_count = 0;
  size_t size = 0;  // bytes appended
};

// A range of whole batches in one segment file, for sendfile. The file stays open while this lives.
struct LogSlice {
  std::shared_ptr<fs::File> file;  // null where size is 0
  uint64_t position = 0;
  size_t size = 0;
  Offset base_offset{-1};  // of the first batch; may be below the offset asked for
};

struct TimestampOffset {
  int64_t timestamp_ms = -1;
  Offset offset{-1};
  LeaderEpoch leader_epoch{-1};
};

struct AbortedTransaction {
  ProducerId producer_id{-1};
  Offset first_offset{-1};
};

inline constexpr int64_t kLatestTimestamp = -1;
inline constexpr int64_t kEarliestTimestamp = -2;
inline constexpr int64_t kMaxTimestamp = -3;
inline constexpr int64_t kEarliestLocalTimestamp = -4;

// Files that are renamed to NAME.deleted and wait for file.delete.delay.ms; readers that have them
// open go on.
struct DeletedFiles {
  std::vector<std::string> paths;
  void add(DeletedFiles other);
  bool empty() const { return paths.empty(); }
};
// Removes them; blocking. Files that are already gone are no error.
Result<void> remove_files(fs::FileSystem& files, const DeletedFiles& deleted);

// What a flush covers.
enum class FlushScope {
  everything,
  records,  // not the indexes of the segment that is written to: a recovery reads that one anyway
};

struct OpenOptions {
  std::string directory;  // of this partition; made where absent
  TopicPartition id;
  std::shared_ptr<const LogConfig> config;
  Offset recovery_point{0};     // from the checkpoint
  bool is_recovery_point_known = true;  // false: the checkpoint does not name this log
  Offset log_start_offset{0};   // from the checkpoint
  bool clean_shutdown = false;  // .kafka_cleanshutdown was there
  bool was_compacted = false;   // a cleaner was here: a segment may end before the next one begins
  std::optional<Offset> cleaned_to;  // from the checkpoint: what compaction has been over
  // Written to partition.metadata of a new log. inconsistent_topic_id where the file names another
  // one.
  std::optional<Uuid> topic_id;
};

class Log {
 public:
  // Opens or makes a log. Blocking. Finishes swaps that a compactor left, drops leftovers, rebuilds
  // missing or damaged indexes; without a clean shutdown it reads every segment from the recovery
  // point on and cuts the log at the first batch that is not whole; but where that was on the disk
  // and good batches follow, nothing is cut and the error names file and remedy (corrupt_record).
  // Producer state comes from the newest snapshot and the segments behind it.
  static Result<std::unique_ptr<Log>> open(const LogContext& context, OpenOptions options);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // --- writing ---

  // Checks, assigns offsets in place and appends. `batches` is one whole batch of a client, or
  // several of a coordinator; its bytes are changed. now_ms comes from the clock. Errors: those of
  // prepare_append, invalid_producer_epoch, out_of_order_sequence, fenced_leader_epoch, disk_full,
  // log_dir_offline. After an error nothing was appended.
  Result<AppendInfo> append_as_leader(std::span<char> batches, LeaderEpoch leader_epoch,
                                      AppendOrigin origin,
                                      std::vector<RecordError>* record_errors = nullptr);
  // The second half, for a set that prepare_append checked elsewhere.
  Result<AppendInfo> append_prepared(PreparedAppend& prepared, LeaderEpoch leader_epoch,
                                     AppendOrigin origin);
  // Whole batches with offsets assigned by the leader. They must begin at or above the log end.
  Result<AppendInfo> append_as_follower(ByteView batches);

  // Notes that this epoch begins at the log end (becoming leader).
  Result<void> begin_leader_epoch(LeaderEpoch leader_epoch);
  // Removes everything at and above the offset, where a batch begins. Nothing to do where the log ends
  // earlier. Before this and the next one the owner writes a recovery point checkpoint that is not
  // above the segment that is cut (the log start for the next one), and behind it checkpoints of both the
  // recovery point and the log start: a crash in between then finds all that has to be read again.
  Result<void> truncate_to(Offset offset);
  // Removes everything and goes on at the offset.
  Result<void> truncate_fully_and_start_at(Offset offset);
  // Moves the log start up (DeleteRecords, retention); offset_out_of_range above the log end.
  Result<void> advance_log_start(Offset offset);

  // --- reading; no data is read but batch headers ---

  // Whole batches from the one that holds `from` on, below `upper_bound`, within one segment, at
  // most `max_bytes`; with `min_one_batch` the first batch comes even where it is longer. Empty at
  // the end. offset_out_of_range outside of log start .. log end.
  Result<LogSlice> read(Offset from, size_t max_bytes, bool min_one_batch, Offset upper_bound);
  // Reads a slice's bytes: for replay, conversion and tests. Blocking where they are not in the
  // page cache.
  static Result<Bytes> read_bytes(const LogSlice& slice);

  // The first record at or behind the time, or kEarliest/kLatest/kMax. Nothing where no record is
  // that late. For kLatestTimestamp the log end. Opens at most one batch.
  Result<std::optional<TimestampOffset>> offset_for_timestamp(int64_t timestamp);
  // For ListOffsets version 0: where segments begin, and the log end; the newest first, at most
  // `count` of them. kLatestTimestamp: all; kEarliestTimestamp: the first; a time: those of segments
  // whose largest timestamp is not later.
  Result<std::vector<Offset>> segment_offsets_before(int64_t timestamp, size_t count);
  // Where the epoch ends here: KIP-320. (-1, -1) where nothing is known.
  EpochEndOffset end_offset_for_epoch(LeaderEpoch leader_epoch) const;
  // Transactions that were aborted and have records in [from, end), by their first offset.
  Result<std::vector<AbortedTransaction>> aborted_transactions(Offset from, Offset end);

  // --- keeping ---

  // Takes away whole segments by retention.ms, retention.bytes and log start offset, none that
  // reaches above `high_watermark`. cleanup.policy=compact without delete: by log start offset
  // only.
  Result<DeletedFiles> delete_old_segments(Offset high_watermark);
  // What may be taken away to make room, oldest first: closed segments of a topic that deletes, wholly
  // below `high_watermark`, with their largest timestamps.
  Result<std::vector<SegmentInfo>> removable_segments(Offset high_watermark);
  // Takes away the first of them up to and with the one that begins at `last`; `why` ends the log
  // line of each.
  Result<DeletedFiles> remove_segments(Offset last, Offset high_watermark, std::string_view why);
  // What is here and why the oldest of it has not been taken away yet, in one line of words
  // (log_kept.cc). Reads a time index at most.
  std::string why_kept(Offset high_watermark) const;
  // Files behind everything that is not flushed, up to the log end.
  Result<FlushWork> begin_flush(FlushScope scope = FlushScope::everything);
  // The work ran: raises the recovery point, unless the log was cut meanwhile. False, and nothing
  // happens, where it was another log's.
  bool finish_flush(const FlushWork& work);
  // All three. Blocking.
  Result<void> flush();
  void remove_expired_producers();
  void set_config(std::shared_ptr<const LogConfig> config) { config_ = std::move(config); }
  // partition.metadata. inconsistent_topic_id where another id is stored.
  Result<void> set_topic_id(const Uuid& topic_id);

  // --- compaction (cleaning.h); the work itself is a Cleaner's ---

  // Nothing where the topic is not compacted, or the log cannot be. `stable_end`: the last stable
  // offset.
  Result<std::optional<CleaningState>> cleaning_state(Offset stable_end);
  // Notes that the log is compacted from now on (cleaned_to), which has to be in the checkpoint before
  // anything is swapped: a start takes holes between the segments of other logs for a loss.
  Result<CleaningPlan> plan_cleaning(Offset stable_end);
  // A new segment takes the place of others in two steps, with a sync of the directory between them
  // and one behind: first its files are named .swap, which a start completes whatever happens next.
  // False where segments were cut or taken away since the plan: nothing was done.
  Result<bool> begin_swap(uint64_t generation, const CleanedSegment& cleaned);
  // Second, the old files are set aside and the new ones get their names. Nothing where segments
  // were cut or taken away between the steps: the new files are gone.
  Result<std::optional<DeletedFiles>> finish_swap();
  // All of the plan is done. Passed over where segments were cut or taken away meanwhile.
  void finish_cleaning(uint64_t generation, Offset end_offset);
  // It is left alone until segments are cut or taken away.
  void mark_uncleanable() { uncleanable_ = true; }
  uint64_t generation() const { return generation_; }
  // What compaction has been over; nothing where it has not.
  std::optional<Offset> cleaned_to() const { return cleaned_to_; }

  // Clean stop: trims, fsyncs, writes the producer snapshot. Blocking; the last call but for
  // getters.
  Result<void> close();
  // Renames the directory to TOPIC-PARTITION.UUID-delete (or -stray) and closes the files; the last
  // call. Returns the new path; the caller removes it after file.delete.delay.ms.
  Result<std::string> rename_for_delete();
  Result<std::string> rename_as_stray();

  // --- looking ---
  const TopicPartition& id() const { return id_; }
  const std::string& directory() const { return directory_; }
  const LogConfig& config() const { return *config_; }
  std::shared_ptr<const LogConfig> shared_config() const { return config_; }
  // Tells the logs of a process apart, also where one stands in another's place.
  uint64_t number() const { return number_; }
  std::optional<Uuid> topic_id() const { return topic_id_; }
  Offset log_start_offset() const { return log_start_offset_; }
  Offset log_end_offset() const { return log_end_offset_; }
  Offset recovery_point() const { return recovery_point_; }
  // First offset of the oldest open transaction; nothing where none is open.
  std::optional<Offset> first_unstable_offset() const { return producers_.first_unstable_offset(); }
  LeaderEpoch latest_leader_epoch() const { return epochs_.latest(); }
  int64_t size_bytes() const;
  size_t segment_count() const { return segments_.size(); }
  // For flush.messages and flush.ms.
  int64_t unflushed_offsets() const { return log_end_offset_ - recovery_point_; }
  // Something that a power loss would take away, records or names.
  bool has_unsynced() const {
    return recovery_point_ < log_end_offset_ || dirty_from_ || directory_dirty_ ||
           !dirty_paths_.empty() || epochs_.is_dirty();
  }
  int64_t last_flush_ms() const { return last_flush_ms_; }
  const ProducerStates& producers() const { return producers_; }
  // Base offsets and sizes, oldest first: tools and tests.
  std::vector<SegmentInfo> segments() const;

 private:
  friend class LogOpener;
  friend class LogManager;
  Log(const LogContext& context, OpenOptions options);

  // A batch boundary with every offset below `offset` in front of it.
  struct ReadHint {
    Offset offset{-1};
    Offset segment_base{-1};
    uint64_t position = 0;
  };

  Segment& active() { return *segments_.back(); }
  size_t segment_index_for(Offset offset) const;  // the last one that begins at or below it
  Result<void> maybe_roll(size_t bytes, Offset last_offset, int64_t max_timestamp);
  Result<void> roll();
  Result<std::unique_ptr<Segment>> make_segment(Offset base_offset);
  Result<void> write_batches(ByteView batches, Offset last_offset, int64_t max_timestamp,
                             Offset max_timestamp_offset) noexcept;
  Result<void> note_producers(ByteView batches);
  Result<void> close_unsynced();  // all of close() but the syncs
  void closed_and_synced();
  std::string kept_by_time(Segment& oldest) const;
  std::string kept_by_size(const Segment& oldest) const;
  Result<void> cut_epochs();
  Result<void> take_away(size_t count, DeletedFiles& deleted);
  Result<void> set_aside(const std::string& path, DeletedFiles& deleted);
  Result<std::optional<TimestampOffset>> first_record_at(Segment& segment, const FoundBatch& batch,
                                                         int64_t timestamp, Offset start_offset);
  Result<std::string> rename_directory(std::string_view suffix);

  // compaction (log_clean.cc)
  void check_cleaned_to();
  Result<Offset> first_uncleanable(Offset first_dirty, Offset stable_end, int64_t now_ms);
  Result<int64_t> compaction_overdue_ms(Offset first_dirty, int64_t now_ms);
  Result<void> forget_cleaning();

  // producer snapshots (log_producers.cc)
  std::string snapshot_path(Offset offset) const;
  Result<void> write_snapshot(
      fs::Durability durability);  // at producers_.end_offset(), where there is none
  // Loads the newest snapshot at or below `from`, then replays the segments up to the log end.
  // Aborted transactions are added to the indexes of the segments `reindexed`, by their base offsets.
  Result<void> rebuild_producers(Offset from, const std::vector<Offset>& reindexed);
  void drop_snapshots_above(Offset offset);

  const ReadHint* hint_for(Offset offset, Offset segment_base) const;
  void note_hint(const ReadHint* used, const ReadHint& hint);
  void forget_hints();
  void mark_dirty(const Segment& segment);  // the next flush begins there
  Error failed(const Error& cause);         // what a caller hears of a failed file operation

  LogContext context_;
  const uint64_t number_;
  std::string directory_;
  TopicPartition id_;
  std::shared_ptr<const LogConfig> config_;
  std::optional<Uuid> topic_id_;
  std::vector<std::unique_ptr<Segment>> segments_;  // by base offset; never empty once open
  std::vector<Offset> snapshots_;  // offsets of the producer snapshots on disk, ascending
  LeaderEpochCache epochs_;
  ProducerStates producers_;
  Offset log_start_offset_{0};
  Offset log_end_offset_{0};
  Offset recovery_point_{0};
  uint64_t cuts_ = 0;  // truncations so far
  int64_t last_flush_ms_ = 0;
  std::optional<Offset>
      dirty_from_;  // base offset of the first segment changed below the recovery point
  bool directory_dirty_ = false;          // files were made or renamed since the last flush
  std::vector<std::string> dirty_paths_;  // small files to be synced with the next flush
  std::optional<Error> broken_;           // an I/O error: nothing is written any more
  std::optional<Offset> cleaned_to_;
  uint64_t generation_ = 0;             // goes up when segments are cut or taken away
  bool uncleanable_ = false;            // said once; compaction leaves it alone
  std::optional<CleanedSegment> swap_;  // between begin_swap and finish_swap
  ReadHint append_hint_;                  // where the newest append begins
  ReadHint read_hints_[3];                // where recent reads ended: the next ones begin there
  size_t next_hint_ = 0;
};

}  // namespace odradek::broker::log
