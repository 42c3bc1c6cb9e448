#include "broker/log/log_manager.h"

#include <algorithm>

#include "broker/log/log_manager_directory.h"
#include "broker/log/meta_properties.h"
#include "common/check.h"
#include "common/format.h"
#include "common/log/log.h"
#include "common/runtime/thrown.h"

namespace odradek::broker::log {

namespace {
// Clients name them: there is a bound.
constexpr size_t kMaxPreferred = 10'000;

// What cannot be opened is the failure of this log alone, also where it throws.
Result<std::unique_ptr<Log>> open_log(const LogContext& context, OpenOptions options) {
  try {
    return Log::open(context, std::move(options));
  } catch (...) {
    return runtime::error_of(std::current_exception());
  }
}
}  // namespace

LogManager::LogManager(fs::FileSystem& files, const Clock& clock, size_t max_open_files)
    : files_(files),
      file_cache_(files, max_open_files > 0 ? max_open_files : FileCache::default_capacity()),
      context_{&files, &file_cache_, &clock} {}

LogManager::~LogManager() = default;

std::optional<BrokerId> LogManager::stored_broker_id() const {
  for (const auto& directory : directories_) {
    if (directory->properties && directory->properties->broker_id)
      return directory->properties->broker_id;
  }
  return std::nullopt;
}

std::optional<std::string> LogManager::stored_cluster_id() const {
  for (const auto& directory : directories_) {
    if (directory->properties && !directory->properties->cluster_id.empty())
      return directory->properties->cluster_id;
  }
  return std::nullopt;
}

Result<void> LogManager::confirm_identity(BrokerId broker_id, const std::string& cluster_id) {
  if (std::optional<BrokerId> stored = stored_broker_id(); stored && *stored != broker_id) {
    return Error(Errc::bad_setting,
                 format("Configured broker.id {} doesn't match stored broker.id {} in "
                        "meta.properties. If you moved your "
                        "data, make sure your configured broker.id matches. If you intend to "
                        "create a new broker, you "
                        "should remove all data in your data directories (log.dirs).",
                        broker_id.value(), stored->value()));
  }
  if (cluster_id.empty()) return {};
  if (std::optional<std::string> stored = stored_cluster_id(); stored && *stored != cluster_id) {
    return Error(
        Errc::bad_setting,
        format("The Cluster ID {} doesn't match stored clusterId Some({}) in meta.properties. The "
               "broker is "
               "trying to join the wrong cluster. Configured zookeeper.connect may be wrong.",
               cluster_id, *stored));
  }
  const MetaProperties wanted{broker_id, cluster_id};
  for (const auto& directory : directories_) {
    {
      std::lock_guard lock(mutex_);
      if (!directory->online) continue;
    }
    if (directory->properties == wanted) continue;
    Result<void> written =
        write_meta_properties(files_, directory->path, wanted, context_.clock->wall_ms());
    if (!written) return written;
  }
  return {};
}

std::vector<FoundLog> LogManager::found_logs() const {
  std::lock_guard lock(mutex_);
  std::vector<FoundLog> all;
  for (size_t i = 0; i < directories_.size(); ++i) {
    if (!directories_[i]->online) continue;
    for (const TopicPartition& id : directories_[i]->found) all.push_back({id, i, {}});
  }
  if (directories_.size() == 1) return all;
  std::stable_sort(all.begin(), all.end(),
                   [](const FoundLog& a, const FoundLog& b) { return a.id < b.id; });
  std::vector<FoundLog> merged;
  for (FoundLog& found : all) {
    if (!merged.empty() && merged.back().id == found.id) {
      merged.back().others.push_back(found.directory);
    } else {
      merged.push_back(std::move(found));
    }
  }
  return merged;
}

LoadedLog LogManager::load_longest(const FoundLog& found,
                                   const std::shared_ptr<const LogConfig>& config) {
  std::vector<size_t> directories{found.directory};
  directories.insert(directories.end(), found.others.begin(), found.others.end());
  LoadedLog best;
  std::optional<LoadedLog> failed;
  for (size_t directory : directories) {
    LoadedLog one = load({found.id, directory, {}}, config);
    if (!one.log) {
      failed = std::move(one);
      continue;
    }
    forget_log(found.id);
    if (!best.log || one.log->log_end_offset() > best.log->log_end_offset()) std::swap(best, one);
    if (!one.log) continue;
    Result<std::string> aside = one.log->rename_as_stray();
    LOG_WARN("server",
             "{} lies in {} too, where it ends later: the log in {} is set aside as {}; remove it "
             "when you are sure",
             found.id.to_string(), directories_[best.directory]->path,
             directories_[one.directory]->path, aside ? *aside : aside.error().what());
  }
  if (!best.log) return std::move(*failed);
  std::lock_guard lock(mutex_);
  table_[found.id] = best.directory;
  ++directories_[best.directory]->logs;
  return best;
}

LoadedLog LogManager::load(const FoundLog& found, std::shared_ptr<const LogConfig> config) {
  if (!found.others.empty()) return load_longest(found, config);
  const TopicPartition& id = found.id;
  Directory& directory = *directories_[found.directory];
  LoadedLog loaded;
  loaded.id = id;
  loaded.directory = found.directory;
  {
    std::lock_guard lock(mutex_);
    if (!directory.online) {
      loaded.error =
          Error(Errc::log_dir_offline, format("log directory {} is offline", directory.path));
      return loaded;
    }
    auto [place, is_new] = table_.emplace(id, found.directory);
    if (!is_new && place->second != found.directory) {
      loaded.error =
          Error(Errc::already_exists, format("Duplicate log directories found: {}/{}, {}/{}",
                                             directories_[place->second]->path, id.to_string(),
                                             directory.path, id.to_string()));
      return loaded;
    }
    if (is_new) ++directory.logs;
  }
  auto offset_of = [&](CheckpointKind kind) -> std::optional<Offset> {
    const Offsets& offsets = directory.checkpoints[static_cast<size_t>(kind)];
    auto found = offsets.find(id);
    return found == offsets.end() ? std::nullopt : std::optional<Offset>(found->second);
  };
  OpenOptions options;
  options.directory = directory.path + "/" + id.to_string();
  options.id = id;
  options.config = std::move(config);
  options.recovery_point = offset_of(CheckpointKind::recovery_point).value_or(Offset(0));
  options.is_recovery_point_known = offset_of(CheckpointKind::recovery_point).has_value();
  options.log_start_offset = offset_of(CheckpointKind::log_start_offset).value_or(Offset(0));
  options.clean_shutdown = directory.clean_shutdown;
  options.was_compacted = offset_of(CheckpointKind::cleaner).has_value();
  options.cleaned_to = offset_of(CheckpointKind::cleaner);
  Result<std::unique_ptr<Log>> log = open_log(context_, std::move(options));
  if (!log) {
    LOG_ERROR("server", "Log {} in {} cannot be opened: {}", id.to_string(), directory.path,
              log.error().what());
    loaded.error = log.error();
    if (log.error().code() == Errc::log_dir_offline) fail_directory(found.directory, log.error());
    forget_log(id);
    return loaded;
  }
  loaded.log = std::move(*log);
  {
    std::lock_guard lock(mutex_);
    directory.unopened.erase(id);
  }
  if (std::optional<Offset> mark = offset_of(CheckpointKind::high_watermark)) {
    loaded.high_watermark = std::min(*mark, loaded.log->log_end_offset());
  }
  return loaded;
}

std::vector<std::string> LogManager::leftovers() const {
  std::vector<std::string> all;
  for (const auto& directory : directories_) {
    all.insert(all.end(), directory->leftovers.begin(), directory->leftovers.end());
  }
  return all;
}

std::vector<FutureLog> LogManager::futures() const {
  std::vector<FutureLog> all;
  for (size_t i = 0; i < directories_.size(); ++i) {
    for (const auto& [id, path] : directories_[i]->futures) all.push_back({id, i, path});
  }
  return all;
}

void LogManager::prefer_directory(const TopicPartition& id, size_t directory) {
  std::lock_guard lock(mutex_);
  if (table_.contains(id)) return;
  if (preferred_.size() >= kMaxPreferred) preferred_.clear();
  preferred_[id] = directory;
}

void LogManager::moved(const TopicPartition& id, size_t directory) {
  std::lock_guard lock(mutex_);
  auto found = table_.find(id);
  if (found == table_.end()) return;
  --directories_[found->second]->logs;
  found->second = directory;
  ++directories_[directory]->logs;
}

Result<std::unique_ptr<Log>> LogManager::create_log(const TopicPartition& id,
                                                    std::shared_ptr<const LogConfig> config,
                                                    std::optional<Uuid> topic_id) {
  size_t chosen = directories_.size();
  {
    std::lock_guard lock(mutex_);
    if (table_.contains(id))
      return Error(Errc::already_exists, format("log {} is there already", id.to_string()));
    for (size_t i = 0; i < directories_.size(); ++i) {
      if (!directories_[i]->online) continue;
      if (chosen == directories_.size() || directories_[i]->logs < directories_[chosen]->logs)
        chosen = i;
    }
    if (auto wished = preferred_.find(id); wished != preferred_.end()) {
      if (directories_[wished->second]->online) chosen = wished->second;
      preferred_.erase(wished);
    }
    if (chosen == directories_.size())
      return Error(Errc::log_dir_offline, "every log directory is offline");
    table_[id] = chosen;
    ++directories_[chosen]->logs;
  }
  OpenOptions options;
  options.directory = directories_[chosen]->path + "/" + id.to_string();
  options.id = id;
  options.config = std::move(config);
  options.clean_shutdown = false;  // should a directory be there after all, it is looked at
  options.topic_id = topic_id;
  Result<std::unique_ptr<Log>> log = open_log(context_, std::move(options));
  if (!log) {
    if (log.error().code() == Errc::log_dir_offline) fail_directory(chosen, log.error());
    forget_log(id);
    return log.error();
  }
  LOG_INFO("server", "Created log for partition {} in {}", id.to_string(),
           directories_[chosen]->path);
  return log;
}

std::vector<Result<void>> LogManager::close_logs(const std::vector<Log*>& logs) {
  constexpr size_t kFew =
      8;  // syncing everything may write what others left in the page cache, too
  std::vector<Result<void>> results(logs.size());
  std::map<size_t, std::vector<size_t>>
      by_directory;  // of the logs that have something to be synced
  for (size_t i = 0; i < logs.size(); ++i) {
    results[i] = logs[i]->close_unsynced();
    if (!results[i]) continue;
    std::optional<size_t> directory = directory_of_path(logs[i]->directory());
    if (!logs[i]->has_unsynced() || !directory) {
      logs[i]->closed_and_synced();
    } else {
      by_directory[*directory].push_back(i);
    }
  }
  for (const auto& [directory, indexes] : by_directory) {
    Result<void> synced =
        indexes.size() > kFew ? files_.sync_all(directories_[directory]->path) : Result<void>();
    for (size_t i : indexes) {
      if (indexes.size() <= kFew) {
        results[i] = logs[i]->close();
      } else if (synced) {
        logs[i]->closed_and_synced();
      } else {
        results[i] = Error(Errc::log_dir_offline, synced.error().what());
      }
    }
  }
  return results;
}

void LogManager::forget_log(const TopicPartition& id) {
  std::lock_guard lock(mutex_);
  auto found = table_.find(id);
  if (found == table_.end()) return;
  --directories_[found->second]->logs;
  table_.erase(found);
}

std::optional<size_t> LogManager::directory_of(const TopicPartition& id) const {
  std::lock_guard lock(mutex_);
  auto found = table_.find(id);
  return found == table_.end() ? std::nullopt : std::optional<size_t>(found->second);
}

Result<void> LogManager::remove_dir(const std::string& path) {
  if (Result<void> removed = files_.remove_all(path); !removed) return removed;
  return files_.sync_dir(fs::parent_of(path));
}

std::vector<DirectoryState> LogManager::directories() const {
  std::lock_guard lock(mutex_);
  std::vector<DirectoryState> all;
  for (const auto& directory : directories_) {
    all.push_back({directory->path, directory->id, directory->online, directory->clean_shutdown,
                   directory->logs});
  }
  return all;
}

bool LogManager::fail_directory(size_t index, const Error& cause) {
  CHECK(index < directories_.size());
  {
    std::lock_guard lock(mutex_);
    if (!directories_[index]->online) return false;
    directories_[index]->online = false;
  }
  LOG_ERROR("server", "Log directory {} is taken offline: {}", directories_[index]->path,
            cause.what());
  return true;
}

void LogManager::note_full(size_t index) {
  if (!directories_[index]->reserve->note_full()) return;
  LOG_ERROR("server",
            "{} is full: nothing is appended there until there is room; reading and deleting go on",
            directories_[index]->path);
}

bool LogManager::is_full(size_t index) const { return directories_[index]->reserve->is_full(); }

void LogManager::look_for_room() {
  for (const auto& directory : directories_) {
    if (!directory->reserve->is_full() || !directory->reserve->try_resume()) continue;
    LOG_INFO("server", "There is room again in {}: records are taken", directory->path);
  }
}

std::optional<size_t> LogManager::directory_of_path(const std::string& path) const {
  for (size_t i = 0; i < directories_.size(); ++i) {
    const std::string& prefix = directories_[i]->path;
    if (path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/'))
      return i;
  }
  return std::nullopt;
}

Result<void> LogManager::write_checkpoint(size_t index, CheckpointKind kind,
                                          const Offsets& offsets) {
  CHECK(index < directories_.size());
  Offsets with_unopened;
  {
    std::lock_guard lock(mutex_);
    const Directory& directory = *directories_[index];
    if (!directory.online) {
      return Error(Errc::log_dir_offline, format("log directory {} is offline", directory.path));
    }
    const Offsets& read = directory.checkpoints[static_cast<size_t>(kind)];
    for (const TopicPartition& id : directory.unopened) {
      if (auto found = read.find(id); found != read.end()) with_unopened.insert(*found);
    }
  }
  if (!with_unopened.empty()) with_unopened.insert(offsets.begin(), offsets.end());
  const Offsets& all = with_unopened.empty() ? offsets : with_unopened;
  const std::string path = directories_[index]->path + checkpoint_file(kind);
  Result<void> written = write_checkpoint_file(files_, path, all);
  if (written || written.error().code() != Errc::disk_full) return written;
  note_full(index);
  return write_checkpoint_file(files_, path, all);
}

std::optional<Offset> LogManager::checkpointed(CheckpointKind kind,
                                               const TopicPartition& id) const {
  for (const auto& directory : directories_) {
    const Offsets& offsets = directory->checkpoints[static_cast<size_t>(kind)];
    if (auto found = offsets.find(id); found != offsets.end()) return found->second;
  }
  return std::nullopt;
}

Result<void> LogManager::mark_clean_shutdown(size_t index) {
  CHECK(index < directories_.size());
  {
    std::lock_guard lock(mutex_);
    if (!directories_[index]->online) {
      return Error(Errc::log_dir_offline,
                   format("log directory {} is offline", directories_[index]->path));
    }
    if (const size_t unopened = directories_[index]->unopened.size(); unopened > 0) {
      LOG_INFO("server",
               "{} is not marked as cleanly stopped: {} of its logs were not open and are looked "
               "at again at the next start",
               directories_[index]->path, unopened);
      return {};
    }
  }
  const std::string path = directories_[index]->path + kCleanShutdownFile;
  Result<std::shared_ptr<fs::File>> file = files_.open(path, fs::OpenMode::create);
  if (!file) return file.error();
  if (Result<void> synced = (*file)->sync(); !synced) return synced;
  return files_.sync_dir(directories_[index]->path);
}

}  // namespace odradek::broker::log
