// What crashes, torn writes, full and broken disks leave of a log.
#include <cstdlib>
#include <random>

#include "broker/log/log_directory_name.h"
#include "common/bytes/crc32.h"
#include "tests/unit/broker/log/log_fixture.h"

namespace odradek::broker::log {
namespace {

using CrashMode = fs::FaultyFileSystem::CrashMode;
using Call = fs::FaultyFileSystem::Call;

class LogRecovery : public LogTest {
 protected:
  void overwrite(const std::string& name, uint64_t position, ByteView bytes) {
    auto file = files_.open("/logs/t-0/" + name, fs::OpenMode::create);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE((*file)->pwrite(bytes, position).ok());
  }
  uint64_t size_of(const std::string& name) {
    auto entry = files_.stat("/logs/t-0/" + name);
    return entry ? entry->size : 0;
  }
  static constexpr const char* kFirst = "00000000000000000000.log";
};

TEST_F(LogRecovery, KilledProcessLosesNothing) {
  config_->index_interval_bytes = 100;
  open();
  for (int i = 0; i < 20; ++i) must_append(3, kNow + i);
  reopen_crashed(CrashMode::keep_all);
  EXPECT_EQ(offsets(Offset(0)), range(0, 60));
  EXPECT_EQ((*log_->offset_for_timestamp(kNow + 19))->offset, Offset(17 * 3 + 2));
  EXPECT_EQ(must_append(1), Offset(60));
}

TEST_F(LogRecovery, PowerLossKeepsWhatWasFlushed) {
  open();
  for (int i = 0; i < 5; ++i) must_append(3);
  ASSERT_TRUE(log_->flush().ok());
  EXPECT_EQ(log_->recovery_point(), Offset(15));
  EXPECT_EQ(log_->unflushed_offsets(), 0);
  must_append(3);
  EXPECT_EQ(log_->unflushed_offsets(), 3);
  reopen_crashed(CrashMode::lose_unsynced);
  EXPECT_EQ(offsets(Offset(0)), range(0, 15));
  EXPECT_EQ(log_->latest_leader_epoch(), LeaderEpoch(0));
}

TEST_F(LogRecovery, EveryTornTailIsCut) {
  open();
  must_append(3);
  ASSERT_TRUE(log_->flush().ok());
  must_append(2);
  const Bytes whole = *files_.read_file(std::string("/logs/t-0/") + kFirst, 100000);
  const size_t first_size = batch_of(3, kNow).size();
  for (size_t size = first_size; size <= whole.size(); ++size) {
    log_.reset();
    ASSERT_TRUE(files_
                    .write_file_atomically(std::string("/logs/t-0/") + kFirst,
                                           whole.substr(0, size), fs::Durability::full)
                    .ok());
    clean_ = false;
    recovery_point_ = Offset(3);
    open();
    const int64_t end = size == whole.size() ? 5 : 3;
    ASSERT_EQ(offsets(Offset(0)), range(0, end)) << size;
    ASSERT_EQ(size_of(kFirst), end == 5 ? whole.size() : first_size);
  }
}

TEST_F(LogRecovery, CutsAtTheFirstBatchThatIsNotRight) {
  config_->segment_bytes = 500;
  open();
  for (int i = 0; i < 12; ++i) must_append(3, kNow, from_producer(1, 0, i * 3));
  ASSERT_EQ(log_->segment_count(), 3u);
  log_.reset();
  clean_ = false;
  overwrite("00000000000000000012.log", 150, "X");  // the second batch of the second segment
  open();
  EXPECT_EQ(offsets(Offset(0)), range(0, 15));
  EXPECT_EQ(log_->segment_count(), 2u);
  EXPECT_FALSE(files_.exists("/logs/t-0/00000000000000000024.log"));
  // the producer goes on where the log ends now
  EXPECT_EQ(append(batch_of(3, kNow, from_producer(1, 0, 36))).error().code(),
            Errc::out_of_order_sequence);
  EXPECT_EQ(append(batch_of(3, kNow, from_producer(1, 0, 15)))->first_offset, Offset(15));
}

TEST_F(LogRecovery, TornTailAfterACleanStopIsCutToo) {
  open();
  must_append(3);
  must_append(3);
  ASSERT_TRUE(log_->close().ok());
  const Bytes whole = *files_.read_file(std::string("/logs/t-0/") + kFirst, 100000);
  ASSERT_TRUE(files_
                  .write_file_atomically(std::string("/logs/t-0/") + kFirst,
                                         whole.substr(0, whole.size() - 1), fs::Durability::full)
                  .ok());
  open();
  EXPECT_EQ(offsets(Offset(0)), range(0, 3));
}

TEST_F(LogRecovery, ZerosOfAPreallocatedFileAreCut) {
  open();
  must_append(3);
  const uint64_t size = size_of(kFirst);
  log_.reset();
  overwrite(kFirst, size, std::string(1000, '\0'));
  overwrite("00000000000000000000.index", 0, std::string(10485760, '\0'));
  overwrite("00000000000000000000.timeindex", 0, std::string(10485756, '\0'));
  clean_ = false;
  open();
  EXPECT_EQ(offsets(Offset(0)), range(0, 3));
  EXPECT_EQ(size_of(kFirst), size);
  EXPECT_EQ(size_of("00000000000000000000.index"), 0u);
  EXPECT_EQ(size_of("00000000000000000000.timeindex"), 12u);
}

TEST_F(LogRecovery, LostAndDamagedIndexesAreBuiltAnew) {
  config_->segment_bytes = 2000;
  config_->index_interval_bytes = 100;
  open();
  for (int i = 0; i < 40; ++i) must_append(3, kNow + i);
  ASSERT_TRUE(log_->close().ok());
  const std::string index = "/logs/t-0/00000000000000000000.index";
  const std::string time = "/logs/t-0/00000000000000000000.timeindex";
  const Bytes index_bytes = *files_.read_file(index, 100000);
  const Bytes time_bytes = *files_.read_file(time, 100000);
  ASSERT_GT(index_bytes.size(), 16u);
  struct Row {
    const char* what;
    std::function<void()> damage;
  } rows[] = {
      {"both lost",
       [&] {
         (void)files_.remove(index);
         (void)files_.remove(time);
       }},
      {"half an entry",
       [&] { overwrite("00000000000000000000.index", index_bytes.size(), "abc"); }},
      {"zeros behind",
       [&] { overwrite("00000000000000000000.index", index_bytes.size(), std::string(80, '\0')); }},
      {"times backwards",
       [&] {
         overwrite("00000000000000000000.timeindex", time_bytes.size(), std::string(12, '\0'));
       }},
      {"beyond the file",
       [&] {
         overwrite("00000000000000000000.index", index_bytes.size() - 4, "\x7f\xff\xff\xff");
       }},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.what);
    log_.reset();
    row.damage();
    open();
    EXPECT_EQ(offsets(Offset(0)), range(0, 120));
    ASSERT_TRUE(log_->close().ok());
    EXPECT_EQ(*files_.read_file(index, 100000), index_bytes);
    // the times name the last offset of a batch where the leader knew the record
    EXPECT_EQ(files_.read_file(time, 100000)->size(), time_bytes.size());
  }
}

TEST_F(LogRecovery, DamagedEpochFileAndSnapshotAreRebuilt) {
  open();
  ASSERT_TRUE(append(batch_of(3, kNow, from_producer(1, 0, 0)), 2).ok());
  ASSERT_TRUE(append(batch_of(3, kNow, from_producer(1, 0, 3)), 5).ok());
  ASSERT_TRUE(log_->close().ok());
  overwrite("leader-epoch-checkpoint", 0, "rubbish");
  overwrite("00000000000000000006.snapshot", 3, "rubbish");
  open();
  EXPECT_EQ(log_->latest_leader_epoch(), LeaderEpoch(5));
  EXPECT_EQ(log_->end_offset_for_epoch(LeaderEpoch(2)).end_offset, Offset(3));
  EXPECT_TRUE(append(batch_of(3, kNow, from_producer(1, 0, 3)), 5)->duplicate);
}

TEST_F(LogRecovery, FullDiskIsAnErrorAndTheLogGoesOn) {
  open();
  for (int i = 0; i < 3; ++i) must_append(3, kNow, from_producer(1, 0, i * 3));
  const uint64_t before = size_of(kFirst);
  for (uint64_t room : {0, 1, 50, 117}) {
    files_.set_capacity(files_.used_bytes() + room);
    Result<AppendInfo> info = append(batch_of(3, kNow, from_producer(1, 0, 9)));
    ASSERT_FALSE(info.ok());
    EXPECT_EQ(info.error().code(), Errc::disk_full) << info.error().what();
    EXPECT_EQ(size_of(kFirst), before);
    EXPECT_EQ(offsets(Offset(0)), range(0, 9));
  }
  files_.set_capacity(0);
  Result<AppendInfo> info = append(batch_of(3, kNow, from_producer(1, 0, 9)));
  ASSERT_TRUE(info.ok()) << info.error().what();
  EXPECT_FALSE(info->duplicate);
  EXPECT_EQ(info->first_offset, Offset(9));
  reopen_crashed(CrashMode::keep_all);
  EXPECT_EQ(offsets(Offset(0)), range(0, 12));
}

TEST_F(LogRecovery, FullDiskAtTheRoll) {
  config_->segment_bytes = 300;
  config_->index_interval_bytes = 0;
  open();
  uint64_t appended = 0;
  std::mt19937_64 random(3);
  for (int i = 0; i < 60; ++i) {
    if (i % 3 == 2) files_.set_capacity(files_.used_bytes() + random() % 200);
    Result<AppendInfo> info =
        append(batch_of(2, kNow, from_producer(1, 0, static_cast<int32_t>(appended) * 2)));
    if (info) {
      ++appended;
    } else {
      EXPECT_EQ(info.error().code(), Errc::disk_full) << info.error().what();
    }
    files_.set_capacity(0);
  }
  EXPECT_GT(appended, 30u);
  EXPECT_LT(appended, 60u);
  EXPECT_EQ(offsets(Offset(0)), range(0, static_cast<int64_t>(appended) * 2));
  reopen_crashed(CrashMode::keep_all);
  EXPECT_EQ(offsets(Offset(0)), range(0, static_cast<int64_t>(appended) * 2));
}

TEST_F(LogRecovery, AnIoErrorTakesTheLogOut) {
  open();
  must_append(3);
  files_.fail(Call::write, ".log", Errc::io_error);
  EXPECT_EQ(append(batch_of(1, kNow)).error().code(), Errc::log_dir_offline);
  EXPECT_EQ(append(batch_of(1, kNow)).error().code(), Errc::log_dir_offline);
  EXPECT_EQ(log_->close().error().code(), Errc::log_dir_offline);
  // what was there can still be read
  EXPECT_EQ(offsets(Offset(0)), range(0, 3));
}

TEST_F(LogRecovery, AFailedSyncIsNeverTriedAgain) {
  open();
  must_append(3);
  files_.fail(Call::sync, ".log", Errc::io_error);
  EXPECT_EQ(log_->flush().error().code(), Errc::log_dir_offline);
  EXPECT_EQ(log_->recovery_point(), Offset(0));
  EXPECT_EQ(log_->flush().error().code(), Errc::log_dir_offline);
  EXPECT_EQ(append(batch_of(1, kNow)).error().code(), Errc::log_dir_offline);
}

TEST_F(LogRecovery, FlushRunsBesideTheLog) {
  config_->segment_bytes = 300;
  open();
  for (int i = 0; i < 5; ++i) must_append(2);
  Result<FlushWork> work = log_->begin_flush();
  ASSERT_TRUE(work.ok());
  must_append(2);
  ASSERT_TRUE(work->run().ok());
  log_->finish_flush(*work);
  EXPECT_EQ(log_->recovery_point(), Offset(10));
  EXPECT_EQ(log_->unflushed_offsets(), 2);
  ASSERT_TRUE(log_->flush().ok());
  EXPECT_TRUE(log_->begin_flush()->empty());
}

TEST_F(LogRecovery, CleanersSwapIsCompletedAndCleanedIsDropped) {
  config_->segment_bytes = 500;
  open();
  for (int i = 0; i < 12; ++i) must_append(3);
  ASSERT_TRUE(log_->close().ok());
  log_.reset();
  // segments 0 and 12 became one with two batches left, its base offset 0
  RecordBatchBuilder builder;
  Bytes kept;
  for (int64_t offset : {4, 20}) {
    BatchOptions one;
    one.base_offset = Offset(offset);
    one.leader_epoch = LeaderEpoch(0);
    kept += batch_of(2, kNow, one);
  }
  const std::string d = "/logs/t-0/";
  ASSERT_TRUE(
      files_.write_file_atomically(d + "00000000000000000000.log.swap", kept, fs::Durability::full)
          .ok());
  ASSERT_TRUE(
      files_.write_file_atomically(d + "00000000000000000000.index.swap", "", fs::Durability::full)
          .ok());
  ASSERT_TRUE(files_
                  .write_file_atomically(d + "00000000000000000024.log.cleaned", "rubbish",
                                         fs::Durability::full)
                  .ok());
  ASSERT_TRUE(files_
                  .write_file_atomically(d + "00000000000000000099.log.deleted", "rubbish",
                                         fs::Durability::full)
                  .ok());
  open();
  std::vector<int64_t> expected = {4, 5, 20, 21};
  for (int64_t offset = 24; offset < 36; ++offset) expected.push_back(offset);
  EXPECT_EQ(offsets(Offset(0)), expected);
  EXPECT_EQ(offsets(Offset(21)), std::vector<int64_t>(expected.begin() + 3, expected.end()));
  const std::vector<fs::DirEntry> entries = *files_.list("/logs/t-0");
  for (const fs::DirEntry& entry : entries) {
    EXPECT_FALSE(entry.name.ends_with(".swap") || entry.name.ends_with(".cleaned") ||
                 entry.name.ends_with(".deleted"))
        << entry.name;
  }
  EXPECT_EQ(must_append(1), Offset(36));
}

TEST_F(LogRecovery, LogThatEndsBelowItsStartGoesOnThere) {
  open();
  must_append(3);
  ASSERT_TRUE(log_->flush().ok());
  must_append(3);
  ASSERT_TRUE(log_->advance_log_start(Offset(5)).ok());
  log_start_offset_ = Offset(5);
  reopen_crashed(CrashMode::lose_unsynced);
  EXPECT_EQ(log_->log_start_offset(), Offset(5));
  EXPECT_EQ(must_append(1), Offset(5));
}

TEST_F(LogRecovery, OldMessageFormatsAreKeptAndServed) {
  Bytes entries;
  for (int64_t offset = 0; offset < 5; ++offset) {
    ByteWriter out;
    out.i64(offset);
    out.i32(0);
    out.u32(0);
    out.i8(offset < 3 ? 0 : 1);
    out.i8(0);
    if (offset >= 3) out.i64(kNow + offset);
    out.i32(-1);
    out.i32(5);
    out.bytes("hello");
    out.patch_i32(8, static_cast<int32_t>(out.buffer_size() - 12));
    out.patch_i32(12, static_cast<int32_t>(crc32(ByteView(out.buffer()).substr(16))));
    entries += out.buffer();
  }
  ASSERT_TRUE(files_.make_dirs("/logs/t-0").ok());
  ASSERT_TRUE(files_
                  .write_file_atomically("/logs/t-0/00000000000000000000.log", entries + "torn",
                                         fs::Durability::full)
                  .ok());
  clean_ = false;
  open();
  EXPECT_EQ(log_->log_end_offset(), Offset(5));
  Result<LogSlice> slice = log_->read(Offset(2), 1000, true, Offset(5));
  ASSERT_TRUE(slice.ok());
  EXPECT_EQ(slice->base_offset, Offset(2));
  EXPECT_EQ(slice->position + slice->size, entries.size());
  EXPECT_EQ((*log_->offset_for_timestamp(kNow + 4))->offset, Offset(4));
  EXPECT_EQ(must_append(1), Offset(5));
}

TEST_F(LogRecovery, AbortedTransactionsAreIndexedAnew) {
  config_->segment_bytes = 700;
  open();
  auto transactional = [&](int64_t producer, int32_t sequence) {
    BatchOptions one = from_producer(producer, 0, sequence);
    one.transactional = true;
    return batch_of(2, kNow, one);
  };
  auto end = [&](int64_t producer, ControlType type) {
    Bytes marker = *build_transaction_marker(type, ProducerId(producer), ProducerEpoch(0), 1, kNow);
    ASSERT_TRUE(log_->append_as_leader(marker, LeaderEpoch(0), AppendOrigin::coordinator).ok());
  };
  for (int i = 0; i < 6; ++i) {
    ASSERT_TRUE(append(transactional(1, i * 2)).ok());
    ASSERT_TRUE(append(transactional(2, i * 2)).ok());
    EXPECT_EQ(log_->first_unstable_offset(), Offset(i * 6));
    end(1, ControlType::abort);
    end(2, ControlType::commit);
    EXPECT_FALSE(log_->first_unstable_offset().has_value());
  }
  ASSERT_TRUE(append(transactional(1, 12)).ok());
  auto check = [&] {
    Result<std::vector<AbortedTransaction>> all =
        log_->aborted_transactions(Offset(0), log_->log_end_offset());
    ASSERT_TRUE(all.ok());
    ASSERT_EQ(all->size(), 6u);
    for (size_t i = 0; i < 6; ++i) {
      EXPECT_EQ((*all)[i].producer_id, ProducerId(1));
      EXPECT_EQ((*all)[i].first_offset, Offset(static_cast<int64_t>(i) * 6));
    }
    EXPECT_EQ(log_->aborted_transactions(Offset(6), Offset(12))->size(), 1u);
    EXPECT_EQ(log_->aborted_transactions(Offset(5), Offset(6))->size(), 0u);
    EXPECT_EQ(log_->first_unstable_offset(), Offset(36));
  };
  check();
  reopen_clean();
  check();
  reopen_crashed(CrashMode::keep_all);
  check();
  recovery_point_ = Offset(0);
  for (const SegmentInfo& segment : log_->segments()) {
    (void)files_.remove("/logs/t-0/" + offset_name(segment.base_offset) + ".txnindex");
  }
  log_.reset();
  clean_ = false;
  open();
  check();
}

// Random life of a log: appends, flushes, rolls, retention, truncation, full disk, crashes of every
// kind. After each crash the log is a prefix of what was appended, and nothing that was flushed is
// missing.
TEST_F(LogRecovery, RandomCrashes) {
  const char* wanted = std::getenv("LOG_SEEDS");  // more of them by hand
  const uint64_t seeds = wanted ? std::strtoull(wanted, nullptr, 10) : 150;
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    fs::FaultyFileSystem disk(seed);
    FileCache cache(disk, 4);
    ASSERT_TRUE(disk.make_dirs("/logs").ok());
    ASSERT_TRUE(disk.sync_dir("/").ok());
    LogContext context{&disk, &cache, &clock_};
    auto config = std::make_shared<LogConfig>();
    config->segment_bytes = 300 + static_cast<int64_t>(random() % 1000);
    config->index_interval_bytes = static_cast<int64_t>(random() % 300);
    OpenOptions options;
    options.directory = "/logs/t-0";
    options.id = {"t", PartitionId(0)};
    options.config = config;
    options.clean_shutdown = true;
    std::vector<std::string> values;  // by offset
    int64_t flushed = 0;
    int32_t sequence = 0;
    std::unique_ptr<Log> log = std::move(*Log::open(context, options));
    for (int step = 0; step < 120; ++step) {
      const uint64_t dice = random() % 100;
      if (dice < 60) {
        BatchOptions one = from_producer(1, 0, sequence);
        one.codec = static_cast<compress::Codec>(random() % 5);
        RecordBatchBuilder builder(one);
        const int count = 1 + static_cast<int>(random() % 5);
        std::vector<std::string> added;
        for (int i = 0; i < count; ++i) {
          added.push_back(std::to_string(random()));
          builder.add(kNow + step, "k", added.back());
        }
        Bytes batch = *builder.build();
        const bool full = random() % 10 == 0;
        if (full) disk.set_capacity(disk.used_bytes() + random() % 100);
        Result<AppendInfo> info = log->append_as_leader(
            batch, LeaderEpoch(static_cast<int32_t>(step) / 40), AppendOrigin::client);
        disk.set_capacity(0);
        if (info) {
          ASSERT_FALSE(info->duplicate);
          ASSERT_EQ(info->first_offset.value(), static_cast<int64_t>(values.size()));
          values.insert(values.end(), added.begin(), added.end());
          sequence += count;
        } else {
          ASSERT_TRUE(full) << info.error().what();
        }
      } else if (dice < 80) {
        ASSERT_TRUE(log->flush().ok());
        flushed = log->log_end_offset().value();
      } else if (dice < 90) {
        const bool clean = random() % 3 == 0;
        if (clean) {
          ASSERT_TRUE(log->close().ok());
          flushed = log->log_end_offset().value();
        }
        options.recovery_point = log->recovery_point();
        options.clean_shutdown = clean;
        log.reset();
        if (!clean || random() % 2) disk.crash(static_cast<CrashMode>(random() % 3));
        Result<std::unique_ptr<Log>> opened = Log::open(context, options);
        ASSERT_TRUE(opened.ok()) << opened.error().what();
        log = std::move(*opened);
        const int64_t end = log->log_end_offset().value();
        ASSERT_GE(end, flushed);
        ASSERT_LE(end, static_cast<int64_t>(values.size()));
        values.resize(static_cast<size_t>(end));
        sequence = end == 0 ? 0 : static_cast<int32_t>(end);
      } else if (dice < 95 && !values.empty()) {
        const Offset to(static_cast<int64_t>(random() % (values.size() + 1)));
        // to a batch boundary, as a follower is told
        Result<LogSlice> slice = log->read(to, 1, true, log->log_end_offset());
        ASSERT_TRUE(slice.ok());
        const Offset boundary = slice->size > 0 ? slice->base_offset : to;
        if (boundary > log->log_end_offset()) continue;
        ASSERT_TRUE(log->truncate_to(boundary).ok());
        values.resize(static_cast<size_t>(boundary.value()));
        flushed = std::min(flushed, boundary.value());
        sequence = static_cast<int32_t>(boundary.value());
        // a truncation that a crash forgets would bring the old records back: flush tells the disk
        ASSERT_TRUE(log->flush().ok());
      } else {
        ASSERT_TRUE(log->offset_for_timestamp(kNow + static_cast<int64_t>(random() % 120)).ok());
      }
    }
    // every record, in order, once
    size_t next = 0;
    while (next < values.size()) {
      Result<LogSlice> slice =
          log->read(Offset(static_cast<int64_t>(next)), 500, true, log->log_end_offset());
      ASSERT_TRUE(slice.ok() && slice->size > 0);
      Bytes bytes = *Log::read_bytes(*slice);
      BatchWalker walker(bytes);
      while (walker.next()) {
        Result<RecordIterator> records = RecordIterator::open(walker.batch(), 1 << 20);
        ASSERT_TRUE(records.ok());
        while (const RecordView* record = records->next()) {
          ASSERT_EQ(record->offset.value(), static_cast<int64_t>(next));
          ASSERT_EQ(*record->value, values[next]);
          ++next;
        }
      }
    }
  }
}

}  // namespace
}  // namespace odradek::broker::log
