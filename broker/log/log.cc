#include "broker/log/log.h"

#include <algorithm>
#include <atomic>

#include "broker/log/record.h"
#include "common/check.h"
#include "common/format.h"
#include "common/log/log.h"

namespace odradek::broker::log {
namespace {

// segment.jitter.ms spreads the rolls of many logs; the same segment always gets the same share of
// it.
int64_t jitter_ms(const LogConfig& config, const std::string& directory, Offset base_offset) {
  const int64_t range = std::min(config.segment_jitter_ms, config.segment_ms);
  if (range <= 0) return 0;
  size_t hash =
      std::hash<std::string>()(directory) * 31 + std::hash<int64_t>()(base_offset.value());
  return static_cast<int64_t>(hash % static_cast<size_t>(range));
}

std::atomic<uint64_t> last_number = 0;

// Of a log's own: what a cleaner knows of one log is never taken for another one's of its partition.
uint64_t new_generations() {
  static std::atomic<uint64_t> logs = 0;
  return ++logs << 32;
}

}  // namespace

Log::Log(const LogContext& context, OpenOptions options)
    : context_(context),
      number_(++last_number),
      directory_(std::move(options.directory)),
      id_(std::move(options.id)),
      config_(std::move(options.config)),
      epochs_(context.files, directory_ + "/leader-epoch-checkpoint"),
      recovery_point_(options.recovery_point),
      last_flush_ms_(context.clock->wall_ms()),
      cleaned_to_(options.cleaned_to),
      generation_(new_generations()) {}

Log::~Log() = default;

Error Log::failed(const Error& cause) {
  switch (cause.code()) {
    case Errc::io_error:
    case Errc::permission_denied:
    case Errc::not_found:
    case Errc::already_exists:
      if (!broken_) {
        broken_ = Error(Errc::log_dir_offline, format("log {}: {}", id_.to_string(), cause.what()));
        LOG_ERROR("server", "Log {} cannot be written any more: {}", id_.to_string(), cause.what());
      }
      return *broken_;
    default:
      return cause;
  }
}

size_t Log::segment_index_for(Offset offset) const {
  auto above = std::upper_bound(segments_.begin(), segments_.end(), offset,
                                [](Offset wanted, const std::unique_ptr<Segment>& segment) {
                                  return wanted < segment->base_offset();
                                });
  return above == segments_.begin() ? 0 : static_cast<size_t>(above - segments_.begin()) - 1;
}

Result<AppendInfo> Log::append_as_leader(std::span<char> batches, LeaderEpoch leader_epoch,
                                         AppendOrigin origin,
                                         std::vector<RecordError>* record_errors) {
  Result<PreparedAppend> prepared =
      prepare_append(batches, *config_, origin, context_.clock->wall_ms(), record_errors);
  if (!prepared) return prepared.error();
  return append_prepared(*prepared, leader_epoch, origin);
}

Result<AppendInfo> Log::append_prepared(PreparedAppend& prepared, LeaderEpoch leader_epoch,
                                        AppendOrigin origin) {
  if (broken_) return *broken_;
  if (leader_epoch < epochs_.latest()) {
    return Error(Errc::fenced_leader_epoch,
                 format("append to {} with leader epoch {}, the log has {}", id_.to_string(),
                        leader_epoch.value(), epochs_.latest().value()));
  }
  if (log_end_offset_.value() > kMaxOffset.value() - prepared.offset_count) {
    return Error(Errc::offset_out_of_range,
                 format("{} has no offsets left behind {}", id_.to_string(),
                        log_end_offset_.value()));
  }
  std::span<char> bytes = prepared.bytes();
  const ByteView view(bytes.data(), bytes.size());
  AppendInfo info;
  info.log_start_offset = log_start_offset_;
  info.record_count = prepared.record_count;
  info.size = view.size();
  info.max_timestamp = prepared.max_timestamp;
  if (prepared.timestamp_type == TimestampType::log_append_time)
    info.log_append_time_ms = prepared.max_timestamp;
  info.first_offset = log_end_offset_;
  info.last_offset = log_end_offset_ + (prepared.offset_count - 1);

  BatchWalker walker(view);
  Offset next = log_end_offset_;
  while (walker.next()) {
    const BatchHeader& header = walker.header();
    if (origin == AppendOrigin::client && header.has_producer_id()) {
      Result<std::optional<ProducerBatch>> repeated = producers_.check(header, id_);
      if (!repeated) return repeated.error();
      if (*repeated) {
        info.first_offset = (*repeated)->first_offset();
        info.last_offset = (*repeated)->last_offset;
        info.max_timestamp = (*repeated)->timestamp_ms;
        if (prepared.timestamp_type == TimestampType::log_append_time) {
          info.log_append_time_ms = (*repeated)->timestamp_ms;
        }
        info.duplicate = true;
        info.size = 0;
        return info;
      }
    }
    std::span<char> batch = bytes.subspan(walker.position(), header.size());
    set_base_offset(batch, next);
    set_leader_epoch(batch, leader_epoch);
    next = next + header.last_offset_delta + 1;
  }
  CHECK(walker.ok() && walker.rest().empty() && next == info.last_offset + 1);

  if (Result<void> rolled = maybe_roll(view.size(), info.last_offset, prepared.max_timestamp);
      !rolled) {
    return failed(rolled.error());
  }
  if (Result<void> noted = epochs_.assign(leader_epoch, info.first_offset); !noted)
    return failed(noted.error());
  Result<void> written = write_batches(view, info.last_offset, prepared.max_timestamp,
                                       info.first_offset + prepared.max_timestamp_delta);
  if (!written) return failed(written.error());
  return info;
}

Result<AppendInfo> Log::append_as_follower(ByteView batches) {
  if (broken_) return *broken_;
  AppendInfo info;
  info.log_start_offset = log_start_offset_;
  info.size = batches.size();
  Offset next = log_end_offset_;
  Offset max_timestamp_offset = next;
  int batch_count = 0;
  BatchWalker walker(batches);
  while (walker.next()) {
    const BatchHeader& header = walker.header();
    if (Result<void> right = check_crc(header, walker.batch()); !right) return right.error();
    if (header.base_offset < next || header.last_offset_delta < 0) {
      return Error(Errc::invalid_record,
                   format("append to {}: offset {} where the log ends at {}", id_.to_string(),
                          header.base_offset.value(), next.value()));
    }
    if (batch_count++ == 0) info.first_offset = header.base_offset;
    if (header.max_timestamp > info.max_timestamp) {
      info.max_timestamp = header.max_timestamp;
      max_timestamp_offset = header.last_offset();
    }
    info.record_count += header.record_count;
    info.last_offset = header.last_offset();
    next = header.next_offset();
  }
  if (!walker.ok() || !walker.rest().empty() || batch_count == 0) {
    return Error(Errc::corrupt_record,
                 format("append to {}: not whole record batches", id_.to_string()));
  }
  if (Result<void> rolled = maybe_roll(batches.size(), info.last_offset, info.max_timestamp);
      !rolled) {
    return failed(rolled.error());
  }
  BatchWalker again(batches);
  bool changed = false;
  while (again.next()) {
    changed |=
        again.header().magic == 2 &&
        epochs_.assign_in_memory(again.header().partition_leader_epoch, again.header().base_offset);
  }
  Result<void> written = changed ? epochs_.write() : Result<void>();
  if (written) {
    written = write_batches(batches, info.last_offset, info.max_timestamp, max_timestamp_offset);
  }
  if (!written) {
    epochs_.truncate_in_memory(log_end_offset_ + 1);  // those of batches that are not there
    return failed(written.error());
  }
  return info;
}

// An exception between the bytes in the file and the new log end would leave room for other records
// at the same offsets: the process ends instead.
Result<void> Log::write_batches(ByteView batches, Offset last_offset, int64_t max_timestamp,
                                Offset max_timestamp_offset) noexcept {
  const uint64_t position = active().size();
  const Offset begin = log_end_offset_;
  Result<void> appended = active().append(batches, last_offset, max_timestamp, max_timestamp_offset,
                                          *config_, context_.clock->wall_ms());
  if (!appended) return appended;
  log_end_offset_ = last_offset + 1;
  append_hint_ = {begin, active().base_offset(), position};
  return note_producers(batches);
}

Result<void> Log::note_producers(ByteView batches) {
  BatchWalker walker(batches);
  while (walker.next()) {
    const BatchHeader& header = walker.header();
    std::optional<TransactionMarker> marker;
    if (header.is_control()) {
      Result<std::optional<TransactionMarker>> parsed = parse_transaction_marker(walker.batch());
      if (parsed) marker = *parsed;
    }
    std::optional<ProducerStates::Completed> completed = producers_.note(header, marker);
    if (completed && completed->aborted) {
      Result<void> added = active().transaction_index().append(completed->entry);
      // Readers of committed records would see aborted ones: the log may not go on without the
      // entry.
      if (!added) return Error(Errc::io_error, added.error().what());
    }
  }
  producers_.set_end_offset(log_end_offset_);
  return {};
}

Result<void> Log::maybe_roll(size_t bytes, Offset last_offset, int64_t max_timestamp) {
  Result<bool> must = active().should_roll(bytes, last_offset, max_timestamp, *config_,
                                           jitter_ms(*config_, directory_, active().base_offset()),
                                           context_.clock->wall_ms());
  if (!must) return must.error();
  return *must ? roll() : Result<void>();
}

void Log::mark_dirty(const Segment& segment) {
  dirty_from_ = std::min(segment.base_offset(), dirty_from_.value_or(segment.base_offset()));
}

Result<std::unique_ptr<Segment>> Log::make_segment(Offset base_offset) {
  auto segment = std::make_unique<Segment>(context_.file_cache, &directory_, base_offset,
                                           Segment::Sizes(), context_.clock->wall_ms());
  if (Result<void> made = segment->make_files(); !made) return made.error();
  directory_dirty_ = true;
  return segment;
}

Result<void> Log::roll() {
  if (active().base_offset() == log_end_offset_) return {};  // empty: it is a new segment already
  if (Result<void> trimmed = active().become_inactive(); !trimmed) return trimmed;
  mark_dirty(active());
  producers_.set_end_offset(log_end_offset_);
  if (Result<void> written = write_snapshot(fs::Durability::lazy); !written) return written;
  Result<std::unique_ptr<Segment>> segment = make_segment(log_end_offset_);
  if (!segment) return segment.error();
  segments_.push_back(std::move(*segment));
  LOG_DEBUG("server", "Log {}: rolled a new segment at offset {}", id_.to_string(),
            log_end_offset_.value());
  return {};
}

Result<void> Log::begin_leader_epoch(LeaderEpoch leader_epoch) {
  if (broken_) return *broken_;
  if (Result<void> noted = epochs_.assign(leader_epoch, log_end_offset_); !noted)
    return failed(noted.error());
  return {};
}

Result<void> Log::truncate_to(Offset offset) {
  if (broken_) return *broken_;
  if (offset >= log_end_offset_) return {};
  if (offset <= segments_.front()->base_offset()) return truncate_fully_and_start_at(offset);
  LOG_INFO("server", "Log {}: truncating to offset {}, it ended at {}", id_.to_string(),
           offset.value(), log_end_offset_.value());
  forget_hints();
  ++cuts_;
  if (Result<void> forgotten = forget_cleaning(); !forgotten) return failed(forgotten.error());
  if (cleaned_to_) cleaned_to_ = std::min(*cleaned_to_, offset);
  DeletedFiles deleted;
  while (active().base_offset() >= offset) {
    for (const std::string& path : active().paths()) deleted.add({{path}});
    active().close_files();
    segments_.pop_back();
  }
  if (Result<void> removed = remove_files(*context_.files, deleted); !removed)
    return failed(removed.error());
  directory_dirty_ = true;
  Result<uint64_t> cut = active().truncate_to(offset);
  if (!cut) return failed(cut.error());
  mark_dirty(active());
  log_end_offset_ = offset;
  // the cut of its indexes is not synced either: after a crash all of it is read again
  recovery_point_ = std::min(recovery_point_, active().base_offset());
  log_start_offset_ = std::min(log_start_offset_, offset);
  if (Result<void> written = epochs_.truncate_from_end(offset); !written)
    return failed(written.error());
  drop_snapshots_above(offset);
  if (Result<void> rebuilt = rebuild_producers(offset, {}); !rebuilt)
    return failed(rebuilt.error());
  return {};
}

Result<void> Log::truncate_fully_and_start_at(Offset offset) {
  if (broken_) return *broken_;
  LOG_INFO("server", "Log {}: removing everything and starting at offset {}", id_.to_string(),
           offset.value());
  forget_hints();
  ++cuts_;
  if (Result<void> forgotten = forget_cleaning(); !forgotten) return failed(forgotten.error());
  cleaned_to_.reset();
  DeletedFiles deleted;
  for (const std::unique_ptr<Segment>& segment : segments_) {
    deleted.add({segment->paths()});
    segment->close_files();
  }
  // newest first: a crash in between must leave a log without a gap
  std::reverse(deleted.paths.begin(), deleted.paths.end());
  if (Result<void> removed = remove_files(*context_.files, deleted); !removed)
    return failed(removed.error());
  segments_.clear();
  drop_snapshots_above(Offset(-1));
  Result<std::unique_ptr<Segment>> segment = make_segment(offset);
  if (!segment) {
    // the object may not be left without a segment: it is out of use
    segments_.push_back(
        std::make_unique<Segment>(context_.file_cache, &directory_, offset, Segment::Sizes(), 0));
    broken_ =
        Error(Errc::log_dir_offline, format("log {}: {}", id_.to_string(), segment.error().what()));
    return *broken_;
  }
  segments_.push_back(std::move(*segment));
  producers_.clear();
  producers_.set_end_offset(offset);
  log_start_offset_ = log_end_offset_ = offset;
  // until the names are synced a crash may bring back what was here, unsynced as it was
  recovery_point_ = std::min(recovery_point_, offset);
  if (Result<void> cleared = epochs_.clear(); !cleared) return failed(cleared.error());
  return {};
}

Result<void> Log::advance_log_start(Offset offset) {
  if (offset > log_end_offset_) {
    return Error(Errc::offset_out_of_range,
                 format("log start {} of {} would be above its end {}", offset.value(),
                        id_.to_string(), log_end_offset_.value()));
  }
  if (broken_) return *broken_;
  if (offset <= log_start_offset_) return {};
  log_start_offset_ = offset;
  if (Result<void> written = cut_epochs(); !written) return failed(written.error());
  return {};
}

int64_t Log::size_bytes() const {
  uint64_t size = 0;
  for (const std::unique_ptr<Segment>& segment : segments_) size += segment->size();
  return static_cast<int64_t>(size);
}

std::vector<SegmentInfo> Log::segments() const {
  std::vector<SegmentInfo> all;
  for (const std::unique_ptr<Segment>& segment : segments_) all.push_back(segment->info());
  return all;
}

}  // namespace odradek::broker::log
