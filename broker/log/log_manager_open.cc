// Opening the data directories: made, checked, locked, and looked through.
#include <algorithm>
#include <set>

#include "broker/log/log_manager.h"
#include "broker/log/log_manager_directory.h"
#include "common/format.h"
#include "common/log/log.h"

namespace odradek::broker::log {

const char* checkpoint_file(CheckpointKind kind) {
  switch (kind) {
    case CheckpointKind::recovery_point:
      return "/recovery-point-offset-checkpoint";
    case CheckpointKind::high_watermark:
      return "/replication-offset-checkpoint";
    case CheckpointKind::log_start_offset:
      return "/log-start-offset-checkpoint";
    case CheckpointKind::cleaner:
      return "/cleaner-offset-checkpoint";
  }
  return "";
}

Result<std::unique_ptr<LogManager>> LogManager::open(fs::FileSystem& files, const Clock& clock,
                                                     Options options) {
  std::unique_ptr<LogManager> manager(new LogManager(files, clock, options.max_open_files));
  if (options.directories.empty()) return Error(Errc::bad_setting, "log.dirs names no directory");
  std::set<std::string> seen;
  std::optional<Error> last_failure;
  for (std::string path : options.directories) {
    while (path.size() > 1 && path.ends_with('/')) path.pop_back();
    if (!seen.insert(path).second)
      return Error(Errc::bad_setting, format("log.dirs names {} twice", path));
    auto directory = std::make_unique<Directory>();
    directory->path = path;
    directory->reserve = std::make_unique<DiskReserve>(files, path, options.reserved_bytes);
    Result<void> opened = manager->open_directory(*directory);
    if (!opened && (opened.error().code() == Errc::locked || options.directories.size() == 1)) {
      return opened.error();
    }
    if (!opened) {
      LOG_ERROR("server", "Log directory {} is offline: {}", path, opened.error().what());
      directory->online = false;
      directory->found.clear();
      directory->leftovers.clear();
      directory->properties.reset();
      last_failure = opened.error();
    }
    manager->directories_.push_back(std::move(directory));
  }
  if (std::none_of(manager->directories_.begin(), manager->directories_.end(),
                   [](const auto& directory) { return directory->online; })) {
    return Error(last_failure->code(),
                 format("no directory of log.dirs can be used: {}", last_failure->what()));
  }
  manager->set_foreign_offline(options.broker_id);
  for (size_t i = 0; i < manager->directories_.size(); ++i) {
    Directory& directory = *manager->directories_[i];
    if (!directory.online) continue;
    if (Result<void> taken = manager->take_clean_marker(directory); !taken) return taken.error();
    manager->keep_reserve(directory);
    for (const TopicPartition& id : directory.found) {
      directory.unopened.insert(id);
      if (manager->table_.emplace(id, i).second) ++directory.logs;
    }
  }
  return manager;
}

// Several directories of one broker must agree on whose they are: those of the configured broker,
// else those that are most. Kafka gives up here; the others' data is no reason for that.
void LogManager::set_foreign_offline(std::optional<BrokerId> broker_id) {
  const Directory* own = nullptr;
  size_t own_count = 0;
  for (const auto& candidate : directories_) {
    if (!candidate->properties) continue;
    const bool is_configured = broker_id && candidate->properties->broker_id == broker_id;
    size_t count = is_configured ? directories_.size() : 0;
    for (const auto& other : directories_) count += other->properties == candidate->properties;
    if (count > own_count) {
      own = candidate.get();
      own_count = count;
    }
  }
  auto whose = [](const MetaProperties& properties) {
    return format("broker {} of cluster {}",
                  properties.broker_id ? std::to_string(properties.broker_id->value()) : "?",
                  properties.cluster_id.empty() ? "?" : properties.cluster_id);
  };
  for (const auto& directory : directories_) {
    if (!directory->properties || directory->properties == own->properties) continue;
    LOG_ERROR("server",
              "Log directory {} is offline: its meta.properties says that it belongs to {}, while "
              "{} belongs to {}. Take it out of log.dirs, or empty it",
              directory->path, whose(*directory->properties), own->path, whose(*own->properties));
    directory->online = false;
    directory->found.clear();
    directory->leftovers.clear();
    directory->properties.reset();
  }
}

Result<void> LogManager::open_directory(Directory& directory) {
  const std::string& path = directory.path;
  Result<fs::DirEntry> there = files_.stat(path);
  if (!there && there.error().code() == Errc::not_found) {
    LOG_INFO("server", "Log directory {} not found, creating it.", path);
    if (Result<void> made = files_.make_dirs(path); !made) {
      return Error(made.error().code(), format("log.dirs: {}. Make the directory and give it to "
                                               "the broker's user, or change log.dirs",
                                               made.error().what()));
    }
    if (Result<void> synced = files_.sync_dir(fs::parent_of(path)); !synced) return synced;
  } else if (!there) {
    return Error(there.error().code(), format("log.dirs: {}", there.error().what()));
  } else if (!there->is_directory) {
    return Error(Errc::bad_setting, format("log.dirs: {} is not a directory", path));
  }
  if (!files_.is_writable(path)) {
    return Error(Errc::permission_denied, format("log.dirs: {} is not writable for this user. Give "
                                                 "it to the broker's user, or change log.dirs",
                                                 path));
  }
  Result<std::unique_ptr<fs::FileLock>> lock = files_.lock(path + "/.lock");
  if (!lock) {
    if (lock.error().code() != Errc::locked) return lock.error();
    return Error(
        Errc::locked,
        format("Failed to acquire lock on file .lock in {}: {}. A broker is using this directory: "
               "stop it, or give this one another log.dirs",
               path, lock.error().what()));
  }
  directory.lock = std::move(*lock);
  Result<std::optional<MetaProperties>> properties = read_meta_properties(files_, path);
  if (!properties) return properties.error();
  directory.properties = *properties;
  Result<Uuid> id = directory_identity(files_, path);
  if (!id) return id.error();
  directory.id = *id;
  for (CheckpointKind kind : kCheckpointKinds) {
    Result<Offsets> offsets = read_checkpoint(files_, path + checkpoint_file(kind));
    if (offsets) {
      directory.checkpoints[static_cast<size_t>(kind)] = std::move(*offsets);
    } else if (offsets.error().code() == Errc::malformed) {
      LOG_WARN("server", "{}; the file is taken as empty", offsets.error().what());
    } else {
      return offsets.error();
    }
  }
  Result<std::vector<fs::DirEntry>> entries = files_.list(path);
  if (!entries) return entries.error();
  for (const fs::DirEntry& entry : *entries) {
    if (!entry.is_directory || entry.name.starts_with('.')) continue;
    std::optional<LogDirectoryName> name = parse_log_directory_name(entry.name);
    if (!name) {
      if (entry.name != "lost+found") {
        LOG_WARN("server", "{}/{} is not the directory of a partition and is left alone", path,
                 entry.name);
      }
      continue;
    }
    switch (name->kind) {
      case LogDirectoryName::Kind::normal:
        directory.found.push_back(name->id);
        break;
      case LogDirectoryName::Kind::deleted:
        directory.leftovers.push_back(path + "/" + entry.name);
        break;
      case LogDirectoryName::Kind::future:
        directory.futures.emplace_back(name->id, path + "/" + entry.name);
        break;
      case LogDirectoryName::Kind::stray:
        LOG_INFO("server", "{}/{} is left alone", path, entry.name);
        break;
    }
  }
  return {};
}

void LogManager::keep_reserve(Directory& directory) {
  Result<void> filled = directory.reserve->fill();
  if (filled) return;
  if (filled.error().code() == Errc::disk_full) {
    directory.reserve->note_full();
    LOG_ERROR("server", "{} is full: nothing is appended there until there is room: {}",
              directory.path, filled.error().what());
  } else {
    LOG_WARN("server", "{}: no room is kept back for a full disk: {}", directory.path,
             filled.error().what());
  }
}

Result<void> LogManager::take_clean_marker(Directory& directory) {
  const std::string& path = directory.path;
  directory.clean_shutdown = files_.exists(path + kCleanShutdownFile);
  if (directory.clean_shutdown) {
    // from here on a crash must be seen as one
    if (Result<void> removed = files_.remove(path + kCleanShutdownFile); !removed) return removed;
    if (Result<void> synced = files_.sync_dir(path); !synced) return synced;
  } else if (!directory.found.empty()) {
    LOG_INFO("server",
             "Attempting recovery for all logs in {} since no clean shutdown file was found", path);
  }
  return {};
}

}  // namespace odradek::broker::log
