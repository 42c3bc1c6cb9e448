// What LogLife asks of a partition, and what must come of it.
#include <algorithm>

#include "common/format.h"
#include "tests/sim/log/log_life.h"

namespace odradek::sim {

using namespace broker::log;  // NOLINT: the log is all that is spoken of here

namespace {
constexpr int64_t kIdempotent[] = {1, 2, 3};
constexpr int64_t kTransactional[] = {11, 12};
}  // namespace

// The next batch of a producer that goes on, or that begins anew with a higher epoch.
Sender LogLife::sender_of(const Partition& partition, int64_t id) {
  Sender sender;
  sender.id = ProducerId(id);
  sender.transactional = id > 10;
  const ModelProducer* known = partition.model.producers.find(sender.id);
  if (!known) {
    sender.epoch = ProducerEpoch(0);
    sender.sequence = 0;
  } else if (world_.chance(5)) {
    sender.epoch = known->epoch + 1;
    sender.sequence = 0;
  } else {
    sender.epoch = known->epoch;
    sender.sequence = known->sent.empty() ? 0 : known->sent.back().last_sequence + 1;
  }
  return sender;
}

void LogLife::append(Partition& partition) {
  const uint64_t dice = world_.below(100);
  Offer offer;
  if (dice < 25) {
    offer = maker_.batch({}, static_cast<int>(world_.between(1, 6)));
  } else if (dice < 50) {
    offer = maker_.batch(sender_of(partition, kIdempotent[world_.below(3)]),
                         static_cast<int>(world_.between(1, 6)));
  } else if (dice < 68) {
    offer = maker_.batch(sender_of(partition, kTransactional[world_.below(2)]),
                         static_cast<int>(world_.between(1, 4)));
  } else if (dice < 82) {
    Sender sender;
    sender.id = ProducerId(kTransactional[world_.below(2)]);
    const ModelProducer* known = partition.model.producers.find(sender.id);
    sender.epoch = known ? known->epoch : ProducerEpoch(0);
    if (world_.chance(20)) sender.epoch = sender.epoch + 1;  // the coordinator fences it
    sender.transactional = true;
    offer = maker_.marker(sender, world_.chance(50), static_cast<int32_t>(world_.between(1, 3)));
  } else if (dice < 91) {
    offer = maker_.old_client();
  } else {
    offer = maker_.coordinator_set();
  }
  if (world_.chance(4)) ++partition.epoch;
  give(partition, std::move(offer), LeaderEpoch(partition.epoch));
}

// Said again, out of order, from an epoch that is over, to a leader that is no more.
void LogLife::append_refused(Partition& partition) {
  const ProducerId id(kIdempotent[world_.below(3)]);
  const ModelProducer* known = partition.model.producers.find(id);
  const uint64_t dice = world_.below(4);
  if (dice == 0) {
    if (partition.log->latest_leader_epoch().value() < 1) return;
    return give(partition, maker_.batch({}, 1), partition.log->latest_leader_epoch() - 1);
  }
  if (!known || known->sent.empty()) return;
  Sender sender{id, known->epoch, 0, false};
  int count = 2;
  if (dice == 1) {
    const ModelProducer::Sent& sent = known->sent[world_.below(known->sent.size())];
    sender.sequence = sent.first_sequence;
    count = sent.last_sequence - sent.first_sequence + 1;
  } else if (dice == 2) {
    sender.sequence = known->sent.back().last_sequence + static_cast<int32_t>(world_.between(2, 9));
  } else {
    if (known->epoch.value() == 0) return;
    sender.epoch = known->epoch - 1;
  }
  give(partition, maker_.batch(sender, count), LeaderEpoch(partition.epoch));
}

// segment.ms counts from the largest time of what was appended first.
bool LogLife::must_roll(const Partition& partition, const std::vector<ModelBatch>& added) {
  const SegmentInfo active = partition.log->segments().back();
  const LogModel& model = partition.model;
  const size_t first = model.index_of(active.base_offset);
  if (active.size == 0 || first == model.batches.size()) return false;
  int64_t first_ms = -1, added_ms = -1;
  for (size_t i = first; i < std::min(first + 3, model.batches.size()); ++i) {  // one append, at most
    const int64_t time = model.batches[i].header.max_timestamp;
    if (time < 0) return false;
    first_ms = std::max(first_ms, time);
  }
  for (const ModelBatch& batch : added) added_ms = std::max(added_ms, batch.header.max_timestamp);
  return added_ms - first_ms > partition.config->segment_ms;
}

void LogLife::give(Partition& partition, Offer offer, LeaderEpoch epoch) {
  LogModel& model = partition.model;
  Log& log = *partition.log;
  std::optional<Errc> refusal;
  std::optional<ModelProducer::Sent> repeated;
  if (epoch < log.latest_leader_epoch()) {
    refusal = Errc::fenced_leader_epoch;
  } else if (offer.origin == AppendOrigin::client && offer.batches[0].header.has_producer_id()) {
    const ProducerModel::Judgement judgement = model.producers.judge(offer.batches[0].header);
    using Answer = ProducerModel::Answer;
    if (judgement.answer == Answer::old_epoch) refusal = Errc::invalid_producer_epoch;
    if (judgement.answer == Answer::out_of_order) refusal = Errc::out_of_order_sequence;
    if (judgement.answer == Answer::duplicate) repeated = judgement.repeated;
  }
  std::vector<ModelBatch> expected = std::move(offer.batches);
  LogModel::place(expected, model.end, epoch, *partition.config, world_.clock().wall_ms());
  const bool rolls = must_roll(partition, expected);
  const size_t segments = log.segment_count();
  Result<AppendInfo> info = log.append_as_leader(std::span<char>(offer.bytes), epoch, offer.origin);
  world_.trace(format("{}: {} batches at {} in epoch {}: {}", partition.id.to_string(),
                      expected.size(), model.end.value(), epoch.value(),
                      info ? "taken" : name_of(info.error().code())));
  if (!info) {
    if (refusal && info.error().code() == *refusal) {
      ++counts_.refused;
      return;
    }
    note_failure(partition, "an append", info.error());
    lost_append(partition, std::move(expected));
    return;
  }
  if (refusal) return breach(partition, "an append that must be refused is taken");
  if (info->duplicate != repeated.has_value()) {
    return breach(partition, "what is a duplicate is not seen as the model sees it");
  }
  if (repeated) {
    ++counts_.duplicates;
    if (info->first_offset == repeated->first_offset && info->last_offset == repeated->last_offset)
      return;
    return breach(partition, "a duplicate is answered with other offsets");
  }
  if (info->first_offset != model.end || info->last_offset != expected.back().last()) {
    return breach(partition, format("an append is answered with {} to {}, not {} to {}",
                                    info->first_offset.value(), info->last_offset.value(),
                                    model.end.value(), expected.back().last().value()));
  }
  ++counts_.appends;
  if (rolls && log.segment_count() == segments) {
    return breach(partition, "no new segment is begun though segment.ms is over");
  }
  take_stored(partition, std::move(expected));
}

// An append that failed: where the log is out of use, or a full disk took a part that was cut off again,
// a crash may still show it.
void LogLife::lost_append(Partition& partition, std::vector<ModelBatch> batches) {
  std::vector<ModelBatch>& into =
      must_restart_ ? partition.model.in_flight : partition.model.ghosts;
  into.insert(into.end(), std::make_move_iterator(batches.begin()),
              std::make_move_iterator(batches.end()));
}

// What was appended is read back at once; from here on it has to stay as it is.
void LogLife::take_stored(Partition& partition, std::vector<ModelBatch> batches) {
  Log& log = *partition.log;
  if (disk_.power_is_cut()) {  // taken with the last of the power: it may be there
    partition.model.in_flight = std::move(batches);
    return;
  }
  Offset next = batches.front().base();
  size_t i = 0;
  while (i < batches.size()) {
    Result<LogSlice> slice = log.read(next, 1 << 20, true, log.log_end_offset());
    Result<Bytes> bytes = slice ? Log::read_bytes(*slice) : Result<Bytes>(slice.error());
    if (!bytes) {
      note_failure(partition, "reading back", bytes.error());
      must_restart_ = true;
      partition.model.in_flight = std::move(batches);
      return;
    }
    BatchWalker walker(*bytes);
    size_t before = i;
    for (; i < batches.size() && walker.next(); ++i) {
      if (auto wrong = difference(batches[i], walker.batch())) {
        return breach(partition, "just appended: " + *wrong);
      }
      batches[i].bytes = Bytes(walker.batch());
    }
    if (i == before) return breach(partition, "what was just appended cannot be read");
    next = batches[i - 1].next();
  }
  partition.model.append(std::move(batches));
}

void LogLife::append_as_follower(Partition& partition) {
  std::vector<Sender> senders(static_cast<size_t>(world_.between(1, 3)));
  if (world_.chance(40)) senders[0] = sender_of(partition, kIdempotent[world_.below(3)]);
  if (senders[0].id.value() < 0 && world_.chance(30)) {
    senders[0] = sender_of(partition, kTransactional[world_.below(2)]);
  }
  partition.epoch = std::max(partition.epoch, partition.log->latest_leader_epoch().value());
  if (world_.chance(20)) ++partition.epoch;
  Offer offer = maker_.fetched(partition.model.end, LeaderEpoch(partition.epoch), senders);
  if (offer.batches.empty()) return;
  Result<AppendInfo> info = partition.log->append_as_follower(offer.bytes);
  world_.trace(format("{}: {} batches fetched from {} on: {}", partition.id.to_string(),
                      offer.batches.size(), offer.batches[0].base().value(),
                      info ? "taken" : name_of(info.error().code())));
  if (!info) {
    note_failure(partition, "a follower's append", info.error());
    for (ModelBatch& batch : offer.batches) batch.bytes.clear();
    lost_append(partition, std::move(offer.batches));
    return;
  }
  ++counts_.appends;
  take_stored(partition, std::move(offer.batches));
}

void LogLife::begin_epoch(Partition& partition) {
  ++partition.epoch;
  world_.trace(format("{}: leader epoch {}", partition.id.to_string(), partition.epoch));
  Result<void> begun = partition.log->begin_leader_epoch(LeaderEpoch(partition.epoch));
  if (!begun) note_failure(partition, "a leader epoch", begun.error());
}

void LogLife::begin_flush(Partition& partition) {
  if (partition.flush) return;
  Result<FlushWork> work = partition.log->begin_flush();
  if (!work) return note_failure(partition, "the beginning of a flush", work.error());
  world_.trace(format("{}: a flush begins at {}", partition.id.to_string(),
                      partition.model.end.value()));
  partition.flush = std::move(*work);
  partition.flush_end = partition.model.end;
  partition.flush_ghosts = partition.model.ghosts.size();
}

void LogLife::end_flush(Partition& partition) {
  if (!partition.flush) return;
  Result<void> ran = partition.flush->run();
  if (!ran) {
    partition.flush.reset();
    must_restart_ = true;  // the owner takes the directory offline
    return note_failure(partition, "a flush", Error(Errc::io_error, ran.error().what()));
  }
  if (disk_.power_is_cut()) return;
  partition.log->finish_flush(*partition.flush);
  partition.flush.reset();
  ++counts_.flushes;
  LogModel& model = partition.model;
  model.flushed(partition.flush_end);
  const size_t laid = std::min(partition.flush_ghosts, model.ghosts.size());
  model.ghosts.erase(model.ghosts.begin(), model.ghosts.begin() + static_cast<ptrdiff_t>(laid));
  if (model.ghosts.empty()) {
    model.former.clear();
    model.is_cut = false;
  }
  world_.trace(format("{}: flushed up to {}", partition.id.to_string(), model.durable_end.value()));
}

void LogLife::flush(Partition& partition) {
  end_flush(partition);
  if (must_restart_ || disk_.power_is_cut()) return;
  begin_flush(partition);
  end_flush(partition);
}

void LogLife::delete_records(Partition& partition) {
  LogModel& model = partition.model;
  // of which of two lineages the deleted records were nobody could say
  if (model.is_cut) return flush(partition);
  const Offset to = model.start + world_.between(0, (model.end - model.start) / 2);
  Result<void> moved = partition.log->advance_log_start(to);
  world_.trace(format("{}: records below {} are deleted", partition.id.to_string(), to.value()));
  if (!moved) note_failure(partition, "DeleteRecords", moved.error());
  if (moved || partition.log->log_start_offset() == to) model.move_start(to);
}

// Which segment must be the first one, by the settings. Not sure where records have no time.
Offset LogLife::expected_first_base(const Partition& partition, Offset high_watermark,
                                    bool& is_sure) {
  const LogConfig& config = *partition.config;
  const LogModel& model = partition.model;
  std::vector<SegmentInfo> segments = partition.log->segments();
  const auto end_of = [&](size_t i) {
    return i + 1 < segments.size() ? segments[i + 1].base_offset : model.end;
  };
  size_t first = 0;
  is_sure = true;
  for (; config.cleanup_delete && config.retention_ms >= 0 && first < segments.size(); ++first) {
    int64_t latest = -1;
    for (size_t i = model.index_of(segments[first].base_offset);
         i < model.batches.size() && model.batches[i].base() < end_of(first); ++i) {
      latest = std::max(latest, model.batches[i].header.max_timestamp);
    }
    if (high_watermark < end_of(first)) break;
    if (first + 1 == segments.size() && segments[first].size == 0) break;
    if (latest < 0) is_sure = false;
    if (world_.clock().wall_ms() - latest <= config.retention_ms) break;
  }
  while (first + 1 < segments.size() && end_of(first) <= std::min(model.start, high_watermark))
    ++first;
  int64_t size = 0;
  for (size_t i = first; i < segments.size(); ++i) size += static_cast<int64_t>(segments[i].size);
  for (; config.cleanup_delete && config.retention_bytes >= 0 && first < segments.size(); ++first) {
    const auto segment = static_cast<int64_t>(segments[first].size);
    if (high_watermark < end_of(first) || (first + 1 == segments.size() && segment == 0)) break;
    if (size - segment < config.retention_bytes) break;
    size -= segment;
  }
  return first < segments.size() ? segments[first].base_offset : model.end;
}

void LogLife::delete_old(Partition& partition) {
  LogModel& model = partition.model;
  if (model.is_cut) return flush(partition);
  const Offset mark =
      world_.chance(60) ? model.end : model.start + world_.between(0, model.end - model.start);
  bool is_sure = true;
  const Offset expected = expected_first_base(partition, mark, is_sure);
  const size_t segments = partition.log->segment_count();
  const Offset last = partition.log->segments().back().base_offset;
  Result<DeletedFiles> deleted = partition.log->delete_old_segments(mark);
  const Offset first = partition.log->segments().front().base_offset;
  world_.trace(format("{}: retention below {}: segment {} is first", partition.id.to_string(),
                      mark.value(), first.value()));
  if (!deleted) {
    note_failure(partition, "retention", deleted.error());
    if (must_restart_) model.is_vague = true;
  } else {
    // on a full disk there is no room for the empty segment that the log would go on in
    const bool has_no_room = full_steps_ > 0 && expected == model.end && first == last;
    if (is_sure && first != expected && !has_no_room) {
      return breach(partition, format("retention leaves segment {} as the first, not {}",
                                      first.value(), expected.value()));
    }
    partition.doomed.add(std::move(*deleted));
  }
  if (first > mark) return breach(partition, "retention went beyond the high watermark");
  if (partition.log->segment_count() < segments) {
    counts_.segments_deleted += segments - partition.log->segment_count();
  }
  model.move_start(std::max(model.start, first));
}

void LogLife::remove_doomed(Partition& partition) {
  Result<void> removed = remove_files(disk_, partition.doomed);
  partition.doomed = {};
  if (!removed) note_failure(partition, "the removal of old files", removed.error());
}

void LogLife::truncate(Partition& partition) {
  LogModel& model = partition.model;
  if (model.may_have_holes) return;  // where holes are, two lineages cannot be told from each other
  const size_t first = model.index_of(model.start);
  size_t kept = first + world_.below(model.batches.size() - first + 1);
  if (kept == first && first < model.batches.size() && model.batches[first].base() < model.start) {
    ++kept;
  }
  // where a leader epoch may end: behind a batch
  const Offset at = kept > 0 ? std::max(model.batches[kept - 1].next(), model.start) : model.start;
  const Offset before = model.end;
  const bool anew = at <= partition.log->segments().front().base_offset && at < model.end;
  world_.trace(format("{}: truncated from {} to {}", partition.id.to_string(), before.value(),
                      at.value()));
  Offset base = model.start;
  for (const SegmentInfo& segment : partition.log->segments()) {
    if (segment.base_offset < at) base = segment.base_offset;
  }
  if (!lower_recovery_point(partition, base)) return;
  Result<void> cut = partition.log->truncate_to(at);
  if (cut || partition.log->log_end_offset() == at || must_restart_) {
    ++counts_.truncations;
    anew ? model.start_anew(at) : model.truncate(at);
    partition.is_reloaded = true;
    partition.flush_end = std::min(partition.flush_end, at);
  }
  if (!cut) {
    note_failure(partition, "a truncation", cut.error());
    if (!must_restart_) return;
    if (model.end != at) anew ? model.start_anew(at) : model.truncate(at);
    model.is_vague = true;
    return;
  }
  // as its owner does: what the checkpoints say must not be of the log before
  if (!write_checkpoint(CheckpointKind::recovery_point) ||
      !write_checkpoint(CheckpointKind::log_start_offset)) {
    must_restart_ = true;
  }
}

void LogLife::start_anew(Partition& partition) {
  LogModel& model = partition.model;
  if (model.may_have_holes) return;
  const Offset at = model.end + world_.between(0, 20);
  world_.trace(format("{}: begun anew at {}", partition.id.to_string(), at.value()));
  if (!lower_recovery_point(partition, model.start)) return;
  Result<void> begun = partition.log->truncate_fully_and_start_at(at);
  model.start_anew(at);
  partition.flush_end = Offset(0);
  if (!begun) {
    note_failure(partition, "a new beginning", begun.error());
    must_restart_ = true;
    model.is_vague = true;
    return;
  }
  ++counts_.truncations;
  if (!write_checkpoint(CheckpointKind::recovery_point) ||
      !write_checkpoint(CheckpointKind::log_start_offset)) {
    must_restart_ = true;
  }
}

void LogLife::change_config(Partition& partition) {
  auto config = std::make_shared<LogConfig>(*partition.config);
  config->segment_bytes = world_.between(800, 2500);
  config->retention_ms = world_.chance(40) ? -1 : world_.between(1000, 100'000);
  config->retention_bytes = world_.chance(40) ? -1 : world_.between(0, 8000);
  partition.config = config;
  partition.log->set_config(partition.config);
}

void LogLife::expire_producers(Partition& partition) {
  partition.log->remove_expired_producers();
  ProducerModel::Leniency leniency;
  leniency.expired_until_ms =
      world_.clock().wall_ms() - partition.config->producer_id_expiration_ms;
  if (auto wrong = partition.model.producers.compare(partition.log->producers(), leniency)) {
    breach(partition, *wrong);
  }
}

}  // namespace odradek::sim
