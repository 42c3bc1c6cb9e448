#pragma once
// What the tests of compaction share: a compacted log, and a pass over it with nobody in between.

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "broker/log/cleaner.h"
#include "tests/unit/broker/log/log_fixture.h"

namespace odradek::broker::log {

using Text = std::optional<std::string>;

struct Stored {
  int64_t offset;
  Text key;
  Text value;
  bool operator==(const Stored&) const = default;
};
inline std::ostream& operator<<(std::ostream& out, const Stored& stored) {
  return out << stored.offset << ":" << stored.key.value_or("(null)") << "="
             << stored.value.value_or("(null)");
}

class CleanerTest : public LogTest {
 protected:
  void SetUp() override {
    LogTest::SetUp();
    config_->cleanup_compact = true;
    config_->cleanup_delete = false;
    config_->segment_bytes = 1000;
    config_->index_interval_bytes = 100;
    config_->delete_retention_ms = 1000;
  }

  using Pairs = std::vector<std::pair<Text, Text>>;
  static Bytes batch_with(const Pairs& pairs, int64_t timestamp, BatchOptions options = {}) {
    RecordBatchBuilder builder(options);
    for (const auto& [key, value] : pairs) builder.add(timestamp, key, value);
    return *builder.build();
  }
  Offset put(const Pairs& pairs, BatchOptions options = {}) {
    Bytes batch = batch_with(pairs, clock_.wall_ms(), options);
    Result<AppendInfo> info =
        log_->append_as_leader(batch, LeaderEpoch(0), AppendOrigin::coordinator);
    EXPECT_TRUE(info.ok()) << info.error().what();
    return info ? info->first_offset : Offset(-1);
  }
  Offset end_transaction(ControlType type, int64_t producer, int16_t epoch) {
    Bytes marker = *build_transaction_marker(type, ProducerId(producer), ProducerEpoch(epoch), 0,
                                             clock_.wall_ms());
    Result<AppendInfo> info =
        log_->append_as_leader(marker, LeaderEpoch(0), AppendOrigin::coordinator);
    EXPECT_TRUE(info.ok()) << info.error().what();
    return info ? info->first_offset : Offset(-1);
  }
  static BatchOptions in_transaction(int64_t producer, int16_t epoch, int32_t sequence) {
    BatchOptions options = from_producer(producer, epoch, sequence);
    options.transactional = true;
    return options;
  }
  // Closes the segment that is written to, so that everything so far can be compacted.
  void roll() {
    const int64_t bytes = std::exchange(config_->segment_bytes, 100);
    put({{"roll", "x"}});
    config_->segment_bytes = bytes;
  }

  Offset stable_end() const {
    return log_->first_unstable_offset().value_or(log_->log_end_offset());
  }

  // One pass. False: given up, since the log has changed. `between` is called before each step of a
  // swap.
  Result<bool> try_clean(CleanerLimits limits = {}, std::function<void()> between = [] {}) {
    Result<CleaningPlan> plan = log_->plan_cleaning(stable_end());
    if (!plan) return plan.error();
    Cleaner cleaner(files_, *plan, limits);
    Result<bool> done = run(cleaner, between);
    counts_ = cleaner.counts();
    if (done && *done) {
      log_->finish_cleaning(plan->generation, cleaner.end_offset());
    } else {
      (void)cleaner.abandon();
    }
    return done;
  }
  void clean(CleanerLimits limits = {}) {
    Result<bool> done = try_clean(limits);
    ASSERT_TRUE(done.ok()) << done.error().what();
    ASSERT_TRUE(*done);
  }

  // Every batch from the log start on, with its checksum looked at.
  std::vector<std::pair<BatchHeader, Bytes>> batches() {
    std::vector<std::pair<BatchHeader, Bytes>> all;
    Offset from = log_->log_start_offset();
    while (from < log_->log_end_offset()) {
      Result<LogSlice> slice = log_->read(from, 700, true, log_->log_end_offset());
      EXPECT_TRUE(slice.ok()) << slice.error().what();
      if (!slice || slice->size == 0) break;
      Result<Bytes> bytes = Log::read_bytes(*slice);
      EXPECT_TRUE(bytes.ok());
      BatchWalker walker(*bytes);
      while (walker.next()) {
        EXPECT_TRUE(check_crc(walker.header(), walker.batch()).ok());
        EXPECT_LE(from, walker.header().last_offset());
        from = walker.header().next_offset();
        all.emplace_back(walker.header(), Bytes(walker.batch()));
      }
      EXPECT_TRUE(walker.ok() && walker.rest().empty());
    }
    return all;
  }
  // Records that are no markers.
  std::vector<Stored> stored() {
    std::vector<Stored> all;
    auto text = [](const std::optional<ByteView>& bytes) {
      return bytes ? Text(std::string(*bytes)) : Text();
    };
    for (const auto& [header, batch] : batches()) {
      if (header.is_control()) continue;
      Result<RecordIterator> records = RecordIterator::open(batch, 1 << 20);
      EXPECT_TRUE(records.ok());
      while (const RecordView* record = records->next()) {
        all.push_back({record->offset.value(), text(record->key), text(record->value)});
      }
      EXPECT_TRUE(records->ok());
    }
    return all;
  }
  // Last value of each key; a tombstone counts as no value.
  std::map<std::string, std::string> table() {
    std::map<std::string, std::string> last;
    for (const Stored& record : stored()) {
      if (record.value) {
        last[*record.key] = *record.value;
      } else {
        last.erase(*record.key);
      }
    }
    return last;
  }
  std::vector<std::string> files(std::string_view suffix) {
    std::vector<std::string> names;
    const std::vector<fs::DirEntry> entries = *files_.list("/logs/t-0");
    for (const fs::DirEntry& entry : entries) {
      if (entry.name.ends_with(suffix)) names.push_back(entry.name);
    }
    return names;
  }

  CleanerCounts counts_;

 private:
  Result<bool> run(Cleaner& cleaner, const std::function<void()>& between) {
    while (true) {
      Result<Cleaner::Next> next = cleaner.step();
      if (!next) return next.error();
      if (*next == Cleaner::Next::done) return true;
      if (*next == Cleaner::Next::more) continue;
      between();
      Result<bool> begun = log_->begin_swap(cleaner.plan().generation, cleaner.ready());
      if (!begun || !*begun) return begun;
      if (Result<void> synced = files_.sync_dir(log_->directory()); !synced) return synced.error();
      between();
      Result<std::optional<DeletedFiles>> finished = log_->finish_swap();
      if (!finished) return finished.error();
      if (!*finished) return false;
      if (Result<void> synced = files_.sync_dir(log_->directory()); !synced) return synced.error();
      if (Result<void> removed = remove_files(files_, **finished); !removed) return removed.error();
      cleaner.swapped();
    }
  }
};

}  // namespace odradek::broker::log
