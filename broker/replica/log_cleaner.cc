#include "broker/replica/log_cleaner.h"

#include <algorithm>

#include "broker/replica/housekeeping.h"
#include "common/format.h"
#include "common/log/log.h"
#include "common/runtime/background.h"
#include "common/runtime/owner.h"
#include "common/runtime/spawn.h"

namespace odradek::broker::replica {

namespace asio = boost::asio;

namespace {

constexpr int64_t kMinBuffer = 16384;

// Runs fn(Partition&) on the partition's shard. Nothing where it is another one by now, or gone.
template <typename Fn>
asio::awaitable<std::optional<std::invoke_result_t<Fn&, Partition&>>> on_partition(
    PartitionTable& table, const TopicPartition& id, const std::weak_ptr<Partition>& wanted,
    Fn fn) {
  using R = std::invoke_result_t<Fn&, Partition&>;
  auto visit = [&table, &id, &wanted, &fn]() -> std::optional<R> {
    auto found = table.find(id);
    if (!found || found->offline() || found != wanted.lock()) return std::nullopt;
    return fn(*found);
  };
  co_return co_await runtime::run_on(table.owner(id), std::move(visit));
}

bool is_failure_of_disk(Errc code) {
  return code == Errc::io_error || code == Errc::log_dir_offline || code == Errc::not_found ||
         code == Errc::permission_denied || code == Errc::already_exists;
}

}  // namespace

struct LogCleaner::Pass {
  TopicPartition id;
  std::weak_ptr<Partition> partition;
  std::unique_ptr<log::Cleaner> cleaner;
  int64_t begun_ms = 0;
};

LogCleaner::LogCleaner(SettingsNow settings_now, PartitionTable& table, log::LogManager& logs,
                       runtime::Background& background, const Clock& clock, runtime::Executor home,
                       Housekeeping& housekeeping, PartitionEvents& events)
    : settings_now_(std::move(settings_now)),
      settings_(settings_now_()),
      table_(table),
      logs_(logs),
      background_(background),
      clock_(clock),
      home_(home),
      housekeeping_(housekeeping),
      events_(events),
      throttle_(settings_.max_bytes_per_second, clock) {}

void LogCleaner::start() {
  if (!settings_.enable) return;
  ++running_;
  runtime::spawn(home_, run(0), "the compaction of logs");
}

// Number 0 alone: starts the others where there are to be more.
void LogCleaner::look_at_settings() {
  const bool enabled = settings_.enable;  // which only a restart changes
  settings_ = settings_now_();
  settings_.enable = enabled;
  throttle_.set_rate(settings_.max_bytes_per_second);
  for (; running_ < settings_.threads; ++running_) {
    runtime::spawn(home_, run(running_), "the compaction of logs");
  }
}

void LogCleaner::end() {
  ended_ = true;
  wake_.notify_all();
}

asio::awaitable<void> LogCleaner::run(int32_t number) {
  while (!ended_) {  // a broker that starts is left alone for a while
    co_await wake_.wait_ms(std::max<int64_t>(settings_.backoff_ms, 1));
    if (number == 0) look_at_settings();
    while (!ended_ && number < settings_.threads && co_await clean_one()) {
    }
    if (number > 0 && number >= settings_.threads) break;
    co_await checkpoint();  // of logs that were cut or are gone
  }
  --running_;
}

asio::awaitable<bool> LogCleaner::clean_one() {
  const std::optional<TopicPartition> chosen = co_await dirtiest();
  if (!chosen || ended_) co_return false;
  if (!cleaning_.insert(*chosen).second) co_return true;  // another was faster: look again
  co_await clean(*chosen);
  cleaning_.erase(*chosen);
  progress_.notify_all();
  co_return true;
}

asio::awaitable<std::optional<TopicPartition>> LogCleaner::dirtiest() {
  std::set<TopicPartition> passed_over = cleaning_;
  std::erase_if(not_before_ms_, [now = clock_.monotonic_ms()](const auto& item) {
    return item.second <= now;
  });
  for (const auto& [id, until] : not_before_ms_) passed_over.insert(id);
  std::optional<TopicPartition> best;
  double best_ratio = 0;
  auto look = [this, &passed_over, &best, &best_ratio](PartitionTable::Shard& shard) {
    for (auto& [id, partition] : shard.partitions) {
      log::Log& log = partition->log();
      if (partition->offline() || !log.config().cleanup_compact || passed_over.contains(id))
        continue;
      auto state = log.cleaning_state(partition->last_stable_offset());
      if (!state) {
        note_failure(*partition, state.error());
        continue;
      }
      if (!*state || (*state)->cleanable_bytes == 0) continue;
      const double ratio = (*state)->dirty_ratio();
      if ((*state)->overdue_ms <= 0 && ratio <= log.config().min_cleanable_dirty_ratio) continue;
      if (best && (ratio < best_ratio || (ratio == best_ratio && *best < id))) continue;
      best = id;
      best_ratio = ratio;
    }
  };
  co_await table_.on_every_shard(std::move(look));
  co_return best;
}

// On the partition's shard.
void LogCleaner::note_failure(Partition& partition, const Error& error) {
  if (error.code() == Errc::corrupt_record) {
    LOG_WARN("server", "Log {}: it cannot be compacted and is left as it is: {}",
             partition.id().to_string(), error.what());
    partition.log().mark_uncleanable();
  } else if (is_failure_of_disk(error.code())) {
    LOG_ERROR("server", "Log {}: compaction failed: {}", partition.id().to_string(), error.what());
    events_.on_log_failure(partition, error);
  }
}

asio::awaitable<void> LogCleaner::clean(TopicPartition id) {
  Pass pass;
  pass.id = id;
  pass.begun_ms = clock_.monotonic_ms();
  auto make_plan = [this, &id, &pass]() -> std::optional<log::CleaningPlan> {
    auto partition = table_.find(id);
    if (!partition || partition->offline()) return std::nullopt;
    auto plan = partition->log().plan_cleaning(partition->last_stable_offset());
    if (!plan) {
      note_failure(*partition, plan.error());
      return std::nullopt;
    }
    pass.partition = partition;
    return std::move(*plan);
  };
  auto plan = co_await runtime::run_on(table_.owner(id), std::move(make_plan));
  if (!plan) co_return;
  co_await checkpoint();  // that it is compacted; nothing is written where it said so before
  log::CleanerLimits limits;
  const int64_t threads = std::max(settings_.threads, 1);
  limits.map_bytes = static_cast<size_t>(settings_.dedupe_buffer_bytes / threads);
  limits.map_load_factor = settings_.load_factor;
  limits.io_buffer_bytes =  // as Kafka: half for reading, half for writing
      static_cast<size_t>(std::max(settings_.io_buffer_bytes / threads / 2, kMinBuffer));
  pass.cleaner =
      std::make_unique<log::Cleaner>(*logs_.context().files, std::move(*plan), limits);
  Result<bool> done = co_await steps(pass);
  if (done && *done) {
    co_await finish(pass);
    co_return;
  }
  auto abandon = [&pass] { return pass.cleaner->abandon(); };
  auto removed = co_await background_.run(std::move(abandon));
  if (!removed) LOG_WARN("server", "Log {}: {}", id.to_string(), removed.error().what());
  if (done) {
    LOG_INFO("server", "Log {}: compaction is given up: {}", id.to_string(),
             ended_ ? "the broker stops" : "segments were cut or taken away meanwhile");
  } else {
    co_await handle(pass, done.error());
  }
}

// True: all is done. False: given up, the log has changed or the broker stops.
asio::awaitable<Result<bool>> LogCleaner::steps(Pass& pass) {
  using Next = log::Cleaner::Next;
  while (true) {
    auto step = [&pass] { return pass.cleaner->step(); };
    Result<Next> next = co_await background_.run(std::move(step));
    if (!next) co_return next.error();
    const int64_t wait_ms = throttle_.spend(pass.cleaner->take_io_bytes());
    if (wait_ms > 0 && !ended_) co_await wake_.wait_ms(wait_ms);
    if (*next == Next::done) co_return true;
    if (ended_) co_return false;
    if (*next == Next::more) continue;
    Result<bool> swapped = co_await swap_in(pass);
    if (!swapped || !*swapped) co_return swapped;
    pass.cleaner->swapped();
  }
}

asio::awaitable<Result<void>> LogCleaner::sync_directory(const Pass& pass) {
  auto sync = [this, &pass] {
    return logs_.context().files->sync_dir(pass.cleaner->plan().directory);
  };
  co_return co_await background_.run(std::move(sync));
}

asio::awaitable<Result<bool>> LogCleaner::swap_in(Pass& pass) {
  auto begin = [&pass](Partition& partition) {
    return partition.log().begin_swap(pass.cleaner->plan().generation, pass.cleaner->ready());
  };
  auto begun = co_await on_partition(table_, pass.id, pass.partition, std::move(begin));
  if (!begun) co_return false;
  if (!*begun || !**begun) co_return *begun;
  Result<void> synced = co_await sync_directory(pass);
  if (!synced) co_return synced.error();
  auto finish = [](Partition& partition) { return partition.log().finish_swap(); };
  auto finished = co_await on_partition(table_, pass.id, pass.partition, std::move(finish));
  if (!finished) co_return false;
  if (!*finished) co_return finished->error();
  if (!**finished) co_return false;
  synced = co_await sync_directory(pass);
  if (!synced) co_return synced.error();
  const int64_t delay_ms = pass.cleaner->plan().config->file_delete_delay_ms;
  runtime::spawn(home_, housekeeping_.remove_later(delay_ms, std::move(***finished)),
                 "the removal of compacted segments");
  co_return true;
}

asio::awaitable<void> LogCleaner::finish(Pass& pass) {
  const log::CleaningPlan& plan = pass.cleaner->plan();
  const log::CleanerCounts& counts = pass.cleaner->counts();
  auto note = [&pass](Partition& partition) {
    partition.log().finish_cleaning(pass.cleaner->plan().generation, pass.cleaner->end_offset());
    return true;
  };
  co_await on_partition(table_, pass.id, pass.partition, std::move(note));
  LOG_INFO("server",
           "Log {}: compacted offsets {} to {} ({} keys) in {} ms: of {} records {} stay, of {} "
           "bytes {}",
           pass.id.to_string(), plan.first_dirty.value(), pass.cleaner->end_offset().value(),
           counts.keys, clock_.monotonic_ms() - pass.begun_ms, counts.records_read,
           counts.records_kept, counts.bytes_read, counts.bytes_kept);
  pass.cleaner.reset();  // the map's memory
  co_await checkpoint();
}

asio::awaitable<void> LogCleaner::handle(Pass& pass, Error error) {
  auto look = [this, &pass, &error](Partition& partition) {
    // what was cut or taken away under the cleaner's hands looks like a failure of the disk
    if (partition.log().generation() != pass.cleaner->plan().generation) return false;
    note_failure(partition, error);
    return true;
  };
  const auto as_planned =
      co_await on_partition(table_, pass.id, pass.partition, std::move(look));
  if (!as_planned.value_or(false) || error.code() == Errc::corrupt_record ||
      is_failure_of_disk(error.code())) {
    co_return;
  }
  LOG_WARN("server", "Log {}: compaction is given up for now: {}", pass.id.to_string(),
           error.what());
  not_before_ms_[pass.id] = clock_.monotonic_ms() + settings_.backoff_ms;
}

asio::awaitable<void> LogCleaner::checkpoint() {
  checkpoint_again_ = true;
  while (checkpointing_ && !ended_) co_await progress_.wait_ms(1000);
  if (!checkpoint_again_ || ended_) co_return;  // whoever wrote did so once more
  checkpointing_ = true;
  while (checkpoint_again_ && !ended_) {
    checkpoint_again_ = false;
    co_await housekeeping_.write_checkpoints(log::CheckpointKind::cleaner);
  }
  checkpointing_ = false;
  progress_.notify_all();
}

}  // namespace odradek::broker::replica
