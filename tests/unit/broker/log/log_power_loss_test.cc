// What the simulation of a log directory (tests/sim/log) found, each as the shortest life that shows it.
#include "tests/unit/broker/log/log_fixture.h"

namespace odradek::broker::log {
namespace {

using CrashMode = fs::FaultyFileSystem::CrashMode;
using Call = fs::FaultyFileSystem::Call;

class LogPowerLoss : public LogTest {
 protected:
  static constexpr const char* kDirectory = "/logs/t-0/";

  Bytes content(const std::string& name) {
    Result<Bytes> bytes = files_.read_file(kDirectory + name, 1 << 20);
    return bytes ? *bytes : Bytes();
  }
  void put(const std::string& name, ByteView bytes) {
    ASSERT_TRUE(
        files_.write_file_atomically(kDirectory + name, bytes, fs::Durability::full).ok());
  }
  void append_from(int64_t producer, int32_t sequence, bool transactional = false) {
    BatchOptions options = from_producer(producer, 0, sequence);
    options.transactional = transactional;
    Result<AppendInfo> info = append(batch_of(2, kNow, options));
    ASSERT_TRUE(info.ok()) << info.error().what();
    ASSERT_FALSE(info->duplicate);
  }
  void end_transaction(int64_t producer, ControlType type) {
    Bytes marker = *build_transaction_marker(type, ProducerId(producer), ProducerEpoch(0), 1, kNow);
    ASSERT_TRUE(log_->append_as_leader(marker, LeaderEpoch(0), AppendOrigin::coordinator).ok());
  }
  bool is_duplicate(int64_t producer, int32_t sequence) {
    Result<AppendInfo> info = append(batch_of(2, kNow, from_producer(producer, 0, sequence)));
    return info && info->duplicate;
  }
};

TEST_F(LogPowerLoss, WhatAProducerSentBelowTheLogStartIsRemembered) {
  config_->segment_bytes = 300;
  open();
  append_from(1, 0);
  append_from(1, 2);
  append_from(1, 4);  // rolls: a snapshot knows of sequence 3
  ASSERT_EQ(log_->segment_count(), 2u);
  append_from(2, 0);
  ASSERT_TRUE(log_->advance_log_start(Offset(6)).ok());
  log_start_offset_ = Offset(6);
  ASSERT_TRUE(log_->flush().ok());
  reopen_crashed(CrashMode::keep_all);
  EXPECT_TRUE(is_duplicate(1, 4));
  append_from(1, 6);
}

TEST_F(LogPowerLoss, ProducersAreRememberedWhereAllRecordsWereDeleted) {
  open();
  append_from(1, 0);
  ASSERT_TRUE(log_->advance_log_start(Offset(2)).ok());
  log_start_offset_ = Offset(2);
  reopen_clean();
  EXPECT_TRUE(is_duplicate(1, 0));
}

TEST_F(LogPowerLoss, TheFirstOfSeveralBatchesWithOneTimeIsFound) {
  config_->timestamp_type = TimestampType::log_append_time;
  config_->index_interval_bytes = 0;
  open();
  must_append(1);
  clock_.advance_ms(10);
  Bytes both = batch_of(2, kNow) + batch_of(2, kNow);
  ASSERT_TRUE(log_->append_as_leader(both, LeaderEpoch(0), AppendOrigin::coordinator).ok());
  EXPECT_EQ((*log_->offset_for_timestamp(kNow + 10))->offset, Offset(1));
}

TEST_F(LogPowerLoss, AnIndexBuiltAnewDoesNotRepeatTheAbortedTransactionsBehindIt) {
  config_->segment_bytes = 300;
  open();
  for (int i = 0; i < 4; ++i) {
    append_from(1, i * 2, true);
    end_transaction(1, ControlType::abort);
  }
  ASSERT_GT(log_->segment_count(), 1u);
  const size_t aborted = log_->aborted_transactions(Offset(0), log_->log_end_offset())->size();
  ASSERT_TRUE(log_->close().ok());
  log_.reset();
  ASSERT_TRUE(files_.remove(std::string(kDirectory) + "00000000000000000000.index").ok());
  open();
  EXPECT_EQ(log_->aborted_transactions(Offset(0), log_->log_end_offset())->size(), aborted);
}

TEST_F(LogPowerLoss, APieceOfAnAbortedTransactionIsCutOff) {
  open();
  must_append(2);
  log_.reset();
  put("00000000000000000000.txnindex", std::string(20, 'x'));
  clean_ = false;
  open();
  EXPECT_EQ(content("00000000000000000000.txnindex").size(), 0u);
  // and that is synced with the next flush
  ASSERT_TRUE(log_->flush().ok());
  reopen_crashed(CrashMode::lose_unsynced);
  EXPECT_EQ(content("00000000000000000000.txnindex").size(), 0u);
}

TEST_F(LogPowerLoss, AFlushDoesNotVouchForWhatWasWrittenBehindACut) {
  open();
  must_append(3);
  must_append(3);
  Result<FlushWork> work = log_->begin_flush();
  ASSERT_TRUE(work.ok());
  ASSERT_TRUE(work->run().ok());
  ASSERT_TRUE(log_->truncate_to(Offset(3)).ok());
  must_append(3);
  log_->finish_flush(*work);
  EXPECT_LE(log_->recovery_point(), Offset(3));
}

TEST_F(LogPowerLoss, RetentionDoesNotVouchForWhatItLeaves) {
  config_->segment_bytes = 300;
  config_->retention_bytes = 300;
  open();
  for (int i = 0; i < 6; ++i) must_append(3);
  ASSERT_GT(log_->segment_count(), 1u);
  ASSERT_FALSE(log_->delete_old_segments(log_->log_end_offset())->empty());
  // a crash may bring back the names of the segments, whose content was never synced
  EXPECT_EQ(log_->recovery_point(), Offset(0));
}

// The second segment is on the disk, the end of the first one is not.
class LogWithAHole : public LogPowerLoss {
 protected:
  void make_hole() {
    config_->segment_bytes = 300;
    open();
    for (int i = 0; i < 4; ++i) must_append(3);
    ASSERT_EQ(log_->segments()[1].base_offset, Offset(6));
    log_.reset();
    const Bytes first = content("00000000000000000000.log");
    put("00000000000000000000.log", first.substr(0, first.size() / 2));
  }
  void open_with(bool is_recovery_point_known, bool was_compacted) {
    OpenOptions one = options();
    one.clean_shutdown = false;
    one.is_recovery_point_known = is_recovery_point_known;
    one.was_compacted = was_compacted;
    Result<std::unique_ptr<Log>> log = Log::open(context(), one);
    ASSERT_TRUE(log.ok()) << log.error().what();
    log_ = std::move(*log);
  }
};

TEST_F(LogWithAHole, IsCutThere) {
  make_hole();
  open_with(true, false);
  EXPECT_EQ(offsets(Offset(0)), range(0, 3));
  EXPECT_EQ(must_append(1), Offset(3));
}

TEST_F(LogWithAHole, StaysWhereACleanerOrAHandMayHaveMadeIt) {
  make_hole();
  const std::vector<int64_t> left = {0, 1, 2, 6, 7, 8, 9, 10, 11};
  open_with(true, true);
  EXPECT_EQ(offsets(Offset(0)), left);
  log_.reset();
  open_with(false, false);
  EXPECT_EQ(offsets(Offset(0)), left);
}

TEST_F(LogPowerLoss, ASnapshotBelowTheFirstSegmentIsNotBelieved) {
  config_->segment_bytes = 300;
  open();
  append_from(1, 0, true);
  append_from(2, 0);
  append_from(2, 2);
  const Bytes open_transaction = content(offset_name(log_->segments().back().base_offset) +
                                         ".snapshot");
  ASSERT_FALSE(open_transaction.empty());
  ASSERT_TRUE(log_->truncate_fully_and_start_at(Offset(20)).ok());
  append_from(2, 0);
  ASSERT_TRUE(log_->flush().ok());
  recovery_point_ = log_->recovery_point();
  log_.reset();
  put("00000000000000000004.snapshot", open_transaction);  // its removal was not on the disk
  clean_ = false;
  open();
  EXPECT_FALSE(log_->first_unstable_offset().has_value());
}

TEST_F(LogPowerLoss, TheTimesOfACleanStopAreSynced) {
  config_->index_interval_bytes = 1 << 20;
  open();
  must_append(1, kNow);
  must_append(1, kNow + 50);
  ASSERT_TRUE(log_->flush().ok());
  ASSERT_TRUE(log_->close().ok());
  log_.reset();
  files_.crash(CrashMode::lose_unsynced);
  clean_ = true;
  open();
  EXPECT_EQ(content("00000000000000000000.timeindex").size(), 12u);
}

TEST_F(LogPowerLoss, TheTimesOfASegmentThatWasRolledBehindAFlushAreFound) {
  config_->segment_bytes = 200;
  config_->index_interval_bytes = 1 << 20;
  open();
  must_append(1, kNow);
  must_append(1, kNow + 50);
  ASSERT_TRUE(log_->flush().ok());
  must_append(1, kNow);
  ASSERT_EQ(log_->segment_count(), 2u);
  ASSERT_TRUE(files_.sync_dir("/logs/t-0").ok());
  reopen_crashed(CrashMode::lose_unsynced);
  const auto found = log_->offset_for_timestamp(kNow + 50);
  ASSERT_TRUE(found.ok() && *found);
  EXPECT_EQ((*found)->offset, Offset(1));
}

TEST_F(LogPowerLoss, AnEpochThatAFullDiskKeptFromTheFileIsWrittenLater) {
  open();
  must_append(1);
  files_.set_capacity(files_.used_bytes());
  EXPECT_FALSE(append(batch_of(1, kNow), 3).ok());
  files_.set_capacity(0);
  ASSERT_TRUE(append(batch_of(1, kNow), 3).ok());
  reopen_clean();
  EXPECT_EQ(log_->latest_leader_epoch(), LeaderEpoch(3));
}

TEST_F(LogPowerLoss, EpochsOfAFetchThatAFullDiskRefusedAreForgotten) {
  open();
  must_append(1);
  BatchOptions first, second;
  first.base_offset = Offset(1);
  first.leader_epoch = LeaderEpoch(4);
  second.base_offset = Offset(3);
  second.leader_epoch = LeaderEpoch(6);
  const Bytes fetched = batch_of(2, kNow, first) + batch_of(2, kNow, second);
  files_.set_capacity(files_.used_bytes() + 60);
  EXPECT_EQ(log_->append_as_follower(fetched).error().code(), Errc::disk_full);
  EXPECT_LT(log_->latest_leader_epoch(), LeaderEpoch(6));
}

TEST_F(LogPowerLoss, AnEpochFileThatEndsWithinItsLastNumberIsBuiltAnew) {
  open();
  for (int i = 0; i < 12; ++i) must_append(1);
  ASSERT_TRUE(append(batch_of(1, kNow), 1).ok());  // epoch 1 begins at 12
  ASSERT_TRUE(log_->close().ok());
  log_.reset();
  const Bytes file = content("leader-epoch-checkpoint");
  ASSERT_EQ(file, "0\n2\n0 0\n1 12\n");
  put("leader-epoch-checkpoint", file.substr(0, file.size() - 2));
  open();
  EXPECT_EQ(log_->end_offset_for_epoch(LeaderEpoch(0)).end_offset, Offset(12));
}

TEST_F(LogPowerLoss, EpochsAreThoseOfTheBatchesThatCameBack) {
  open();
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(append(batch_of(1, kNow), i / 2).ok());
  log_.reset();
  // as a truncation to 1 and a new epoch wrote it, before a crash brought the batches back
  put("leader-epoch-checkpoint", "0\n2\n0 0\n5 1\n");
  clean_ = false;
  open();
  EXPECT_EQ(log_->latest_leader_epoch(), LeaderEpoch(1));
  EXPECT_EQ(log_->end_offset_for_epoch(LeaderEpoch(0)).end_offset, Offset(2));
}

}  // namespace
}  // namespace odradek::broker::log
