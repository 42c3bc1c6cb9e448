#include "broker/replica/partition_manager.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include "broker/replica/group_flush.h"
#include "broker/replica/housekeeping.h"
#include "broker/replica/log_mover.h"
#include "broker/replica/reconciler.h"
#include "common/check.h"
#include "common/log/log.h"
#include "common/runtime/background.h"
#include "common/runtime/owner.h"
#include "common/runtime/spawn.h"
#include "common/runtime/timer.h"

namespace odradek::broker::replica {

namespace asio = boost::asio;

PartitionManager::PartitionManager(ReplicaSettings settings, TopicSettingsFor topic_settings,
                                   runtime::Shards& shards, runtime::Background& background,
                                   const Clock& clock, log::LogManager& logs)
    : settings_(settings),
      topic_settings_(std::move(topic_settings)),
      background_(background),
      clock_(clock),
      logs_(logs),
      home_(shards.executor(0)),
      table_(shards),
      image_(std::make_shared<const metadata::Image>()),
      reconciler_(std::make_unique<Reconciler>(*this)),
      housekeeping_(
          std::make_unique<Housekeeping>(settings_, table_, logs_, background_, clock_, home_)),
      cleaner_(std::make_unique<LogCleaner>([this] { return cleaner_settings(); }, table_, logs_,
                                            background_, clock_, home_, *housekeeping_, *this)),
      mover_(std::make_unique<LogMover>(*this)) {
  if (!settings_.group_flush) return;
  std::vector<std::string> directories;
  for (const auto& directory : logs_.directories()) directories.push_back(directory.path);
  group_flush_ = std::make_unique<GroupFlush>(*logs_.context().files, background_, directories);
}

PartitionManager::~PartitionManager() = default;

void PartitionManager::listen(std::string topic, LeadershipListener* listener) {
  listeners_[std::move(topic)] = listener;
}

metadata::ImagePtr PartitionManager::image() const {
  std::lock_guard lock(image_mutex_);
  return image_;
}

void PartitionManager::set_image(metadata::ImagePtr image) {
  std::lock_guard lock(image_mutex_);
  image_.swap(image);
}

TopicSettings PartitionManager::settings_for(const std::string& topic) const {
  auto now = image();
  const metadata::Topic* known = now->topic(topic);
  return topic_settings_(known ? known->configs : metadata::ConfigMap(), *now);
}

CleanerSettings PartitionManager::cleaner_settings() const {
  return settings_.cleaner_by_image ? settings_.cleaner_by_image(*image()) : settings_.cleaner;
}

void PartitionManager::begin_load() {
  CHECK(home_.running_in_this_thread());
  auto config_for = [defaults = topic_settings_({}, *image()).log](const std::string&) {
    return defaults;
  };
  loader_ = std::make_unique<log::LogLoader>(logs_, settings_.recovery_threads, config_for);
  to_adopt_ = loader_->count();
  for (const log::FoundLog& found : logs_.found_logs()) reconciler_->expect(found.id);
  loader_->start([this] { asio::post(home_, [this] { take_loaded(); }); });
}

void PartitionManager::take_loaded() {
  std::vector<log::LoadedLog> loaded = loader_->take();
  if (loaded.empty()) return;
  if (started_ && !ended_) {
    runtime::spawn(home_, adopt(std::move(loaded)), "the opening of logs");
  } else {
    std::move(loaded.begin(), loaded.end(), std::back_inserter(loaded_));
  }
}

asio::awaitable<void> PartitionManager::adopt(std::vector<log::LoadedLog> loaded) {
  ++adopting_;
  const size_t count = loaded.size();
  co_await reconciler_->adopt(std::move(loaded));
  --adopting_;
  to_adopt_ -= count;
  if (to_adopt_ == 0) end_of_load();
  reconciler_->progress().notify_all();
}

// Checkpoints are written from here on: before, they would not know all logs.
void PartitionManager::end_of_load() {
  if (ended_) return;
  housekeeping_->start();
  cleaner_->start();
  auto was_clean = [](const log::DirectoryState& directory) { return directory.clean_shutdown; };
  const auto directories = logs_.directories();
  if (!std::all_of(directories.begin(), directories.end(), was_clean)) {
    housekeeping_->checkpoint_recovery_soon();
  }
  if (!logs_.futures().empty()) runtime::spawn(home_, go_on_with_moves(), "the moves of logs");
}

// Behind the first look at the image: whose log is whose is known then.
asio::awaitable<void> PartitionManager::go_on_with_moves() {
  while (!ended_ && !co_await wait_all_open(60'000)) {
  }
  if (!ended_) co_await mover_->go_on_with(logs_.futures());
}

asio::awaitable<void> PartitionManager::start(BrokerId self,
                                              std::function<metadata::ImagePtr()> newest) {
  CHECK(home_.running_in_this_thread());
  reconciler_->set_self(self);
  // an image may have come meanwhile, and was passed over
  set_image(newest());
  started_ = true;
  for (std::string& path : logs_.leftovers()) reconciler_->remove_later(std::move(path), 0);
  if (to_adopt_ == 0) end_of_load();
  if (!loaded_.empty()) co_await adopt(std::exchange(loaded_, {}));
  if (!ended_) reconciler_->look_at_all();
}

asio::awaitable<bool> PartitionManager::wait_all_open(int64_t timeout_ms) {
  const int64_t deadline = clock_.monotonic_ms() + timeout_ms;
  while (to_adopt_ > 0 || reconciler_->busy()) {
    const int64_t left = deadline - clock_.monotonic_ms();
    if (left <= 0) co_return false;
    co_await reconciler_->progress().wait_ms(left);
  }
  co_return true;
}

void PartitionManager::apply(metadata::ImagePtr image, const metadata::ImageChange& change) {
  if (!started_ || image->zxid <= this->image()->zxid) return;
  set_image(std::move(image));
  reconciler_->settings_changed(change);
  for (const auto* names :
       {&change.made, &change.changed, &change.configs_changed, &change.vanished}) {
    for (const std::string& topic : *names) reconciler_->look_at(topic);
  }
  for (const metadata::DeletedTopic& topic : change.deleted) reconciler_->look_at(topic.name);
  reconciler_->progress().notify_all();
}

Result<Partition*> PartitionManager::find(const TopicPartition& id) const {
  auto partition = table_.find(id);
  if (partition) return partition.get();
  if (const_cast<PartitionTable&>(table_).shard_for(id).failed.contains(id)) {
    return Error(Errc::log_dir_offline, "the log of " + id.to_string() + " cannot be opened");
  }
  if (image()->partition(id.topic, id.partition) == nullptr) {
    return Error(Errc::unknown_topic_or_partition, "there is no partition " + id.to_string());
  }
  return Error(Errc::not_leader_or_follower, "this broker has no replica of " + id.to_string());
}

asio::awaitable<bool> PartitionManager::wait_open(std::string topic, Zxid zxid,
                                                  int64_t timeout_ms) {
  auto wait = [this, topic = std::move(topic), zxid,
               timeout_ms]() mutable -> asio::awaitable<bool> {
    return [](PartitionManager* self, std::string name, Zxid at_least,
              int64_t limit_ms) -> asio::awaitable<bool> {
      const int64_t deadline = self->clock_.monotonic_ms() + limit_ms;
      while (self->image()->zxid < at_least || self->reconciler_->busy(name)) {
        int64_t left = deadline - self->clock_.monotonic_ms();
        if (left <= 0) co_return false;
        co_await self->reconciler_->progress().wait_ms(left);
      }
      co_return true;
    }(this, std::move(topic), zxid, timeout_ms);
  };
  co_return co_await runtime::await_on(home_, std::move(wait));
}

void PartitionManager::tell(Partition& partition, Partition::Turn turn) {
  if (turn == Partition::Turn::none) return;
  auto found = listeners_.find(partition.id().topic);
  if (found == listeners_.end()) return;
  if (turn == Partition::Turn::became_leader) {
    found->second->on_leader(partition, partition.leader_epoch());
  } else {
    found->second->on_not_leader(partition.id());
  }
}

void PartitionManager::tell_not_leader(const TopicPartition& id) {
  if (auto found = listeners_.find(id.topic); found != listeners_.end())
    found->second->on_not_leader(id);
}

asio::awaitable<Result<void>> PartitionManager::move_log(TopicPartition id, size_t directory) {
  auto move = [this, id = std::move(id), directory] { return mover_->move(id, directory); };
  co_return co_await runtime::await_on(home_, std::move(move));
}

void PartitionManager::remove_later(std::string path, int64_t delay_ms) {
  reconciler_->remove_later(std::move(path), delay_ms);
}

void PartitionManager::progress() { reconciler_->progress().notify_all(); }

void PartitionManager::on_log_failure(Partition& partition, const Error& error) {
  take_directory_offline(partition.directory(), error);
}

void PartitionManager::take_directory_offline(size_t directory, const Error& error) {
  // posted also where the directory is offline already: this partition may have been installed
  // after that
  logs_.fail_directory(directory, error);
  for (size_t i = 0; i < table_.shard_count(); ++i) {
    asio::post(table_.executor(i), [this, i, directory] {
      std::vector<std::shared_ptr<Partition>> hit;
      for (auto& [id, other] : table_.shard(i).partitions) {
        if (other->directory() == directory && !other->offline()) hit.push_back(other);
      }
      for (auto& other : hit) {
        bool led = other->is_leader();
        other->set_offline();
        if (led) tell_not_leader(other->id());
      }
    });
  }
  for (const auto& state : logs_.directories()) {
    if (state.online) return;
  }
  if (all_failed_) all_failed_();
}

asio::awaitable<void> PartitionManager::stop() {
  ended_ = true;
  reconciler_->end();
  housekeeping_->end();
  mover_->end();
  cleaner_->end();
  if (loader_) {
    auto stop_loading = [this] { loader_->stop(); };
    co_await background_.run(std::move(stop_loading));
  }
  while (reconciler_->busy() || mover_->busy() || adopting_ > 0) co_await reconciler_->progress().wait_ms(1000);
  while (cleaner_->busy()) co_await cleaner_->progress().wait_ms(1000);
  // a checkpoint that is being written may not replace the last ones
  co_await housekeeping_->wait_idle();
  auto directories = logs_.directories();
  std::vector<log::Offsets> recovery(directories.size()), high_watermarks(directories.size()),
      starts(directories.size()), cleaned(directories.size());
  std::vector<bool> clean(directories.size(), true);
  std::vector<std::pair<size_t, std::unique_ptr<log::Log>>> logs;
  for (auto& loaded : loaded_) {  // a stop before all were taken over
    if (!loaded.log) continue;
    high_watermarks[loaded.directory].emplace(
        loaded.id, loaded.high_watermark.value_or(loaded.log->log_start_offset()));
    logs.emplace_back(loaded.directory, std::move(loaded.log));
  }
  auto take = [&](PartitionTable::Shard& shard) {
    for (auto& [id, partition] : shard.partitions) {
      bool offline = partition->offline();
      size_t directory = partition->directory();
      high_watermarks[directory].emplace(id, partition->high_watermark());
      auto log = partition->remove();
      if (offline || !log) continue;
      logs.emplace_back(directory, std::move(log));
    }
    shard.partitions.clear();
  };
  co_await table_.on_every_shard(std::move(take));
  auto close = [&] {
    std::vector<log::Log*> all;
    for (auto& [directory, log] : logs) all.push_back(log.get());
    auto closed = logs_.close_logs(all);
    for (size_t i = 0; i < logs.size(); ++i) {
      auto& [directory, log] = logs[i];
      if (!closed[i]) {
        LOG_ERROR("server", "The log of {} cannot be closed: {}", log->id().to_string(),
                  closed[i].error().what());
        clean[directory] = false;
      }
      recovery[directory].emplace(log->id(), log->recovery_point());
      if (log->cleaned_to()) cleaned[directory].emplace(log->id(), *log->cleaned_to());
      if (!high_watermarks[directory].contains(log->id())) {
        high_watermarks[directory].emplace(log->id(), log->log_end_offset());
      }
      auto segments = log->segments();
      if (!segments.empty() && log->log_start_offset() > segments.front().base_offset) {
        starts[directory].emplace(log->id(), log->log_start_offset());
      }
    }
    for (size_t i = 0; i < directories.size(); ++i) {
      if (!directories[i].online) continue;
      using log::CheckpointKind;
      bool written =
          logs_.write_checkpoint(i, CheckpointKind::recovery_point, recovery[i]).ok() &&
          logs_.write_checkpoint(i, CheckpointKind::high_watermark, high_watermarks[i]).ok() &&
          logs_.write_checkpoint(i, CheckpointKind::log_start_offset, starts[i]).ok() &&
          logs_.write_checkpoint(i, CheckpointKind::cleaner, cleaned[i]).ok();
      if (!written || !clean[i]) {
        LOG_ERROR("server",
                  "{} is not marked as cleanly closed; its logs are checked at the next start",
                  directories[i].path);
        continue;
      }
      auto marked = logs_.mark_clean_shutdown(i);
      if (!marked) LOG_ERROR("server", "{}", marked.error().what());
    }
  };
  co_await background_.run(std::move(close));
}

}  // namespace odradek::broker::replica
