#include "broker/replica/partition.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include "broker/replica/group_flush.h"
#include "common/check.h"
#include "common/format.h"
#include "common/log/log.h"
#include "common/runtime/background.h"
#include "common/runtime/scope_exit.h"
#include "common/runtime/timer.h"

namespace odradek::broker::replica {

namespace asio = boost::asio;

namespace {
Error not_leader() {
  return Error(Errc::not_leader_or_follower, "this broker does not lead the partition");
}
}  // namespace

Partition::Partition(BrokerId self, runtime::Executor executor, std::unique_ptr<log::Log> log,
                     size_t directory, const Clock& clock, runtime::Background& background,
                     PartitionEvents& events, Offset high_watermark, GroupFlush* group_flush)
    : self_(self),
      executor_(std::move(executor)),
      id_(log->id()),
      log_(std::move(log)),
      directory_(directory),
      clock_(clock),
      background_(background),
      events_(events),
      group_flush_(group_flush),
      high_watermark_(std::clamp(high_watermark, log_->log_start_offset(), log_->log_end_offset())),
      segments_(log_->segment_count()) {}

Partition::~Partition() = default;

Offset Partition::last_stable_offset() const {
  auto unstable = log_->first_unstable_offset();
  return unstable ? std::min(*unstable, high_watermark_) : high_watermark_;
}

Result<void> Partition::check_leader(std::optional<LeaderEpoch> current) const {
  if (offline_)
    return Error(Errc::log_dir_offline, "the log directory of " + id_.to_string() + " is offline");
  if (removed_)
    return Error(Errc::unknown_topic_or_partition, id_.to_string() + " is being removed");
  if (current && *current < state_.leader_epoch) {
    return Error(Errc::fenced_leader_epoch,
                 "the leader epoch is " + std::to_string(state_.leader_epoch.value()));
  }
  if (current && *current > state_.leader_epoch) {
    return Error(Errc::unknown_leader_epoch,
                 "the leader epoch here is " + std::to_string(state_.leader_epoch.value()));
  }
  if (!leader_) return not_leader();
  return {};
}

Result<void> Partition::check_append(int16_t required_acks) const {
  if (required_acks < -1 || required_acks > 1) {
    return Error(Errc::invalid_required_acks, "acks must be -1, 0 or 1");
  }
  auto leads = check_leader(std::nullopt);
  if (!leads) return leads;
  if (events_.is_disk_full(directory_)) {
    return Error(Errc::disk_full, "the disk of " + id_.to_string() + " is full");
  }
  if (required_acks == -1 && static_cast<int32_t>(state_.isr.size()) < state_.min_insync_replicas) {
    return Error(Errc::not_enough_replicas,
                 "The size of the current ISR : " + std::to_string(state_.isr.size()) +
                     " is insufficient to satisfy the min.isr requirement of " +
                     std::to_string(state_.min_insync_replicas) + " for partition " +
                     id_.to_string());
  }
  return {};
}

Result<AppendInfo> Partition::append_as_leader(std::span<char> batches, int16_t required_acks,
                                               AppendOrigin origin,
                                               std::vector<RecordError>* record_errors) {
  auto allowed = check_append(required_acks);
  if (!allowed) return allowed.error();
  return finish_append(log_->append_as_leader(batches, state_.leader_epoch, origin, record_errors));
}

Result<AppendInfo> Partition::finish_append(Result<AppendInfo> appended) {
  if (!appended) {
    const Error& error = appended.error();
    if (error.code() == Errc::log_dir_offline || error.code() == Errc::io_error) fail(error);
    if (error.code() == Errc::disk_full && !disk_full_) {
      disk_full_ = true;
      LOG_ERROR("server", "Nothing can be appended to {} until there is room: {}", id_.to_string(),
                error.what());
    }
    if (error.code() == Errc::disk_full) events_.on_disk_full(*this);
    return appended;
  }
  if (disk_full_) {
    disk_full_ = false;
    LOG_INFO("server", "There is room again: {} takes records", id_.to_string());
  }
  if (group_flush_ != nullptr) {
    ask_for_group_flush();
    return appended;
  }
  advance_high_watermark();
  if (log_->segment_count() != segments_) {  // rolled: what is full goes to the disk
    segments_ = log_->segment_count();
    start_flush();
  }
  return appended;
}

bool Partition::flush_due() const {
  return log_->unflushed_offsets() >= log_->config().flush_messages;
}

bool Partition::append_must_wait(ByteView batches) const {
  return append_busy_ || log::must_be_opened(batches, log_->config()) ||
         log_->config().flush_messages < INT64_MAX;
}

asio::awaitable<void> Partition::take_append_turn() {
  if (!append_busy_) {
    append_busy_ = true;
    co_return;
  }
  auto executor = co_await asio::this_coro::executor;
  auto initiate = [this, executor](auto handler) {
    auto resume = std::make_shared<decltype(handler)>(std::move(handler));
    append_turns_.push_back(
        [executor, resume] { asio::post(executor, [resume] { (*resume)(); }); });
  };
  auto token = asio::use_awaitable;
  co_await asio::async_initiate<asio::use_awaitable_t<>, void()>(std::move(initiate), token);
}

void Partition::end_append_turn() {
  if (append_turns_.empty()) {
    append_busy_ = false;
    return;
  }
  auto next = std::move(append_turns_.front());
  append_turns_.pop_front();
  next();
}

asio::awaitable<Result<AppendInfo>> Partition::append(std::span<char> batches,
                                                      int16_t required_acks,
                                                      std::vector<RecordError>* record_errors) {
  auto self = shared_from_this();
  co_await take_append_turn();
  auto appended = co_await append_in_turn(batches, required_acks, record_errors);
  if (appended && flush_due()) {
    auto flushed = co_await flush_now();
    if (!flushed) co_return flushed.error();
  }
  co_return appended;
}

// The turn ends here whatever happens: those behind it would wait for ever.
asio::awaitable<Result<AppendInfo>> Partition::append_in_turn(
    std::span<char> batches, int16_t required_acks, std::vector<RecordError>* record_errors) {
  runtime::ScopeExit turn([this] { end_append_turn(); });
  auto allowed = check_append(required_acks);
  if (!allowed) co_return allowed.error();
  auto prepare = [batches, config = log_->config(), now = clock_.wall_ms(), record_errors] {
    return log::prepare_append(batches, config, AppendOrigin::client, now, record_errors);
  };
  std::optional<Result<log::PreparedAppend>> prepared;
  if (log::must_be_opened(ByteView(batches.data(), batches.size()), log_->config())) {
    prepared.emplace(co_await background_.run(std::move(prepare)));
    allowed = check_append(required_acks);
  } else {
    prepared.emplace(prepare());
  }
  if (!allowed) co_return allowed.error();
  if (!*prepared) co_return prepared->error();
  co_return finish_append(
      log_->append_prepared(**prepared, state_.leader_epoch, AppendOrigin::client));
}

Result<ReadResult> Partition::read(Offset from, size_t max_bytes, ReadLimit limit,
                                   bool at_least_one) {
  auto leads = check_leader(std::nullopt);
  if (!leads) return leads.error();
  Offset upper = log_->log_end_offset();
  if (limit == ReadLimit::high_watermark) upper = high_watermark_;
  if (limit == ReadLimit::last_stable_offset) upper = last_stable_offset();
  ReadResult result;
  result.high_watermark = high_watermark_;
  result.last_stable_offset = last_stable_offset();
  result.log_start_offset = log_->log_start_offset();
  result.log_end_offset = log_->log_end_offset();
  auto slice = log_->read(from, max_bytes, at_least_one, upper);
  if (!slice) {
    if (slice.error().code() == Errc::io_error || slice.error().code() == Errc::log_dir_offline)
      fail(slice.error());
    return slice.error();
  }
  result.slice = std::move(*slice);
  return result;
}

Result<ListedOffset> Partition::list_offset(int64_t timestamp, ReadLimit limit) {
  ListedOffset listed;
  if (timestamp == log::kLatestTimestamp) {
    listed.offset = limit == ReadLimit::last_stable_offset ? last_stable_offset()
                    : limit == ReadLimit::high_watermark   ? high_watermark_
                                                           : log_->log_end_offset();
    listed.leader_epoch = state_.leader_epoch;
    return listed;
  }
  auto found = log_->offset_for_timestamp(timestamp);
  if (!found) {
    if (found.error().code() == Errc::io_error || found.error().code() == Errc::log_dir_offline)
      fail(found.error());
    return found.error();
  }
  if (!*found) return listed;
  Offset end = limit == ReadLimit::last_stable_offset ? last_stable_offset() : high_watermark_;
  if (limit != ReadLimit::log_end && timestamp >= 0 && (*found)->offset >= end) return listed;
  listed.offset = (*found)->offset;
  listed.timestamp_ms = (*found)->timestamp_ms;
  listed.leader_epoch = (*found)->leader_epoch;
  return listed;
}

Result<Offset> Partition::delete_records(int64_t offset) {
  const Offset start = offset == -1 ? high_watermark_ : Offset(offset);
  if (start < Offset(0) || start > high_watermark_) {
    return Error(Errc::offset_out_of_range,
                 format("{} is not between 0 and the high watermark {}", start.value(),
                        high_watermark_.value()));
  }
  if (auto moved = log_->advance_log_start(start); !moved) {
    const Errc code = moved.error().code();
    if (code == Errc::log_dir_offline || code == Errc::io_error) fail(moved.error());
    return moved.error();
  }
  return log_->log_start_offset();
}

Partition::WaitId Partition::wait_past(Offset end, std::function<void()> wake) {
  if (removed_ || offline_ || !leader_ || high_watermark_ > end) {
    wake();
    return 0;
  }
  return add_waiter(end, false, std::move(wake));
}

Partition::WaitId Partition::add_waiter(Offset end, bool for_disk, std::function<void()> wake) {
  waiters_.push_back({++last_wait_, end, std::move(wake), for_disk});
  return last_wait_;
}

void Partition::cancel_wait(WaitId id) {
  if (id == 0) return;
  auto found = std::find_if(waiters_.begin(), waiters_.end(),
                            [id](const Waiter& waiter) { return waiter.id == id; });
  if (found != waiters_.end()) waiters_.erase(found);
}

void Partition::wake_waiters(bool all) {
  std::list<Waiter> woken;
  for (auto at = waiters_.begin(); at != waiters_.end();) {
    auto next = std::next(at);
    if (all || at->end < (at->for_disk ? log_->recovery_point() : high_watermark_)) {
      woken.splice(woken.end(), waiters_, at);
    }
    at = next;
  }
  for (Waiter& waiter : woken) waiter.wake();
}

void Partition::advance_high_watermark() {
  // The leader is the only in-sync replica, so what it has is on all of them.
  bool alone = state_.isr.empty() || (state_.isr.size() == 1 && state_.isr.front() == self_);
  if (!leader_ || !alone) return;
  Offset reached = log_->log_end_offset();
  if (group_flush_ != nullptr) {
    reached = std::min(reached, std::max(high_watermark_, log_->recovery_point()));
  }
  high_watermark_ = reached;
  if (!waiters_.empty()) wake_waiters(false);
}

bool Partition::is_acknowledged(Offset end, int16_t acks) const {
  if (acks == 0) return true;
  if (acks == -1 && high_watermark_ < end) return false;
  return group_flush_ == nullptr || log_->recovery_point() >= end;
}

asio::awaitable<Result<void>> Partition::wait_acknowledged(Offset end, int16_t acks,
                                                           int64_t timeout_ms) {
  auto self = shared_from_this();
  const int64_t deadline = clock_.monotonic_ms() + timeout_ms;
  const LeaderEpoch epoch = state_.leader_epoch;
  runtime::Signal signal;
  while (true) {
    if (Result<void> leads = check_leader(std::nullopt); !leads) {
      if (removed_) co_return not_leader();
      co_return leads;
    }
    if (state_.leader_epoch != epoch) co_return not_leader();
    if (is_acknowledged(end, acks)) co_return Result<void>();
    const int64_t left = acks == -1 ? deadline - clock_.monotonic_ms() : int64_t{60000};
    if (left <= 0) co_return Error(Errc::timed_out, "the in-sync replicas did not follow in time");
    const bool for_disk = acks != -1 || high_watermark_ >= end;
    WaitId id = add_waiter(end - 1, for_disk, [&signal] { signal.notify_all(); });
    co_await signal.wait_ms(left);
    cancel_wait(id);
  }
}

Partition::Turn Partition::apply(const LeaderState& state) {
  const bool led = leader_;
  const bool new_epoch = state.leader_epoch != state_.leader_epoch;
  state_ = state;
  leader_ = state.leader == self_ && !removed_ && !offline_;
  if (leader_ && (!led || new_epoch)) {
    auto begun = log_->begin_leader_epoch(state.leader_epoch);
    if (!begun) {
      fail(begun.error());
      return led ? Turn::stopped_leading : Turn::none;
    }
  }
  advance_high_watermark();
  // what a recovery found may be in memory alone
  if (leader_ && group_flush_ != nullptr && log_->unflushed_offsets() > 0) ask_for_group_flush();
  if (leader_ && (!led || new_epoch)) {
    if (led) wake_waiters(true);  // of the epoch before
    return Turn::became_leader;
  }
  if (!leader_ && led) {
    wake_waiters(true);
    return Turn::stopped_leading;
  }
  return Turn::none;
}

std::unique_ptr<log::Log> Partition::remove() {
  removed_ = true;
  leader_ = false;
  wake_waiters(true);
  return std::move(log_);
}

std::unique_ptr<log::Log> Partition::exchange_log(std::unique_ptr<log::Log> log,
                                                  size_t directory) {
  CHECK(log->log_end_offset() == log_->log_end_offset());
  log->set_config(log_->shared_config());
  std::unique_ptr<log::Log> former = std::exchange(log_, std::move(log));
  directory_ = directory;
  segments_ = log_->segment_count();
  if (leader_) {
    if (auto begun = log_->begin_leader_epoch(state_.leader_epoch); !begun) fail(begun.error());
  }
  // whoever waits for the disk waits for this one now
  if (group_flush_ != nullptr && !offline_ && log_->unflushed_offsets() > 0) ask_for_group_flush();
  synced();
  return former;
}

void Partition::set_offline() {
  offline_ = true;
  leader_ = false;
  wake_waiters(true);
}

void Partition::fail(const Error& error) {
  if (offline_ || removed_) return;
  events_.on_log_failure(*this, error);
}

void Partition::start_flush() {
  if (flushing_ || removed_ || offline_) return;
  auto begun = log_->begin_flush();
  if (!begun) return fail(begun.error());
  if (begun->empty()) {
    log_->finish_flush(*begun);
    return;
  }
  auto work = std::make_shared<log::FlushWork>(std::move(*begun));
  auto run = [work] { return work->run(); };
  auto done = [self = shared_from_this(), work](Result<void> flushed) {
    self->flushing_ = false;
    self->flush_ended_.notify_all();
    if (self->removed_) return;
    if (!flushed) return self->fail(flushed.error());
    self->log_->finish_flush(*work);
    self->synced();
  };
  // where the pool is behind, the next roll or the flush scheduler asks again
  flushing_ = background_.post(std::move(run), executor_, std::move(done));
}

asio::awaitable<Result<void>> Partition::flush_now() {
  // one that is on its way has the names of new files, which this one would not wait for
  while (flushing_) co_await flush_ended_.wait_ms(60000);
  if (removed_ || offline_)
    co_return Error(Errc::not_leader_or_follower, "the partition went while it was flushed");
  auto begun = log_->begin_flush();
  if (!begun) {
    fail(begun.error());
    co_return begun.error();
  }
  auto run = [&begun] { return begun->run(); };
  auto flushed = co_await background_.run(std::move(run));
  if (removed_)
    co_return Error(Errc::not_leader_or_follower, "the partition went while it was flushed");
  if (!flushed) {
    fail(flushed.error());
    co_return flushed;
  }
  // of a log that another one has replaced: it is not on the disk of that one
  if (!log_->finish_flush(*begun)) co_return co_await flush_now();
  synced();
  co_return Result<void>();
}

void Partition::ask_for_group_flush() {
  auto begun = log_->begin_flush(log::FlushScope::records);
  if (!begun) return fail(begun.error());
  group_flush_->add(*this, std::move(*begun));
}

void Partition::end_group_flush(const log::FlushWork& work, const Result<void>& flushed) {
  if (removed_ || offline_) return;
  if (!flushed) return fail(flushed.error());
  log_->finish_flush(work);
  synced();
}

// The recovery point has moved: with log.flush.policy=group others waited for that.
void Partition::synced() {
  if (group_flush_ == nullptr) return;
  advance_high_watermark();
  if (!waiters_.empty()) wake_waiters(false);
}

}  // namespace odradek::broker::replica
