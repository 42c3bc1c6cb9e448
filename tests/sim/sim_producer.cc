#include "tests/sim/sim_producer.h"

#include <algorithm>

#include "broker/log/record_batch_builder.h"
#include "common/check.h"
#include "common/format.h"

namespace odradek::sim {

using broker::log::AppendInfo;
using broker::log::BatchOptions;
using broker::log::RecordBatchBuilder;

namespace {
constexpr size_t kMostInFlight = 4;
}

void SimProducer::connect() {
  uint64_t life = ++life_;
  world_.after(world_.between(1, 200), [this, life] {
    if (life != life_) return;
    if (!partition_.up()) return connect();
    if (!idempotent_) batches_.clear();
    for (Batch& batch : batches_) batch.sent = false;
    arrives_ms_ = world_.now_ms();
    pump();
  });
}

void SimProducer::pump() {
  if (batches_.size() < kMostInFlight && world_.chance(70)) {
    Batch batch;
    batch.first = next_;
    batch.count = static_cast<int>(world_.between(1, 5));
    next_ += batch.count;
    batches_.push_back(batch);
  }
  for (Batch& batch : batches_) {
    if (!batch.sent) send(batch);
  }
  uint64_t life = life_;
  world_.after(world_.between(0, 20), [this, life] {
    if (life == life_) pump();
  });
}

Bytes SimProducer::encode(const Batch& batch) const {
  BatchOptions options;
  if (idempotent_) {
    options.producer_id = ProducerId(1000 + number_);
    options.producer_epoch = ProducerEpoch(0);
    options.base_sequence = batch.first;
  }
  RecordBatchBuilder builder(options);
  for (int i = 0; i < batch.count; ++i) builder.add(world_.clock().wall_ms(), std::nullopt, value(batch.first + i));
  auto built = builder.build();
  CHECK(built.ok());
  return std::move(*built);
}

void SimProducer::send(Batch& batch) {
  batch.sent = true;
  uint64_t life = life_;
  arrives_ms_ = std::max(arrives_ms_ + 1, world_.now_ms() + world_.between(0, 5));
  world_.after(arrives_ms_ - world_.now_ms(), [this, life, bytes = encode(batch), first = batch.first] {
    if (life != life_ || !partition_.up()) return;
    partition_.append(bytes, [this, life, first](const Result<AppendInfo>& info) {
      world_.after(world_.between(0, 5), [this, life, first, info] {
        if (life == life_) answered(first, info);
      });
    });
  });
}

void SimProducer::answered(int first, const Result<AppendInfo>& info) {
  if (!info) {
    world_.breach(format("producer {} refused at {}: {}", number_, first, info.error().what()));
    return;
  }
  auto found = std::find_if(batches_.begin(), batches_.end(), [first](const Batch& b) { return b.first == first; });
  if (found == batches_.end()) return;
  for (int i = 0; i < found->count; ++i) acknowledged_.insert(found->first + i);
  batches_.erase(found);
  world_.trace(format("producer {} told {}", number_, info->last_offset.value()));
}

void SimProducer::check(const std::vector<std::string>& values) {
  std::string mine = std::to_string(number_) + ":";
  std::set<int> seen;
  int last = -1;
  for (const std::string& text : values) {
    if (!text.starts_with(mine)) continue;
    int record = std::stoi(text.substr(mine.size()));
    if (record <= last) world_.breach(format("record {} of producer {} behind {}", record, number_, last));
    last = record;
    seen.insert(record);
  }
  for (int record : acknowledged_) {
    if (!seen.contains(record)) {
      world_.breach(format("acknowledged record {} of producer {} lost", record, number_));
      return;
    }
  }
}

}  // namespace odradek::sim
