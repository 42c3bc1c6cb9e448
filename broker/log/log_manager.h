#pragma once
// LogManager: the data directories (log.dirs) of this broker. It owns their locks, identities,
// checkpoints and the table of which partition lies where; the Log objects belong to the shards.
//
// Threads: every function may be called from any thread. A mutex inside guards the directory table
// only and is never held across file work. Functions marked "blocking" do file work in the caller's
// thread: run them on the background pool. Start: open → LogLoader (load of each found log) and,
// meanwhile, confirm_identity → serve. Stop: every Log is closed, the checkpoints are written, then
// mark_clean_shutdown.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "broker/log/checkpoint.h"
#include "broker/log/file_cache.h"
#include "broker/log/log.h"
#include "broker/log/log_directory_name.h"
#include "common/clock.h"
#include "common/fs/file_system.h"
#include "common/ids.h"
#include "common/result.h"

namespace odradek::broker::log {

enum class CheckpointKind { recovery_point, high_watermark, log_start_offset, cleaner };

// A log that lies in a directory at start.
struct FoundLog {
  TopicPartition id;
  size_t directory = 0;  // index into directories()
  // More directories that have one of this name: a crash at the end of a move leaves two.
  std::vector<size_t> others;
};

// A log found at start, or why it could not be opened.
struct LoadedLog {
  TopicPartition id;
  size_t directory = 0;      // index into directories()
  std::unique_ptr<Log> log;  // null on an error
  std::optional<Error> error;
  // From replication-offset-checkpoint, never above the log end; nothing where the file does not
  // name it.
  std::optional<Offset> high_watermark;
};

// A directory that ends in -future: the copy of a log that moves there.
struct FutureLog {
  TopicPartition id;
  size_t directory = 0;
  std::string path;
};

struct DirectoryState {
  std::string path;
  Uuid id;  // of .odradek_directory_id: the identity that registration carries
  bool online = true;
  bool clean_shutdown = false;  // how the last run ended
  size_t logs = 0;
};

class LogManager {
 public:
  struct Options {
    std::vector<std::string> directories;  // log.dirs in order
    std::optional<BrokerId> broker_id;     // as configured; decides whose directories are foreign
    uint64_t reserved_bytes = 0;           // of each directory; see disk_reserve.h
    size_t max_open_files = 0;  // of segments and indexes; 0: from RLIMIT_NOFILE, at most 1,000
  };

  // Makes, checks and locks the directories; reads identities and checkpoints. Blocking. A
  // directory that cannot be used, or that belongs to another broker or cluster than the others, is
  // offline from the start, with cause and remedy in one line of the log; where none is left, that
  // is the error. One that another process holds is an error: locked.
  static Result<std::unique_ptr<LogManager>> open(fs::FileSystem& files, const Clock& clock,
                                                  Options options);
  ~LogManager();

  // --- identity ---
  // From meta.properties; nothing where no directory has one.
  std::optional<BrokerId> stored_broker_id() const;
  std::optional<std::string> stored_cluster_id() const;
  // One error line as Kafka's where the stored ids differ; writes meta.properties where it is
  // missing. Blocking. An empty cluster_id checks the broker id only and writes nothing.
  Result<void> confirm_identity(BrokerId broker_id, const std::string& cluster_id);

  // --- start ---
  using ConfigFor = std::function<std::shared_ptr<const LogConfig>(const std::string& topic)>;
  // The logs of every online directory, as open found them. Directories that end in -delete are
  // left to leftovers().
  std::vector<FoundLog> found_logs() const;
  // Opens one of them; blocking, several at once where the caller likes. One that fails with an I/O
  // error takes its directory offline. What the checkpoints say of a log that is not open stays in
  // them, and its directory is not marked as cleanly stopped. Of several that have the same name the
  // one that ends last is the log, the others are set aside as -stray.
  LoadedLog load(const FoundLog& found, std::shared_ptr<const LogConfig> config);
  // Paths of *-delete directories found at start; the caller removes them (remove_dir) in the
  // background.
  std::vector<std::string> leftovers() const;

  // Copies of logs that were on their way when the last run ended.
  std::vector<FutureLog> futures() const;

  // --- logs ---
  // Makes a log in the online directory with the fewest logs. Blocking, a few milliseconds.
  // already_exists where it is in the table; log_dir_offline where no directory is online.
  Result<std::unique_ptr<Log>> create_log(const TopicPartition& id,
                                          std::shared_ptr<const LogConfig> config,
                                          std::optional<Uuid> topic_id);
  // Clean stop of many logs: as Log::close for each, but where many have something to be synced,
  // with one sync for a whole directory. Blocking. The results are in the order of the logs; a log
  // that is offline has its error.
  std::vector<Result<void>> close_logs(const std::vector<Log*>& logs);
  // The log went: rename_for_delete or rename_as_stray succeeded, or its directory is offline.
  void forget_log(const TopicPartition& id);
  // A log that is not here yet is made in this directory, if it is online then.
  void prefer_directory(const TopicPartition& id, size_t directory);
  // The log lies in another directory now.
  void moved(const TopicPartition& id, size_t directory);
  // Directory of a log; nothing where it is not here.
  std::optional<size_t> directory_of(const TopicPartition& id) const;
  // Removes a directory with all its content; blocking.
  Result<void> remove_dir(const std::string& path);

  // --- directories ---
  std::vector<DirectoryState> directories() const;
  // Takes a directory offline, with one log line. Returns false where it was already. Nothing is
  // written there any more.
  bool fail_directory(size_t directory, const Error& cause);
  // The disk of a directory is full: nothing is appended there until look_for_room finds some. What
  // was kept back for this is given free; one log line. Never true without reserved_bytes.
  void note_full(size_t directory);
  bool is_full(size_t directory) const;
  // Blocking; called from time to time by one caller.
  void look_for_room();
  // By the path of a log or of a file below it.
  std::optional<size_t> directory_of_path(const std::string& path) const;

  // --- checkpoints; blocking ---
  // Writes the file of one directory with these offsets (the caller collects them from the shards),
  // and those of logs that could not be opened as they were.
  Result<void> write_checkpoint(size_t directory, CheckpointKind kind, const Offsets& offsets);
  // As read at start.
  std::optional<Offset> checkpointed(CheckpointKind kind, const TopicPartition& id) const;
  // The last thing of a clean stop, after every log of the directory is closed and its checkpoints
  // are written. A directory with logs that could not be opened is left unmarked: they have yet to
  // be recovered.
  Result<void> mark_clean_shutdown(size_t directory);

  const LogContext& context() const { return context_; }
  FileCache& file_cache() { return file_cache_; }

 private:
  struct Directory;
  LogManager(fs::FileSystem& files, const Clock& clock, size_t max_open_files);
  Result<void> open_directory(Directory& directory);
  LoadedLog load_longest(const FoundLog& found, const std::shared_ptr<const LogConfig>& config);
  Result<void> take_clean_marker(Directory& directory);
  void keep_reserve(Directory& directory);
  void set_foreign_offline(std::optional<BrokerId> broker_id);

  fs::FileSystem& files_;
  FileCache file_cache_;
  LogContext context_;
  // guards directories_[i].online, .logs and .unopened, table_, preferred_
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Directory>> directories_;
  std::unordered_map<TopicPartition, size_t> table_;
  std::unordered_map<TopicPartition, size_t> preferred_;  // of logs that are not here yet
};

}  // namespace odradek::broker::log
