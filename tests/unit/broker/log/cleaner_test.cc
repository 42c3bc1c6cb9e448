// Compaction of one log: what stays, what goes, and how the log looks afterwards.
#include "broker/log/cleaner.h"

#include <random>

#include "broker/log/message_set.h"
#include "tests/unit/broker/log/cleaner_fixture.h"

namespace odradek::broker::log {
namespace {

using compress::Codec;

TEST_F(CleanerTest, TheLatestOfEachKeyStaysWhereItWas) {
  open();
  put({{"a", "1"}, {"b", "1"}, {"a", "2"}});
  put({{"c", "1"}, {"a", "3"}});
  put({{"b", "2"}});
  roll();
  put({{"c", "9"}});  // behind: not looked at yet
  clean();
  const std::vector<Stored> expected = {
      {3, "c", "1"}, {4, "a", "3"}, {5, "b", "2"}, {6, "roll", "x"}, {7, "c", "9"}};
  EXPECT_EQ(stored(), expected);
  EXPECT_EQ(log_->log_start_offset(), Offset(0));
  EXPECT_EQ(log_->log_end_offset(), Offset(8));
  EXPECT_EQ(log_->cleaned_to(), Offset(6));
  EXPECT_EQ(counts_.keys, 3u);
  EXPECT_EQ(counts_.records_read, 6u);
  EXPECT_EQ(counts_.records_kept, 3u);
  reopen_clean();
  EXPECT_EQ(stored(), expected);
  clean_ = false;
  recovery_point_ = Offset(0);
  open();
  EXPECT_EQ(stored(), expected);
}

TEST_F(CleanerTest, EveryOffsetCanStillBeAskedFor) {
  config_->segment_bytes = 600;
  open();
  for (int i = 0; i < 60; ++i) put({{"key " + std::to_string(i % 7), std::to_string(i)}});
  clean();
  const std::vector<Stored> all = stored();
  for (int64_t from = 0; from < 60; ++from) {
    Result<LogSlice> slice = log_->read(Offset(from), 1, true, log_->log_end_offset());
    ASSERT_TRUE(slice.ok()) << slice.error().what();
    Bytes bytes = *Log::read_bytes(*slice);
    BatchWalker first(bytes);
    ASSERT_TRUE(first.next()) << from;
    auto next = std::find_if(all.begin(), all.end(),
                             [&](const Stored& record) { return record.offset >= from; });
    EXPECT_EQ(first.header().base_offset.value(), next->offset) << from;
  }
}

TEST_F(CleanerTest, ATombstoneGoesAfterItsTime) {
  open();
  put({{"a", "1"}, {"b", "1"}});
  put({{"a", std::nullopt}, {"b", "2"}});
  roll();
  clean();
  EXPECT_EQ(stored(), (std::vector<Stored>{{2, "a", {}}, {3, "b", "2"}, {4, "roll", "x"}}));
  const BatchHeader marked = batches().front().first;
  EXPECT_TRUE(marked.has_delete_horizon());
  EXPECT_EQ(marked.base_timestamp, clock_.wall_ms() + config_->delete_retention_ms);
  EXPECT_EQ(marked.max_timestamp, clock_.wall_ms());
  // the time counts from the first pass, not from the last
  clock_.advance_ms(999);
  roll();
  clean();
  EXPECT_EQ(stored().front(), (Stored{2, "a", {}}));
  clock_.advance_ms(1);
  roll();
  clean();
  EXPECT_EQ(stored().front(), (Stored{3, "b", "2"}));
  EXPECT_EQ(batches().front().first.max_timestamp, kNow) << "of the record, not of the pass";
}

TEST_F(CleanerTest, RecordsWithoutAKeyGo) {
  config_->cleanup_compact = false;
  open();
  put({{std::nullopt, "1"}, {"a", "1"}});
  put({{std::nullopt, "2"}});
  config_->cleanup_compact = true;
  roll();
  clean();
  EXPECT_EQ(stored(), (std::vector<Stored>{{1, "a", "1"}, {3, "roll", "x"}}));
}

TEST_F(CleanerTest, ABatchKeepsItsOffsetsAndItsCodec) {
  for (Codec codec : {Codec::none, Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd}) {
    SCOPED_TRACE(compress::name_of(codec));
    ASSERT_TRUE(files_.remove_all("/logs/t-0").ok());
    open();
    BatchOptions options = from_producer(7, 2, 10);
    options.codec = codec;
    const std::string text(200, 'v');
    put({{"a", "1"}, {"b", text}, {"a", "2"}, {"c", "1"}}, options);
    put({{"a", "3"}, {"c", "2"}});
    roll();
    clean();
    const auto [header, batch] = batches().front();
    EXPECT_EQ(header.base_offset, Offset(0));
    EXPECT_EQ(header.last_offset(), Offset(3));
    EXPECT_EQ(header.record_count, 1);
    EXPECT_EQ(header.codec(), codec);
    EXPECT_EQ(header.producer_id, ProducerId(7));
    EXPECT_EQ(header.producer_epoch, ProducerEpoch(2));
    EXPECT_EQ(header.base_sequence, 10);
    EXPECT_EQ(header.partition_leader_epoch, LeaderEpoch(0));
    EXPECT_EQ(stored().front(), (Stored{1, "b", text}));
  }
}

TEST_F(CleanerTest, TimesOfRecordsStayAndTheLargestIsOfWhatStays) {
  open();
  RecordBatchBuilder builder;
  builder.add(kNow + 50, "a", "1");
  builder.add(kNow + 10, "b", "1", std::vector<HeaderView>{{"h", "v"}, {"n", std::nullopt}});
  builder.add(kNow + 20, "c", "1");
  Bytes batch = *builder.build();
  ASSERT_TRUE(append(batch).ok());
  put({{"a", "2"}});
  roll();
  clean();
  const auto [header, bytes] = batches().front();
  EXPECT_EQ(header.max_timestamp, kNow + 20);
  Result<RecordIterator> records = RecordIterator::open(bytes, 1 << 20);
  const RecordView* record = records->next();
  ASSERT_TRUE(record);
  EXPECT_EQ(record->timestamp_ms, kNow + 10);
  ASSERT_EQ(record->headers().size(), 2u);
  EXPECT_EQ(record->headers()[0].key, "h");
  EXPECT_EQ(record->headers()[0].value, "v");
  EXPECT_EQ(record->headers()[1].value, std::nullopt);
  record = records->next();
  ASSERT_TRUE(record);
  EXPECT_EQ(record->timestamp_ms, kNow + 20);
  EXPECT_EQ(log_->offset_for_timestamp(kNow + 15)->value().offset, Offset(2));
}

TEST_F(CleanerTest, AppendTimeStays) {
  config_->timestamp_type = TimestampType::log_append_time;
  open();
  put({{"a", "1"}, {"b", "1"}});
  clock_.advance_ms(10);
  put({{"a", std::nullopt}});
  roll();
  clean();
  const auto all = batches();
  EXPECT_EQ(all[0].first.timestamp_type(), TimestampType::log_append_time);
  EXPECT_EQ(all[0].first.max_timestamp, kNow);
  EXPECT_EQ(all[1].first.max_timestamp, kNow + 10);
  EXPECT_TRUE(all[1].first.has_delete_horizon());
  Result<RecordIterator> records = RecordIterator::open(all[1].second, 1 << 20);
  EXPECT_EQ(records->next()->timestamp_ms, kNow + 10);
}

TEST_F(CleanerTest, TheLastBatchOfAProducerStaysThoughEmpty) {
  open();
  put({{"a", "1"}}, from_producer(5, 0, 0));
  put({{"a", "2"}}, from_producer(5, 0, 1));
  put({{"a", "3"}});
  roll();
  clean();
  const auto all = batches();
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].first.base_offset, Offset(1));
  EXPECT_EQ(all[0].first.record_count, 0);
  EXPECT_EQ(all[0].first.base_sequence, 1);
  EXPECT_EQ(all[0].first.size(), kBatchHeaderSize);
  // the producer's state can be made of it alone
  for (const std::string& name : files(".snapshot")) {
    ASSERT_TRUE(files_.remove("/logs/t-0/" + name).ok());
  }
  clean_ = false;
  recovery_point_ = Offset(0);
  open();
  Bytes next = batch_with({{"a", "4"}}, kNow, from_producer(5, 0, 2));
  EXPECT_TRUE(append(next).ok());
  Bytes far = batch_with({{"a", "4"}}, kNow, from_producer(5, 0, 9));
  Result<AppendInfo> refused = append(far);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), Errc::out_of_order_sequence);
}

TEST_F(CleanerTest, TheLastBatchOfAForgottenProducerGoes) {
  config_->producer_id_expiration_ms = 100;
  open();
  put({{"a", "1"}}, from_producer(5, 0, 0));
  clock_.advance_ms(101);
  put({{"a", "2"}});
  roll();
  log_->remove_expired_producers();
  clean();
  EXPECT_EQ(batches().front().first.base_offset, Offset(1));
}

TEST_F(CleanerTest, AbortedRecordsGoAndTheirMarkersLater) {
  open();
  put({{"a", "1"}});
  put({{"a", "aborted"}, {"b", "aborted"}}, in_transaction(9, 0, 0));
  put({{"c", "other"}}, in_transaction(8, 0, 0));
  end_transaction(ControlType::abort, 9, 0);   // 4
  end_transaction(ControlType::commit, 8, 0);  // 5
  put({{"d", "1"}}, in_transaction(9, 0, 2));  // 6
  end_transaction(ControlType::commit, 9, 0);  // 7
  roll();
  ASSERT_EQ(log_->aborted_transactions(Offset(0), Offset(8))->size(), 1u);
  clean();
  const std::vector<Stored> expected = {
      {0, "a", "1"}, {3, "c", "other"}, {6, "d", "1"}, {8, "roll", "x"}};
  EXPECT_EQ(stored(), expected);
  // data was there in this pass: marker and index entry stay once more
  EXPECT_EQ(log_->aborted_transactions(Offset(0), Offset(8))->size(), 1u);
  auto markers = [&] {
    std::vector<int64_t> all;
    for (const auto& [header, batch] : batches()) {
      if (header.is_control()) all.push_back(header.base_offset.value());
    }
    return all;
  };
  EXPECT_EQ(markers(), (std::vector<int64_t>{4, 5, 7}));
  roll();
  clean();  // now the marker has no data, and learns when it may go
  EXPECT_EQ(markers(), (std::vector<int64_t>{4, 5, 7}));
  EXPECT_EQ(log_->aborted_transactions(Offset(0), Offset(8))->size(), 0u);
  clock_.advance_ms(config_->delete_retention_ms);
  roll();
  clean();
  EXPECT_EQ(markers(), (std::vector<int64_t>{5, 7})) << "whose data is still there";
  reopen_clean();
  EXPECT_EQ(table().size(), 4u);
  EXPECT_EQ(table().at("a"), "1");
}

TEST_F(CleanerTest, AnAbortedValueDoesNotReplaceACommittedOne) {
  config_->segment_bytes = 130;  // one batch a segment: the marker is in another than the data
  open();
  put({{"a", "1"}}, in_transaction(1, 0, 0));
  end_transaction(ControlType::commit, 1, 0);
  put({{"a", "aborted"}}, in_transaction(1, 0, 1));
  end_transaction(ControlType::abort, 1, 0);
  put({{"b", "1"}});
  roll();
  clean();
  EXPECT_EQ(stored().front(), (Stored{0, "a", "1"}));
  EXPECT_EQ(table().at("a"), "1");
}

TEST_F(CleanerTest, NothingBeyondTheLastStableOffsetIsTouched) {
  config_->segment_bytes = 130;
  open();
  put({{"a", "1"}});
  put({{"a", "2"}});
  put({{"b", "open"}}, in_transaction(1, 0, 0));
  put({{"a", "3"}});
  roll();
  clean();
  EXPECT_EQ(stored(), (std::vector<Stored>{{1, "a", "2"}, {2, "b", "open"}, {3, "a", "3"},
                                           {4, "roll", "x"}}));
}

TEST_F(CleanerTest, NeighboursBecomeOneSegment) {
  config_->segment_bytes = 400;
  open();
  for (int i = 0; i < 100; ++i) put({{"key " + std::to_string(i % 10), std::string(50, 'v')}});
  const size_t before = log_->segment_count();
  clean();
  roll();
  clean();  // what the first pass left is small by now
  EXPECT_LT(log_->segment_count(), before / 3);
  for (const SegmentInfo& segment : log_->segments()) EXPECT_LE(segment.size, 400u);
  EXPECT_EQ(table().size(), 11u);
  reopen_clean();
  EXPECT_EQ(table().size(), 11u);
  // snapshots of segments that are no more went with them
  EXPECT_LE(files(".snapshot").size(), log_->segment_count() + 1);
}

TEST_F(CleanerTest, ASegmentThatIsAsGoodAsItCanBeIsLeftAlone) {
  config_->segment_bytes = 300;
  open();
  put({{"a", std::string(150, 'a')}});
  put({{"b", std::string(150, 'b')}});
  roll();
  const auto before = files_.read_file("/logs/t-0/00000000000000000000.log", 1 << 20);
  int swaps = 0;
  ASSERT_TRUE(*try_clean({}, [&] { ++swaps; }));
  EXPECT_EQ(swaps, 0);
  EXPECT_TRUE(files(".cleaned").empty());
  EXPECT_EQ(*before, *files_.read_file("/logs/t-0/00000000000000000000.log", 1 << 20));
  EXPECT_EQ(log_->cleaned_to(), Offset(2));
}

TEST_F(CleanerTest, AMapThatIsTooSmallTakesMorePasses) {
  config_->segment_bytes = 2000;
  open();
  for (int i = 0; i < 300; ++i) put({{"key " + std::to_string(i % 90), std::to_string(i)}});
  roll();
  const auto expected = table();
  CleanerLimits limits;
  limits.map_bytes = 40 * OffsetMap::kEntrySize;
  limits.io_buffer_bytes = 300;
  int passes = 0;
  Offset before(-1);
  for (; log_->cleaned_to().value_or(Offset(0)) < log_->cleaning_state(stable_end())->value().first_uncleanable;
       ++passes) {
    clean(limits);
    ASSERT_EQ(table(), expected);
    ASSERT_GT(*log_->cleaned_to(), before);
    before = *log_->cleaned_to();
  }
  EXPECT_GT(passes, 3);
  // in the end little is left twice
  EXPECT_LT(stored().size(), 200u);
}

TEST_F(CleanerTest, IndexesOfACompactedSegmentAreTrue) {
  config_->segment_bytes = 20000;
  open();
  for (int i = 0; i < 200; ++i) {
    clock_.advance_ms(10);
    put({{"key " + std::to_string(i % 150), std::string(50, 'v')}});
  }
  roll();
  clean();
  EXPECT_GT(files_.stat("/logs/t-0/00000000000000000000.index")->size, 100u);
  EXPECT_GT(files_.stat("/logs/t-0/00000000000000000000.timeindex")->size, 100u);
  Bytes index = *files_.read_file("/logs/t-0/00000000000000000000.index", 1 << 20);
  Bytes times = *files_.read_file("/logs/t-0/00000000000000000000.timeindex", 1 << 20);
  auto file = *files_.open("/logs/t-0/00000000000000000000.log", fs::OpenMode::read);
  for (size_t at = 0; at < index.size(); at += 8) {
    ByteReader entry(ByteView(index).substr(at, 8));
    const int32_t offset = entry.i32();
    BatchScanner scanner(*file, entry.u32(), *file->size());
    ASSERT_TRUE(*scanner.next());
    EXPECT_EQ(scanner.header().last_offset(), Offset(offset));
  }
  std::map<int64_t, int64_t> max_by_offset;
  for (const auto& [header, batch] : batches()) {
    max_by_offset[header.last_offset().value()] = header.max_timestamp;
  }
  for (size_t at = 0; at < times.size(); at += 12) {
    ByteReader entry(ByteView(times).substr(at, 12));
    const int64_t timestamp = entry.i64();
    EXPECT_EQ(max_by_offset.at(entry.i32()), timestamp);
  }
  // and a start finds nothing to do
  ASSERT_TRUE(log_->close().ok());
  const uint64_t changes = files_.changes();
  clean_ = true;
  open();
  EXPECT_EQ(files_.changes(), changes);
  for (int64_t i = 50; i < 200; i += 11) {
    EXPECT_EQ(log_->offset_for_timestamp(kNow + 10 + i * 10)->value().offset, Offset(i));
  }
}

TEST_F(CleanerTest, ACorruptBatchIsNamedAndNothingIsChanged) {
  open();
  put({{"a", "1"}});
  put({{"a", "2"}});
  put({{"a", "3"}});
  roll();
  auto file = *files_.open("/logs/t-0/00000000000000000000.log", fs::OpenMode::read_write);
  const size_t second = batches()[0].first.size();
  ASSERT_TRUE(file->pwrite("X", second + kBatchHeaderSize + 3).ok());
  Result<bool> done = try_clean();
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code(), Errc::corrupt_record);
  EXPECT_NE(done.error().what().find("/logs/t-0/00000000000000000000.log, position " +
                                     std::to_string(second) + ": offset 1: "),
            std::string::npos)
      << done.error().what();
  EXPECT_TRUE(files(".cleaned").empty());
  EXPECT_EQ(log_->cleaned_to(), Offset(0));
  ASSERT_TRUE(log_->cleaning_state(stable_end())->has_value());
  log_->mark_uncleanable();
  EXPECT_FALSE(log_->cleaning_state(stable_end())->has_value());
  // until something is cut or taken away
  ASSERT_TRUE(log_->truncate_to(Offset(3)).ok());
  EXPECT_TRUE(log_->cleaning_state(stable_end())->has_value());
}

TEST_F(CleanerTest, ABombIsOfThisLogAlone) {
  config_->max_decompressed_bytes = 100;
  open();
  BatchOptions options;
  options.codec = Codec::zstd;
  Bytes batch = batch_with({{"a", std::string(500, 'v')}}, kNow, options);
  set_base_offset(batch, Offset(0));
  ASSERT_TRUE(log_->append_as_follower(batch).ok());
  roll();
  Result<bool> done = try_clean();
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code(), Errc::corrupt_record);
}

TEST_F(CleanerTest, AFullDiskLeavesNothingBehind) {
  config_->segment_bytes = 4000;
  open();
  for (int i = 0; i < 60; ++i) {
    put({{"key " + std::to_string(i % 50), std::string(100, 'v')}});
  }
  roll();
  ASSERT_TRUE(log_->flush().ok());
  const auto before = stored();
  files_.set_capacity(files_.used_bytes() + 1500);
  CleanerLimits limits;
  limits.io_buffer_bytes = 500;
  Result<bool> done = try_clean(limits);
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code(), Errc::disk_full);
  EXPECT_TRUE(files(".cleaned").empty() && files(".swap").empty());
  EXPECT_EQ(stored(), before);
  files_.set_capacity(0);
  clean();
  EXPECT_LT(stored().size(), before.size());
}

TEST_F(CleanerTest, ALogThatIsCutMeanwhileIsLeftAlone) {
  config_->segment_bytes = 130;
  for (int at = 0; at < 2; ++at) {  // before the swap, and in the middle of it
    ASSERT_TRUE(files_.remove_all("/logs/t-0").ok());
    open();
    put({{"a", "1"}});
    put({{"a", "2"}});
    put({{"b", "1"}});
    roll();
    int calls = 0;
    Result<bool> done = try_clean({}, [&] {
      if (calls++ == at) {
        ASSERT_TRUE(log_->truncate_to(Offset(1)).ok());
        put({{"z", "new"}});
      }
    });
    ASSERT_TRUE(done.ok()) << done.error().what();
    EXPECT_FALSE(*done);
    const std::vector<Stored> expected = {{0, "a", "1"}, {1, "z", "new"}};
    EXPECT_EQ(stored(), expected);
    EXPECT_TRUE(files(".cleaned").empty() && files(".swap").empty());
    EXPECT_EQ(log_->cleaned_to(), Offset(0));
    reopen_clean();
    EXPECT_EQ(stored(), expected);
  }
}

TEST_F(CleanerTest, SegmentsThatRetentionTakesMeanwhileDoNotComeBack) {
  config_->segment_bytes = 130;
  config_->cleanup_delete = true;
  for (int at = 0; at < 2; ++at) {
    ASSERT_TRUE(files_.remove_all("/logs/t-0").ok());
    config_->retention_bytes = -1;
    open();
    for (int i = 0; i < 6; ++i) put({{"a", std::to_string(i)}});
    roll();
    int calls = 0;
    Result<bool> done = try_clean({}, [&] {
      if (calls++ != at) return;
      ASSERT_TRUE(log_->advance_log_start(Offset(4)).ok());
      Result<DeletedFiles> deleted = log_->delete_old_segments(log_->log_end_offset());
      ASSERT_TRUE(deleted.ok() && !deleted->empty());
    });
    ASSERT_TRUE(done.ok()) << done.error().what();
    EXPECT_FALSE(*done);
    EXPECT_EQ(stored().front(), (Stored{4, "a", "4"}));
    EXPECT_TRUE(files(".cleaned").empty() && files(".swap").empty());
    clean();
    EXPECT_EQ(stored().front(), (Stored{5, "a", "5"}));
  }
}

TEST_F(CleanerTest, AReaderOfTheOldFilesGoesOn) {
  open();
  put({{"a", "1"}});
  put({{"a", "2"}});
  roll();
  Result<LogSlice> slice = log_->read(Offset(0), 1000, true, log_->log_end_offset());
  ASSERT_TRUE(slice.ok());
  clean();
  Result<Bytes> bytes = Log::read_bytes(*slice);
  ASSERT_TRUE(bytes.ok());
  BatchWalker walker(*bytes);
  ASSERT_TRUE(walker.next());
  EXPECT_EQ(walker.header().base_offset, Offset(0));
  EXPECT_TRUE(check_crc(walker.header(), walker.batch()).ok());
}

TEST_F(CleanerTest, ACheckpointOfAnotherTimeSaysNothing) {
  open();
  put({{"a", "1"}});
  roll();
  reopen_clean();
  OpenOptions later = options();
  later.cleaned_to = Offset(900);
  log_ = *Log::open(context(), later);
  EXPECT_EQ(log_->cleaning_state(stable_end())->value().first_dirty, Offset(0));
  OpenOptions right = options();
  right.cleaned_to = Offset(1);
  log_ = *Log::open(context(), right);
  EXPECT_EQ(log_->cleaning_state(stable_end())->value().first_dirty, Offset(1));
  ASSERT_TRUE(log_->advance_log_start(Offset(2)).ok());
  EXPECT_EQ(log_->cleaning_state(stable_end())->value().first_dirty, Offset(2));
}

TEST_F(CleanerTest, ATruncationLowersWhatIsClean) {
  config_->segment_bytes = 130;
  open();
  for (int i = 0; i < 5; ++i) put({{"key " + std::to_string(i), "v"}});
  roll();
  clean();
  ASSERT_EQ(log_->cleaned_to(), Offset(5));
  ASSERT_TRUE(log_->truncate_to(Offset(2)).ok());
  EXPECT_EQ(log_->cleaned_to(), Offset(2));
  ASSERT_TRUE(log_->truncate_fully_and_start_at(Offset(0)).ok());
  EXPECT_EQ(log_->cleaned_to(), std::nullopt);
}

TEST_F(CleanerTest, WhatIsDirtyIsCountedInBytes) {
  config_->segment_bytes = 130;
  open();
  for (int i = 0; i < 4; ++i) put({{"a", std::to_string(i)}});
  const uint64_t one = log_->segments()[0].size;
  CleaningState state = **log_->cleaning_state(stable_end());
  EXPECT_EQ(state.first_dirty, Offset(0));
  EXPECT_EQ(state.first_uncleanable, Offset(3));
  EXPECT_EQ(state.clean_bytes, 0u);
  EXPECT_EQ(state.cleanable_bytes, 3 * one);
  EXPECT_EQ(state.dirty_ratio(), 1);
  clean();  // one record of three stays
  for (int i = 0; i < 4; ++i) put({{"b", std::to_string(i)}});
  state = **log_->cleaning_state(stable_end());
  EXPECT_EQ(state.first_dirty, Offset(3));
  EXPECT_EQ(state.first_uncleanable, Offset(7));
  EXPECT_EQ(state.clean_bytes, one);
  EXPECT_EQ(state.cleanable_bytes, 4 * one);
  EXPECT_EQ(state.dirty_ratio(), 0.8);
  // nothing that is not stable
  EXPECT_EQ(log_->cleaning_state(Offset(5))->value().first_uncleanable, Offset(5));
  config_->cleanup_compact = false;
  EXPECT_FALSE(log_->cleaning_state(stable_end())->has_value());
}

TEST_F(CleanerTest, YoungRecordsWaitAndOldOnesDoNot) {
  config_->segment_bytes = 130;
  config_->min_compaction_lag_ms = 500;
  config_->max_compaction_lag_ms = 2000;
  open();
  for (int i = 0; i < 4; ++i) {
    put({{"a", std::to_string(i)}});
    clock_.advance_ms(200);
  }
  // written 800, 600, 400 and 200 ms ago; the last one's segment is open
  CleaningState state = **log_->cleaning_state(stable_end());
  EXPECT_EQ(state.first_uncleanable, Offset(2));
  EXPECT_EQ(state.overdue_ms, 0);
  clean();
  EXPECT_EQ(stored(), (std::vector<Stored>{{1, "a", "1"}, {2, "a", "2"}, {3, "a", "3"}}));
  clock_.advance_ms(1700);  // offset 2 was written 2100 ms ago
  state = **log_->cleaning_state(stable_end());
  EXPECT_EQ(state.first_uncleanable, Offset(3));
  EXPECT_EQ(state.overdue_ms, 100);
}

TEST_F(CleanerTest, MessagesOfOldFormatsStayInTheirs) {
  open();
  auto messages = [&](int8_t magic, Offset base, const Pairs& pairs, Codec codec) {
    ByteWriter out;
    ByteWriter inner;
    ByteWriter& into = codec == Codec::none ? out : inner;
    for (size_t i = 0; i < pairs.size(); ++i) {
      const int64_t offset = magic == 1 && codec != Codec::none
                                 ? static_cast<int64_t>(i)
                                 : base.value() + static_cast<int64_t>(i);
      write_message(into, magic, Offset(offset), 0, kNow + static_cast<int64_t>(i), pairs[i].first,
                    pairs[i].second);
    }
    if (codec != Codec::none) {
      write_message(out, magic, base + static_cast<int64_t>(pairs.size()) - 1,
                    static_cast<int16_t>(codec), kNow + static_cast<int64_t>(pairs.size()) - 1,
                    std::nullopt, ByteView(*compress::compress(codec, inner.buffer())));
    }
    return out.take();
  };
  ASSERT_TRUE(log_->append_as_follower(
                      messages(0, Offset(0), {{"a", "0"}, {"b", "0"}}, Codec::none)).ok());
  ASSERT_TRUE(log_->append_as_follower(
                      messages(1, Offset(2), {{"a", "1"}, {"c", "0"}, {"d", "0"}}, Codec::gzip)).ok());
  ASSERT_TRUE(log_->append_as_follower(
                      messages(0, Offset(5), {{"e", "0"}, {"c", "1"}, {"f", {}}}, Codec::gzip)).ok());
  put({{"d", "1"}, {"e", "1"}});
  roll();
  clean();
  EXPECT_EQ(stored(), (std::vector<Stored>{{1, "b", "0"}, {2, "a", "1"}, {6, "c", "1"},
                                           {7, "f", {}}, {8, "d", "1"}, {9, "e", "1"},
                                           {10, "roll", "x"}}));
  const auto all = batches();
  EXPECT_EQ(all[0].first.magic, 0);
  EXPECT_EQ(all[1].first.magic, 1);
  EXPECT_EQ(all[1].first.codec(), Codec::gzip);
  EXPECT_EQ(all[1].first.max_timestamp, kNow);
  EXPECT_EQ(all[2].first.magic, 0);
  // the tombstone goes when all that is older was clean for long enough
  clock_.advance_ms(config_->delete_retention_ms + 1);
  roll();
  clean();
  EXPECT_EQ(stored()[2], (Stored{6, "c", "1"}));
  reopen_clean();
  EXPECT_EQ(table().size(), 7u - 1);
}

// Whatever is written and whenever it is compacted: a reader from the beginning ends with the same
// table as one who saw every record.
TEST_F(CleanerTest, TheTableIsTheSameForEverySeed) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    ASSERT_TRUE(files_.remove_all("/logs/t-0").ok());
    config_->segment_bytes = static_cast<int64_t>(300 + random() % 3000);
    recovery_point_ = Offset(0);
    open();
    std::map<std::string, std::string> model;
    std::map<std::string, std::string> pending;  // of the open transaction; "" is a tombstone
    std::map<int64_t, int32_t> sequences;
    bool in_open = false;
    for (int round = 0; round < 60; ++round) {
      Pairs pairs;
      const bool transactional = random() % 3 == 0;
      if (!transactional && in_open) {
        const bool commit = random() % 2;
        end_transaction(commit ? ControlType::commit : ControlType::abort, 77, 0);
        in_open = false;
        for (const auto& [key, value] : pending) {
          if (!commit) continue;
          if (value.empty()) model.erase(key);
          else model[key] = value;
        }
        pending.clear();
      }
      for (size_t i = random() % 6; i-- > 0 || pairs.empty();) {
        // transactions have keys of their own: who sees which value first is not the point here
        const std::string key = (transactional ? "t" : "k") + std::to_string(random() % 20);
        const bool tombstone = random() % 4 == 0;
        const std::string value = "v" + std::to_string(random());
        pairs.emplace_back(key, tombstone ? Text() : Text(value));
        auto& into = transactional ? pending : model;
        if (!tombstone) into[key] = value;
        else if (transactional) into[key] = "";
        else into.erase(key);
        if (pairs.size() >= 6) break;
      }
      BatchOptions options;
      if (transactional) {
        options = in_transaction(77, 0, sequences[77]);
        sequences[77] += static_cast<int32_t>(pairs.size());
        in_open = true;
      } else if (random() % 2) {
        const auto producer = static_cast<int64_t>(random() % 4);
        options = from_producer(producer, 0, sequences[producer]);
        sequences[producer] += static_cast<int32_t>(pairs.size());
      }
      options.codec = static_cast<Codec>(random() % 5);
      put(pairs, options);
      clock_.advance_ms(static_cast<int64_t>(random() % 300));
      if (random() % 4 == 0) {
        CleanerLimits limits;
        limits.io_buffer_bytes = 100 + random() % 2000;
        if (random() % 3 == 0) limits.map_bytes = OffsetMap::kEntrySize * (2 + random() % 20);
        clean(limits);
      }
      if (random() % 10 == 0) reopen_clean();
    }
    if (in_open) end_transaction(ControlType::abort, 77, 0);
    roll();
    model["roll"] = "x";
    clean();
    clean();
    EXPECT_EQ(table(), model);
    // each producer goes on where it was
    clean_ = false;
    recovery_point_ = Offset(0);
    for (const std::string& name : files(".snapshot")) {
      ASSERT_TRUE(files_.remove("/logs/t-0/" + name).ok());
    }
    open();
    EXPECT_EQ(table(), model);
    for (const auto& [producer, sequence] : sequences) {
      if (producer == 77) continue;
      Bytes next = batch_with({{"a", "b"}}, kNow, from_producer(producer, 0, sequence));
      Result<AppendInfo> appended = append(next);
      EXPECT_TRUE(appended.ok()) << producer << ": " << appended.error().what();
    }
  }
}

}  // namespace
}  // namespace odradek::broker::log
