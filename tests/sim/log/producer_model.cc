#include "tests/sim/log/producer_model.h"

#include <algorithm>
#include <limits>

#include "common/format.h"

namespace odradek::sim {

using broker::log::BatchHeader;
using broker::log::ProducerEntry;
using broker::log::ProducerStates;

namespace {
constexpr size_t kRemembered = 5;

std::string text(const std::optional<Offset>& offset) {
  return offset ? std::to_string(offset->value()) : "none";
}
}  // namespace

ProducerModel::Judgement ProducerModel::judge(const BatchHeader& header) const {
  const ModelProducer* known = find(header.producer_id);
  if (!known) return {};
  if (header.producer_epoch == known->epoch) {
    for (const ModelProducer::Sent& sent : known->sent) {
      if (sent.first_sequence == header.base_sequence &&
          sent.last_sequence == header.last_sequence()) {
        return {Answer::duplicate, sent};
      }
    }
    const int32_t last = known->sent.empty() ? -1 : known->sent.back().last_sequence;
    const int32_t next = last == std::numeric_limits<int32_t>::max() ? 0 : last + 1;
    return {header.base_sequence == next ? Answer::taken : Answer::out_of_order, {}};
  }
  if (header.producer_epoch < known->epoch) return {Answer::old_epoch, {}};
  return {header.base_sequence == 0 ? Answer::taken : Answer::out_of_order, {}};
}

void ProducerModel::note(const ModelBatch& batch) {
  const BatchHeader& header = batch.header;
  if (header.producer_id.value() < 0) return;
  const bool is_new = !producers_.contains(header.producer_id);
  ModelProducer& producer = producers_[header.producer_id];
  producer.oldest_timestamp_ms =
      is_new ? header.max_timestamp : std::min(producer.oldest_timestamp_ms, header.max_timestamp);
  if (producer.epoch != header.producer_epoch) {
    producer.epoch = header.producer_epoch;
    producer.sent.clear();
  }
  producer.last_timestamp_ms = header.max_timestamp;
  producer.last_seen = batch.last();
  if (batch.aborts) {
    producer.coordinator_epoch = batch.coordinator_epoch;
    if (producer.transaction_first && *batch.aborts) {
      aborted_.push_back({header.producer_id, *producer.transaction_first, batch.last()});
    }
    producer.transaction_first.reset();
    return;
  }
  producer.sent.push_back({header.base_sequence, header.last_sequence(), batch.base(),
                           batch.last(), header.max_timestamp});
  if (producer.sent.size() > kRemembered) producer.sent.pop_front();
  if (header.is_transactional() && !producer.transaction_first) {
    producer.transaction_first = batch.base();
  }
}

void ProducerModel::adopt(const ProducerStates& states) {
  clear();
  for (const auto& [id, entry] : states.entries()) {
    ModelProducer& mine = producers_[id];
    mine.epoch = entry.epoch;
    mine.coordinator_epoch = entry.coordinator_epoch;
    mine.last_timestamp_ms = mine.oldest_timestamp_ms = entry.last_timestamp_ms;
    mine.transaction_first = entry.transaction_first_offset;
    for (size_t i = 0; i < entry.batch_count; ++i) {
      const broker::log::ProducerBatch& batch = entry.batches[i];
      mine.sent.push_back({batch.first_sequence(), batch.last_sequence, batch.first_offset(),
                           batch.last_offset, batch.timestamp_ms});
    }
  }
}

std::optional<Offset> ProducerModel::first_unstable() const {
  std::optional<Offset> first;
  for (const auto& [id, producer] : producers_) {
    if (producer.transaction_first && (!first || *producer.transaction_first < *first)) {
      first = producer.transaction_first;
    }
  }
  return first;
}

std::optional<std::string> ProducerModel::compare(const ProducerStates& states,
                                                  const Leniency& leniency) {
  for (const auto& [id, entry] : states.entries()) {
    if (!producers_.contains(id)) {
      return format("it knows producer {}, which sent nothing that is kept", id.value());
    }
  }
  for (auto it = producers_.begin(); it != producers_.end();) {
    auto& [id, mine] = *it;
    const auto wrong = [&](std::string what) {
      return std::optional<std::string>(format("producer {}: {}", id.value(), what));
    };
    const bool forgettable =
        mine.last_seen < leniency.forgotten_below ||
        (!mine.transaction_first && mine.last_timestamp_ms <= leniency.expired_until_ms);
    auto found = states.entries().find(id);
    if (found == states.entries().end()) {
      if (!forgettable) return wrong(format("forgotten, last seen at {}", mine.last_seen.value()));
      it = producers_.erase(it);
      continue;
    }
    const ProducerEntry& theirs = found->second;
    if (theirs.epoch != mine.epoch) {
      return wrong(format("epoch {}, not {}", theirs.epoch.value(), mine.epoch.value()));
    }
    if (theirs.transaction_first_offset != mine.transaction_first) {
      // its first records may lie below what is kept and is read at a start
      const bool later = mine.transaction_first && theirs.transaction_first_offset &&
                         *mine.transaction_first < leniency.forgotten_below &&
                         *theirs.transaction_first_offset > *mine.transaction_first;
      if (!later) {
        return wrong(format("its transaction begins at {}, not {}",
                            text(theirs.transaction_first_offset), text(mine.transaction_first)));
      }
      mine.transaction_first = theirs.transaction_first_offset;
    }
    if (theirs.coordinator_epoch != mine.coordinator_epoch) {
      if (leniency.forgotten_below == Offset(0) &&
          mine.oldest_timestamp_ms > leniency.expired_until_ms) {
        return wrong(format("coordinator epoch {}, not {}", theirs.coordinator_epoch,
                            mine.coordinator_epoch));
      }
      mine.coordinator_epoch = theirs.coordinator_epoch;
    }
    const size_t count = theirs.batch_count;
    // more than a start before this one knew: of which the model was told that it is forgotten
    const size_t more = leniency.fewer_batches && count > mine.sent.size() ? count - mine.sent.size() : 0;
    for (size_t i = more; i-- > 0;) {
      const broker::log::ProducerBatch& batch = theirs.batches[i];
      mine.sent.push_front({batch.first_sequence(), batch.last_sequence, batch.first_offset(),
                            batch.last_offset, batch.timestamp_ms});
    }
    const bool fewer = leniency.fewer_batches && count < mine.sent.size() &&
                       (count > 0 || mine.sent.back().last_offset < leniency.forgotten_below ||
                        mine.oldest_timestamp_ms <= leniency.expired_until_ms);
    if (count != mine.sent.size() && !fewer) {
      std::string seen;
      for (size_t i = 0; i < count; ++i) {
        seen += format(" {}..{}@{}", theirs.batches[i].first_sequence(),
                       theirs.batches[i].last_sequence, theirs.batches[i].last_offset.value());
      }
      seen += ", not";
      for (const ModelProducer::Sent& sent : mine.sent) {
        seen += format(" {}..{}@{}", sent.first_sequence, sent.last_sequence,
                       sent.last_offset.value());
      }
      return wrong(format("{} batches are remembered, not {}:{}", count, mine.sent.size(), seen));
    }
    while (mine.sent.size() > count) mine.sent.pop_front();
    for (size_t i = 0; i < count; ++i) {
      if (theirs.batches[i].last_sequence != mine.sent[i].last_sequence ||
          theirs.batches[i].first_sequence() != mine.sent[i].first_sequence ||
          theirs.batches[i].last_offset != mine.sent[i].last_offset) {
        return wrong(format("sequence {} to {} at offset {}, not {} to {} at {}",
                            theirs.batches[i].first_sequence(), theirs.batches[i].last_sequence,
                            theirs.batches[i].last_offset.value(), mine.sent[i].first_sequence,
                            mine.sent[i].last_sequence, mine.sent[i].last_offset.value()));
      }
    }
    if (theirs.last_timestamp_ms != mine.last_timestamp_ms) {
      return wrong(format("heard of at {}, not {}", theirs.last_timestamp_ms,
                          mine.last_timestamp_ms));
    }
    ++it;
  }
  return std::nullopt;
}

}  // namespace odradek::sim
