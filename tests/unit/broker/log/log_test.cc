#include "broker/log/log_directory_name.h"
#include "tests/unit/broker/log/log_fixture.h"

namespace odradek::broker::log {
namespace {

using compress::Codec;
using CrashMode = fs::FaultyFileSystem::CrashMode;

TEST_F(LogTest, AppendsAndReadsBack) {
  open();
  EXPECT_EQ(log_->log_end_offset(), Offset(0));
  EXPECT_EQ(must_append(3), Offset(0));
  EXPECT_EQ(must_append(2), Offset(3));
  Result<AppendInfo> info = append(batch_of(4, kNow + 100));
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->first_offset, Offset(5));
  EXPECT_EQ(info->last_offset, Offset(8));
  EXPECT_EQ(info->log_append_time_ms, -1);
  EXPECT_EQ(info->max_timestamp, kNow + 103);
  EXPECT_EQ(info->log_start_offset, Offset(0));
  EXPECT_FALSE(info->duplicate);
  EXPECT_EQ(offsets(Offset(0)), range(0, 9));
  EXPECT_EQ(offsets(Offset(4)), range(4, 9));
  reopen_clean();
  EXPECT_EQ(log_->log_end_offset(), Offset(9));
  EXPECT_EQ(log_->recovery_point(), Offset(9));
  EXPECT_EQ(offsets(Offset(0)), range(0, 9));
  EXPECT_EQ(must_append(1), Offset(9));
}

TEST_F(LogTest, LogAppendTimeIsTheClocks) {
  config_->timestamp_type = TimestampType::log_append_time;
  open();
  clock_.advance_ms(5);
  Result<AppendInfo> info = append(batch_of(2, 1));
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->log_append_time_ms, kNow + 5);
  Result<std::optional<TimestampOffset>> found = log_->offset_for_timestamp(kNow + 5);
  ASSERT_TRUE(found.ok() && *found);
  EXPECT_EQ((*found)->offset, Offset(0));
}

TEST_F(LogTest, RangesAreWholeBatches) {
  open();
  std::vector<size_t> sizes;
  for (int i = 0; i < 20; ++i) {
    Bytes batch = batch_of(2, kNow + i);
    sizes.push_back(batch.size());
    ASSERT_TRUE(append(std::move(batch)).ok());
  }
  auto read = [&](int64_t from, size_t max, bool min_one, int64_t bound) {
    Result<LogSlice> slice = log_->read(Offset(from), max, min_one, Offset(bound));
    EXPECT_TRUE(slice.ok());
    return *slice;
  };
  EXPECT_EQ(read(0, 1, false, 40).size, 0u);
  EXPECT_EQ(read(0, 1, true, 40).size, sizes[0]);
  EXPECT_EQ(read(1, 1, true, 40).base_offset, Offset(0));
  EXPECT_EQ(read(3, sizes[1] + sizes[2] + 5, false, 40).size, sizes[1] + sizes[2]);
  EXPECT_EQ(read(3, sizes[1] + sizes[2], false, 40).size, sizes[1] + sizes[2]);
  EXPECT_EQ(read(0, 1 << 20, true, 4).size, sizes[0] + sizes[1]);
  EXPECT_EQ(read(0, 1 << 20, true, 5).size,
            sizes[0] + sizes[1]);  // a batch that reaches above is not shown
  EXPECT_EQ(read(0, 1 << 20, true, 1).size, 0u);
  EXPECT_EQ(read(40, 1 << 20, true, 40).size, 0u);
  EXPECT_EQ(read(39, 1 << 20, true, 1000).size, sizes[19]);
  EXPECT_EQ(log_->read(Offset(41), 1, true, Offset(41)).error().code(), Errc::offset_out_of_range);
  EXPECT_EQ(log_->read(Offset(-1), 1, true, Offset(41)).error().code(), Errc::offset_out_of_range);
}

TEST_F(LogTest, EveryReadOfABigLogIsRight) {
  config_->segment_bytes = 5000;
  config_->index_interval_bytes = 300;
  open();
  for (int i = 0; i < 200; ++i) must_append(1 + i % 4, kNow + i);
  EXPECT_GT(log_->segment_count(), 3u);
  const int64_t end = log_->log_end_offset().value();
  for (int64_t from = 0; from < end; from += 7) {
    for (size_t max : {size_t{1}, size_t{500}, size_t{3000}, size_t{1} << 20}) {
      ASSERT_EQ(offsets(Offset(from), max), range(from, end)) << from << " " << max;
    }
  }
  reopen_clean();
  ASSERT_EQ(offsets(Offset(17)), range(17, end));
}

TEST_F(LogTest, RollsBySizeTimeAndIndex) {
  config_->segment_bytes = 400;
  open();
  for (int i = 0; i < 6; ++i) must_append(3);
  for (const SegmentInfo& segment : log_->segments()) EXPECT_LE(segment.size, 400u);
  EXPECT_GT(log_->segment_count(), 1u);

  config_ = std::make_shared<LogConfig>();
  config_->segment_ms = 1000;
  log_->set_config(config_);
  size_t before = log_->segment_count();
  must_append(1, kNow);
  EXPECT_EQ(log_->segment_count(), before);
  must_append(1, kNow + 1003);  // the first batch's largest timestamp is kNow + 2
  EXPECT_EQ(log_->segment_count(), before + 1);

  config_ = std::make_shared<LogConfig>();
  config_->segment_index_bytes = 36;  // four offset entries, two time entries and one in reserve
  config_->index_interval_bytes = 0;
  log_->set_config(config_);
  before = log_->segment_count();
  for (int i = 0; i < 10; ++i) must_append(1, kNow + 2000 + i);
  EXPECT_GT(log_->segment_count(), before);
}

TEST_F(LogTest, TimestampLookup) {
  config_->index_interval_bytes = 200;
  config_->segment_bytes = 2000;
  open();
  for (int i = 0; i < 30; ++i) {
    BatchOptions options;
    options.codec = i % 2 ? Codec::lz4 : Codec::none;
    Result<AppendInfo> info = append(batch_of(3, kNow + i * 10, options), 1 + i / 10);
    ASSERT_TRUE(info.ok());
  }
  for (int i = 0; i < 30; ++i) {
    for (int delta = 0; delta < 10; ++delta) {
      Result<std::optional<TimestampOffset>> found =
          log_->offset_for_timestamp(kNow + i * 10 + delta);
      ASSERT_TRUE(found.ok());
      if (i == 29 && delta > 2) {
        EXPECT_FALSE(found->has_value());
        continue;
      }
      ASSERT_TRUE(found->has_value());
      EXPECT_EQ((*found)->offset.value(), delta <= 2 ? i * 3 + delta : (i + 1) * 3);
      EXPECT_EQ((*found)->timestamp_ms, delta <= 2 ? kNow + i * 10 + delta : kNow + (i + 1) * 10);
      EXPECT_EQ((*found)->leader_epoch.value(), 1 + (delta <= 2 ? i : i + 1) / 10);
    }
  }
  EXPECT_EQ((*log_->offset_for_timestamp(kEarliestTimestamp))->offset, Offset(0));
  EXPECT_EQ((*log_->offset_for_timestamp(kEarliestTimestamp))->leader_epoch, LeaderEpoch(1));
  EXPECT_EQ((*log_->offset_for_timestamp(kLatestTimestamp))->offset, Offset(90));
  EXPECT_EQ((*log_->offset_for_timestamp(kLatestTimestamp))->leader_epoch, LeaderEpoch(3));
  EXPECT_EQ((*log_->offset_for_timestamp(kMaxTimestamp))->offset, Offset(89));
  EXPECT_EQ((*log_->offset_for_timestamp(kMaxTimestamp))->timestamp_ms, kNow + 292);
  ASSERT_TRUE(log_->advance_log_start(Offset(31)).ok());
  EXPECT_EQ((*log_->offset_for_timestamp(kNow))->offset, Offset(31));
}

TEST_F(LogTest, EpochsAreFencedAndFound) {
  open();
  ASSERT_TRUE(append(batch_of(5, kNow), 1).ok());
  ASSERT_TRUE(log_->begin_leader_epoch(LeaderEpoch(3)).ok());
  EXPECT_EQ(append(batch_of(1, kNow), 2).error().code(), Errc::fenced_leader_epoch);
  ASSERT_TRUE(append(batch_of(5, kNow), 3).ok());
  EXPECT_EQ(log_->end_offset_for_epoch(LeaderEpoch(1)).end_offset, Offset(5));
  EXPECT_EQ(log_->end_offset_for_epoch(LeaderEpoch(2)).end_offset, Offset(5));
  EXPECT_EQ(log_->end_offset_for_epoch(LeaderEpoch(3)).end_offset, Offset(10));
  EXPECT_EQ(log_->end_offset_for_epoch(LeaderEpoch(9)).end_offset, Offset(-1));
  Result<LogSlice> slice = log_->read(Offset(5), 1000, true, Offset(10));
  EXPECT_EQ(parse_batch_header(*Log::read_bytes(*slice))->partition_leader_epoch, LeaderEpoch(3));
}

TEST_F(LogTest, IdempotentProducers) {
  open();
  ASSERT_TRUE(append(batch_of(2, kNow, from_producer(1, 0, 0))).ok());
  ASSERT_TRUE(append(batch_of(2, kNow, from_producer(1, 0, 2))).ok());
  Result<AppendInfo> again = append(batch_of(2, kNow, from_producer(1, 0, 0)));
  ASSERT_TRUE(again.ok());
  EXPECT_TRUE(again->duplicate);
  EXPECT_EQ(again->first_offset, Offset(0));
  EXPECT_EQ(again->last_offset, Offset(1));
  EXPECT_EQ(log_->log_end_offset(), Offset(4));
  EXPECT_EQ(append(batch_of(2, kNow, from_producer(1, 0, 5))).error().code(),
            Errc::out_of_order_sequence);
  EXPECT_EQ(log_->log_end_offset(), Offset(4));
  ASSERT_TRUE(append(batch_of(1, kNow, from_producer(1, 1, 0))).ok());
  EXPECT_EQ(append(batch_of(2, kNow, from_producer(1, 0, 4))).error().code(),
            Errc::invalid_producer_epoch);
  for (int round = 0; round < 2; ++round) {
    if (round == 0)
      reopen_clean();
    else
      reopen_crashed(CrashMode::keep_all);
    Result<AppendInfo> repeated = append(batch_of(1, kNow, from_producer(1, 1, 0)));
    ASSERT_TRUE(repeated.ok());
    EXPECT_TRUE(repeated->duplicate) << round;
    EXPECT_EQ(repeated->first_offset, Offset(4));
    EXPECT_EQ(append(batch_of(1, kNow, from_producer(1, 1, 7))).error().code(),
              Errc::out_of_order_sequence);
  }
  clock_.advance_ms(config_->producer_id_expiration_ms);
  log_->remove_expired_producers();
  EXPECT_TRUE(log_->producers().empty());
}

TEST_F(LogTest, FollowerKeepsOffsetsAndEpochs) {
  open();
  Bytes batches;
  for (int64_t offset : {5, 9}) {  // with gaps, as a compacted leader sends
    BatchOptions options;
    options.base_offset = Offset(offset);
    options.leader_epoch = LeaderEpoch(static_cast<int32_t>(offset));
    batches += batch_of(2, kNow, options);
  }
  Result<AppendInfo> info = log_->append_as_follower(batches);
  ASSERT_TRUE(info.ok()) << info.error().what();
  EXPECT_EQ(info->first_offset, Offset(5));
  EXPECT_EQ(log_->log_end_offset(), Offset(11));
  EXPECT_EQ(log_->latest_leader_epoch(), LeaderEpoch(9));
  EXPECT_EQ(log_->append_as_follower(batches).error().code(), Errc::invalid_record);
  EXPECT_EQ(offsets(Offset(0)), (std::vector<int64_t>{5, 6, 9, 10}));
}

TEST_F(LogTest, RetentionByTime) {
  config_->segment_bytes = 400;
  config_->retention_ms = 1000;
  open();
  for (int i = 0; i < 10; ++i) must_append(3, kNow + i * 100);
  const size_t before = log_->segment_count();
  ASSERT_GT(before, 3u);
  Result<DeletedFiles> nothing = log_->delete_old_segments(log_->log_end_offset());
  ASSERT_TRUE(nothing.ok());
  EXPECT_TRUE(nothing->empty());
  clock_.advance_ms(1300);
  Result<LogSlice> being_sent = log_->read(Offset(0), 100, true, log_->log_end_offset());
  Result<DeletedFiles> some = log_->delete_old_segments(log_->log_end_offset());
  ASSERT_TRUE(some.ok());
  EXPECT_FALSE(some->empty());
  EXPECT_LT(log_->segment_count(), before);
  EXPECT_GT(log_->log_start_offset(), Offset(0));
  EXPECT_EQ(log_->read(Offset(0), 100, true, Offset(30)).error().code(), Errc::offset_out_of_range);
  EXPECT_TRUE(Log::read_bytes(*being_sent).ok());
  for (const std::string& path : some->paths) EXPECT_TRUE(files_.exists(path)) << path;
  ASSERT_TRUE(remove_files(files_, *some).ok());
  ASSERT_TRUE(remove_files(files_, *some).ok());
  for (const std::string& path : some->paths) EXPECT_FALSE(files_.exists(path)) << path;
  const Offset start = log_->log_start_offset();
  EXPECT_EQ(offsets(start), range(start.value(), 30));
  // nothing above the high watermark goes; then everything goes, and the log goes on where it ended
  clock_.advance_ms(100000);
  EXPECT_TRUE(log_->delete_old_segments(start)->empty());
  ASSERT_FALSE(log_->delete_old_segments(log_->log_end_offset())->empty());
  EXPECT_EQ(log_->segment_count(), 1u);
  EXPECT_EQ(log_->log_start_offset(), Offset(30));
  EXPECT_EQ(must_append(1), Offset(30));
  reopen_clean();
  EXPECT_EQ(log_->log_start_offset(), Offset(30));
  EXPECT_EQ(log_->log_end_offset(), Offset(31));
}

TEST_F(LogTest, RetentionBySizeAndCompactedTopics) {
  config_->segment_bytes = 400;
  config_->retention_bytes = 1000;
  open();
  for (int i = 0; i < 20; ++i) must_append(3);
  auto compacted = std::make_shared<LogConfig>(*config_);
  compacted->cleanup_compact = true;
  compacted->cleanup_delete = false;
  compacted->retention_ms = 1;
  log_->set_config(compacted);
  clock_.advance_ms(1'000'000);
  EXPECT_TRUE(log_->delete_old_segments(log_->log_end_offset())->empty());
  log_->set_config(config_);
  EXPECT_FALSE(log_->delete_old_segments(log_->log_end_offset())->empty());
  EXPECT_GE(log_->size_bytes(), 1000);
  EXPECT_LT(log_->size_bytes(), 1400);
}

TEST_F(LogTest, LogStartOffsetTakesSegmentsAway) {
  config_->segment_bytes = 400;
  config_->cleanup_compact = true;
  config_->cleanup_delete = false;
  open();
  for (int i = 0; i < 10; ++i) must_append(3);
  EXPECT_EQ(log_->advance_log_start(Offset(31)).error().code(), Errc::offset_out_of_range);
  ASSERT_TRUE(log_->advance_log_start(Offset(14)).ok());
  EXPECT_EQ(log_->read(Offset(13), 100, true, Offset(30)).error().code(),
            Errc::offset_out_of_range);
  EXPECT_FALSE(log_->delete_old_segments(log_->log_end_offset())->empty());
  EXPECT_LE(log_->segments()[0].base_offset, Offset(14));
  EXPECT_EQ(offsets(Offset(14)), range(14, 30));
  log_start_offset_ = log_->log_start_offset();
  reopen_clean();
  EXPECT_EQ(log_->log_start_offset(), Offset(14));
}

TEST_F(LogTest, TruncationAtEveryOffset) {
  config_->segment_bytes = 600;
  config_->index_interval_bytes = 100;
  for (int64_t to = 0; to <= 31; ++to) {
    SCOPED_TRACE(to);
    ASSERT_TRUE(files_.remove_all("/logs/t-0").ok());
    open();
    for (int i = 0; i < 10; ++i) {
      ASSERT_TRUE(append(batch_of(3, kNow + i, from_producer(1, 0, i * 3)), i / 3).ok());
    }
    ASSERT_TRUE(log_->truncate_to(Offset(to)).ok());
    // a batch that reaches above goes as a whole
    const int64_t end = std::min<int64_t>(to, 30);
    EXPECT_EQ(log_->log_end_offset(), Offset(end));
    EXPECT_EQ(offsets(Offset(0)), range(0, end / 3 * 3));
    EXPECT_LE(log_->latest_leader_epoch().value(),
              static_cast<int32_t>(std::max<int64_t>(end - 1, 0) / 9));
    if (end % 3 == 0) {
      Result<AppendInfo> next =
          append(batch_of(3, kNow, from_producer(1, 0, static_cast<int32_t>(end))), 3);
      ASSERT_TRUE(next.ok()) << next.error().what();
      EXPECT_FALSE(next->duplicate);
      EXPECT_EQ(next->first_offset, Offset(end));
      reopen_clean();
      EXPECT_EQ(offsets(Offset(0)), range(0, end + 3));
    }
  }
}

TEST_F(LogTest, TruncateFullyStartsAnywhere) {
  open();
  must_append(5);
  ASSERT_TRUE(log_->truncate_fully_and_start_at(Offset(100)).ok());
  EXPECT_EQ(log_->log_start_offset(), Offset(100));
  EXPECT_EQ(must_append(1), Offset(100));
  reopen_clean();
  EXPECT_EQ(log_->log_start_offset(), Offset(100));
  EXPECT_EQ(log_->log_end_offset(), Offset(101));
}

TEST_F(LogTest, CleanStopLeavesKafkasFiles) {
  config_->segment_bytes = 500;
  open();
  for (int i = 0; i < 5; ++i) must_append(3);
  ASSERT_TRUE(log_->close().ok());
  std::vector<std::string> names;
  const std::vector<fs::DirEntry> entries = *files_.list("/logs/t-0");
  for (const fs::DirEntry& entry : entries) names.push_back(entry.name);
  EXPECT_EQ(names, (std::vector<std::string>{
                       "00000000000000000000.index", "00000000000000000000.log",
                       "00000000000000000000.timeindex", "00000000000000000012.index",
                       "00000000000000000012.log", "00000000000000000012.snapshot",
                       "00000000000000000012.timeindex", "00000000000000000015.snapshot",
                       "leader-epoch-checkpoint"}));
}

TEST_F(LogTest, TopicIdIsKept) {
  Uuid id = Uuid::random();
  open();
  ASSERT_TRUE(log_->set_topic_id(id).ok());
  EXPECT_EQ(*files_.read_file("/logs/t-0/partition.metadata", 100),
            "version: 0\ntopic_id: " + id.to_string());
  reopen_clean();
  EXPECT_EQ(log_->topic_id(), id);
  EXPECT_EQ(log_->set_topic_id(Uuid::random()).error().code(), Errc::inconsistent_topic_id);
}

TEST_F(LogTest, DirectoryIsRenamedForDeletion) {
  open();
  must_append(1);
  Result<LogSlice> slice = log_->read(Offset(0), 100, true, Offset(1));
  Result<std::string> path = log_->rename_for_delete();
  ASSERT_TRUE(path.ok());
  EXPECT_FALSE(files_.exists("/logs/t-0"));
  EXPECT_TRUE(files_.exists(*path));
  std::optional<LogDirectoryName> name = parse_log_directory_name(path->substr(6));
  ASSERT_TRUE(name.has_value()) << *path;
  EXPECT_EQ(name->kind, LogDirectoryName::Kind::deleted);
  EXPECT_EQ(name->id.topic, "t");
  EXPECT_TRUE(Log::read_bytes(*slice).ok());
  EXPECT_EQ(append(batch_of(1, kNow)).error().code(), Errc::log_dir_offline);
}

TEST_F(LogTest, FewDescriptorsForManyLogs) {
  std::vector<std::unique_ptr<Log>> logs;
  for (int i = 0; i < 50; ++i) {
    OpenOptions one = options();
    one.directory = "/logs/t-" + std::to_string(i);
    logs.push_back(std::move(*Log::open(context(), one)));
  }
  EXPECT_EQ(cache_.open_files(), 0u);
  for (int round = 0; round < 3; ++round) {
    for (auto& log : logs) {
      Bytes batch = batch_of(1, kNow);
      ASSERT_TRUE(log->append_as_leader(batch, LeaderEpoch(0), AppendOrigin::client).ok());
    }
  }
  EXPECT_LE(cache_.open_files(), 8u);
  for (auto& log : logs) EXPECT_EQ(log->log_end_offset(), Offset(3));
}

TEST(LogDirectoryNames, ParseAndPrint) {
  struct Row {
    const char* name;
    const char* topic;
    int partition;
    LogDirectoryName::Kind kind;
  } rows[] = {
      {"t-0", "t", 0, LogDirectoryName::Kind::normal},
      {"a-b.c-12", "a-b.c", 12, LogDirectoryName::Kind::normal},
      {"t-0.0123456789abcdef0123456789abcdef-delete", "t", 0, LogDirectoryName::Kind::deleted},
      {"t-0.0123456789abcdef0123456789abcdef-future", "t", 0, LogDirectoryName::Kind::future},
      {"t-0.0123456789abcdef0123456789abcdef-stray", "t", 0, LogDirectoryName::Kind::stray},
  };
  for (const Row& row : rows) {
    std::optional<LogDirectoryName> name = parse_log_directory_name(row.name);
    ASSERT_TRUE(name.has_value()) << row.name;
    EXPECT_EQ(name->id.topic, row.topic);
    EXPECT_EQ(name->id.partition, PartitionId(row.partition));
    EXPECT_EQ(name->kind, row.kind);
  }
  for (const char* name : {"", "t", "-0", "t-", "t-x", "t--1-", "t-99999999999", "lost+found"}) {
    EXPECT_FALSE(parse_log_directory_name(name).has_value()) << name;
  }
  EXPECT_EQ(
      deleted_directory_name({std::string(249, 'x'), PartitionId(7)}, Uuid::random(), "delete")
          .size(),
      255u);
}

}  // namespace
}  // namespace odradek::broker::log
