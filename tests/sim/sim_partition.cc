#include "tests/sim/sim_partition.h"

#include "broker/log/record.h"
#include "common/check.h"
#include "common/format.h"

namespace odradek::sim {

using broker::log::AppendInfo;
using broker::log::AppendOrigin;
using broker::log::Log;
using broker::log::LogConfig;
using broker::log::LogContext;
using broker::log::OpenOptions;

namespace {
const std::string kDirectory = "/logs/sim-0";
}

SimPartition::SimPartition(World& world, PartitionBugs bugs)
    : world_(world), bugs_(bugs), node_(world, "broker"), files_(world.seed()) {
  LogConfig config;
  config.segment_bytes = 2000;  // so that rolls fall between crashes
  config.index_interval_bytes = 200;
  config.flush_messages = 1;
  config_ = std::make_shared<const LogConfig>(config);
}

void SimPartition::start() {
  CHECK(!node_.up());
  node_.start();
  OpenOptions options;
  options.directory = kDirectory;
  options.id = TopicPartition{"sim", PartitionId(0)};
  options.config = config_;
  auto opened = Log::open(LogContext{&files_, &cache_, &world_.clock()}, std::move(options));
  if (!opened) {
    world_.breach("the log does not open after a crash: " + opened.error().what());
    return;
  }
  log_ = std::move(*opened);
  auto begun = log_->begin_leader_epoch(LeaderEpoch(leader_epoch_++));
  if (!begun) world_.breach("no leader epoch can begin: " + begun.error().what());
  world_.trace(format("broker starts at {}", log_->log_end_offset().value()));
}

void SimPartition::crash(fs::FaultyFileSystem::CrashMode mode) {
  CHECK(node_.up());
  world_.trace(format("broker crashes {}", static_cast<int>(mode)));
  node_.stop();
  log_.reset();
  queue_.clear();
  working_ = false;
  files_.crash(mode);
}

void SimPartition::append(Bytes batch, Answer answer) {
  queue_.push_back({std::move(batch), std::move(answer)});
  work();
}

void SimPartition::work() {
  if (working_ || queue_.empty()) return;
  working_ = true;
  node_.after(world_.between(0, 2), [this] {
    size_t index = bugs_.reordered_append && queue_.size() > 1 && world_.chance(30) ? 1 : 0;
    Request request = std::move(queue_[index]);
    queue_.erase(queue_.begin() + static_cast<ptrdiff_t>(index));
    auto appended = log_->append_as_leader(std::span<char>(request.batch), log_->latest_leader_epoch(),
                                           AppendOrigin::client);
    auto finish = [this, appended, answer = std::move(request.answer)] {
      if (!bugs_.reply_before_fsync) {
        auto flushed = log_->flush();
        CHECK(flushed.ok());
      }
      answer(appended);
      working_ = false;
      work();
    };
    node_.after(world_.between(0, 2), std::move(finish));
  });
}

std::vector<std::string> SimPartition::records() {
  std::vector<std::string> values;
  Offset next = log_->log_start_offset();
  while (next < log_->log_end_offset()) {
    auto slice = log_->read(next, 1 << 20, true, log_->log_end_offset());
    if (!slice || slice->size == 0) {
      world_.breach(format("offset {} below the end {} cannot be read", next.value(), log_->log_end_offset().value()));
      return values;
    }
    auto bytes = Log::read_bytes(*slice);
    CHECK(bytes.ok());
    broker::log::BatchWalker walker(*bytes);
    while (walker.next()) {
      if (!broker::log::check_crc(walker.header(), walker.batch())) world_.breach("a batch with a wrong checksum");
      if (walker.header().base_offset != next) {
        world_.breach(format("offset {} follows {}", walker.header().base_offset.value(), next.value()));
      }
      auto records = broker::log::RecordIterator::open(walker.batch(), 1 << 20);
      CHECK(records.ok());
      while (const broker::log::RecordView* record = records->next()) values.emplace_back(*record->value);
      next = walker.header().next_offset();
    }
  }
  return values;
}

}  // namespace odradek::sim
