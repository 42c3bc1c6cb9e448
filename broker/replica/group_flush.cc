#include "broker/replica/group_flush.h"

#include <algorithm>
#include <boost/asio/post.hpp>

#include "broker/replica/partition.h"
#include "common/check.h"
#include "common/runtime/thrown.h"

namespace odradek::broker::replica {

namespace {

// Never throws: who waits for the round would wait for ever.
Result<void> sync(fs::FileSystem& files, const std::string& directory,
                  const std::vector<log::FlushWork*>& works) {
  try {
    return log::FlushWork::run_together(files, directory, works);
  } catch (...) {
    return runtime::error_of(std::current_exception());
  }
}

}  // namespace

GroupFlush::GroupFlush(fs::FileSystem& files, runtime::Background& background,
                       const std::vector<std::string>& directories)
    : files_(files), background_(background) {
  for (const std::string& path : directories) {
    directories_.push_back(std::make_shared<Directory>());
    directories_.back()->path = path;
  }
}

void GroupFlush::add(Partition& partition, log::FlushWork work) {
  CHECK(partition.directory() < directories_.size());
  const std::shared_ptr<Directory>& directory = directories_[partition.directory()];
  {
    std::lock_guard lock(directory->mutex);
    std::vector<Entry>& waiting = directory->waiting;
    size_t& slot = partition.group_flush_slot_;
    if (slot < waiting.size() && waiting[slot].partition.get() == &partition) {
      waiting[slot].work.add_later(std::move(work));
      return;
    }
    slot = waiting.size();
    waiting.push_back({partition.shared_from_this(), std::move(work)});
    if (directory->is_running) return;
    directory->is_running = true;
  }
  auto start = [&files = files_, &background = background_, directory] {
    run(files, background, directory);
  };
  // a pool that is so far behind, or has stopped: here, where it holds up what causes it
  if (!background_.post(start)) start();
}

void GroupFlush::run(fs::FileSystem& files, runtime::Background& background,
                     const std::shared_ptr<Directory>& directory) {
  while (true) {
    std::vector<Entry> round;
    {
      std::lock_guard lock(directory->mutex);
      round.swap(directory->waiting);
      if (round.empty()) {
        directory->is_running = false;
        return;
      }
    }
    run_round(files, directory->path, std::move(round));
    // behind what else waits for the pool
    auto go_on = [&files, &background, directory] { run(files, background, directory); };
    if (background.queued() > 0 && background.post(go_on)) return;
  }
}

void GroupFlush::run_round(fs::FileSystem& files, const std::string& directory,
                           std::vector<Entry> round) {
  std::vector<log::FlushWork*> works;
  for (Entry& entry : round) works.push_back(&entry.work);
  const Result<void> synced = sync(files, directory, works);
  // one message for each shard
  std::vector<std::pair<runtime::Executor, std::vector<Entry>>> by_shard;
  for (Entry& entry : round) {
    runtime::Executor executor = entry.partition->executor();
    auto found = std::find_if(by_shard.begin(), by_shard.end(),
                              [&](const auto& row) { return row.first == executor; });
    if (found == by_shard.end()) found = by_shard.insert(found, {executor, {}});
    found->second.push_back(std::move(entry));
  }
  for (auto& [executor, entries] : by_shard) {
    auto tell = [entries = std::make_shared<std::vector<Entry>>(std::move(entries)), synced] {
      for (Entry& entry : *entries) entry.partition->end_group_flush(entry.work, synced);
    };
    boost::asio::post(executor, std::move(tell));
  }
}

}  // namespace odradek::broker::replica
