#include "tests/sim/log/log_checks.h"

#include <algorithm>
#include <map>

#include "broker/log/file_cache.h"
#include "common/format.h"

namespace odradek::sim {

using namespace broker::log;  // NOLINT: the log is all that is spoken of here

namespace {

using Wrong = std::optional<std::string>;

Wrong check_epochs(Log& log, const LogModel& model) {
  const std::optional<std::vector<LogModel::Epoch>> epochs = model.epochs();
  if (!epochs) return std::nullopt;
  for (size_t i = 0; i < epochs->size(); ++i) {
    const LogModel::Epoch& epoch = (*epochs)[i];
    const EpochEndOffset end = log.end_offset_for_epoch(epoch.epoch);
    // an epoch that began behind the last record is known to the log alone
    const bool is_last = i + 1 == epochs->size();
    const Offset want = is_last ? model.end : (*epochs)[i + 1].first;
    size_t behind = model.index_of(want);
    while (behind > 0 && model.batches[behind - 1].header.magic < 2) --behind;  // of no epoch
    const Offset low = behind > 0 ? model.batches[behind - 1].next() : Offset(0);
    if (end.leader_epoch != epoch.epoch || end.end_offset > want || end.end_offset < low) {
      return format("leader epoch {} ends at {} of epoch {}, not at {}", epoch.epoch.value(),
                    end.end_offset.value(), end.leader_epoch.value(), want.value());
    }
  }
  if (!epochs->empty() && log.latest_leader_epoch() < epochs->back().epoch) {
    return format("the latest leader epoch is {}, not {}", log.latest_leader_epoch().value(),
                  epochs->back().epoch.value());
  }
  return std::nullopt;
}

Wrong check_offset(Log& log, const LogModel& model, Offset from) {
  const size_t index = model.index_of(from);
  Result<LogSlice> slice = log.read(from, 1, true, model.end);
  if (!slice) return slice.error().what();
  if (index == model.batches.size()) {
    if (slice->size == 0) return std::nullopt;
    return format("a batch at {} behind the last one", slice->base_offset.value());
  }
  Result<Bytes> bytes = Log::read_bytes(*slice);
  if (!bytes) return bytes.error().what();
  if (*bytes != model.batches[index].bytes) {
    return format("offset {} is answered with {} bytes from {} on, not with the batch at {}",
                  from.value(), bytes->size(), slice->base_offset.value(),
                  model.batches[index].base().value());
  }
  return std::nullopt;
}

// A read with bounds: whole batches, all that fit.
Wrong check_bounded(Log& log, const LogModel& model, Offset from, size_t max_bytes, Offset bound) {
  Result<LogSlice> slice = log.read(from, max_bytes, false, bound);
  if (!slice) return slice.error().what();
  Result<Bytes> bytes = Log::read_bytes(*slice);
  if (!bytes) return bytes.error().what();
  const std::vector<SegmentInfo> segments = log.segments();
  const size_t first = model.index_of(from);
  std::string want;
  for (size_t i = first; i < model.batches.size(); ++i) {
    const ModelBatch& batch = model.batches[i];
    const bool begins_segment =
        i > first && std::any_of(segments.begin(), segments.end(), [&](const SegmentInfo& one) {
          return one.base_offset > model.batches[i - 1].last() && one.base_offset <= batch.base();
        });
    if (begins_segment || batch.last() >= bound || want.size() + batch.bytes.size() > max_bytes)
      break;
    want += batch.bytes;
  }
  if (*bytes == want) return std::nullopt;
  return format("a read from {} below {} of {} bytes gives {} bytes, not {}", from.value(),
                bound.value(), max_bytes, bytes->size(), want.size());
}

Wrong check_time(Log& log, const LogModel& model, int64_t timestamp) {
  Result<std::optional<TimestampOffset>> found = log.offset_for_timestamp(timestamp);
  if (!found) return found.error().what();
  const ModelRecord* want = nullptr;
  for (size_t i = model.index_of(model.start); i < model.batches.size() && !want; ++i) {
    for (const ModelRecord& record : model.batches[i].records) {
      if (record.timestamp_ms < timestamp || record.offset < model.start) continue;
      want = &record;
      break;
    }
  }
  const Offset have = *found ? (*found)->offset : Offset(-1);
  if (have == (want ? want->offset : Offset(-1))) return std::nullopt;
  return format("time {} is found at offset {}, not at {}", timestamp, have.value(),
                want ? want->offset.value() : -1);
}

Wrong check_aborted(Log& log, const LogModel& model, Offset from, Offset end) {
  Result<std::vector<AbortedTransaction>> found = log.aborted_transactions(from, end);
  if (!found) return found.error().what();
  std::vector<std::pair<Offset, ProducerId>> have, want, forgotten;
  for (const AbortedTransaction& one : *found) have.push_back({one.first_offset, one.producer_id});
  for (const ModelAborted& one : model.producers.aborted()) {
    if (one.last < from || one.first >= end) continue;
    // of one that began below the log start the beginning may be forgotten
    (one.first < model.start ? forgotten : want).push_back({one.first, one.id});
  }
  std::vector<std::pair<Offset, ProducerId>> more = have;
  bool right = true;
  for (const auto& one : want) {
    auto same = std::find(more.begin(), more.end(), one);
    if (same == more.end()) {  // a snapshot may know more of its beginning than a start without it
      same = std::find_if(more.begin(), more.end(), [&](const auto& other) {
        return other.second == one.second && other.first < std::min(one.first, model.start);
      });
    }
    right = right && same != more.end();
    if (same != more.end()) more.erase(same);
  }
  const Offset known = model.batches.empty() ? model.end : model.batches.front().base();
  for (const auto& [offset, id] : more) {
    if (offset < known) continue;  // of a log that lost what the model knew
    auto same = std::find_if(forgotten.begin(), forgotten.end(), [&](const auto& one) {
      return one.second == id && one.first <= offset;
    });
    right = right && same != forgotten.end();
    if (same != forgotten.end()) forgotten.erase(same);
  }
  if (right) return std::nullopt;
  std::string text;
  for (const auto& [offset, id] : have) text += format(" {}@{}", id.value(), offset.value());
  text += ", not";
  for (const auto& [offset, id] : want) text += format(" {}@{}", id.value(), offset.value());
  return format("aborted in [{}, {}):{}", from.value(), end.value(), text);
}

}  // namespace

Result<Stored> read_stored(Log& log, World& world, bool may_have_holes) {
  Stored stored;
  stored.start = log.log_start_offset();
  stored.end = log.log_end_offset();
  Offset next = stored.start;
  while (next < stored.end) {
    Result<LogSlice> slice =
        log.read(next, static_cast<size_t>(world.between(1, 2000)), true, stored.end);
    if (!slice) return slice.error();
    Result<Bytes> bytes = Log::read_bytes(*slice);
    if (!bytes) return bytes.error();
    BatchWalker walker(*bytes);
    while (walker.next()) {
      stored.batches.emplace_back(walker.batch());
      next = std::max(next + 1, walker.header().next_offset());
    }
    if (bytes->empty() && may_have_holes) break;
    if (bytes->empty() || !walker.ok() || !walker.rest().empty()) {
      return Error(Errc::corrupt_record, format("nothing whole can be read at offset {} below {}",
                                                next.value(), stored.end.value()));
    }
  }
  return stored;
}

Wrong check_state(Log& log, LogModel& model, const ProducerModel::Leniency& leniency) {
  if (log.log_start_offset() != model.start || log.log_end_offset() != model.end) {
    return format("the log has {} to {}, not {} to {}", log.log_start_offset().value(),
                  log.log_end_offset().value(), model.start.value(), model.end.value());
  }
  if (log.recovery_point() > log.log_end_offset()) return "the recovery point is above the end";
  if (Wrong wrong = check_epochs(log, model)) return wrong;
  if (Wrong wrong = model.producers.compare(log.producers(), leniency)) return wrong;
  if (log.first_unstable_offset() != model.producers.first_unstable()) {
    return "the first unstable offset is another one";
  }
  const std::vector<SegmentInfo> segments = log.segments();
  for (size_t i = 1; i < segments.size(); ++i) {
    if (segments[i].base_offset <= segments[i - 1].base_offset ||
        (segments[i - 1].size == 0 && !model.may_have_holes && !model.has_hole)) {
      return format("segment {} behind segment {}", segments[i].base_offset.value(),
                    segments[i - 1].base_offset.value());
    }
  }
  return std::nullopt;
}

Wrong check_reads(Log& log, const LogModel& model, World& world, int samples) {
  Result<Stored> stored = read_stored(log, world, model.may_have_holes || model.has_hole);
  if (!stored) return stored.error().what();
  size_t index = model.index_of(model.start);
  for (const Bytes& bytes : stored->batches) {
    if (index == model.batches.size() || bytes != model.batches[index].bytes) {
      return format("the {}th batch of {} read is another one", index, stored->batches.size());
    }
    ++index;
  }
  if (index != model.batches.size()) return "batches are missing at the end";
  const int64_t length = model.end - model.start;
  auto offset = [&] { return model.start + world.between(0, length); };
  std::vector<int64_t> times = {0, world.clock().wall_ms() + 1'000'000};
  for (int i = 0; i < samples; ++i) {
    const Offset from = samples > length ? model.start + i % (length + 1) : offset();
    if (Wrong wrong = check_offset(log, model, from)) return wrong;
    if (Wrong wrong = check_bounded(log, model, offset(),
                                    static_cast<size_t>(world.between(50, 3000)), offset())) {
      return wrong;
    }
    const Offset low = offset();
    if (Wrong wrong = check_aborted(log, model, low, low + world.between(0, 60))) return wrong;
    if (model.index_of(from) == model.batches.size()) continue;
    const ModelBatch& batch = model.batches[model.index_of(from)];
    const int64_t time = batch.records[world.below(batch.records.size())].timestamp_ms;
    if (time >= 0) times.push_back(time + world.between(-1, 1));
  }
  for (int64_t time : times) {
    if (Wrong wrong = check_time(log, model, time)) return wrong;
  }
  return check_aborted(log, model, model.start, model.end);
}

Wrong check_index_files(const Log& log, fs::FileSystem& files) {
  constexpr size_t kMax = 1 << 24;
  for (const SegmentInfo& segment : log.segments()) {
    const std::string path = log.directory() + "/" + offset_name(segment.base_offset);
    auto content = [&](const char* suffix) {
      Result<Bytes> bytes = files.read_file(path + suffix, kMax);
      return bytes ? *bytes : Bytes();
    };
    const auto wrong = [&](const char* file, std::string what) {
      return format("{}{}: {}", path, file, what);
    };
    struct Seen {
      Offset base, last;
      int64_t max_timestamp;  // of it and all before
    };
    std::map<int64_t, Seen> batches;  // by position
    int64_t max_timestamp = -1;
    const Bytes bytes = content(".log");
    BatchWalker walker(bytes);
    while (walker.next()) {
      const BatchHeader& header = walker.header();
      max_timestamp = std::max(max_timestamp, header.max_timestamp);
      batches[static_cast<int64_t>(walker.position())] = {header.base_offset, header.last_offset(),
                                                         max_timestamp};
    }
    if (!walker.ok() || !walker.rest().empty()) return wrong(".log", "its end is no batch");
    if (bytes.size() != segment.size) return wrong(".log", "is not as long as the log thinks");

    const Bytes index = content(".index");
    if (index.size() % 8 != 0) return wrong(".index", "ends within an entry");
    ByteReader entries(index);
    for (Offset before(-1); entries.remaining() > 0;) {
      const Offset offset = segment.base_offset + entries.i32();
      auto batch = batches.find(entries.i32());
      if (batch == batches.end()) return wrong(".index", "an entry points at no batch");
      if (offset <= before || batch->second.base > offset) {
        return wrong(".index", format("an entry for {} behind {} points at {}", offset.value(),
                                      before.value(), batch->second.base.value()));
      }
      before = offset;
    }
    const Bytes times = content(".timeindex");
    if (times.size() % 12 != 0) return wrong(".timeindex", "ends within an entry");
    ByteReader stamps(times);
    for (int64_t before = -1; stamps.remaining() > 0;) {
      const int64_t time = stamps.i64();
      const Offset offset = segment.base_offset + stamps.i32();
      auto holds = std::find_if(batches.begin(), batches.end(), [&](const auto& one) {
        return one.second.last >= offset;
      });
      if (time <= before || holds == batches.end() || holds->second.max_timestamp != time) {
        return wrong(".timeindex", format("an entry of {} for offset {}", time, offset.value()));
      }
      before = time;
    }
    const Bytes aborted = content(".txnindex");
    if (aborted.size() % 34 != 0) return wrong(".txnindex", "ends within an entry");
    ByteReader transactions(aborted);
    for (Offset before(-1); transactions.remaining() > 0;) {
      transactions.skip(2 + 8 + 8);
      const Offset last(transactions.i64());
      transactions.skip(8);
      if (last <= before) return wrong(".txnindex", format("a marker at {} twice", last.value()));
      before = last;
    }
  }
  return std::nullopt;
}

}  // namespace odradek::sim
