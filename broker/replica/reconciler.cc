#include "broker/replica/reconciler.h"

#include "common/log/log.h"
#include "common/runtime/background.h"
#include "common/runtime/owner.h"
#include "common/runtime/spawn.h"

namespace odradek::broker::replica {

namespace asio = boost::asio;

namespace {
constexpr int64_t kFullDiskRetryMs = 5000;
}

Reconciler::Reconciler(PartitionManager& manager) : manager_(manager) {}

const TopicSettings& Reconciler::settings_of(const std::string& topic,
                                             const metadata::Image& image) {
  const metadata::Topic* known = image.topic(topic);
  if (known == nullptr || known->configs.empty()) {
    if (!default_settings_) default_settings_ = manager_.topic_settings_({}, image);
    return *default_settings_;
  }
  auto found = settings_.find(topic);
  if (found == settings_.end())
    found = settings_.emplace(topic, manager_.topic_settings_(known->configs, image)).first;
  return found->second;
}

void Reconciler::settings_changed(const metadata::ImageChange& change) {
  if (change.broker_configs_changed) {
    default_settings_.reset();
    settings_.clear();
    look_at_all();
  }
  for (const auto* names : {&change.made, &change.configs_changed, &change.vanished}) {
    for (const std::string& topic : *names) settings_.erase(topic);
  }
}

LeaderState Reconciler::state_of(const TopicPartition& id, const metadata::Image& image) {
  LeaderState state;
  const metadata::Topic* topic = image.topic(id.topic);
  const metadata::Partition* partition = topic ? topic->partition(id.partition) : nullptr;
  if (partition == nullptr) return state;
  state.topic_id = topic->id;
  state.leader = partition->leader;
  state.leader_epoch = partition->leader_epoch;
  state.replicas = partition->replicas;
  state.isr = partition->isr;
  state.min_insync_replicas = settings_of(id.topic, image).min_insync_replicas;
  return state;
}

Reconciler::Step Reconciler::next_step(const TopicPartition& id, const Entry& entry,
                                       const metadata::Image& image) const {
  if (entry.loading) return Step::none;
  const metadata::Topic* topic = image.topic(id.topic);
  if (!entry.open) {
    const metadata::Partition* partition = topic ? topic->partition(id.partition) : nullptr;
    bool assigned = partition != nullptr && partition->is_replica(self_);
    if (!assigned) return entry.failed ? Step::forget : Step::none;
    return entry.failed ? Step::none : Step::make;
  }
  if (topic != nullptr &&
      (entry.topic_id.is_zero() || topic->id.is_zero() || topic->id == entry.topic_id)) {
    return Step::update;
  }
  // Gone, or made anew under its name.
  if (!entry.topic_id.is_zero())
    return image.deleted(entry.topic_id) != nullptr ? Step::remove : Step::set_aside;
  for (const metadata::DeletedTopic& record : image.deleted_topics) {
    if (record.name == id.topic) return Step::remove;
  }
  return Step::set_aside;
}

void Reconciler::look_at_all() {
  auto image = manager_.image();
  std::vector<std::string> gone;
  for (const auto& [name, partitions] : entries_) {
    if (image->topic(name) == nullptr) gone.push_back(name);
  }
  for (const auto& [name, topic] : image->topics) look_at(name);
  for (const std::string& name : gone) look_at(name);
}

void Reconciler::look_at(const std::string& name) {
  auto image = manager_.image();
  if (const metadata::Topic* topic = image->topic(name)) {
    for (size_t i = 0; i < topic->partitions.size(); ++i) {
      // of others, and not here: nothing to do
      if (!topic->partitions[i].is_replica(self_)) {
        auto known = entries_.find(name);
        if (known == entries_.end() || !known->second.contains(static_cast<int32_t>(i))) continue;
      }
      look_at(name, static_cast<int32_t>(i));
    }
  }
  auto known = entries_.find(name);
  if (known == entries_.end()) return;
  const metadata::Topic* topic = image->topic(name);
  std::vector<int32_t> gone;  // first collected: a look may end at once and change the table
  for (const auto& [partition, entry] : known->second) {
    if (topic == nullptr || static_cast<size_t>(partition) >= topic->partitions.size())
      gone.push_back(partition);
  }
  for (int32_t partition : gone) look_at(name, partition);
}

void Reconciler::look_at(const std::string& topic, int32_t partition) {
  if (ended_) return;
  Entry& entry = entries_[topic][partition];
  entry.look_again = true;
  if (entry.running) return;
  entry.running = true;
  ++running_;
  TopicPartition id{topic, PartitionId(partition)};
  runtime::spawn(manager_.home(), run(std::move(id)), "the opening and removing of logs");
}

asio::awaitable<void> Reconciler::run(TopicPartition id) {
  Entry& entry = entries_[id.topic][id.partition.value()];
  while (entry.look_again && !ended_) {
    entry.look_again = false;
    auto image = manager_.image();
    switch (next_step(id, entry, *image)) {
      case Step::none:
        break;
      case Step::forget:
        co_await forget(id, entry);
        break;
      case Step::make:
        co_await make(id, entry);
        break;
      case Step::update:
        co_await update(id, entry);
        break;
      case Step::remove:
        co_await take_away(id, entry, true);
        break;
      case Step::set_aside:
        co_await take_away(id, entry, false);
        break;
    }
  }
  entry.running = false;
  --running_;
  if (!entry.open && !entry.failed && !entry.loading) {
    auto topic = entries_.find(id.topic);
    topic->second.erase(id.partition.value());
    if (topic->second.empty()) {
      settings_.erase(id.topic);
      entries_.erase(topic);
    }
  }
  progress_.notify_all();
}

asio::awaitable<void> Reconciler::adopt(std::vector<log::LoadedLog> loaded) {
  std::vector<std::vector<log::LoadedLog*>> by_shard(manager_.table_.shard_count());
  for (log::LoadedLog& one : loaded) {
    by_shard[manager_.table_.shard_of(one.id)].push_back(&one);
    Entry& entry = entries_[one.id.topic][one.id.partition.value()];
    if (one.log) {
      entry.adopted = true;
      entry.topic_id = one.log->topic_id().value_or(Uuid{});
    }
  }
  for (size_t i = 0; i < by_shard.size(); ++i) {
    if (by_shard[i].empty()) continue;
    auto put = [this, i, &mine = by_shard[i]] {
      for (log::LoadedLog* one : mine) {
        if (one->log) {
          Offset mark = one->high_watermark.value_or(one->log->log_start_offset());
          put_in(i, one->id, std::move(one->log), one->directory, mark);
        } else {
          manager_.table_.shard(i).failed.insert(one->id);
        }
      }
    };
    co_await runtime::run_on(manager_.table_.executor(i), std::move(put));
  }
  for (const log::LoadedLog& one : loaded) {
    Entry& entry = entries_[one.id.topic][one.id.partition.value()];
    entry.loading = false;
    entry.open = entry.adopted;  // where it lies in two directories, one of them counts
    entry.failed = !entry.open;
    look_at(one.id.topic, one.id.partition.value());
  }
}

// On the shard.
void Reconciler::put_in(size_t shard, const TopicPartition& id, std::unique_ptr<log::Log> log,
                        size_t directory, Offset high_watermark) {
  auto partition = std::make_shared<Partition>(
      self_, manager_.table_.executor(shard), std::move(log), directory, manager_.clock_,
      manager_.background_, manager_, high_watermark, manager_.group_flush_.get());
  PartitionTable::Shard& table = manager_.table_.shard(shard);
  table.failed.erase(id);
  table.partitions[id] = std::move(partition);
}

asio::awaitable<void> Reconciler::install(TopicPartition id, std::unique_ptr<log::Log> log,
                                          Offset high_watermark) {
  size_t directory = manager_.logs_.directory_of(id).value_or(0);
  auto put = [this, &id, &log, directory, high_watermark] {
    put_in(manager_.table_.shard_of(id), id, std::move(log), directory, high_watermark);
  };
  co_await runtime::run_on(manager_.owner(id), std::move(put));
}

asio::awaitable<void> Reconciler::make(TopicPartition id, Entry& entry) {
  auto image = manager_.image();
  const metadata::Topic* topic = image->topic(id.topic);
  auto config = settings_of(id.topic, *image).log;
  std::optional<Uuid> topic_id;
  if (!topic->id.is_zero()) topic_id = topic->id;
  auto create = [this, &id, config, topic_id] {
    return manager_.logs_.create_log(id, config, topic_id);
  };
  auto made = co_await manager_.background_.run(std::move(create));
  if (!made) {
    if (!entry.told)
      LOG_ERROR("server", "The log of {} cannot be made: {}", id.to_string(), made.error().what());
    entry.failed = entry.told = true;
    if (made.error().code() == Errc::disk_full)
      runtime::spawn(manager_.home(), try_again(id), "another try to make a log");
    auto note = [this, &id] { manager_.table_.shard_for(id).failed.insert(id); };
    co_await runtime::run_on(manager_.owner(id), std::move(note));
    co_return;
  }
  entry.open = true;
  entry.topic_id = topic_id.value_or(Uuid{});
  entry.look_again = true;  // to learn its leader from the newest image
  Offset start = (*made)->log_start_offset();
  co_await install(id, std::move(*made), start);
}

// A log that could not be made or opened is not wanted any more.
asio::awaitable<void> Reconciler::forget(TopicPartition id, Entry& entry) {
  entry.failed = entry.told = false;
  auto note = [this, &id] { manager_.table_.shard_for(id).failed.erase(id); };
  co_await runtime::run_on(manager_.owner(id), std::move(note));
}

asio::awaitable<void> Reconciler::try_again(TopicPartition id) {
  co_await runtime::sleep_ms(kFullDiskRetryMs);
  auto topic = entries_.find(id.topic);
  if (topic == entries_.end() || !topic->second.contains(id.partition.value())) co_return;
  topic->second[id.partition.value()].failed = false;
  look_at(id.topic, id.partition.value());
}

asio::awaitable<void> Reconciler::update(TopicPartition id, Entry& entry) {
  auto image = manager_.image();
  LeaderState state = state_of(id, *image);
  auto config = settings_of(id.topic, *image).log;
  bool learn_id = entry.topic_id.is_zero() && !state.topic_id.is_zero();
  if (learn_id) entry.topic_id = state.topic_id;
  auto tell = [this, &id, &state, &config, learn_id] {
    auto partition = manager_.table_.find(id);
    if (!partition || partition->offline()) return;
    if (partition->log().directory().empty()) return;
    partition->log().set_config(config);
    if (learn_id) {
      auto stored = partition->log().set_topic_id(state.topic_id);
      if (!stored)
        LOG_WARN("server", "The topic id of {} cannot be stored: {}", id.to_string(),
                 stored.error().what());
    }
    manager_.tell(*partition, partition->apply(state));
  };
  co_await runtime::run_on(manager_.owner(id), std::move(tell));
}

asio::awaitable<void> Reconciler::take_away(TopicPartition id, Entry& entry, bool deleted) {
  auto take = [this, &id]() -> std::unique_ptr<log::Log> {
    auto& shard = manager_.table_.shard_for(id);
    auto found = shard.partitions.find(id);
    if (found == shard.partitions.end()) return nullptr;
    auto partition = std::move(found->second);
    shard.partitions.erase(found);
    bool led = partition->is_leader();
    auto log = partition->remove();
    if (led) manager_.tell_not_leader(id);
    return log;
  };
  auto log = co_await runtime::run_on(manager_.owner(id), std::move(take));
  entry.open = entry.adopted = false;
  entry.topic_id = Uuid{};
  entry.look_again = true;  // it may have been made anew under its name
  if (!log) co_return;
  int64_t delay_ms = log->config().file_delete_delay_ms;
  auto rename = [&log, deleted] {
    auto renamed = deleted ? log->rename_for_delete() : log->rename_as_stray();
    log.reset();
    return renamed;
  };
  auto renamed = co_await manager_.background_.run(std::move(rename));
  manager_.logs_.forget_log(id);
  if (!renamed) {
    LOG_ERROR("server", "The log of {} cannot be taken away: {}", id.to_string(),
              renamed.error().what());
  } else if (deleted) {
    LOG_INFO("server", "Log for partition {} is renamed to {} and is scheduled for deletion",
             id.to_string(), *renamed);
    remove_later(std::move(*renamed), delay_ms);
  } else {
    LOG_WARN(
        "server",
        "Log for partition {} belongs to no topic of this cluster, and no record says that it was "
        "deleted: it is set aside as {}; remove it when you are sure",
        id.to_string(), *renamed);
  }
}

void Reconciler::remove_later(std::string directory, int64_t delay_ms) {
  auto remove = [](Reconciler* self, std::string path, int64_t delay) -> asio::awaitable<void> {
    co_await runtime::sleep_ms(delay);
    auto work = [self, &path] { return self->manager_.logs_.remove_dir(path); };
    auto removed = co_await self->manager_.background_.run(std::move(work));
    if (!removed) LOG_WARN("server", "{} cannot be removed: {}", path, removed.error().what());
  };
  runtime::spawn(manager_.home(), remove(this, std::move(directory), delay_ms),
                 "the removal of a deleted log");
}

bool Reconciler::busy(const std::string& topic) const {
  auto found = entries_.find(topic);
  if (found == entries_.end()) return false;
  for (const auto& [partition, entry] : found->second) {
    if (entry.running) return true;
  }
  return false;
}

}  // namespace odradek::broker::replica
