#include "broker/group/group_partition.h"

#include <utility>

#include "broker/group/group_loader.h"
#include "broker/log/log.h"
#include "broker/log/record_batch_builder.h"
#include "broker/replica/partition.h"
#include "common/check.h"
#include "common/log/log.h"
#include "common/runtime/background.h"
#include "common/runtime/scope_exit.h"
#include "common/runtime/spawn.h"
#include "common/runtime/thrown.h"

namespace odradek::broker::group {

namespace {

namespace asio = boost::asio;

// Of one append; a single larger write goes alone, and the topic's max.message.bytes decides.
constexpr size_t kMaxBatchBytes = 512 << 10;
// Behind an append that waits for its replicas. Beyond, requests are refused.
constexpr size_t kMaxQueuedBytes = 16 << 20;

std::string member_uuid() {
  // as java.util.UUID prints itself
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  Uuid id = Uuid::random();
  for (size_t i = 0; i < id.bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += kHex[id.bytes[i] >> 4];
    text += kHex[id.bytes[i] & 15];
  }
  return text;
}

size_t size_of(const StoredRecord& record) {
  return record.key.size() + (record.value ? record.value->size() : 0) + 32;
}

size_t size_of(const Write& write) {
  size_t bytes = 0;
  for (const StoredRecord& record : write.records) bytes += size_of(record);
  return bytes;
}

// What a client can do about a failed append.
Errc client_error(Errc error, const Write& write) {
  switch (error) {
    case Errc::not_leader_or_follower:
    case Errc::fenced_leader_epoch:
    case Errc::unknown_topic_or_partition:
    case Errc::log_dir_offline:
    case Errc::io_error:
      return Errc::not_coordinator;
    case Errc::not_enough_replicas:
    case Errc::disk_full:
    case Errc::timed_out:
    case Errc::limit_exceeded:
      return Errc::coordinator_not_available;
    case Errc::record_too_large:
      return std::holds_alternative<OffsetsWrite>(write.purpose) ? Errc::invalid_commit_offset_size
                                                                 : Errc::internal;
    default:
      return error;
  }
}

}  // namespace

GroupPartition::GroupPartition(TopicPartition id, std::shared_ptr<const GroupContext> context,
                               runtime::Executor shard, std::function<void()> deadline_moved)
    : id_(std::move(id)),
      context_(std::move(context)),
      shard_(shard),
      deadline_moved_(std::move(deadline_moved)),
      set_(std::make_unique<GroupSet>(context_->settings, member_uuid)) {}

std::optional<Errc> GroupPartition::unready() const {
  switch (status_) {
    case Status::serving:
      return std::nullopt;
    case Status::loading:
      return Errc::coordinator_load_in_progress;
    case Status::failed:
      return Errc::coordinator_not_available;
    case Status::ended:
      return Errc::not_coordinator;
  }
  return Errc::not_coordinator;
}

boost::asio::awaitable<void> GroupPartition::load() {
  auto self = shared_from_this();
  int64_t started_ms = context_->clock->monotonic_ms();
  std::optional<Offset> next;
  ReplayedBatches total;
  size_t stretch = static_cast<size_t>(std::max(context_->settings.offsets_load_buffer_bytes, 1));
  while (status_ == Status::loading) {
    auto partition = context_->partitions->find(id_);
    if (!partition) {
      // it stopped leading; who tells end() comes soon
      LOG_INFO("server", "{}: loading of groups ends early: {}", id_.to_string(),
               partition.error().what());
      status_ = Status::failed;
      co_return;
    }
    if (!next) next = (*partition)->log_start_offset();
    auto read = (*partition)->read(*next, stretch, replica::ReadLimit::log_end, true);
    if (!read) {
      LOG_ERROR("server", "{}: groups cannot be loaded: {}", id_.to_string(), read.error().what());
      status_ = Status::failed;
      co_return;
    }
    if (read->slice.size == 0) break;
    auto replay = [this, slice = read->slice, from = *next]() -> Result<ReplayedBatches> {
      auto bytes = log::Log::read_bytes(slice);
      if (!bytes) return bytes.error();
      return replay_batches(*bytes, from, context_->now(), *set_);
    };
    auto replayed = co_await context_->background->run(std::move(replay));
    if (!replayed) {
      LOG_ERROR("server", "{}: groups cannot be loaded: {}", id_.to_string(),
                replayed.error().what());
      status_ = Status::failed;
      co_return;
    }
    total.records += replayed->records;
    total.unreadable += replayed->unreadable;
    if (replayed->next <= *next) break;  // no whole batch
    next = replayed->next;
  }
  if (status_ != Status::loading) co_return;
  status_ = Status::serving;
  Outbox out;
  set_->activate(context_->now(), out);
  if (!deleted_while_loading_.empty()) set_->delete_topics(deleted_while_loading_, out);
  deleted_while_loading_.clear();
  handle(std::move(out));
  if (total.records > 0) {
    LOG_INFO("server", "{}: {} groups with {} offsets loaded from {} records in {} ms",
             id_.to_string(), set_->group_count(), set_->offset_count(), total.records,
             context_->clock->monotonic_ms() - started_ms);
  }
  if (set_->unknown_records() > 0) {
    LOG_WARN("server",
             "{}: {} records of other kinds of groups are passed over (KIP-848, share groups)",
             id_.to_string(), set_->unknown_records());
  }
}

void GroupPartition::end() {
  if (status_ == Status::ended) return;
  bool was_serving = status_ == Status::serving;
  status_ = Status::ended;
  if (was_serving) {
    Outbox out;
    set_->abandon(Errc::not_coordinator, out);
    for (Reply& reply : out.replies) deliver(std::move(reply));
  }
  std::vector<Write> queued(std::make_move_iterator(writes_.begin()),
                            std::make_move_iterator(writes_.end()));
  writes_.clear();
  Outbox refused = refuse(std::move(queued), Errc::not_coordinator);
  for (Reply& reply : refused.replies) deliver(std::move(reply));
}

void GroupPartition::join(const JoinRequest& request, RequestToken token, OnReply on_reply) {
  waiting_.emplace(token, std::move(on_reply));
  Outbox out;
  set_->join(request, token, context_->now(), out);
  handle(std::move(out));
}

void GroupPartition::sync(const SyncRequest& request, RequestToken token, OnReply on_reply) {
  waiting_.emplace(token, std::move(on_reply));
  Outbox out;
  set_->sync(request, token, context_->now(), out);
  handle(std::move(out));
}

void GroupPartition::commit(const CommitRequest& request, RequestToken token, OnReply on_reply) {
  waiting_.emplace(token, std::move(on_reply));
  Outbox out;
  set_->commit(request, token, context_->now(), out);
  handle(std::move(out));
}

void GroupPartition::delete_offsets(const DeleteOffsetsRequest& request, RequestToken token,
                                    OnReply on_reply) {
  waiting_.emplace(token, std::move(on_reply));
  Outbox out;
  set_->delete_offsets(request, token, out);
  handle(std::move(out));
}

void GroupPartition::remove(const std::string& group_id, RequestToken token, OnReply on_reply) {
  waiting_.emplace(token, std::move(on_reply));
  Outbox out;
  set_->remove(group_id, token, out);
  handle(std::move(out));
}

void GroupPartition::forget(const std::string& group_id, RequestToken token) {
  if (waiting_.erase(token) == 0 || status_ != Status::serving) return;
  Outbox out;
  set_->forget(group_id, token, context_->now(), out);
  handle(std::move(out));
}

std::optional<Errc> GroupPartition::heartbeat(const HeartbeatRequest& request) {
  Outbox out;
  auto error = set_->heartbeat(request, context_->now(), out);
  handle(std::move(out));
  return error;
}

LeaveResponse GroupPartition::leave(const LeaveRequest& request) {
  Outbox out;
  LeaveResponse response = set_->leave(request, context_->now(), out);
  handle(std::move(out));
  return response;
}

void GroupPartition::topics_deleted(const std::vector<std::string>& topics) {
  if (status_ == Status::loading) {
    deleted_while_loading_.insert(topics.begin(), topics.end());
  } else if (status_ == Status::serving) {
    Outbox out;
    set_->delete_topics(std::set<std::string>(topics.begin(), topics.end()), out);
    handle(std::move(out));
  }
}

void GroupPartition::tick() {
  if (status_ != Status::serving) return;
  Outbox out;
  set_->tick(context_->now(), out);
  handle(std::move(out));
}

void GroupPartition::handle(Outbox out) {
  for (Reply& reply : out.replies) deliver(std::move(reply));
  for (Write& write : out.writes) {
    size_t bytes = size_of(write);
    if (queued_bytes_ + bytes > kMaxQueuedBytes && !writes_.empty()) {
      std::vector<Write> refused;
      refused.push_back(std::move(write));
      handle(refuse(std::move(refused), Errc::coordinator_not_available));
      continue;
    }
    queued_bytes_ += bytes;
    writes_.push_back(std::move(write));
  }
  store_writes();
  deadline_moved_();
}

void GroupPartition::deliver(Reply reply) {
  auto waiter = waiting_.extract(reply.token);
  if (waiter) waiter.mapped()(std::move(reply.body));
}

// Replies of writes that will not be stored.
Outbox GroupPartition::refuse(std::vector<Write> writes, Errc error) {
  Outbox out;
  for (const Write& write : writes) {
    set_->written(write, client_error(error, write), context_->now(), out);
  }
  return out;
}

std::vector<Write> GroupPartition::take_writes() {
  std::vector<Write> taken;
  size_t bytes = 0;
  while (!writes_.empty()) {
    Write& front = writes_.front();
    size_t size = size_of(front);
    if (front.splittable && size > kMaxBatchBytes && taken.empty()) {
      // tombstones may be stored in several appends; only the last one carries what the write was
      // for
      Write part;
      part.group_id = front.group_id;
      part.purpose = CleanupWrite();
      size_t part_bytes = 0;
      size_t count = 0;
      while (count < front.records.size() && part_bytes < kMaxBatchBytes)
        part_bytes += size_of(front.records[count++]);
      part.records.assign(
          std::make_move_iterator(front.records.begin()),
          std::make_move_iterator(front.records.begin() + static_cast<ptrdiff_t>(count)));
      front.records.erase(front.records.begin(),
                          front.records.begin() + static_cast<ptrdiff_t>(count));
      queued_bytes_ -= std::min(queued_bytes_, part_bytes);
      taken.push_back(std::move(part));
      return taken;
    }
    if (!taken.empty() && bytes + size > kMaxBatchBytes) break;
    bytes += size;
    queued_bytes_ -= std::min(queued_bytes_, size);
    taken.push_back(std::move(front));
    writes_.pop_front();
  }
  return taken;
}

// Memory that is short for a batch is an append that failed: those who wait for it are told so.
Result<Offset> GroupPartition::append(const std::vector<Write>& writes, Offset* last) {
  try {
    return append_batch(writes, last);
  } catch (...) {
    return runtime::error_of(std::current_exception());
  }
}

Result<Offset> GroupPartition::append_batch(const std::vector<Write>& writes, Offset* last) {
  auto partition = context_->partitions->find(id_);
  if (!partition) return partition.error();
  log::BatchOptions options;
  options.codec = static_cast<compress::Codec>(context_->settings.offsets_topic_compression);
  options.leader_epoch = (*partition)->leader_epoch();
  log::RecordBatchBuilder builder(options);
  int64_t now_ms = context_->clock->wall_ms();
  for (const Write& write : writes) {
    for (const StoredRecord& record : write.records) {
      std::optional<ByteView> value;
      if (record.value) value = *record.value;
      builder.add(now_ms, ByteView(record.key), value);
    }
  }
  auto batch = builder.build();
  if (!batch) return batch.error();
  auto appended =
      (*partition)
          ->append_as_leader(std::move(*batch), context_->settings.offsets_commit_required_acks,
                             replica::AppendOrigin::coordinator);
  if (!appended) return appended.error();
  *last = appended->last_offset;
  return appended->first_offset;
}

void GroupPartition::store_writes() {
  if (storing_ || in_flight_) return;
  storing_ = true;
  runtime::ScopeExit over([this] { storing_ = false; });
  while (!writes_.empty() && !in_flight_ && status_ == Status::serving) {
    std::vector<Write> writes = take_writes();
    Offset last;
    auto first = append(writes, &last);
    if (!first) {
      if (!store_failed_) {
        LOG_WARN("server", "{}: a record could not be stored: {}", id_.to_string(),
                 first.error().what());
        store_failed_ = true;
      }
      stored(std::move(writes), Offset(-1), first.error().code(), false);
      continue;
    }
    store_failed_ = false;
    auto partition = context_->partitions->find(id_);
    const int16_t acks = context_->settings.offsets_commit_required_acks;
    if (partition && !(*partition)->is_acknowledged(last + 1, acks)) {
      in_flight_ = true;
      auto wait = store_acknowledged(std::move(writes), *first, last);
      runtime::spawn(shard_, std::move(wait), "the storing of group records");
    } else {
      stored(std::move(writes), *first, std::nullopt, true);
    }
  }
}

boost::asio::awaitable<void> GroupPartition::store_acknowledged(std::vector<Write> writes,
                                                                Offset first, Offset last) {
  auto self = shared_from_this();
  Result<void> waited;
  auto partition = context_->partitions->find(id_);
  if (partition) {
    auto kept = (*partition)->shared_from_this();
    waited = co_await kept->wait_acknowledged(last + 1,
                                              context_->settings.offsets_commit_required_acks,
                                              context_->settings.offsets_commit_timeout_ms);
  } else {
    waited = partition.error();
  }
  in_flight_ = false;
  if (status_ == Status::ended) {
    Outbox refused = refuse(std::move(writes), Errc::not_coordinator);
    for (Reply& reply : refused.replies) deliver(std::move(reply));
    co_return;
  }
  std::optional<Errc> error;
  if (!waited) error = waited.error().code();
  // It stands in the log and counts when this broker, or the next leader, reads it again: so it
  // does here.
  stored(std::move(writes), first, error, true);
  store_writes();
}

void GroupPartition::stored(std::vector<Write> writes, Offset first, std::optional<Errc> error,
                            bool in_log) {
  Outbox out;
  Now now = context_->now();
  Offset offset = first;
  for (const Write& write : writes) {
    if (in_log) {
      for (const StoredRecord& record : write.records) {
        std::optional<ByteView> value;
        if (record.value) value = *record.value;
        auto replayed = set_->replay(record.key, value, offset, std::nullopt, now, out);
        CHECK(replayed);  // what we encoded ourselves
        ++offset;
      }
    }
    std::optional<Errc> told;
    if (error) told = client_error(*error, write);
    set_->written(write, told, now, out);
  }
  handle(std::move(out));
}

}  // namespace odradek::broker::group
