#include "tests/sim/log/log_model.h"

#include <algorithm>

#include "broker/log/record.h"
#include "common/format.h"

namespace odradek::sim {

using namespace broker::log;  // NOLINT: batches are all that is spoken of here

std::optional<std::string> difference(const ModelBatch& expected, ByteView stored) {
  const BatchHeader& want = expected.header;
  Result<BatchHeader> header = parse_batch_header(stored);
  if (!header) return "not a batch: " + header.error().what();
  if (Result<void> right = check_crc(*header, stored); !right) return right.error().what();
  const auto differs = [&](const char* what, int64_t have, int64_t wanted) {
    return std::optional<std::string>(
        format("batch at {}: {} is {}, not {}", want.base_offset.value(), what, have, wanted));
  };
  struct Field {
    const char* name;
    int64_t have;
    int64_t want;
  } fields[] = {
      {"base offset", header->base_offset.value(), want.base_offset.value()},
      {"last offset", header->last_offset().value(), want.last_offset().value()},
      {"magic", header->magic, want.magic},
      {"leader epoch", header->partition_leader_epoch.value(), want.partition_leader_epoch.value()},
      {"max timestamp", header->max_timestamp, want.max_timestamp},
      {"producer id", header->producer_id.value(), want.producer_id.value()},
      {"producer epoch", header->producer_epoch.value(), want.producer_epoch.value()},
      {"base sequence", header->base_sequence, want.base_sequence},
      {"transactional", header->is_transactional(), want.is_transactional()},
      {"control", header->is_control(), want.is_control()},
      {"record count", header->record_count, want.record_count},
  };
  for (const Field& field : fields) {
    if (field.have != field.want) return differs(field.name, field.have, field.want);
  }
  Result<RecordIterator> records = RecordIterator::open(stored, 1 << 20);
  if (!records) return records.error().what();
  size_t count = 0;
  while (const RecordView* record = records->next()) {
    ModelRecord have{record->offset, record->timestamp_ms, {}, {}};
    if (record->key) have.key = std::string(*record->key);
    if (record->value) have.value = std::string(*record->value);
    if (count >= expected.records.size() || have != expected.records[count]) {
      return format("record {} of the batch at {} is another one", count, want.base_offset.value());
    }
    ++count;
  }
  if (!records->ok()) return records->error().what();
  if (count != expected.records.size()) return differs("records", count, expected.records.size());
  return std::nullopt;
}

void LogModel::place(std::vector<ModelBatch>& batches, Offset end, LeaderEpoch epoch,
                     const LogConfig& config, int64_t now_ms) {
  for (ModelBatch& batch : batches) {
    batch.header.base_offset = end;
    batch.header.partition_leader_epoch = epoch;
    const bool append_time = config.timestamp_type == TimestampType::log_append_time;
    if (append_time) batch.header.max_timestamp = now_ms;
    for (ModelRecord& record : batch.records) {
      record.offset = end + record.offset.value();
      if (append_time) record.timestamp_ms = now_ms;
    }
    batch.bytes.clear();
    end = batch.next();
  }
}

void LogModel::append(std::vector<ModelBatch> added) {
  for (ModelBatch& batch : added) {
    producers.note(batch);
    end = batch.next();
    batches.push_back(std::move(batch));
  }
}

size_t LogModel::index_of(Offset offset) const {
  auto found = std::partition_point(batches.begin(), batches.end(), [&](const ModelBatch& batch) {
    return batch.last() < offset;
  });
  return static_cast<size_t>(found - batches.begin());
}

void LogModel::move_start(Offset to) {
  start = to;
  epochs_from = std::max(epochs_from, start);
}

void LogModel::truncate(Offset at) {
  const size_t first = index_of(at);
  ghosts.insert(ghosts.end(), std::make_move_iterator(batches.begin() + static_cast<long>(first)),
                std::make_move_iterator(batches.end()));
  batches.resize(first);
  end = std::min(end, at);
  start = std::min(start, end);
  epochs_from = std::min(epochs_from, end);
  durable_end = std::min(durable_end, end);
  is_cut = true;
  replay_producers();
}

void LogModel::start_anew(Offset at) {
  is_cut = true;
  if (former.empty()) {
    former = batches;
    former_first = first_producers;
  }
  first_producers.clear();
  ghosts.insert(ghosts.end(), std::make_move_iterator(batches.begin()),
                std::make_move_iterator(batches.end()));
  batches.clear();
  start = end = epochs_from = at;
  durable_end = Offset(0);  // until it is synced, all that was before may come back
  producers.clear();
}

void LogModel::flushed(Offset offset) {
  durable_end = std::max(durable_end, std::min(offset, end));
}

void LogModel::replay_producers() {
  producers = first_producers;
  for (const ModelBatch& batch : batches) producers.note(batch);
}

void LogModel::adopt(const ProducerStates& states) {
  ghosts.insert(ghosts.end(), std::make_move_iterator(batches.begin()),
                std::make_move_iterator(batches.end()));
  batches.clear();
  first_producers.adopt(states);
  replay_producers();
}

std::optional<std::string> LogModel::recover(const Stored& found, bool may_be_lost) {
  std::vector<ModelBatch> matched;
  if (auto wrong = match(found, may_be_lost, matched)) return wrong;
  const Offset first = matched.empty() ? found.start : std::min(found.start, matched.front().base());
  std::vector<ModelBatch> left;  // what stood here and is not found: its bytes may still lie there
  for (std::vector<ModelBatch>* from : {&batches, &in_flight, &ghosts}) {
    for (ModelBatch& batch : *from) {
      const bool is_found = std::any_of(matched.begin(), matched.end(), [&](const ModelBatch& one) {
        return one.base() == batch.base() && one.bytes == batch.bytes;
      });
      if (!is_found && (from != &batches || batch.last() >= first)) left.push_back(batch);
    }
  }
  const bool is_former =
      !matched.empty() && std::any_of(former.begin(), former.end(), [&](const ModelBatch& one) {
        return one.base() == matched.front().base() && one.bytes == matched.front().bytes;
      });
  if (is_former) {
    batches = former;
    first_producers = former_first;
    epochs_from = found.end;  // the file is that of the log that began anew
  }
  const auto history = std::find_if(batches.begin(), batches.end(), [&](const ModelBatch& batch) {
    return batch.last() >= first;
  });
  batches.erase(history, batches.end());
  batches.insert(batches.end(), std::make_move_iterator(matched.begin()),
                 std::make_move_iterator(matched.end()));
  ghosts = std::move(left);
  in_flight.clear();
  is_vague = false;
  has_hole |= found.end > (batches.empty() ? found.start : batches.back().next());
  start = found.start;
  end = found.end;
  epochs_from = std::max(epochs_from, start);
  durable_end = std::min(durable_end, end);
  replay_producers();
  return std::nullopt;
}

std::optional<std::string> LogModel::match(const Stored& found, bool may_be_lost,
                                           std::vector<ModelBatch>& matched) {
  if (found.start < checkpointed_start) {
    return format("the log starts at {}, below the {} that was checkpointed", found.start.value(),
                  checkpointed_start.value());
  }
  const bool ghosts_may_be = !ghosts.empty() && (may_be_lost || is_vague);
  Offset next = found.start;
  size_t expected = index_of(found.start);  // of `batches`, then of `in_flight`
  for (const Bytes& bytes : found.batches) {
    Result<BatchHeader> header = parse_batch_header(bytes);
    if (!header) return header.error().what();
    if (!matched.empty() && header->base_offset < next) {
      return format("offset {} follows {}", header->base_offset.value(), next.value() - 1);
    }
    next = header->next_offset();
    ModelBatch* same = nullptr;
    std::optional<std::string> why = format("nothing was ever written at offset {}",
                                            header->base_offset.value());
    auto try_all = [&](std::vector<ModelBatch>& candidates) {
      for (ModelBatch& candidate : candidates) {
        if (same || candidate.base() != header->base_offset) continue;
        const bool is_same = candidate.bytes.empty() ? !(why = difference(candidate, bytes))
                                                     : candidate.bytes == bytes;
        if (is_same) same = &candidate;
      }
    };
    while (may_be_lost && may_have_holes && expected < batches.size() &&
           batches[expected].next() <= header->base_offset &&
           batches[expected].last() >= durable_end) {
      ++expected;
    }
    if (expected < batches.size() && batches[expected].bytes == bytes) {
      same = &batches[expected++];
    } else if (ghosts_may_be) {
      try_all(batches);
      try_all(in_flight);
      try_all(ghosts);
    } else if (expected >= batches.size()) {
      try_all(in_flight);
    } else {
      why = format("where the batch {} to {} should be there is one {} to {}",
                   batches[expected].base().value(), batches[expected].last().value(),
                   header->base_offset.value(), header->last_offset().value());
    }
    if (!same) return why;
    if (same->bytes.empty()) same->bytes = bytes;
    matched.push_back(*same);
  }
  const Offset behind = matched.empty() ? found.start : matched.back().next();
  if (found.end < behind || (found.end > behind && !may_have_holes && !ghosts_may_be && !has_hole)) {
    return format("the log ends at {}, its last batch at {}", found.end.value(), next.value() - 1);
  }
  const Offset must_reach = may_be_lost || is_vague ? durable_end : end;
  if (found.end < must_reach) {
    return format("acknowledged and lost: the log ends at {}, at least {} was promised",
                  found.end.value(), must_reach.value());
  }
  for (size_t i = index_of(found.start); i < batches.size(); ++i) {
    if (batches[i].last() >= must_reach) break;
    const bool there = std::any_of(matched.begin(), matched.end(), [&](const ModelBatch& one) {
      return one.base() == batches[i].base() && one.bytes == batches[i].bytes;
    });
    if (!there) return format("acknowledged and lost: batch {}", batches[i].base().value());
  }
  return std::nullopt;
}

std::optional<std::vector<LogModel::Epoch>> LogModel::epochs() const {
  std::vector<Epoch> all;
  for (size_t i = index_of(std::max(start, epochs_from)); i < batches.size(); ++i) {
    const BatchHeader& header = batches[i].header;
    if (header.magic < 2 || header.partition_leader_epoch.value() < 0) continue;
    if (!all.empty() && header.partition_leader_epoch < all.back().epoch) return std::nullopt;
    if (all.empty() || header.partition_leader_epoch > all.back().epoch) {
      all.push_back({header.partition_leader_epoch, header.base_offset});
    }
  }
  return all;
}

}  // namespace odradek::sim
